"""What a reviewer, or operations, can do with an application under review: one table.

`may` and `is_open` decide what is offered; whether it happens, services.py decides under the lock.
"""

from django.utils.translation import gettext_lazy as _
from django_fsm import can_proceed

from applications import permissions, services
from applications.admin.forms import (
    ApproveForm,
    ReassignForm,
    RejectForm,
    RequestChangesForm,
)
from applications.lifecycle import State
from applications.models import Application
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core.step_pages import Step, plainly


def _is_reviewed(application: Application) -> bool:
    return bool(application.state == State.UNDER_REVIEW)


def _holds(user: User, application: Application) -> bool:
    return has_role(user, Role.REVIEWER) and application.reviewer_id == user.pk


STEPS: tuple[Step[Application], ...] = (
    Step(
        name="claim",
        title=_("Claim"),
        consequences=plainly(_("You take this review. Others see that it is yours, and can't decide on it.")),
        done=_("The review is yours."),
        may=permissions.may_review,
        is_open=lambda application: _is_reviewed(application) and application.reviewer_id is None,
        run=lambda pk, user, form: services.claim(pk, actor=user, seen=form.cleaned_data["seen"]),
        one_click=True,
        variant="primary",
        icon="front_hand",
    ),
    Step(
        name="approve",
        title=_("Approve"),
        consequences=plainly(
            _(
                "The company is admitted: it is told at once to pay its deposit, and its applicant becomes the"
                " company's owner. An approval can be revoked only by two people of operations."
            )
        ),
        done=_("Approved. The merchant has been told to pay the deposit."),
        may=permissions.is_claimed_by,
        is_open=lambda application: can_proceed(application.approve),
        run=lambda pk, user, form: services.approve(
            pk, actor=user, internal_note=form.note(), seen=form.cleaned_data["seen"]
        ),
        form=ApproveForm,
        variant="primary",
        icon="check_circle",
    ),
    Step(
        name="request_changes",
        title=_("Request changes"),
        consequences=plainly(
            _(
                "The merchant is told each change, answers it and hands in again; the review then comes back to you."
                " An application that isn't handed in again in time lapses."
            )
        ),
        done=_("The merchant has been asked for the changes."),
        may=permissions.is_claimed_by,
        is_open=lambda application: can_proceed(application.request_changes),
        run=lambda pk, user, form: services.request_changes(
            pk,
            actor=user,
            changes=form.changes(),
            message=form.cleaned_data["message"],
            internal_note=form.cleaned_data["internal_note"],
            seen=form.cleaned_data["seen"],
        ),
        form=RequestChangesForm,
        icon="edit_note",
    ),
    Step(
        name="reject",
        title=_("Reject"),
        consequences=plainly(
            _(
                "The application ends here, and the merchant reads the reason. The company may begin a new one."
            )
        ),
        done=_("Rejected. The merchant has been told the reason."),
        may=permissions.is_claimed_by,
        is_open=lambda application: can_proceed(application.reject),
        run=lambda pk, user, form: services.reject(
            pk,
            actor=user,
            reason=form.cleaned_data["reason"],
            internal_note=form.cleaned_data["internal_note"],
            seen=form.cleaned_data["seen"],
        ),
        form=RejectForm,
        variant="danger",
        icon="cancel",
    ),
    Step(
        name="release",
        title=_("Release"),
        consequences=plainly(_("The review goes back to the queue, for anybody to claim.")),
        done=_("The review is back in the queue."),
        may=_holds,
        is_open=_is_reviewed,
        run=lambda pk, user, form: services.release(pk, actor=user, seen=form.cleaned_data["seen"]),
        one_click=True,
        icon="undo",
    ),
    Step(
        name="reassign",
        title=_("Assign"),
        consequences=plainly(_("The review goes to the person chosen here, whoever has it now.")),
        done=_("The review has been assigned."),
        may=lambda user, application: permissions.may_reassign(user),
        is_open=_is_reviewed,
        run=lambda pk, user, form: services.reassign(
            pk, actor=user, reviewer=form.cleaned_data["reviewer"], seen=form.cleaned_data["seen"]
        ),
        form=ReassignForm,
        icon="person_add",
    ),
)
