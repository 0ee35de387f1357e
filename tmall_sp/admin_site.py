"""The staff's decision desk: unfold's admin, behind our own log-in with its second factor."""

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_update
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.sites import UnfoldAdminSite

from tmall_sp.core import desk

# Registered by Django and allauth; groups come from code (roles.py), the rest is no staff's business.
CLUTTER = (
    "auth.Group",
    "account.EmailAddress",
    "mfa.Authenticator",
    "socialaccount.SocialAccount",
    "socialaccount.SocialApp",
    "socialaccount.SocialToken",
)

SECTIONS: dict[str, str | Promise] = {
    "applications": gettext_lazy("Admission"),
    "deposits": gettext_lazy("Money"),
    "compliance": gettext_lazy("Cases and exits"),
    "accounts": gettext_lazy("People and companies"),
    "core": gettext_lazy("Rules and mails"),
}
# Names of Material Symbols; a model without one gets a table.
ICONS = {
    "applications.application": "fact_check",
    "applications.licencerenewal": "badge",
    "applications.decision": "group",
    "applications.suspension": "pause_circle",
    "applications.agreement": "gavel",
    "applications.ban": "block",
    "accounts.user": "badge",
    "accounts.company": "apartment",
    "accounts.membership": "group",
    "core.ruleversion": "tune",
    "core.rulechange": "published_with_changes",
    "core.mail": "mail",
    "core.notice": "notifications",
    "deposits.deposit": "savings",
    "deposits.proposal": "group",
    "deposits.refund": "currency_exchange",
    "deposits.payout": "outbound",
    "deposits.compensation": "volunteer_activism",
    "deposits.obligation": "money_off",
    "deposits.topupdemand": "schedule",
    "deposits.paymentorder": "receipt_long",
    "deposits.returnedpayment": "assignment_return",
    "deposits.accountchange": "swap_horiz",
    "deposits.ledgertransfer": "account_balance",
    "deposits.alipaynotification": "webhook",
    "deposits.reconciliationrun": "rule",
    "deposits.difference": "difference",
    "deposits.billline": "list_alt",
    "compliance.complaint": "support_agent",
    "compliance.violation": "report",
    "compliance.sanction": "gavel",
    "compliance.violationappeal": "balance",
    "compliance.declaration": "fact_check",
    "compliance.review": "reviews",
    "compliance.servedshop": "storefront",
    "compliance.exitrequest": "logout",
    "compliance.questioncode": "format_list_numbered",
    "compliance.ratingrun": "star",
    "compliance.score": "leaderboard",
    "compliance.scoredispute": "contract_edit",
}

# Pages that are no model's list: title, icon, view and the permission that opens it.
PAGES: dict[str, list[tuple[str | Promise, str, str, str]]] = {
    "deposits": [
        (
            gettext_lazy("Monthly totals"),
            "calendar_month",
            "admin:deposits_ledgertransfer_totals",
            "deposits.view_ledgertransfer",
        ),
    ],
}
_ORDER = list(ICONS)


class StaffSite(UnfoldAdminSite):
    index_template = "admin/desk.html"

    def login(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        """Never a password form without the second factor: allauth's log-in asks for both."""
        if self.has_permission(request):
            return redirect("admin:index")
        wanted = request.GET.get("next") or reverse("admin:index")
        return redirect(f"{reverse('account_login')}?{urlencode({'next': wanted})}")

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """unfold's Alpine evaluates its attributes; no other page of the portal may do that."""
        return csp_update({"script-src": "'unsafe-eval'"})(super().admin_view(view, cacheable))

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "colors": None}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {"title": _("To do"), "tasks": list(desk.tasks(request)), **(extra_context or {})}
        response: HttpResponse = super().index(request, context)
        return response


class TmallSpAdminConfig(AdminConfig):
    default_site = "tmall_sp.admin_site.StaffSite"

    def ready(self) -> None:
        super().ready()
        admin.site.unregister([apps.get_model(label) for label in CLUTTER])


def environment_label(request: HttpRequest) -> list[str] | None:
    """Says on every page that this is not the real thing; nothing in production."""
    if settings.PRODUCTION:
        return None
    return [_("Demo") if settings.ENVIRONMENT == "demo" else _("Test"), "warning"]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: what the person's roles let them see, by app, in the order of ICONS."""
    seen = {app["app_label"]: app for app in admin.site.get_app_list(request)}
    sections: list[dict[str, Any]] = [
        {"title": None, "items": [_item(_("To do"), "checklist", reverse("admin:index"))]}
    ]
    for label, title in SECTIONS.items():
        if app := seen.get(label):
            items = [
                _item(model["name"], ICONS.get(model["model"]._meta.label_lower, "table"), model["admin_url"])
                for model in sorted(app["models"], key=_place)
            ]
            items += [
                _item(name, icon, reverse(view))
                for name, icon, view, permission in PAGES.get(label, [])
                if request.user.has_perm(permission)
            ]
            sections.append({"title": title, "separator": True, "items": items})
    _mark(sections, request.path)
    return sections


def _mark(sections: list[dict[str, Any]], path: str) -> None:
    """The item that is open: of those whose page, or a page below it, is shown, the longest."""
    items = [item for section in sections for item in section["items"]]
    index = reverse("admin:index")
    shown = [item for item in items if path.startswith(item["link"]) and item["link"] != index]
    here = max(shown, key=lambda item: len(item["link"]), default=None)
    for item in items:
        item["active"] = item is here or path == item["link"]


def _place(model: dict[str, Any]) -> int:
    """A model that ICONS does not name comes last, with its like by name."""
    label = model["model"]._meta.label_lower
    return _ORDER.index(label) if label in _ORDER else len(_ORDER)


def _item(title: str | Promise, icon: str, link: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": link}
