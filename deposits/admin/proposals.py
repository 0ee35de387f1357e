"""Decisions by two people: the queue, and one page for each, on which the second person decides."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from deposits import permissions
from deposits.admin.base import MoneyAdmin, person
from deposits.admin.decisions import STEPS
from deposits.admin.tabs import Tab, TabFilter
from deposits.admin.words import consequences, target_name, target_url
from deposits.colours import PROPOSAL_COLOURS
from deposits.models import Proposal
from deposits.states import ProposalState
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import StepPages

OPEN = Q(state=ProposalState.OPEN)


def waiting_for(user: User) -> Q:
    """What this person is asked to decide."""
    return OPEN & ~Q(proposed_by=user) if permissions.may_handle_money(user) else Q(pk__in=[])


class ProposalTabs(TabFilter):
    @classmethod
    def tabs_of(cls, request: HttpRequest) -> Sequence[Tab]:
        user = person(request)
        return (
            Tab("for_me", _("Waiting for me"), waiting_for(user), urgent=True),
            Tab("mine", _("Proposed by me"), OPEN & Q(proposed_by=user)),
            Tab("open", _("Waiting for somebody"), OPEN),
            Tab("decided", _("Decided"), ~OPEN),
        )


@admin.register(Proposal)
class ProposalAdmin(StepPages[Proposal], MoneyAdmin):
    steps = STEPS
    head_template = "admin/deposits/_row_head.html"
    page_template = "admin/deposits/proposal.html"
    list_display = [
        "kind",
        "whose",
        "company",
        "reason",
        "proposed_by",
        "proposed_at",
        "state_label",
        "decided_by",
        "decided_at",
    ]
    list_select_related = ["deposit__application", "proposed_by", "decided_by"]
    list_filter = [ProposalTabs, "kind", "state"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["deposit__application__number", "deposit__application__company_name", "reason"]
    search_help_text = _("Number, company or reason.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": ProposalTabs.shown(request, Proposal.objects.all(), summed=False)}

    @admin.display(description=_("deposit"), ordering="deposit__application__number")
    def whose(self, proposal: Proposal) -> str:
        return str(proposal.deposit or "—")

    @admin.display(description=_("company"), ordering="deposit__application__company_name")
    def company(self, proposal: Proposal) -> str:
        return proposal.deposit.application.company_name if proposal.deposit else "—"

    @display(description=_("state"), ordering="state", label=PROPOSAL_COLOURS)
    def state_label(self, proposal: Proposal) -> tuple[str, str]:
        return proposal.state, proposal.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[Proposal]:
        rows: QuerySet[Proposal] = self.get_queryset(request)
        return rows.select_related(
            "deposit__application",
            "obligation__deposit",
            "refund__deposit",
            "payout__refund__deposit",
            "payout__returned__order__deposit",
            "payout__compensation__deposit",
            "entry__deposit",
            "proposed_by",
            "decided_by",
        )

    def object_context(self, request: HttpRequest, obj: Proposal) -> dict[str, Any]:
        return {
            "proposal": obj,
            "deposit": obj.deposit,
            "heading": obj.get_kind_display(),
            "title": obj.get_kind_display(),
        }

    def page_context(self, request: HttpRequest, obj: Proposal) -> dict[str, Any]:
        return {
            "consequences": consequences(obj) if obj.state == ProposalState.OPEN else [],
            "target_name": target_name(obj),
            "target_url": target_url(obj),
            "is_mine": obj.proposed_by_id == request.user.pk,
            "may_handle_money": permissions.may_handle_money(person(request)),
            "rows": obj.transfers.order_by("at", "pk"),
        }
