"""Decisions about memberships: the queue, and one page for each, on which the second person decides."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from applications import decisions, permissions
from applications.models import Application, Decision, DecisionKind, DecisionState
from tmall_sp.accounts.models import User
from tmall_sp.core import rules
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.step_pages import SeenStateForm, Step, StepPages, Words, plainly

COLOURS: dict[str, str] = {
    DecisionState.OPEN: "warning",
    DecisionState.ACCEPTED: "success",
    DecisionState.REFUSED: "danger",
    DecisionState.WITHDRAWN: "",
}


def _reason(help_text: Any, *, required: bool) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=help_text,
        required=required,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class AcceptForm(SeenStateForm):
    reason = _reason(gettext_lazy("What you looked at. Read by staff only."), required=False)


class RefuseForm(SeenStateForm):
    reason = _reason(gettext_lazy("The person who proposed it reads it."), required=True)


def what_follows(kind: str) -> Sequence[Words]:
    """What the decision does to the company once it is carried out."""
    if kind == DecisionKind.REVOKE_APPROVAL:
        return (
            _("The application ends as not approved; the company reads the reason and may begin a new one."),
            _("Payments that are open are closed. Money that comes all the same goes back to its payer."),
        )
    return (
        _("The company leaves the directory at once. Its exit is published for %(days)s days.")
        % {"days": rules.value("exit.notice_days")},
        _("It can't cancel the exit. What is open is cleared first: cases, obligations."),
        _(
            "The deposit is not forfeited: what is left goes back to the account that paid it, after two people"
            " of finance where the record isn't clean."
        ),
        _("The company reads the reason on its page and in its timeline."),
    )


def consequences(decision: Decision) -> Sequence[Words]:
    return what_follows(decision.kind)


def _is_open(decision: Decision) -> bool:
    return bool(decision.state == DecisionState.OPEN)


STEPS = (
    Step[Decision](
        name="accept",
        title=gettext_lazy("Accept and carry out"),
        consequences=consequences,
        done=gettext_lazy("Accepted and carried out."),
        may=decisions.may_decide,
        is_open=lambda decision: (
            _is_open(decision) and decisions.can_be_taken(DecisionKind(decision.kind), decision.application)
        ),
        run=lambda pk, user, form: decisions.accept(pk, actor=user, reason=form.cleaned_data["reason"]),
        form=AcceptForm,
        variant="danger",
        icon="check_circle",
    ),
    Step[Decision](
        name="refuse",
        title=gettext_lazy("Refuse"),
        consequences=plainly(
            gettext_lazy("Nothing is carried out. The person who proposed it is told, and reads the reason.")
        ),
        done=gettext_lazy("Refused. The person who proposed it has been told."),
        may=decisions.may_decide,
        is_open=_is_open,
        run=lambda pk, user, form: decisions.refuse(pk, actor=user, reason=form.cleaned_data["reason"]),
        form=RefuseForm,
        icon="cancel",
    ),
    Step[Decision](
        name="withdraw",
        title=gettext_lazy("Withdraw"),
        consequences=plainly(gettext_lazy("You take the proposal back; nothing is carried out.")),
        done=gettext_lazy("Withdrawn."),
        may=lambda user, decision: user.pk == decision.proposed_by_id,
        is_open=_is_open,
        run=lambda pk, user, form: decisions.withdraw(pk, actor=user),
        form=SeenStateForm,
        icon="undo",
    ),
)


@admin.register(Decision)
class DecisionAdmin(StepPages[Decision]):
    steps = STEPS
    head_template = "admin/applications/_decision_head.html"
    page_template = "admin/applications/decision.html"
    step_template = "admin/applications/decision_step.html"
    list_display = ["kind_name", "company", "short_reason", "proposed_by", "proposed_at", "state_label"]
    list_display_links = ["kind_name"]
    list_filter = ["state", "kind"]
    list_select_related = ["application", "proposed_by"]
    search_fields = ["application__number", "application__company_name", "reason"]
    search_help_text = gettext_lazy("Number, company or reason.")

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def kind_name(self, decision: Decision) -> str:
        return decision.get_kind_display()

    @admin.display(description=gettext_lazy("company"), ordering="application__company_name")
    def company(self, decision: Decision) -> str:
        return f"{decision.application.number} {decision.application.company_name}"

    @admin.display(description=gettext_lazy("reason"))
    def short_reason(self, decision: Decision) -> str:
        return Truncator(decision.reason).chars(60)

    @display(description=gettext_lazy("state"), ordering="state", label=COLOURS)
    def state_label(self, decision: Decision) -> tuple[str, str]:
        return decision.state, decision.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[Decision]:
        rows: QuerySet[Decision] = self.get_queryset(request)
        return rows.select_related("application", "proposed_by", "decided_by")

    def object_context(self, request: HttpRequest, obj: Decision) -> dict[str, Any]:
        return {
            "decision": obj,
            "application": obj.application,
            "title": obj.get_kind_display(),
            "state_colour": COLOURS[obj.state],
        }

    def page_context(self, request: HttpRequest, obj: Decision) -> dict[str, Any]:
        assert isinstance(request.user, User)
        return {
            "consequences": consequences(obj) if _is_open(obj) else [],
            "is_mine": obj.proposed_by_id == request.user.pk,
            "may_decide": decisions.may_decide(request.user, obj),
            "is_out_of_date": _is_open(obj)
            and not decisions.can_be_taken(DecisionKind(obj.kind), obj.application),
        }


def open_of(application: Application) -> QuerySet[Decision]:
    return application.decisions.filter(state=DecisionState.OPEN).select_related("proposed_by")


@tasks_from
def decisions_waiting(request: HttpRequest) -> list[Task]:
    """Of others, for this person to decide."""
    assert isinstance(request.user, User)
    if not permissions.are_operations(request.user):
        return []
    waiting = Decision.objects.filter(state=DecisionState.OPEN).exclude(proposed_by=request.user).count()
    url = f"{reverse('admin:applications_decision_changelist')}?state__exact={DecisionState.OPEN}"
    return [Task(gettext_lazy("Memberships to decide on"), waiting, url)]
