"""What a decision will do, in words and in money: said before it counts, and held to until it does."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from applications.locks import lock_application
from applications.services import clock_text
from compliance.complaints import deadlines, services
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint
from deposits.duties.previews import Preview, foresee, missing_after, standing
from deposits.models import Deposit
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import StaleVersion

Decide = Callable[..., Complaint]


def preview(complaint: Complaint, form: Any) -> Preview:
    """In CNY, if the decision were final as the deposit stands now. The form is valid."""
    award = form.cleaned_data["award"]
    return foresee(award, standing(complaint.application.deposit, complaint.case))


def figures(complaint: Complaint) -> str:
    """The same as long as everything is the same that the preview is made of, besides what is typed."""
    told = f"{standing(complaint.application.deposit, complaint.case)}|{services.payee_of(complaint)}"
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def as_seen(decide: Decide) -> Callable[[int, User, Any], Complaint]:
    """A step's `run`: the decision, if the deposit is still what the preview showed.

    StaleVersion if it isn't. The application's lock is held from the comparison to the decision.
    """

    @transaction.atomic
    def run(pk: int, user: User, form: Any) -> Complaint:
        # Whose a complaint is never changes, so this read needs no lock.
        lock_application(Complaint.objects.values_list("application_id", flat=True).get(pk=pk))
        complaint = Complaint.objects.select_related("application__deposit").get(pk=pk)
        data, found = form.cleaned_data, figures(complaint)
        decided = decide(
            pk,
            actor=user,
            liability=data["liability"],
            award=data["award"],
            reason=data["reason"],
            internal_note=data["internal_note"],
            seen=data["seen"],
        )
        # After the service has said who may decide at all; its step is undone with this transaction.
        if data["figures"] != found:
            raise StaleVersion(
                "stale",
                _("Meanwhile the deposit or the payee changed. Look at the figures as they are now."),
            )
        return decided

    return run


def consequences(complaint: Complaint, expected: Preview) -> list[str]:
    """One line for each thing that the decision brings about."""
    return [
        *_when(complaint, expected.award),
        *_award(expected),
        *_released(expected),
        *_missing(complaint.application.deposit, expected),
        *_payee(complaint, expected),
        *_told(complaint),
    ]


def _when(complaint: Complaint, award: Decimal) -> Iterator[str]:
    if complaint.state == ComplaintState.APPEALED:
        yield _("The decision is final at once, and the money moves.")
        return
    hours = rules.value(deadlines.HOURS[ComplaintState.DECIDED], complaint.filed_at)
    until = clock.now() + dt.timedelta(hours=hours)
    yield _who_may_appeal(complaint, award) % {"until": clock_text(until)}
    yield _("If nobody appeals, the decision is final then, and the money moves as said here.")


def _who_may_appeal(complaint: Complaint, award: Decimal) -> str:
    """The side that has something to gain by it."""
    if not award:
        return _("No money moves yet. The complainant may appeal once, until %(until)s.")
    if award == complaint.claimed:
        return _("No money moves yet. The provider may appeal once, until %(until)s.")
    return _("No money moves yet. Either side may appeal, until %(until)s; there is one appeal.")


def _award(expected: Preview) -> Iterator[str]:
    yield _("%(amount)s are frozen for this case.") % {"amount": cny(expected.frozen)}
    if not expected.award:
        return
    parts = [
        (expected.from_frozen, _("%(amount)s come out of what is frozen")),
        (expected.from_available, _("%(amount)s come out of what is available")),
        (expected.owing, _("%(amount)s become an obligation of the provider, paid by its next top-up")),
    ]
    said = _("; ").join(words % {"amount": cny(amount)} for amount, words in parts if amount)
    yield _("Of the award of %(award)s: %(parts)s.") % {"award": cny(expected.award), "parts": said}


def _released(expected: Preview) -> Iterator[str]:
    if not expected.released:
        yield _("Nothing of it is released.")
        return
    yield _("%(amount)s are released.") % {"amount": cny(expected.released)}
    if expected.settles:
        yield _("Of that, %(amount)s pay what the provider owes.") % {"amount": cny(expected.settles)}
    if expected.forfeited:
        yield _("The provider is expelled: of that, %(amount)s are forfeited.") % {
            "amount": cny(expected.forfeited)
        }


def _missing(deposit: Deposit, expected: Preview) -> Iterator[str]:
    missing = missing_after(deposit, expected)
    if expected.award and missing:
        yield _("The deposit is %(amount)s short of what is required then, and a top-up is demanded.") % {
            "amount": cny(missing)
        }


def _payee(complaint: Complaint, expected: Preview) -> Iterator[str]:
    if not expected.award:
        return
    payee = services.payee_of(complaint)
    if payee is None:
        yield _("Nobody has named a payee: the compensation waits until one is named, and finance is told.")
        return
    account = f"{payee.identity} {payee.name}".strip()
    yield _("The compensation goes to %(account)s at Alipay.") % {"account": account}


def _told(complaint: Complaint) -> Iterator[str]:
    provider = complaint.application.company_name
    if complaint.complainant_id:
        yield _("%(provider)s and %(complainant)s are told, and read the reason.") % {
            "provider": provider,
            "complainant": complaint.complainant_name,
        }
        return
    yield _(
        "%(provider)s is told, and reads the reason. %(complainant)s has no account: tell them (%(contact)s)."
    ) % {
        "provider": provider,
        "complainant": complaint.complainant_name,
        "contact": complaint.complainant_contact or "—",
    }


def cny(amount: Decimal) -> str:
    return f"¥{amount:,.2f}"
