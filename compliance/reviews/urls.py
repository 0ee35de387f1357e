"""Reviews: written by the shop's owner, answered by the provider; who may use each stands in tmall_sp/access.py."""

from django.urls import path

from compliance.reviews import views

app_name = "reviews"

urlpatterns = [
    path("console/served-by/<int:pk>/review/", views.write, name="write"),
    path("console/reviews/<str:number>/", views.reviews, name="list"),
    path("console/reviews/<str:number>/<int:pk>/reply/", views.reply, name="reply"),
    path("console/reviews/<str:number>/<int:pk>/report/", views.report, name="report"),
]
