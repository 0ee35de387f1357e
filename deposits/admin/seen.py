"""What a page of money showed, as a short mark: a step is refused if the figures behind it have changed since."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django import forms
from django.db import models, transaction
from django.utils.translation import gettext as _

from applications.locks import lock_application
from deposits.locks import deposit_of
from deposits.models import Compensation, Deposit, LedgerTransfer, Obligation, Payout, Proposal, Refund
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import StaleVersion
from tmall_sp.core.step_pages import StepForm

M = TypeVar("M", bound=models.Model)

Act = Callable[[Any, User, Any], object]


def mark(row: models.Model) -> str:
    """The same as long as everything that decisions about the row rest upon is the same."""
    told = "|".join(str(figure) for figure in _figures(row))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _figures(row: models.Model) -> Iterator[object]:
    match row:
        case Deposit():
            yield from (row.required, row.available, row.frozen, row.owed)
        case Obligation():
            yield from (row.state, row.settled, row.deposit.owed)
        case Refund():
            yield row.state
            yield from row.payouts.order_by("pk").values_list("pk", "state")
        case Payout():
            yield from (row.state, row.attempts, row.last_code, row.unpaid_at, row.asked_at)
        case LedgerTransfer():
            yield hasattr(row, "reversed_by")
            yield from _figures(row.deposit) if row.deposit else ()
        case Compensation():
            yield from (row.state, row.payee_identity)
        case Proposal():
            yield row.state
            for target in (row.obligation, row.refund, row.payout, row.entry, row.deposit):
                yield from _figures(target) if target else ()


class MarkedForm(StepForm):
    """`seen` is the mark of what the page showed."""

    seen = forms.CharField(widget=forms.HiddenInput)

    @staticmethod
    def seen_of(obj: Any) -> int | str:
        return mark(obj)


def unchanged(model: type[M], act: Act) -> Callable[[int, User, Any], object]:
    """A step's `run` in one transaction: the lock of the application, the row as it is now, the mark, then `act`.

    StaleVersion if the row's figures are no longer those that the page showed.
    """

    @transaction.atomic
    def run(pk: int, user: User, form: Any) -> object:
        # Whose a row is never changes, so this read needs no lock.
        deposit = deposit_of_row(model._default_manager.get(pk=pk))
        if deposit is not None:
            lock_application(deposit.application_id)
        row = model._default_manager.get(pk=pk)
        if mark(row) != form.cleaned_data["seen"]:
            raise StaleVersion(
                "stale", _("Meanwhile something changed. Look at it as it is now, and decide again.")
            )
        return act(row, user, form)

    return run


def deposit_of_row(row: Any) -> Deposit | None:
    """Whose money the row is about, if it is about one deposit's."""
    match row:
        case Deposit():
            return row
        case Payout():
            return deposit_of(row)
    deposit: Deposit | None = row.deposit
    return deposit
