"""Exits: to be read. They open and close with the application's own steps."""

from django.contrib import admin

from compliance.models import ExitRequest
from tmall_sp.core.read_only_admin import ReadOnlyAdmin


@admin.register(ExitRequest)
class ExitRequestAdmin(ReadOnlyAdmin):
    list_display = ["application", "requested_by", "requested_at", "notice_ends_at", "closed_at", "outcome"]
    list_select_related = ["application", "requested_by"]
    list_filter = ["outcome"]
    search_fields = ["application__number", "application__company_name"]
