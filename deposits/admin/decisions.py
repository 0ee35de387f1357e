"""What the second person, or the first, can do with a proposal."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget

from deposits import permissions, proposals
from deposits.admin.seen import MarkedForm, unchanged
from deposits.admin.words import consequences
from deposits.models import Proposal
from deposits.states import ProposalState
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import Step, plainly


def _reason(help_text: Any, *, required: bool) -> forms.CharField:
    return forms.CharField(
        label=_("Reason"),
        help_text=help_text,
        required=required,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class AcceptForm(MarkedForm):
    reason = _reason(_("What you looked at. Read by staff only."), required=False)


class RefuseForm(MarkedForm):
    reason = _reason(_("The person who proposed it reads it."), required=True)


def _is_open(proposal: Proposal) -> bool:
    return bool(proposal.state == ProposalState.OPEN)


def _may_withdraw(user: User, proposal: Proposal) -> bool:
    return user.pk == proposal.proposed_by_id


STEPS = (
    Step[Proposal](
        name="accept",
        title=_("Accept and carry out"),
        consequences=consequences,
        done=_("Accepted and carried out."),
        may=permissions.may_decide,
        is_open=_is_open,
        run=unchanged(
            Proposal,
            lambda proposal, user, form: proposals.accept(
                proposal.pk, actor=user, reason=form.cleaned_data["reason"]
            ),
        ),
        form=AcceptForm,
        variant="primary",
        icon="check_circle",
    ),
    Step[Proposal](
        name="refuse",
        title=_("Refuse"),
        consequences=plainly(
            _("Nothing is carried out. The person who proposed it is told, and reads the reason.")
        ),
        done=_("Refused. The person who proposed it has been told."),
        may=permissions.may_decide,
        is_open=_is_open,
        run=unchanged(
            Proposal,
            lambda proposal, user, form: proposals.refuse(
                proposal.pk, actor=user, reason=form.cleaned_data["reason"]
            ),
        ),
        form=RefuseForm,
        variant="danger",
        icon="cancel",
    ),
    Step[Proposal](
        name="withdraw",
        title=_("Withdraw"),
        consequences=plainly(_("You take the proposal back; nothing is carried out.")),
        done=_("Withdrawn."),
        may=_may_withdraw,
        is_open=_is_open,
        run=unchanged(Proposal, lambda proposal, user, form: proposals.withdraw(proposal.pk, actor=user)),
        form=MarkedForm,
        icon="undo",
    ),
)
