"""Each movement of money out of our Alipay account: the list, and one page for each."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from applications.models import Application
from deposits.admin.base import OfDepositAdmin, headed, moment, two_lines
from deposits.admin.steps import PAYOUT_STEPS
from deposits.admin.tabs import Tab, TabFilter
from deposits.colours import PAYOUT_COLOURS
from deposits.locks import deposit_of
from deposits.models import Payout
from deposits.outgoing.payout_decisions import sure_after
from deposits.outgoing.payout_legs import cause_of
from deposits.states import PayoutState
from tmall_sp.core.step_pages import StepPages

# Nothing happens to these before a person has decided.
STUCK = (PayoutState.ATTENTION, PayoutState.RETURNED)
MOVING = (PayoutState.QUEUED, PayoutState.CALLING, PayoutState.DEALING)

OF_WHOM = (
    "refund__deposit__application",
    "returned__order__deposit__application",
    "compensation__deposit__application",
)


class PayoutTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab("attention", _("Need a decision"), Q(state__in=STUCK), urgent=True),
        Tab("under_way", _("Under way"), Q(state__in=MOVING)),
        Tab("held", _("Held"), Q(state=PayoutState.HELD)),
        Tab("done", _("Paid out"), Q(state=PayoutState.DONE)),
        Tab("replaced", _("Sent in another way"), Q(state=PayoutState.REPLACED)),
    )


@admin.register(Payout)
class PayoutAdmin(StepPages[Payout], OfDepositAdmin):
    steps = PAYOUT_STEPS
    head_template = "admin/deposits/_row_head.html"
    page_template = "admin/deposits/payout.html"
    list_display = [
        "number",
        "whose",
        "sum",
        "state_label",
        "answer",
        "time",
    ]
    list_select_related = OF_WHOM
    list_filter = [PayoutTabs, "method"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = [
        "number",
        "alipay_number",
        "order__out_trade_no",
        "refund__deposit__application__number",
        "compensation__deposit__application__number",
    ]
    search_help_text = _("Our number, Alipay's number, the payment's number, or the number of the deposit.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": PayoutTabs.shown(request, Payout.objects.all())}

    @admin.display(description=_("cause"))
    def whose(self, payout: Payout) -> SafeString:
        """On which way, and of which company."""
        cause = f"{cause_name(payout)} · {payout.get_method_display()}"
        return two_lines(cause, application_of(payout).company_name)

    @admin.display(description=_("Alipay's last answer"), ordering="last_code")
    def answer(self, payout: Payout) -> SafeString:
        """And after how many attempts."""
        tried = ngettext("%(count)s attempt", "%(count)s attempts", payout.attempts)
        return two_lines(payout.last_code or "—", tried % {"count": payout.attempts})

    @admin.display(description=_("time"))
    def time(self, payout: Payout) -> SafeString | str:
        """When it was paid out; before that, when it is tried next."""
        return moment(payout.done_at or (payout.due_at if payout.state in MOVING else payout.created_at))

    @display(description=_("state"), ordering="state", label=PAYOUT_COLOURS)
    def state_label(self, payout: Payout) -> tuple[str, str]:
        return payout.state, payout.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[Payout]:
        rows: QuerySet[Payout] = self.get_queryset(request)
        return rows.select_related(*OF_WHOM, "order", "replaces")

    def object_context(self, request: HttpRequest, obj: Payout) -> dict[str, Any]:
        return {
            "payout": obj,
            "deposit": deposit_of(obj),
            "title": obj.number,
            "heading": headed(_("payout"), obj.amount),
            "cause": cause_name(obj),
            "cause_url": cause_url(obj),
            "needs_decision": obj.state in STUCK,
            "is_moving": obj.state in MOVING,
        }

    def page_context(self, request: HttpRequest, obj: Payout) -> dict[str, Any]:
        return {
            "sure_after": sure_after(obj) if obj.state == PayoutState.ATTENTION else None,
            "replaced_by": obj.replaced_by.order_by("pk"),
            "rows": obj.transfers.order_by("at", "pk"),
            "proposals": obj.proposals.select_related("proposed_by", "decided_by"),
        }


def cause_name(payout: Payout) -> str:
    """What the money is for, in one word."""
    return str(cause_of(payout)._meta.verbose_name)


def cause_url(payout: Payout) -> str:
    cause = cause_of(payout)
    return reverse(f"admin:deposits_{cause._meta.model_name}_change", args=[cause.pk])


def application_of(payout: Payout) -> Application:
    return deposit_of(payout).application
