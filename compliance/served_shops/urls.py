"""Served shops, from both sides, and the invitation that joins them; who may use each stands in tmall_sp/access.py."""

from django.urls import path

from compliance.served_shops import invitation_views, owner_views, provider_views

app_name = "served_shops"

urlpatterns = [
    path("invitations/<str:token>/", invitation_views.invitation, name="invitation"),
    path("invitations/<str:token>/answer/", invitation_views.answer, name="answer"),
    path("console/served-by/", owner_views.providers, name="providers"),
    path("console/served-by/<int:pk>/", owner_views.provider, name="provider"),
    path("console/served-by/<int:pk>/end/", owner_views.end, name="end_by_owner"),
    path("console/served-shops/<str:number>/", provider_views.shops, name="list"),
    path("console/served-shops/<str:number>/<int:pk>/", provider_views.shop, name="shop"),
    path("console/served-shops/<str:number>/<int:pk>/renew/", provider_views.renew, name="renew"),
    path("console/served-shops/<str:number>/<int:pk>/withdraw/", provider_views.withdraw, name="withdraw"),
    path("console/served-shops/<str:number>/<int:pk>/end/", provider_views.end, name="end"),
    path("console/declarations/<str:number>/", provider_views.figures, name="figures"),
    path("console/declarations/<str:number>/<int:pk>/file/", provider_views.evidence, name="evidence"),
]
