"""Rules that merchants accept, bans, and suspensions: to be read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.models import Agreement, Ban, Suspension
from tmall_sp.core.read_only_admin import ReadOnlyAdmin


@admin.register(Agreement)
class AgreementAdmin(ReadOnlyAdmin):
    list_display = ["version", "title", "effective_from"]


@admin.register(Ban)
class BanAdmin(ReadOnlyAdmin):
    list_display = ["credit_code", "taobao_user_id", "alipay_account_id", "begins_at", "ends_at", "lifted_at"]
    list_select_related = ["application"]
    search_fields = ["credit_code", "taobao_user_id", "alipay_account_id", "application__number"]
    ordering = ["-begins_at"]


class OpenFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", pgettext_lazy("suspension", "open")), ("no", _("lifted"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suspension]) -> QuerySet[Suspension]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() == "yes")


@admin.register(Suspension)
class SuspensionAdmin(ReadOnlyAdmin):
    list_display = ["company", "cause", "opened_at", "opened_by", "exit_due_at", "lifted_at", "lifted_by"]
    list_select_related = ["application", "opened_by", "lifted_by"]
    list_filter = [OpenFilter, "cause"]
    search_fields = ["application__number", "application__company_name", "reason"]
    ordering = ["-opened_at", "-pk"]
    fields = [
        "membership",
        "cause",
        "reason",
        "opened_at",
        "opened_by",
        "exit_due_at",
        "lifted_at",
        "lifted_by",
        "lift_reason",
    ]
    readonly_fields = ["membership"]

    @admin.display(description=_("company"), ordering="application__company_name")
    def company(self, suspension: Suspension) -> str:
        return f"{suspension.application.number} {suspension.application.company_name}"

    @admin.display(description=_("application"))
    def membership(self, suspension: Suspension) -> SafeString:
        url = reverse("admin:applications_application_change", args=[suspension.application_id])
        return format_html('<a href="{}">{}</a>', url, self.company(suspension))
