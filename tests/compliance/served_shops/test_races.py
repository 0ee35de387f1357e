"""Two people, or a person and the system, at the same moment: one outcome."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from applications.models import Application
from compliance.models import Declaration, ServedShop, ShopState
from compliance.served_shops import declarations, invitations, relations
from tests.compliance.served_shops.making import SHOP, again, paper
from tests.people import make_merchant
from tests.races.together import together
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice

pytestmark = pytest.mark.django_db(transaction=True)

MoveClock = Callable[..., None]


def codes(outcomes: list[object]) -> list[str]:
    return sorted("ok" if not isinstance(outcome, str) else outcome for outcome in outcomes)


def test_one_of_four_accepts(invited: ServedShop) -> None:
    people = [make_merchant(f"店主{number}", f"70660000{number}") for number in range(4)]

    outcomes = together(
        *(lambda person=person: invitations.accept(invited.pk, actor=person) for person in people)
    )

    assert codes(outcomes) == ["ok", *["wrong_state"] * 3]
    winner = next(
        person for person, outcome in zip(people, outcomes, strict=True) if outcome != "wrong_state"
    )
    assert again(invited).owner == winner
    assert Notice.objects.filter(key=f"served_shop:{invited.pk}:accepted").count() == 2


def test_acceptance_and_expiry_have_one_outcome(
    invited: ServedShop, owner: User, move_clock: MoveClock
) -> None:
    move_clock(seconds=(invited.expires_at - clock.now()).total_seconds() - 0.4)

    def expire_at_last() -> ServedShop:
        while clock.now() <= invited.expires_at:
            pass
        return invitations.expire(invited.pk)

    accepted, expired = together(lambda: invitations.accept(invited.pk, actor=owner), expire_at_last)

    shop = again(invited)
    if isinstance(accepted, ServedShop):
        assert expired == "wrong_state" and shop.state == ShopState.SERVING
    else:
        assert accepted in ("too_late", "wrong_state") and isinstance(expired, ServedShop)
        assert shop.state == ShopState.EXPIRED


def test_acceptance_and_withdrawal_have_one_outcome(invited: ServedShop, owner: User, merchant: User) -> None:
    outcomes = together(
        lambda: invitations.accept(invited.pk, actor=owner),
        lambda: invitations.withdraw(invited.pk, actor=merchant),
    )

    assert codes(outcomes) == ["ok", "wrong_state"]


def test_two_invitations_of_one_provider_are_accepted_once(
    invited: ServedShop, active: Application, owner: User, merchant: User
) -> None:
    second = invitations.invite(active.pk, actor=merchant, shop_name="同一家店")

    outcomes = together(
        *(lambda pk=pk: invitations.accept(pk, actor=owner) for pk in (invited.pk, second.pk))
    )

    assert codes(outcomes) == ["ok", "served_already"]
    assert ServedShop.objects.filter(state=ShopState.SERVING).count() == 1


def test_a_shop_is_invited_once_by_two_who_press_at_once(active: Application, merchant: User) -> None:
    outcomes = together(*[lambda: invitations.invite(active.pk, actor=merchant, shop_name=SHOP)] * 2)

    assert codes(outcomes) == ["invited_already", "ok"]


def test_a_relation_ends_once(serving: ServedShop, owner: User, merchant: User) -> None:
    outcomes = together(
        *(
            lambda person=person: relations.end(serving.pk, actor=person, ends_on=clock.today())
            for person in (owner, merchant)
        )
    )

    assert codes(outcomes) == ["ok", "wrong_state"]
    assert Notice.objects.filter(key=f"served_shop:{serving.pk}:ended").count() == 2


def test_gmv_of_a_quarter_is_declared_once(serving: ServedShop, merchant: User) -> None:
    quarter = declarations.quarters_served(serving)[0]

    outcomes = together(
        *[
            lambda: declarations.declare_gmv(
                serving.pk, actor=merchant, quarter=quarter, value=Decimal(5), upload=paper()
            )
        ]
        * 2
    )

    assert codes(outcomes) == ["declared_already", "ok"]


def test_two_of_operations_decide_a_figure_once(declared: Declaration, ops: User, second_ops: User) -> None:
    outcomes = together(
        lambda: declarations.verify(declared.pk, actor=ops, seen="declared"),
        lambda: declarations.refuse(declared.pk, actor=second_ops, reason="看不清", seen="declared"),
    )

    assert codes(outcomes) == ["ok", "stale"]
    assert declared.steps.count() == 2
