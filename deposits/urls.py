from django.urls import URLPattern, path

from deposits import views

app_name = "deposits"

urlpatterns: list[URLPattern] = [
    path("console/deposit/<slug:number>/", views.detail, name="detail"),
    path("console/deposit/<slug:number>/pay/", views.pay, name="pay"),
    path("console/deposit/<slug:number>/returned/", views.returned, name="returned"),
    path("console/deposit/<slug:number>/receipts/<int:pk>/", views.receipt, name="receipt"),
    path("console/deposit/<slug:number>/withdraw/", views.withdraw, name="withdraw"),
]
