"""The staff's decision desk: unfold's admin, behind our own log-in with its second factor."""

from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from unfold.sites import UnfoldAdminSite


class StaffSite(UnfoldAdminSite):
    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Never a password form without the second factor: allauth's log-in asks for both."""
        return redirect(f"/accounts/login/?{urlencode({'next': request.GET.get('next', '/admin/')})}")


class TmallSpAdminConfig(AdminConfig):
    default_site = "tmall_sp.admin_site.StaffSite"
