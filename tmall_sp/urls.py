"""Every URL of the portal; who may use each stands in access.py."""

from django.contrib import admin
from django.urls import include, path

from tmall_sp.core import views as core_views

urlpatterns = [
    path("healthz", core_views.healthz, name="healthz"),
    path("readyz", core_views.readyz, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("applications.urls")),
    path("", include("deposits.urls")),
    path("", include("compliance.urls")),
]
