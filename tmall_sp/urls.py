"""Every URL of the portal; who may use each stands in access.py."""

from django.contrib import admin
from django.urls import include, path

from deposits.views import alipay_notify
from tmall_sp.core import views as core_views

urlpatterns = [
    path("healthz", core_views.healthz, name="healthz"),
    path("readyz", core_views.readyz, name="readyz"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("applications.urls")),
    path("alipay/notify/", alipay_notify, name="alipay_notify"),
    path("", include("deposits.urls")),
    path("complaints/", include("compliance.complaints.urls")),
    path("console/cases/", include("compliance.case_urls")),
    path("console/rating/", include("compliance.ratings.urls")),
    path("", include("compliance.served_shops.urls")),
    path("", include("compliance.reviews.urls")),
    path("", include("compliance.urls")),
]

handler403 = "tmall_sp.core.views.permission_denied"
handler404 = "tmall_sp.core.views.page_not_found"
handler500 = "tmall_sp.core.views.server_error"
