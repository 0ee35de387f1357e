"""Invitations: who invites, who answers, until when; each guard with what it lets pass."""

import datetime as dt
from collections.abc import Callable

import pytest

from applications import services as applications
from applications import suspensions
from applications.models import Application
from compliance.models import ServedShop, ShopState
from compliance.served_shops import invitations, relations, sweeps
from compliance.tasks import sweep_invitations
from compliance.violations import services as violations
from tests.compliance.conftest import REASON, investigate, report
from tests.compliance.served_shops.making import SHOP, again, join, serve
from tests.people import CREDIT_CODE, make_merchant
from tmall_sp.accounts.models import Company, User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as caught:
        act()
    return caught.value.code


# Inviting -------------------------------------------------------------------------------------------


def test_a_provider_invites_by_name_for_as_many_days_as_the_rule_says(
    active: Application, merchant: User
) -> None:
    shop = invitations.invite(active.pk, actor=merchant, shop_name="  花间集  旗舰店 ")

    assert (shop.shop_name, shop.state, shop.invited_by) == ("花间集 旗舰店", ShopState.INVITED, merchant)
    assert (shop.expires_at - shop.invited_at).days == 14
    assert len(shop.token) >= 30


@pytest.mark.parametrize(
    ("role", "may"), [("owner", True), ("editor", True), ("payer", False), ("reader", False)]
)
def test_owner_and_editor_invite(active: Application, stranger: User, role: str, may: bool) -> None:
    join(stranger, active, role)

    def act() -> ServedShop:
        return invitations.invite(active.pk, actor=stranger, shop_name=SHOP)

    if may:
        assert act().invited_by == stranger
    else:
        with pytest.raises(NotPermitted):
            act()


def test_a_stranger_invites_for_nobody(active: Application, stranger: User) -> None:
    with pytest.raises(NotPermitted):
        invitations.invite(active.pk, actor=stranger, shop_name=SHOP)
    assert not ServedShop.objects.exists()


def test_a_suspended_or_leaving_member_still_invites(active: Application, merchant: User) -> None:
    suspensions.suspend(active.pk, cause="licence_expired", reason="营业执照已过期")
    assert invitations.invite(active.pk, actor=merchant, shop_name="甲店").state == ShopState.INVITED
    applications.request_exit(active.pk, actor=merchant)
    assert invitations.invite(active.pk, actor=merchant, shop_name="乙店").state == ShopState.INVITED


def test_an_applicant_invites_nobody(approved: Application, merchant: User) -> None:
    with pytest.raises(NotPermitted):
        invitations.invite(approved.pk, actor=merchant, shop_name=SHOP)


def test_a_shop_is_invited_once_at_a_time(invited: ServedShop, active: Application, merchant: User) -> None:
    def act() -> ServedShop:
        return invitations.invite(active.pk, actor=merchant, shop_name=SHOP)

    assert refusal(act) == "invited_already"
    invitations.withdraw(invited.pk, actor=merchant)
    assert act().token != invited.token


def test_a_name_is_needed(active: Application, merchant: User) -> None:
    assert refusal(lambda: invitations.invite(active.pk, actor=merchant, shop_name=" ")) == "empty"


def test_so_many_invitations_are_open_at_a_time(
    active: Application, merchant: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invitations, "MAX_OPEN", 2)
    for name in ("甲店", "乙店"):
        invitations.invite(active.pk, actor=merchant, shop_name=name)

    assert refusal(lambda: invitations.invite(active.pk, actor=merchant, shop_name="丙店")) == "too_many"


# Answering ------------------------------------------------------------------------------------------


def test_the_owner_accepts_and_both_are_told(invited: ServedShop, owner: User, merchant: User) -> None:
    shop = invitations.accept(invited.pk, actor=owner)

    assert (shop.state, shop.owner, shop.owner_taobao_user_id, shop.owner_nick, shop.begins_on) == (
        ShopState.SERVING,
        owner,
        "706377777",
        "花店主",
        clock.today(),
    )
    key = f"served_shop:{shop.pk}:accepted"
    assert {notice.recipient for notice in Notice.objects.filter(key=key)} == {owner, merchant}


def test_the_relation_begins_on_the_day_in_shanghai(
    invited: ServedShop, owner: User, move_clock: MoveClock
) -> None:
    """At 00:30 in Shanghai it is still the day before in UTC."""
    now = clock.now()
    move_clock(seconds=(24 * 3600 + 1800) - (now.hour * 3600 + now.minute * 60 + now.second))

    shop = invitations.accept(invited.pk, actor=owner)

    assert shop.begins_on == clock.now().date()
    assert clock.now().astimezone(dt.UTC).date() < clock.now().date()


def test_a_sub_account_authorises_nothing(invited: ServedShop, owner: User) -> None:
    sub = make_merchant("花店主:客服", owner.taobao_user_id, "88001")

    assert refusal(lambda: invitations.accept(invited.pk, actor=sub)) == "sub_account"
    assert refusal(lambda: invitations.decline(invited.pk, actor=sub)) == "sub_account"
    assert invitations.accept(invited.pk, actor=owner).state == ShopState.SERVING


def test_the_providers_own_people_prove_nothing(
    invited: ServedShop, active: Application, merchant: User, stranger: User
) -> None:
    assert refusal(lambda: invitations.accept(invited.pk, actor=merchant)) == "own_company"
    membership = join(stranger, active)
    assert refusal(lambda: invitations.accept(invited.pk, actor=stranger)) == "own_company"
    assert refusal(lambda: invitations.decline(invited.pk, actor=stranger)) == "own_company"

    membership.company = Company.objects.create(credit_code="91440300708461136T", name="别的公司")
    membership.save()
    assert invitations.accept(invited.pk, actor=stranger).state == ShopState.SERVING
    assert active.company is not None and active.company.credit_code == CREDIT_CODE


def test_staff_without_a_taobao_account_answer_nothing(invited: ServedShop, ops: User) -> None:
    for answer in (invitations.accept, invitations.decline):
        with pytest.raises(NotPermitted):
            answer(invited.pk, actor=ops)


def test_a_declined_invitation_is_closed_and_the_provider_told(
    invited: ServedShop, owner: User, merchant: User
) -> None:
    shop = invitations.decline(invited.pk, actor=owner)

    assert (shop.state, shop.owner, shop.ended_by) == (ShopState.DECLINED, None, owner)
    assert Notice.objects.get(key=f"served_shop:{shop.pk}:declined").recipient == merchant
    assert refusal(lambda: invitations.accept(shop.pk, actor=owner)) == "wrong_state"


def test_one_provider_serves_a_shop_once_and_several_may_serve_it(
    serving: ServedShop, active: Application, merchant: User, owner: User, stranger: User
) -> None:
    second = invitations.invite(active.pk, actor=merchant, shop_name="同一家店")
    assert refusal(lambda: invitations.accept(second.pk, actor=owner)) == "served_already"
    assert invitations.accept(second.pk, actor=stranger).state == ShopState.SERVING


def test_whoever_is_no_member_any_more_is_not_authorised(
    invited: ServedShop, active: Application, owner: User, ops: User, second_ops: User, third_ops: User
) -> None:
    case = investigate(report(active, ops), second_ops)
    violations.verify(case.pk, actor=third_ops, reason=REASON)

    assert refusal(lambda: invitations.accept(invited.pk, actor=owner)) == "not_a_member"
    assert again(invited).state == ShopState.INVITED


# Time -----------------------------------------------------------------------------------------------


def put_clock_at_the_end(shop: ServedShop, move_clock: MoveClock, seconds: float) -> None:
    move_clock(seconds=(shop.expires_at - clock.now()).total_seconds() + seconds)


def test_the_last_instant_is_in_time(
    invited: ServedShop, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: invited.expires_at)

    sweep_invitations()
    assert refusal(lambda: invitations.expire(invited.pk)) == "not_due"
    assert invitations.accept(invited.pk, actor=owner).state == ShopState.SERVING


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_a_late_answer_is_refused_even_before_the_sweep(
    invited: ServedShop, owner: User, move_clock: MoveClock, answer: str
) -> None:
    put_clock_at_the_end(invited, move_clock, 1)

    assert refusal(lambda: getattr(invitations, answer)(invited.pk, actor=owner)) == "too_late"
    assert again(invited).state == ShopState.INVITED


def test_the_sweep_closes_what_nobody_answered_and_tells_the_provider(
    invited: ServedShop, merchant: User, owner: User, move_clock: MoveClock
) -> None:
    sweep_invitations()
    assert again(invited).state == ShopState.INVITED

    put_clock_at_the_end(invited, move_clock, 1)
    sweep_invitations()
    sweep_invitations()

    assert again(invited).state == ShopState.EXPIRED
    assert Notice.objects.get(key=f"served_shop:{invited.pk}:expired").recipient == merchant
    assert refusal(lambda: invitations.accept(invited.pk, actor=owner)) == "wrong_state"


def test_one_bad_invitation_keeps_no_other_from_the_sweep(
    invited: ServedShop,
    active: Application,
    merchant: User,
    move_clock: MoveClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = invitations.invite(active.pk, actor=merchant, shop_name="乙店")
    expire = invitations.expire

    def broken(pk: int) -> ServedShop:
        if pk == invited.pk:
            raise RuntimeError("a bad row")
        return expire(pk)

    monkeypatch.setattr(invitations, "expire", broken)
    move_clock(days=15)
    sweeps.expire_invitations()

    assert again(other).state == ShopState.EXPIRED


def test_a_renewed_invitation_is_valid_anew_by_the_same_link(
    invited: ServedShop, merchant: User, owner: User, stranger: User, move_clock: MoveClock
) -> None:
    move_clock(days=13)
    with pytest.raises(NotPermitted):
        invitations.renew(invited.pk, actor=stranger)
    renewed = invitations.renew(invited.pk, actor=merchant)
    move_clock(days=10)
    sweep_invitations()

    assert renewed.token == invited.token
    assert invitations.accept(invited.pk, actor=owner).state == ShopState.SERVING
    assert refusal(lambda: invitations.renew(invited.pk, actor=merchant)) == "wrong_state"


def test_what_has_expired_is_not_renewed(invited: ServedShop, merchant: User, move_clock: MoveClock) -> None:
    move_clock(days=15)

    assert refusal(lambda: invitations.renew(invited.pk, actor=merchant)) == "too_late"


def test_a_withdrawn_invitation_leads_nowhere(
    invited: ServedShop, merchant: User, owner: User, stranger: User
) -> None:
    with pytest.raises(NotPermitted):
        invitations.withdraw(invited.pk, actor=stranger)
    assert invitations.withdraw(invited.pk, actor=merchant).state == ShopState.REVOKED

    assert refusal(lambda: invitations.accept(invited.pk, actor=owner)) == "wrong_state"


def test_a_shop_that_was_served_can_be_served_again(
    serving: ServedShop, active: Application, owner: User
) -> None:
    relations.end(serving.pk, actor=owner, ends_on=clock.today())

    assert serve(active, owner).pk != serving.pk
