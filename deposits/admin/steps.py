"""Decisions that are proposed at the row that they are about: tables of steps, one for each kind of row.

`may` and `is_open` decide what is offered; whether it is proposed, proposals.py decides under the lock.
"""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from deposits import permissions, proposals
from deposits.admin.forms import (
    AttemptForm,
    HoldForm,
    NamePayeeForm,
    ProposeForm,
    RedirectForm,
    RefundByHandForm,
    SettleForm,
)
from deposits.admin.seen import deposit_of_row, unchanged
from deposits.admin.words import cny, consequences
from deposits.books.corrections import may_be_corrected
from deposits.models import (
    Compensation,
    Deposit,
    LedgerTransfer,
    Obligation,
    Payout,
    Proposal,
    ProposalKind,
    Refund,
)
from deposits.models.proposal import TARGETS
from deposits.outgoing import compensations, payout_decisions
from deposits.outgoing.refund_decisions import refundable
from deposits.states import CompensationState, ObligationState, PayoutState, ProposalState, RefundState
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import Step, plainly

K = ProposalKind


def _proposed(
    kind: ProposalKind,
    model: type[models.Model],
    *,
    name: str,
    title: str | Promise,
    is_open: Callable[[Any], bool],
    form: type[ProposeForm] = ProposeForm,
    variant: str = "default",
    icon: str = "",
) -> Step[Any]:
    """A step that puts a decision about a row before a second person."""

    def said(row: Any) -> list[str]:
        draft = Proposal(kind=kind, **{"deposit": deposit_of_row(row), TARGETS[kind]: row})
        return [
            gettext("Nothing moves yet: others of finance are asked, and one of them decides."),
            gettext("If it is accepted:"),
            *consequences(draft),
        ]

    def act(row: Any, user: User, form: Any) -> Proposal:
        return proposals.propose(
            kind, actor=user, reason=form.cleaned_data["reason"], target=row, details=form.details()
        )

    def is_free(row: Any) -> bool:
        """A deposit can be refunded by hand more than once."""
        waiting = Proposal.objects.filter(kind=kind, state=ProposalState.OPEN, **{TARGETS[kind]: row})
        return is_open(row) and (model is Deposit or not waiting.exists())

    return Step(
        name=name,
        title=title,
        consequences=said,
        done=_("Proposed. Others of finance have been told."),
        may=lambda user, row: permissions.may_propose(user, kind),
        is_open=is_free,
        run=unchanged(model, act),
        form=form,
        variant=variant,
        icon=icon,
    )


def _may_handle_money(user: User, row: object) -> bool:
    return permissions.may_handle_money(user)


OBLIGATION_STEPS = (
    _proposed(
        K.WAIVE_OBLIGATION,
        Obligation,
        name="waive",
        title=_("Propose to waive it"),
        is_open=lambda obligation: obligation.state == ObligationState.OPEN,
        icon="money_off",
    ),
)

DEPOSIT_STEPS = (
    _proposed(
        K.REFUND_BY_HAND,
        Deposit,
        name="refund_by_hand",
        title=_("Propose a refund by hand"),
        is_open=lambda deposit: refundable(deposit) > 0,
        form=RefundByHandForm,
        icon="currency_exchange",
    ),
)

REFUND_STEPS = (
    _proposed(
        K.RELEASE_REFUND,
        Refund,
        name="release",
        title=_("Propose to release it"),
        is_open=lambda refund: refund.state == RefundState.HELD,
        variant="primary",
        icon="lock_open",
    ),
    _proposed(
        K.HOLD_REFUND,
        Refund,
        name="hold",
        title=_("Propose to hold it"),
        is_open=lambda refund: (
            refund.state == RefundState.IN_PROGRESS
            and not refund.payouts.exclude(state=PayoutState.QUEUED, attempts=0).exists()
        ),
        form=HoldForm,
        variant="danger",
        icon="pan_tool",
    ),
)

PAYOUT_STEPS: tuple[Step[Payout], ...] = (
    Step(
        name="ask_again",
        title=_("Ask Alipay again"),
        consequences=plainly(_("Alipay is asked what it knows of this number. Nothing else changes.")),
        done=_("Alipay has been asked."),
        may=_may_handle_money,
        is_open=lambda payout: bool(payout.state == PayoutState.ATTENTION),
        run=lambda pk, user, form: payout_decisions.ask_again(pk, actor=user, seen=form.cleaned_data["seen"]),
        form=AttemptForm,
        one_click=True,
        icon="help",
    ),
    Step(
        name="retry",
        title=_("Try again"),
        consequences=plainly(
            _("A worker tries again at once with the same number, and first asks Alipay what became of it.")
        ),
        done=_("It is tried again."),
        may=_may_handle_money,
        is_open=lambda payout: payout.state in (PayoutState.ATTENTION, PayoutState.QUEUED),
        run=lambda pk, user, form: payout_decisions.retry(pk, actor=user, seen=form.cleaned_data["seen"]),
        form=AttemptForm,
        one_click=True,
        icon="refresh",
    ),
    _proposed(
        K.REDIRECT_PAYOUT,
        Payout,
        name="redirect",
        title=_("Propose another account"),
        is_open=lambda payout: (
            payout.state == PayoutState.RETURNED
            or (payout.state == PayoutState.ATTENTION and payout.unpaid_at is not None)
        ),
        form=RedirectForm,
        icon="alt_route",
    ),
    _proposed(
        K.SETTLE_PAYOUT,
        Payout,
        name="settle",
        title=_("Propose to record it as paid"),
        is_open=lambda payout: bool(payout.state == PayoutState.ATTENTION),
        form=SettleForm,
        variant="danger",
        icon="price_check",
    ),
)

COMPENSATION_STEPS = (
    Step[Compensation](
        name="name_payee",
        title=_("Name the payee"),
        consequences=lambda compensation: [
            gettext("%(amount)s goes by transfer to the account named below, at once.")
            % {"amount": cny(compensation.amount)},
            gettext("Alipay refuses it if the account does not belong to the name."),
        ],
        done=_("It is on its way."),
        may=lambda user, compensation: (
            permissions.may_handle_money(user) and compensation.entry.actor_id != user.pk
        ),
        is_open=lambda compensation: bool(compensation.state == CompensationState.WAITING),
        run=unchanged(
            Compensation,
            lambda compensation, user, form: compensations.name_payee(
                compensation.pk, form.payee(), actor=user
            ),
        ),
        form=NamePayeeForm,
        variant="primary",
        icon="person_add",
    ),
)

ENTRY_STEPS = (
    _proposed(
        K.CORRECT_ENTRY,
        LedgerTransfer,
        name="correct",
        title=_("Propose to correct it"),
        is_open=may_be_corrected,
        variant="danger",
        icon="undo",
    ),
)
