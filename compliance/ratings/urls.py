"""A provider's rating, below /console/rating/; who may use each stands in tmall_sp/access.py."""

from django.urls import path

from compliance.ratings import views

app_name = "ratings"

urlpatterns = [
    path("", views.ratings, name="list"),
    path("<str:number>/", views.rating, name="rating"),
    path("<str:number>/<int:pk>/dispute/<slug:code>/", views.dispute, name="dispute"),
]
