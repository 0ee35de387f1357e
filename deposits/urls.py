from django.urls import URLPattern, path

from deposits import views
from deposits.bound_account import views as account_change_views

app_name = "deposits"

urlpatterns: list[URLPattern] = [
    path("console/deposit/<slug:number>/", views.detail, name="detail"),
    path("console/deposit/<slug:number>/pay/", views.pay, name="pay"),
    path("console/deposit/<slug:number>/returned/", views.returned, name="returned"),
    path("console/deposit/<slug:number>/receipts/<int:pk>/", views.receipt, name="receipt"),
    path("console/deposit/<slug:number>/statement/", views.statement, name="statement"),
    path(
        "console/deposit/<slug:number>/statement.<slug:extension>",
        views.statement_file,
        name="statement_file",
    ),
    path("console/deposit/<slug:number>/withdraw/", views.withdraw, name="withdraw"),
    path("console/deposit/<slug:number>/account/", account_change_views.account, name="account"),
    path(
        "console/deposit/<slug:number>/account/<int:pk>/cancel/",
        account_change_views.cancel,
        name="account_cancel",
    ),
    path(
        "console/deposit/<slug:number>/account/<int:pk>/evidence/",
        account_change_views.evidence,
        name="account_evidence",
    ),
]
