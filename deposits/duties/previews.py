"""What a decision on a case would do to a deposit: the figures that a person sees before deciding.

`foresee` is arithmetic alone; tests hold it to what `cases.settle_case` really does.
"""

from dataclasses import dataclass
from decimal import Decimal

from applications.lifecycle import State
from deposits.books.ledger import frozen_for
from deposits.duties.topups import FILLING_UP
from deposits.models import ZERO, Deposit


@dataclass(frozen=True)
class Standing:
    """A deposit as a case finds it, in CNY. Where something is owed, nothing is available (obligations.py)."""

    frozen: Decimal
    """For this case alone."""
    available: Decimal
    owed: Decimal
    expelled: bool = False


@dataclass(frozen=True)
class Preview:
    """What an award would come to, in CNY.

    The award is `from_frozen` + `from_available` + `owing`. What is `released` pays open obligations
    (`settles`) before anything else, and of an expelled company the rest is `forfeited`.
    """

    frozen: Decimal
    award: Decimal
    from_frozen: Decimal
    from_available: Decimal
    owing: Decimal
    released: Decimal
    settles: Decimal
    forfeited: Decimal

    @property
    def paid(self) -> Decimal:
        """What is there for the complainant at once."""
        return self.from_frozen + self.from_available

    @property
    def free_again(self) -> Decimal:
        """What the company can dispose of again."""
        return self.released - self.settles - self.forfeited


def foresee(award: Decimal, standing: Standing) -> Preview:
    """What `settle_case` would do with an award (CNY, 0 allowed) if the decision were final now."""
    from_frozen = min(award, standing.frozen)
    from_available = min(award - from_frozen, standing.available)
    released = standing.frozen - from_frozen
    settles = min(released, standing.owed)
    return Preview(
        frozen=standing.frozen,
        award=award,
        from_frozen=from_frozen,
        from_available=from_available,
        owing=award - from_frozen - from_available,
        released=released,
        settles=settles,
        forfeited=released - settles if standing.expelled else ZERO,
    )


def missing_after(deposit: Deposit, expected: Preview) -> Decimal:
    """What the deposit would lack then, so that a top-up is demanded; 0 of a company that need not fill it up."""
    if deposit.application.state not in FILLING_UP:
        return ZERO
    available = deposit.available - expected.from_available + expected.free_again
    frozen = deposit.frozen - expected.frozen
    owed = deposit.owed + expected.owing - expected.settles
    missing: Decimal = deposit.required - available - frozen + owed
    return max(ZERO, missing)


def standing(deposit: Deposit, case: str) -> Standing:
    """As it is now; it may change until the decision is final. `deposit` comes with its application."""
    return Standing(
        frozen=frozen_for(deposit, case),
        available=deposit.available,
        owed=deposit.owed,
        expelled=deposit.application.state == State.EXPELLED,
    )
