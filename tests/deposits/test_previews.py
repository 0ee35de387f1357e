"""What a person is shown before deciding a case is what the decision then does, to the cent."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import product

import pytest
from django.db import transaction

from applications.models import Application
from deposits.books.accounts import Kind
from deposits.duties import cases, topups
from deposits.duties.previews import Preview, Standing, foresee, missing_after, standing
from deposits.models import ZERO, Compensation, Deposit, LedgerTransfer, Obligation
from tests.deposits.conftest import REQUIRED, deposit_of, expel
from tmall_sp.accounts.models import User

CASE = "complaint:T1"
EARLIER = "violation:1"

FROZEN = ["0.00", "300.00", "1000.00"]
AVAILABLE = ["0.00", "0.01", "250.00"]
OWED = ["0.00", "99.99", "700.00"]
AWARDS = ["0.00", "0.01", "300.00", "300.01", "550.00", "5000.00"]
# Where something is owed, nothing is available.
STANDINGS = [
    (frozen, available, owed)
    for frozen, available, owed in product(FROZEN, AVAILABLE, OWED)
    if owed == "0.00" or available == "0.00"
]


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside has never happened."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def arrange(application: Application, frozen: Decimal, available: Decimal, owed: Decimal) -> None:
    """A member whose deposit stands like this."""
    if frozen:
        cases.freeze(application.pk, case=CASE, claimed=frozen)
    taken = REQUIRED - frozen - available + owed
    cases.penalise(application.pk, case=EARLIER, amount=taken, reason="延迟发货", actor=None)


def done(application: Application, before: Deposit, award: Decimal) -> tuple[Preview, cases.Outcome]:
    """The same figures, read from what `settle_case` wrote."""
    frozen = standing(before, CASE).frozen
    outcome = cases.settle_case(application.pk, case=CASE, award=award, reason="退款", actor=None)
    more = of_kind(Kind.FREEZE, f"case:{CASE}:freeze-more")
    owing = sum(Obligation.objects.filter(case=CASE).values_list("amount", flat=True), ZERO)
    settles = sum(
        LedgerTransfer.objects.filter(obligation__case=EARLIER, case=EARLIER).values_list(
            "amount", flat=True
        ),
        ZERO,
    )
    paid = sum(Compensation.objects.filter(case=CASE).values_list("amount", flat=True), ZERO)
    return (
        Preview(
            frozen=frozen,
            award=award,
            from_frozen=paid - more,
            from_available=more,
            owing=owing,
            released=of_kind(Kind.RELEASE, f"case:{CASE}:release"),
            settles=settles,
            forfeited=of_kind(Kind.FORFEITURE, f"case:{CASE}:{Kind.FORFEITURE}"),
        ),
        outcome,
    )


def of_kind(kind: Kind, key: str) -> Decimal:
    found = LedgerTransfer.objects.filter(kind=kind, key=key).values_list("amount", flat=True).first()
    return found or ZERO


def holds(application: Application, award: Decimal) -> None:
    before = deposit_of(application)
    foreseen = foresee(award, standing(before, CASE))

    found, outcome = done(application, before, award)

    assert found == foreseen
    assert (outcome.taken, outcome.owed, outcome.released) == (
        foreseen.paid,
        foreseen.owing,
        foreseen.released,
    )
    after = deposit_of(application)
    assert after.available == before.available - foreseen.from_available + foreseen.free_again
    assert after.frozen == before.frozen - foreseen.frozen
    assert after.owed == before.owed + foreseen.owing - foreseen.settles
    assert missing_after(before, foreseen) == topups.payable(after.application, after)


@pytest.mark.parametrize(("frozen", "available", "owed"), STANDINGS)
def test_of_a_member(member: Application, frozen: str, available: str, owed: str) -> None:
    arrange(member, Decimal(frozen), Decimal(available), Decimal(owed))

    for award in AWARDS:
        with undone():
            holds(member, Decimal(award))


@pytest.mark.parametrize("owed", OWED)
@pytest.mark.parametrize("frozen", FROZEN)
def test_of_an_expelled_company(
    member: Application, ops: User, second_ops: User, frozen: str, owed: str
) -> None:
    """What was available is forfeited already; what the case sets free pays debts, and follows."""
    arrange(member, Decimal(frozen), ZERO, Decimal(owed))
    expel(member, ops, second_ops)

    for award in AWARDS:
        with undone():
            holds(member, Decimal(award))


@pytest.mark.parametrize("expelled", [False, True])
@pytest.mark.parametrize("award", AWARDS)
@pytest.mark.parametrize(("frozen", "available", "owed"), STANDINGS)
def test_nothing_is_lost_or_made(frozen: str, available: str, owed: str, award: str, expelled: bool) -> None:
    found = foresee(
        Decimal(award), Standing(Decimal(frozen), Decimal(available), Decimal(owed), expelled=expelled)
    )

    assert found.from_frozen + found.from_available + found.owing == Decimal(award)
    assert found.from_frozen + found.released == Decimal(frozen)
    assert found.settles + found.forfeited + found.free_again == found.released
    assert found.from_available <= Decimal(available)
    assert not (found.owing and found.released)
    assert all(
        figure >= 0 for figure in (found.owing, found.settles, found.forfeited, found.free_again, found.paid)
    )
    assert expelled or not found.forfeited
