"""What operations can do with a membership from its page: suspend it, lift that, and propose what two people decide."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from applications import decisions, permissions, selectors, suspensions
from applications.admin.decisions import what_follows
from applications.lifecycle import State
from applications.models import (
    LIFTED_BY_A_PERSON,
    Application,
    DecisionKind,
    DecisionState,
    Suspension,
    SuspensionCause,
)
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import Step, StepForm, Words, plainly


def _read_by_the_company() -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        help_text=_("The company reads it: say what has to be put right."),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )


class SuspendForm(StepForm):
    reason = _read_by_the_company()


class LiftForm(StepForm):
    suspension = forms.ModelChoiceField(
        queryset=Suspension.objects.none(), label=_("Suspension"), widget=UnfoldAdminSelectWidget
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The company reads it in its timeline."),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def __init__(self, application: Application, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(application, data)
        field = self.fields["suspension"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = _liftable(application)


class ProposeForm(StepForm):
    reason = forms.CharField(
        label=_("Reason for the company"),
        help_text=_("The company reads it once a second person has accepted."),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )
    note = forms.CharField(
        label=_("Internal note"),
        help_text=_("The second person decides by it. Read by staff only."),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _liftable(application: Application) -> Any:
    """Those that only a person lifts; the others end by themselves when they are cured."""
    return selectors.open_suspensions(application).filter(cause__in=LIFTED_BY_A_PERSON)


def _suspended_by_operations(application: Application) -> bool:
    return selectors.open_suspensions(application).filter(cause=SuspensionCause.OPS, case="").exists()


def _are_operations(user: User, application: Application) -> bool:
    return permissions.are_operations(user)


def _proposed(kind: DecisionKind, application: Application) -> bool:
    return application.decisions.filter(kind=kind, state=DecisionState.OPEN).exists()


def _proposing(kind: DecisionKind, title: Words) -> Step[Application]:
    """A step that puts a decision before a second person."""

    def before(application: Application) -> Sequence[Words]:
        return (
            _("Nothing happens yet: others of operations are asked, and one of them decides."),
            *what_follows(kind),
        )

    return Step(
        name=f"propose_{kind.value}",
        title=title,
        consequences=before,
        done=_("Proposed. Others of operations have been told."),
        may=_are_operations,
        is_open=lambda application: (
            decisions.can_be_taken(kind, application) and not _proposed(kind, application)
        ),
        run=lambda pk, user, form: decisions.propose(
            kind,
            pk,
            actor=user,
            reason=form.cleaned_data["reason"],
            note=form.cleaned_data["note"],
            seen=form.cleaned_data["seen"],
        ),
        form=ProposeForm,
        variant="danger",
        icon="group",
    )


STEPS: tuple[Step[Application], ...] = (
    Step(
        name="suspend",
        title=_("Suspend"),
        consequences=plainly(
            _("The company leaves the directory at once and takes no new customers."),
            _("Only operations lift it. No exit follows from it by itself."),
            _("The company is told, and reads the reason."),
        ),
        done=_("Suspended. The company has been told."),
        may=_are_operations,
        is_open=lambda application: (
            application.state in (State.ACTIVE, State.SUSPENDED) and not _suspended_by_operations(application)
        ),
        run=lambda pk, user, form: suspensions.suspend(
            pk,
            cause=SuspensionCause.OPS,
            reason=form.cleaned_data["reason"],
            actor=user,
            seen=form.cleaned_data["seen"],
        ),
        form=SuspendForm,
        variant="danger",
        icon="pause_circle",
    ),
    Step(
        name="lift",
        title=_("Lift a suspension"),
        consequences=plainly(
            _("The member serves again, and is back in the directory, once no suspension is open."),
            _("A shortfall and an expired licence are not lifted here: they end when they are cured."),
        ),
        done=_("Lifted. The company has been told."),
        may=_are_operations,
        is_open=lambda application: (
            application.state in (State.SUSPENDED, State.EXITING) and _liftable(application).exists()
        ),
        run=lambda pk, user, form: suspensions.lift(
            pk,
            cause=form.cleaned_data["suspension"].cause,
            case=form.cleaned_data["suspension"].case,
            actor=user,
            reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["seen"],
        ),
        form=LiftForm,
        variant="primary",
        icon="play_circle",
    ),
    _proposing(DecisionKind.REQUIRE_EXIT, _("Propose to require the exit")),
    _proposing(DecisionKind.REVOKE_APPROVAL, _("Propose to revoke the approval")),
)
