"""How a relation ends, and what stays of it."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction

from applications import services as applications
from applications.models import Application
from compliance.models import ServedShop, ShopState
from compliance.served_shops import relations
from tests.compliance.served_shops.making import again, days_ago, serve_since
from tests.people import make_merchant
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]


@pytest.mark.parametrize("side", ["owner", "merchant"])
def test_either_side_ends_it_and_both_are_told(
    serving: ServedShop, owner: User, merchant: User, side: str, request: pytest.FixtureRequest
) -> None:
    shop = relations.end(serving.pk, actor=request.getfixturevalue(side), ends_on=clock.today())

    assert (shop.state, shop.ends_on, shop.ended_by) == (
        ShopState.ENDED,
        clock.today(),
        request.getfixturevalue(side),
    )
    told = Notice.objects.filter(key=f"served_shop:{shop.pk}:ended")
    assert {notice.recipient for notice in told} == {owner, merchant}


def test_nobody_else_ends_it(serving: ServedShop, owner: User, stranger: User) -> None:
    sub = make_merchant("花店主:客服", owner.taobao_user_id, "88001")
    for person in (stranger, sub):
        with pytest.raises(NotPermitted):
            relations.end(serving.pk, actor=person, ends_on=clock.today())
    assert again(serving).state == ShopState.SERVING


@pytest.mark.parametrize(
    ("days", "code"), [(31, "before_it_began"), (30, None), (0, None), (-1, "in_the_future")]
)
def test_the_last_day_lies_between_the_first_and_today(
    active: Application, owner: User, days: int, code: str | None
) -> None:
    shop = serve_since(active, owner, days_ago(30))

    if code is None:
        assert relations.end(shop.pk, actor=owner, ends_on=days_ago(days)).ends_on == days_ago(days)
        return
    with pytest.raises(DomainError) as refused:
        relations.end(shop.pk, actor=owner, ends_on=days_ago(days))
    assert (refused.value.code, refused.value.field) == (code, "ends_on")
    assert again(shop).state == ShopState.SERVING


def test_what_has_ended_ends_once(serving: ServedShop, owner: User, merchant: User) -> None:
    relations.end(serving.pk, actor=owner, ends_on=clock.today())

    with pytest.raises(DomainError) as refused:
        relations.end(serving.pk, actor=merchant, ends_on=clock.today())
    assert refused.value.code == "wrong_state"


@pytest.mark.parametrize(
    "change",
    [
        {"begins_on": dt.date(2020, 1, 1)},
        {"owner_taobao_user_id": "1"},
        {"shop_name": "别的店"},
        {"owner": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_the_owner_authorised_is_never_rewritten(serving: ServedShop, change: dict[str, object]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ServedShop.objects.filter(pk=serving.pk).update(**change)


def test_an_end_is_never_rewritten(active: Application, owner: User) -> None:
    shop = serve_since(active, owner, days_ago(5))
    relations.end(shop.pk, actor=owner, ends_on=days_ago(2))

    with pytest.raises(DatabaseError), transaction.atomic():
        ServedShop.objects.filter(pk=shop.pk).update(ends_on=days_ago(1))
    with pytest.raises(DatabaseError), transaction.atomic():
        ServedShop.objects.filter(pk=shop.pk).update(state=ShopState.SERVING)


def test_a_provider_that_has_left_serves_nobody(
    serving: ServedShop, active: Application, merchant: User, owner: User, move_clock: MoveClock
) -> None:
    applications.request_exit(active.pk, actor=merchant)
    assert again(serving).state == ShopState.SERVING
    move_clock(days=31)
    applications.complete_exit(active.pk)

    shop = again(serving)
    assert (shop.state, shop.ends_on, shop.ended_by) == (ShopState.ENDED, clock.today(), None)
    assert Notice.objects.filter(key=f"served_shop:{shop.pk}:ended", recipient=owner).exists()


def test_who_has_left_ends_nothing_but_the_owner_does(
    serving: ServedShop, active: Application, merchant: User, owner: User, verified_violation: object
) -> None:
    """After an expulsion, which an appeal may overturn, the relation stays the owner's to end."""
    with pytest.raises(NotPermitted):
        relations.end(serving.pk, actor=merchant, ends_on=clock.today())
    assert relations.end(serving.pk, actor=owner, ends_on=clock.today()).state == ShopState.ENDED
