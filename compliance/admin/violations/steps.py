"""What operations can do with a violation: one table.

`may` and the lifecycle decide what is offered; whether it happens, the services decide under the lock.
"""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import can_proceed

from applications.lifecycle import MEMBER
from compliance.admin.violations import words
from compliance.admin.violations.forms import AppealForm, InternalReasonForm, ProposeForm, ReasonForm
from compliance.models import AppealState, Violation, ViolationAppeal
from compliance.violations import permissions
from compliance.violations import services as violations
from compliance.violations.lifecycle import STANDS, ViolationState
from compliance.violations.rectification import open_suspension
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import Step, plainly


def _leads_on(name: str) -> Callable[[Violation], bool]:
    """Whether the lifecycle has this step from where the violation is."""
    return lambda violation: can_proceed(getattr(violation, name))


def _may_take_up(user: User, violation: Violation) -> bool:
    return permissions.may_take_up(user, violation, violation.application)


def _is_investigator(user: User, violation: Violation) -> bool:
    return permissions.may_handle(user) and user.pk == violation.investigator_id


def _may_verify(user: User, violation: Violation) -> bool:
    is_proposed = violation.proposed_at is not None
    return is_proposed and permissions.may_verify(user, violation, violation.application)


def _is_suspended(violation: Violation) -> bool:
    is_member = violation.application.state in MEMBER
    return is_member and violation.state in STANDS and open_suspension(violation) is not None


# Appeals -------------------------------------------------------------------------------------------


def open_appeal(violation: Violation) -> ViolationAppeal | None:
    """The one that waits for a decision."""
    return violation.appeal_case if violation.state == ViolationState.APPEALED else None


def _needs_two(violation: Violation) -> bool:
    """Asked once for a page, which has several steps that depend on it."""
    row: Any = violation
    if not hasattr(row, "_needs_two"):
        row._needs_two = violations.needs_two(violation)
    return bool(row._needs_two)


def _can_be_proposed(violation: Violation) -> bool:
    """Two people decide, and none has said anything yet."""
    appeal = open_appeal(violation)
    return appeal is not None and appeal.state == AppealState.OPEN and _needs_two(violation)


def _can_be_decided(uphold: bool) -> Callable[[Violation], bool]:
    """By one person, or by the second one as the first proposed."""

    def is_open(violation: Violation) -> bool:
        appeal = open_appeal(violation)
        if appeal is None:
            return False
        if appeal.state == AppealState.PROPOSED:
            return appeal.proposed_uphold is uphold
        return not _needs_two(violation)

    return is_open


def _is_proposed(violation: Violation) -> bool:
    appeal = open_appeal(violation)
    return appeal is not None and appeal.state == AppealState.PROPOSED


def _may_say(user: User, violation: Violation) -> bool:
    return permissions.may_decide_appeal(user, violation, violation.application)


def _may_decide(user: User, violation: Violation) -> bool:
    appeal = open_appeal(violation)
    is_proposer = appeal is not None and appeal.proposer_id == user.pk
    return _may_say(user, violation) and not is_proposer


def _proposing(uphold: bool) -> Callable[[int, User, Any], Violation]:
    return lambda pk, user, form: violations.propose_appeal_decision(
        pk, actor=user, uphold=uphold, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
    )


def _deciding(uphold: bool) -> Callable[[int, User, Any], Violation]:
    return lambda pk, user, form: violations.decide_appeal(
        pk, actor=user, uphold=uphold, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
    )


STEPS: tuple[Step[Violation], ...] = (
    Step(
        name="take_up",
        title=_("Take up"),
        consequences=plainly(
            _("You investigate this violation and propose a finding; somebody else will have to verify it.")
        ),
        done=_("The investigation is yours."),
        may=_may_take_up,
        is_open=_leads_on("take_up"),
        run=lambda pk, user, form: violations.take_up(pk, actor=user, seen=form.cleaned_data["seen"]),
        one_click=True,
        variant="primary",
        icon="front_hand",
    ),
    Step(
        name="propose",
        title=_("Propose a finding"),
        consequences=plainly(
            _("The others of operations are asked to verify it. Until then you can propose another.")
        ),
        done=_("The finding waits for a second person."),
        may=_is_investigator,
        is_open=_leads_on("propose"),
        run=lambda pk, user, form: violations.propose(
            pk,
            actor=user,
            severity=form.cleaned_data["severity"],
            ground=form.cleaned_data["ground"],
            finding=form.cleaned_data["finding"],
            penalty=form.cleaned_data["penalty"],
            suspension_days=form.cleaned_data["suspension_days"],
            seen=form.cleaned_data["seen"],
        ),
        form=ProposeForm,
        variant="primary",
        icon="edit_note",
    ),
    Step(
        name="verify",
        title=pgettext_lazy("violation", "Verify"),
        consequences=words.of_verification,
        done=_("The violation is verified."),
        may=_may_verify,
        is_open=_leads_on("verify"),
        run=lambda pk, user, form: violations.verify(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=ReasonForm,
        variant="danger",
        icon="gavel",
    ),
    Step(
        name="dismiss",
        title=_("Dismiss"),
        consequences=plainly(_("The violation ends here, without any consequence for the company.")),
        done=_("The violation is dismissed."),
        may=_may_take_up,
        is_open=_leads_on("dismiss"),
        run=lambda pk, user, form: violations.dismiss(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=InternalReasonForm,
        icon="cancel",
    ),
    Step(
        name="confirm_rectified",
        title=_("Confirm that it was put right"),
        consequences=words.of_lifting,
        done=_("The suspension for it has ended."),
        may=_may_take_up,
        is_open=_is_suspended,
        run=lambda pk, user, form: violations.confirm_rectified(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=ReasonForm,
        variant="primary",
        icon="task_alt",
    ),
    Step(
        name="propose_uphold",
        title=_("Propose to uphold the appeal"),
        consequences=lambda violation: words.of_proposing(words.of_upholding(violation)),
        done=_("The decision waits for a second person."),
        may=_may_say,
        is_open=_can_be_proposed,
        run=_proposing(uphold=True),
        form=ReasonForm,
        variant="primary",
        icon="undo",
    ),
    Step(
        name="propose_reject",
        title=_("Propose to reject the appeal"),
        consequences=lambda violation: words.of_proposing(words.of_rejecting(violation)),
        done=_("The decision waits for a second person."),
        may=_may_say,
        is_open=_can_be_proposed,
        run=_proposing(uphold=False),
        form=ReasonForm,
        icon="block",
    ),
    Step(
        name="uphold_appeal",
        title=_("Uphold the appeal"),
        consequences=words.of_upholding,
        done=_("The appeal is upheld, and the company has been told."),
        may=_may_decide,
        is_open=_can_be_decided(uphold=True),
        run=_deciding(uphold=True),
        form=AppealForm,
        variant="danger",
        icon="undo",
    ),
    Step(
        name="reject_appeal",
        title=_("Reject the appeal"),
        consequences=words.of_rejecting,
        done=_("The appeal is rejected, and the company has been told."),
        may=_may_decide,
        is_open=_can_be_decided(uphold=False),
        run=_deciding(uphold=False),
        form=AppealForm,
        variant="danger",
        icon="block",
    ),
    Step(
        name="return_appeal",
        title=_("Give the proposal back"),
        consequences=plainly(_("The proposal is gone; anybody who may decide proposes anew.")),
        done=_("The appeal waits for another proposal."),
        may=_may_say,
        is_open=_is_proposed,
        run=lambda pk, user, form: violations.return_appeal(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=InternalReasonForm,
        icon="keyboard_return",
    ),
)
