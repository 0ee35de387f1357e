"""Decisions by two people: the queue, and one page for each, on which the second person decides."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from unfold.decorators import display

from deposits import permissions, proposals
from deposits.admin.base import MoneyAdmin, moment, name, person, two_lines
from deposits.admin.decisions import STEPS
from deposits.admin.forms import BookMovementForm
from deposits.admin.tabs import Tab, TabFilter
from deposits.admin.words import consequences, details, target_name, target_url
from deposits.colours import PROPOSAL_COLOURS
from deposits.models import Proposal, ProposalKind
from deposits.states import ProposalState
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import DomainError
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
    step_template = "admin/deposits/proposal_step.html"
    list_display = [
        "what",
        "whose",
        "short_reason",
        "proposed",
        "state_label",
        "decided",
    ]
    list_select_related = ["deposit__application", "proposed_by", "decided_by"]
    list_filter = [ProposalTabs, "kind", "state"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["deposit__application__number", "deposit__application__company_name", "reason"]
    search_help_text = _("Number, company or reason.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {
            "tabs": ProposalTabs.shown(request, Proposal.objects.all(), summed=False),
            "links": links(request),
        }

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, proposal: Proposal) -> SafeString:
        return name(proposal.get_kind_display())

    @admin.display(description=_("deposit"), ordering="deposit__application__number")
    def whose(self, proposal: Proposal) -> SafeString | str:
        deposit = proposal.deposit
        return two_lines(deposit, deposit.application.company_name) if deposit else "—"

    @admin.display(description=_("reason"))
    def short_reason(self, proposal: Proposal) -> SafeString:
        return name(Truncator(proposal.reason).chars(80))

    @admin.display(description=_("proposed by"), ordering="proposed_at")
    def proposed(self, proposal: Proposal) -> SafeString:
        return two_lines(proposal.proposed_by, moment(proposal.proposed_at))

    @admin.display(description=_("decided by"), ordering="decided_at")
    def decided(self, proposal: Proposal) -> SafeString | str:
        return two_lines(proposal.decided_by, moment(proposal.decided_at)) if proposal.decided_by else "—"

    @display(description=_("state"), ordering="state", label=PROPOSAL_COLOURS)
    def state_label(self, proposal: Proposal) -> tuple[str, str]:
        return proposal.state, proposal.get_state_display()

    # A movement at Alipay is about no row: its proposal begins here

    def other_urls(self) -> list[URLPattern]:
        return [self.url("book_movement/", self.book_movement, "book_movement")]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def book_movement(self, request: HttpRequest) -> HttpResponse:
        """Propose to book what happened at Alipay; a link may fill the form in."""
        if not permissions.may_propose(person(request), ProposalKind.BOOK_MOVEMENT):
            raise PermissionDenied
        form = BookMovementForm(request.POST or None, initial=request.GET.dict())
        status = 200
        if request.method == "POST" and form.is_valid():
            try:
                proposal = proposals.propose(
                    ProposalKind.BOOK_MOVEMENT,
                    actor=person(request),
                    reason=form.cleaned_data["reason"],
                    details=form.details(),
                )
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error.message))
                status = 409
            else:
                messages.success(request, _("Proposed. Others of finance have been told."))
                return redirect("admin:deposits_proposal_change", proposal.pk)
        context = {
            **self.site_context(request),
            "title": ProposalKind.BOOK_MOVEMENT.label,
            "form": form,
            "consequences": consequences(Proposal(kind=ProposalKind.BOOK_MOVEMENT)),
        }
        return TemplateResponse(request, "admin/deposits/book_movement.html", context, status=status)

    # The page

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
            "details": details(obj),
            "target_name": target_name(obj),
            "target_url": target_url(obj),
        }

    def page_context(self, request: HttpRequest, obj: Proposal) -> dict[str, Any]:
        return {
            "consequences": consequences(obj) if obj.state == ProposalState.OPEN else [],
            "is_mine": obj.proposed_by_id == request.user.pk,
            "may_handle_money": permissions.may_handle_money(person(request)),
            "rows": obj.transfers.order_by("at", "pk"),
        }


def links(request: HttpRequest) -> list[tuple[Any, str]]:
    """What begins beside the list: for whoever may propose it."""
    if not permissions.may_propose(person(request), ProposalKind.BOOK_MOVEMENT):
        return []
    return [(_("Book a movement at Alipay"), reverse("admin:deposits_proposal_book_movement"))]
