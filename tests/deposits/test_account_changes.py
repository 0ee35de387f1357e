"""Another bound account: the procedure, what stops it, and which payments count meanwhile."""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from PIL import Image

from applications import services as applications
from applications.lifecycle import State
from applications.models import Application, Ban
from deposits import tasks
from deposits.bound_account import changes as account_changes
from deposits.incoming import payers, payments
from deposits.models import AccountChange, Deposit, PaymentOrder, Payout, ReturnedPayment
from deposits.states import CHANGE_EDGES, ChangeState
from tests.database import owner_role
from tests.deposits.conftest import BOUND, NAME, REQUIRED, Pay, deposit_of, expel, leave, reload, settle
from tests.people import OTHER_CREDIT_CODE, PDF, admit, begin, complete, hand_in
from tests.rules import set_rule
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Mail, Notice

NEW = "2088102146225999"
WEEK = dt.timedelta(days=7)

MoveClock = Callable[..., None]


def evidence(content: bytes = PDF, name: str = "支付宝主体截图.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def ask(application: Application, **other: Any) -> AccountChange:
    """Asked for by the applicant, as its page does."""
    values: dict[str, Any] = {
        "actor": application.applicant,
        "account_id": NEW,
        "reason": "原账户即将注销",
        "evidence": evidence(),
        "seen": reload(application).alipay_account_id,
        "address": "203.0.113.7",
    }
    return account_changes.request(application.pk, **values | other)


def agree(change: AccountChange, first: User, second: User) -> AccountChange:
    account_changes.check(change.pk, actor=first, seen="requested")
    return account_changes.confirm(change.pk, actor=second, seen="checked")


def again(change: AccountChange) -> AccountChange:
    return AccountChange.objects.get(pk=change.pk)


def past_triggers(assignments: str) -> None:
    """Puts the changes into a state that the procedure would take days to bring about."""
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE deposits_accountchange DISABLE TRIGGER USER")
        cursor.execute(f"UPDATE deposits_accountchange SET {assignments}")
        cursor.execute("ALTER TABLE deposits_accountchange ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def bound(application: Application) -> str:
    return reload(application).alipay_account_id


@pytest.fixture
def asked(approved: Application) -> AccountChange:
    return ask(approved)


@pytest.fixture
def cooling(asked: AccountChange, ops: User, finance: User) -> AccountChange:
    """Two people have agreed; the cooling-off has begun."""
    return agree(asked, ops, finance)


@pytest.fixture
def done(cooling: AccountChange, move_clock: MoveClock) -> AccountChange:
    move_clock(days=7)
    tasks.sweep_account_changes()
    return again(cooling)


# The whole way -------------------------------------------------------------------------------------


def test_the_new_account_is_bound_after_two_people_and_seven_days(
    approved: Application, ops: User, finance: User, move_clock: MoveClock
) -> None:
    before = reload(approved).version
    change = ask(approved)
    assert (change.state, change.old_account_id, change.new_account_id) == ("requested", BOUND, NEW)

    change = agree(change, ops, finance)
    assert change.effective_at is not None and change.confirmed_at is not None
    assert change.effective_at - change.confirmed_at == WEEK
    assert (change.checked_by, change.confirmed_by) == (ops, finance)

    move_clock(days=6, hours=23, minutes=59)
    tasks.sweep_account_changes()
    assert (again(change).state, bound(approved)) == ("cooling", BOUND)

    move_clock(minutes=1)
    tasks.sweep_account_changes()
    assert (again(change).state, bound(approved)) == ("done", NEW)
    assert reload(approved).version == before + 1
    last = approved.transitions.latest("pk")
    assert (last.name, last.reason, last.actor) == ("rebind_account", f"{BOUND} → {NEW}", None)


def test_it_is_due_at_the_instant_itself_and_not_before(cooling: AccountChange) -> None:
    assert cooling.effective_at is not None
    assert account_changes.due(cooling.effective_at).get() == cooling
    assert not account_changes.due(cooling.effective_at - dt.timedelta(microseconds=1)).exists()


def test_it_takes_effect_once(done: AccountChange, approved: Application) -> None:
    account_changes.take_effect(done.pk)
    assert approved.transitions.filter(name="rebind_account").count() == 1


def test_the_cooling_off_is_as_long_as_was_promised_when_it_was_asked_for(
    asked: AccountChange, ops: User, finance: User
) -> None:
    set_rule("account_change.cooling_days", 1)
    change = agree(asked, ops, finance)
    assert change.effective_at is not None and change.confirmed_at is not None
    assert change.effective_at - change.confirmed_at == WEEK


def test_the_evidence_is_what_it_says(approved: Application) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")

    change = ask(approved, evidence=evidence(picture.getvalue(), "截图.exe"))

    assert (change.evidence_name, change.evidence_type) == ("截图.png", "image/png")
    assert "截图" not in str(change.evidence.name)
    with pytest.raises(DomainError, match="not_a_picture") as refusal:
        ask(approved, evidence=evidence(b"MZ", "截图.png"))
    assert refusal.value.field == "file"


@pytest.mark.parametrize("state", ["active", "exiting"])
def test_a_member_can_ask_too(active: Application, state: str) -> None:
    if state == "exiting":
        applications.request_exit(active.pk, actor=active.applicant)
    assert ask(active).state == "requested"


@pytest.mark.parametrize("fixture", ["under_review", "exited"])
def test_only_an_admitted_company_can_ask(fixture: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(DomainError, match="wrong_state"):
        ask(request.getfixturevalue(fixture))


# Who -----------------------------------------------------------------------------------------------


def test_the_owner_or_the_payer_asks_and_nobody_else(
    approved: Application, sub_account: User, stranger: User, finance: User, superuser: User
) -> None:
    for person in (sub_account, stranger, finance, superuser):
        with pytest.raises(NotPermitted):
            ask(approved, actor=person)
    assert approved.company is not None
    Membership.objects.create(company=approved.company, user=stranger, role=CompanyRole.EDITOR)
    with pytest.raises(NotPermitted):
        ask(approved, actor=stranger)

    Membership.objects.filter(user=stranger).update(role=CompanyRole.PAYER)
    assert ask(approved, actor=stranger).requested_by == stranger


def test_anybody_who_acts_for_the_company_can_stop_it(
    asked: AccountChange, sub_account: User, stranger: User
) -> None:
    with pytest.raises(NotPermitted):
        account_changes.cancel(asked.pk, actor=stranger)
    change = account_changes.cancel(asked.pk, actor=sub_account)
    assert (change.state, change.closed_by) == ("cancelled", sub_account)


def test_a_reader_only_reads(asked: AccountChange, approved: Application, stranger: User) -> None:
    assert approved.company is not None
    Membership.objects.create(company=approved.company, user=stranger, role=CompanyRole.READER)
    with pytest.raises(NotPermitted):
        account_changes.cancel(asked.pk, actor=stranger)


def test_two_different_people_decide_and_the_second_is_of_finance(
    asked: AccountChange, finance: User, second_finance: User, ops: User, superuser: User, auditor: User
) -> None:
    for person in (superuser, auditor):
        with pytest.raises(NotPermitted):
            account_changes.check(asked.pk, actor=person, seen="requested")
    account_changes.check(asked.pk, actor=finance, seen="requested")
    for person in (finance, ops, superuser, auditor):
        with pytest.raises(NotPermitted):
            account_changes.confirm(asked.pk, actor=person, seen="checked")

    assert account_changes.confirm(asked.pk, actor=second_finance, seen="checked").state == "cooling"


def test_who_has_a_part_in_the_company_decides_nothing(
    asked: AccountChange, approved: Application, finance: User, ops: User
) -> None:
    assert approved.company is not None
    for person in (finance, ops):
        Membership.objects.create(company=approved.company, user=person, role=CompanyRole.READER)
    for verb in (account_changes.check, account_changes.confirm):
        with pytest.raises(NotPermitted):
            verb(asked.pk, actor=finance, seen="requested")
    with pytest.raises(NotPermitted):
        account_changes.refuse(asked.pk, actor=ops, reason="与执照不符", seen="requested")


# What is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account_id", "code"),
    [
        (BOUND, "same_account"),
        ("208810214622513", "no_account"),
        ("13800138000", "no_account"),
        ("", "no_account"),
    ],
)
def test_an_account_that_cant_be_bound(approved: Application, account_id: str, code: str) -> None:
    with pytest.raises(DomainError, match=code) as refusal:
        ask(approved, account_id=account_id)
    assert refusal.value.field == "account_id"


@pytest.fixture
def ban() -> Callable[[Application], None]:
    """Somebody was expelled who paid from the new account."""

    def stand(application: Application) -> None:
        Ban.objects.create(
            application=application,
            credit_code=OTHER_CREDIT_CODE,
            taobao_user_id="706300000",
            alipay_account_id=NEW,
            reason="严重违规",
            begins_at=clock.now(),
        )

    return stand


def test_a_banned_account_and_one_that_is_bound_elsewhere_read_the_same(
    approved: Application, ban: Callable[[Application], None], stranger: User, reviewer: User
) -> None:
    other = hand_in(complete(begin(stranger), credit_code=OTHER_CREDIT_CODE, alipay_account_id=NEW))
    with pytest.raises(DomainError, match="account_refused") as taken:
        ask(approved)

    applications.withdraw(other.pk, actor=stranger)
    ban(approved)
    with pytest.raises(DomainError, match="account_refused") as banned:
        ask(approved)
    assert str(taken.value.message) == str(banned.value.message)


def test_a_draft_blocks_nobody(approved: Application, stranger: User) -> None:
    complete(begin(stranger), credit_code=OTHER_CREDIT_CODE, alipay_account_id=NEW)
    assert ask(approved).state == "requested"


def test_two_companies_cant_ask_for_the_same_account(
    asked: AccountChange, stranger: User, second_reviewer: User
) -> None:
    account = "2088102146225136"
    ready = complete(begin(stranger), credit_code=OTHER_CREDIT_CODE, alipay_account_id=account)
    other = admit(hand_in(ready), second_reviewer)
    with pytest.raises(DomainError, match="account_refused"):
        ask(other)


def test_one_change_at_a_time(asked: AccountChange, approved: Application) -> None:
    with pytest.raises(DomainError, match="already_open"):
        ask(approved, account_id="2088102146225998")


def test_nobody_asks_without_end(approved: Application, move_clock: MoveClock) -> None:
    for _time in range(account_changes.MAX_REQUESTS):
        account_changes.cancel(ask(approved).pk, actor=approved.applicant)
    with pytest.raises(DomainError, match="too_many"):
        ask(approved)


def test_a_page_from_before_another_change_is_out_of_date(done: AccountChange, approved: Application) -> None:
    with pytest.raises(StaleVersion):
        ask(approved, account_id="2088102146225998", seen=BOUND)


def test_reasons_are_given(asked: AccountChange, approved: Application, ops: User) -> None:
    with pytest.raises(DomainError, match="empty"):
        account_changes.refuse(asked.pk, actor=ops, reason=" ", seen="requested")
    account_changes.cancel(asked.pk, actor=approved.applicant)
    with pytest.raises(DomainError, match="empty"):
        ask(approved, reason=" ")


def test_a_decision_on_an_old_page_changes_nothing(
    asked: AccountChange, ops: User, finance: User, second_finance: User
) -> None:
    account_changes.check(asked.pk, actor=ops, seen="requested")
    with pytest.raises(StaleVersion):
        account_changes.check(asked.pk, actor=finance, seen="requested")
    with pytest.raises(StaleVersion):
        account_changes.refuse(asked.pk, actor=finance, reason="与执照不符", seen="requested")

    account_changes.confirm(asked.pk, actor=finance, seen="checked")
    with pytest.raises(StaleVersion):
        account_changes.confirm(asked.pk, actor=second_finance, seen="checked")
    with pytest.raises(DomainError, match="wrong_state"):
        account_changes.confirm(asked.pk, actor=second_finance, seen="cooling")
    assert again(asked).confirmed_by == finance


@pytest.mark.parametrize("fixture", ["asked", "cooling"])
def test_one_person_is_enough_to_refuse(
    fixture: str,
    request: pytest.FixtureRequest,
    approved: Application,
    second_ops: User,
    move_clock: MoveClock,
) -> None:
    change = request.getfixturevalue(fixture)

    change = account_changes.refuse(
        change.pk, actor=second_ops, reason="截图主体与执照不一致", seen=change.state
    )

    assert (change.state, change.closed_by, change.decision_reason) == (
        "refused",
        second_ops,
        "截图主体与执照不一致",
    )
    move_clock(days=8)
    tasks.sweep_account_changes()
    assert bound(approved) == BOUND


@pytest.mark.parametrize("fixture", ["asked", "cooling"])
def test_what_was_cancelled_stays_so(
    fixture: str, request: pytest.FixtureRequest, approved: Application, finance: User, move_clock: MoveClock
) -> None:
    change = request.getfixturevalue(fixture)
    account_changes.cancel(change.pk, actor=approved.applicant)

    with pytest.raises(DomainError, match="decided"):
        account_changes.cancel(change.pk, actor=approved.applicant)
    with pytest.raises(DomainError, match="decided"):
        account_changes.refuse(change.pk, actor=finance, reason="与执照不符", seen="cancelled")
    move_clock(days=8)
    tasks.sweep_account_changes()
    assert (again(change).state, bound(approved)) == ("cancelled", BOUND)


def test_once_it_is_done_nothing_stops_it(done: AccountChange, approved: Application, ops: User) -> None:
    with pytest.raises(DomainError, match="decided"):
        account_changes.cancel(done.pk, actor=approved.applicant)
    with pytest.raises(DomainError, match="decided"):
        account_changes.refuse(done.pk, actor=ops, reason="与执照不符", seen="done")


def test_an_account_banned_in_the_cooling_off_is_not_bound(
    cooling: AccountChange,
    approved: Application,
    ban: Callable[[Application], None],
    finance: User,
    move_clock: MoveClock,
) -> None:
    ban(approved)
    move_clock(days=7)
    tasks.sweep_account_changes()

    change = again(cooling)
    assert (change.state, change.closed_by, bound(approved)) == ("refused", None, BOUND)
    assert change.decision_reason
    assert Notice.objects.filter(recipient=finance, key__endswith=":refused").exists()


# Unknown outcomes ----------------------------------------------------------------------------------


def test_it_waits_for_an_open_order(
    cooling: AccountChange, approved: Application, alipay: SandboxClient, finance: User, move_clock: MoveClock
) -> None:
    order = payments.open_order(approved.pk, actor=approved.applicant)
    move_clock(days=7)
    tasks.sweep_account_changes()
    assert (again(cooling).state, bound(approved)) == ("cooling", BOUND)
    assert account_changes.unknown_outcome(reload(approved)) is not None

    move_clock(days=1, seconds=1)
    tasks.sweep_account_changes()
    tasks.sweep_account_changes()
    assert Notice.objects.filter(recipient=finance, key__contains=":waits:").count() == 1

    payments.close_now(order)
    PaymentOrder.objects.filter(pk=order.pk, state="closing").update(state="closed", closed_at=clock.now())
    tasks.sweep_account_changes()
    assert (again(cooling).state, bound(approved)) == ("done", NEW)


@pytest.mark.parametrize("state", ["queued", "calling", "dealing", "attention"])
def test_it_waits_for_money_on_its_way_back(
    cooling: AccountChange, approved: Application, pay: Pay, state: str, move_clock: MoveClock
) -> None:
    settle(pay(approved, amount="1.00"))
    payout = Payout.objects.get()
    for step in {"queued": [], "calling": ["calling"]}.get(state, ["calling", state]):
        Payout.objects.filter(pk=payout.pk).update(state=step, attempts=1, claimed_at=clock.now())
    move_clock(days=7)

    tasks.sweep_account_changes()

    assert (again(cooling).state, bound(approved)) == ("cooling", BOUND)
    assert account_changes.unknown_outcome(reload(approved)) is not None


# The end of the membership -------------------------------------------------------------------------


def test_an_expulsion_ends_it(
    active: Application, ops: User, second_ops: User, third_ops: User, finance: User, move_clock: MoveClock
) -> None:
    change = agree(ask(active), ops, finance)

    expel(active, second_ops, third_ops)

    assert (again(change).state, again(change).closed_by) == ("cancelled", None)
    assert active.transitions.latest("pk").name == "account_change_cancelled"
    move_clock(days=7)
    tasks.sweep_account_changes()
    assert bound(active) == BOUND


def test_an_exit_ends_it(active: Application) -> None:
    change = ask(active)
    leave(active)
    assert again(change).state == "cancelled"


def test_a_withdrawal_ends_it(asked: AccountChange, approved: Application) -> None:
    applications.withdraw(approved.pk, actor=approved.applicant)
    assert again(asked).state == "cancelled"
    assert reload(approved).state == State.WITHDRAWN


# News ----------------------------------------------------------------------------------------------


def mails_to_contact(application: Application) -> list[str]:
    return list(
        Mail.objects.filter(to=application.contact_email, notice__isnull=True)
        .order_by("pk")
        .values_list("body", flat=True)
    )


def test_everybody_of_the_company_and_the_proven_contact_hear_of_each_step(
    approved: Application, stranger: User, ops: User, finance: User, move_clock: MoveClock
) -> None:
    assert approved.company is not None
    Membership.objects.create(company=approved.company, user=stranger, role=CompanyRole.READER)
    before = len(mails_to_contact(approved))
    change = agree(ask(approved), ops, finance)
    move_clock(days=7)
    tasks.sweep_account_changes()

    for person in (approved.applicant, stranger):
        keys = Notice.objects.filter(recipient=person, key__contains=f"account-change:{change.pk}:")
        states = {key.rpartition(":")[2] for key in keys.values_list("key", flat=True)}
        assert states == {"requested", "checked", "cooling", "done"}
    mails = mails_to_contact(approved)[before:]
    assert len(mails) == 4
    for word in (approved.applicant.display_name, "203.0.113.7", "2088…5999", "原账户即将注销", "/account/"):
        assert word in mails[0]
    assert NEW not in "".join(mails)


def test_the_company_is_not_told_who_of_staff_decided(asked: AccountChange, ops: User) -> None:
    account_changes.refuse(asked.pk, actor=ops, reason="截图主体与执照不一致", seen="requested")
    notice = Notice.objects.get(recipient=asked.requested_by, key__endswith=f"{asked.pk}:refused")
    assert "截图主体与执照不一致" in notice.body
    assert ops.display_name not in notice.body


def test_each_is_told_in_its_own_language(approved: Application, stranger: User) -> None:
    assert approved.company is not None
    stranger.language = "en"
    stranger.save()
    Membership.objects.create(company=approved.company, user=stranger, role=CompanyRole.READER)
    ask(approved)
    told = Notice.objects.filter(key__contains="account-change:")
    assert "asked on" in told.get(recipient=stranger).body
    assert "asked on" not in told.get(recipient=approved.applicant).body


def test_staff_hear_of_what_waits_for_them(
    asked: AccountChange, ops: User, finance: User, second_finance: User
) -> None:
    waiting = Notice.objects.filter(key=f"deposit:account-change:{asked.pk}:checked")
    account_changes.check(asked.pk, actor=finance, seen="requested")
    assert set(waiting.filter(recipient__is_staff=True).values_list("recipient", flat=True)) == {
        second_finance.pk
    }


def test_an_unproven_address_gets_no_mail(approved: Application) -> None:
    Application.objects.filter(pk=approved.pk).update(contact_email_verified_at=None)
    before = len(mails_to_contact(approved))
    ask(approved)
    assert len(mails_to_contact(approved)) == before


# Which payments count ------------------------------------------------------------------------------


@pytest.fixture
def both(alipay: SandboxClient) -> SandboxClient:
    """The company has its new enterprise account as well."""
    alipay.account(NEW, name=NAME, kind="CORPORATE", balance="1000000.00")
    return alipay


def forget(order: PaymentOrder) -> None:
    """Our side holds the order for closed, though it is paid: the news comes late."""
    PaymentOrder.objects.filter(pk=order.pk).update(state="closed", closed_at=clock.now(), next_check_at=None)


@pytest.mark.parametrize("open_ids", [False, True])
def test_the_old_account_counts_until_the_change_takes_effect(
    cooling: AccountChange,
    approved: Application,
    both: SandboxClient,
    pay: Pay,
    move_clock: MoveClock,
    open_ids: bool,
) -> None:
    both.change_settings(open_id_only=open_ids)
    move_clock(days=6)
    order = pay(approved, buyer=BOUND)
    forget(order)
    move_clock(days=1)
    tasks.sweep_account_changes()
    assert bound(approved) == NEW

    order = settle(order)

    assert (order.state, deposit_of(approved).available) == ("paid", REQUIRED)
    # What the old account is called at Alipay is not bound by its late payment.
    assert reload(approved).alipay_open_id == ""


def test_the_new_account_does_not_count_before(
    cooling: AccountChange, approved: Application, both: SandboxClient, pay: Pay
) -> None:
    settle(pay(approved, buyer=NEW))
    assert ReturnedPayment.objects.get().reason == "wrong_payer"


@pytest.mark.parametrize("open_ids", [False, True])
def test_afterwards_only_the_new_account_counts(
    active: Application,
    ops: User,
    finance: User,
    both: SandboxClient,
    pay: Pay,
    move_clock: MoveClock,
    open_ids: bool,
) -> None:
    both.change_settings(open_id_only=open_ids)
    Deposit.objects.filter(application=active).update(required=REQUIRED + 100)
    settle(pay(active))
    old_open_id = reload(active).alipay_open_id
    assert bool(old_open_id) == open_ids
    agree(ask(active), ops, finance)
    move_clock(days=7)
    tasks.sweep_account_changes()
    assert reload(active).alipay_open_id == ""
    Deposit.objects.filter(application=active).update(required=REQUIRED + 200)

    assert settle(pay(active, buyer=BOUND)).returned.reason == "wrong_payer"
    assert settle(pay(active, buyer=NEW)).state == "paid"

    assert bool(reload(active).alipay_open_id) == open_ids
    assert reload(active).alipay_open_id != old_open_id or not open_ids
    assert AccountChange.objects.get().old_open_id == old_open_id


def test_the_instant_of_the_change_is_the_new_accounts(done: AccountChange, approved: Application) -> None:
    assert done.closed_at is not None
    second = dt.timedelta(seconds=1)
    assert payers.bound_at(approved, done.closed_at - second).account_id == BOUND
    assert payers.bound_at(reload(approved), done.closed_at).account_id == NEW


def test_an_account_that_is_bound_again_is_known_by_its_open_id_again(
    done: AccountChange, approved: Application, ops: User, finance: User, move_clock: MoveClock
) -> None:
    past_triggers("old_open_id = 'the-old-one'")  # as if Alipay had named it so before
    order = PaymentOrder(buyer_open_id="the-old-one", buyer_name=NAME, paid_at=clock.now())
    assert not payers.is_bound_payer(reload(approved), order)

    agree(ask(reload(approved), account_id=BOUND), ops, finance)
    move_clock(days=7)
    tasks.sweep_account_changes()

    order.paid_at = clock.now()
    assert payers.is_bound_payer(reload(approved), order)


# The same rules, past Python -----------------------------------------------------------------------

BY_TWO = "checked_by_id = {ops}, checked_at = now(), confirmed_by_id = {finance}, confirmed_at = now()"


def refused_by_sql(change: AccountChange, assignments: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_accountchange SET {assignments} WHERE id = %s", [change.pk])


@pytest.mark.parametrize("source", ChangeState.values)
@pytest.mark.parametrize("target", ChangeState.values)
def test_sql_knows_the_edges(
    asked: AccountChange, source: str, target: str, ops: User, finance: User
) -> None:
    if source == target:
        return
    everything = (
        f"{BY_TWO.format(ops=ops.pk, finance=finance.pk)}, effective_at = now(), decision_reason = 'x'"
    )
    closed = "now()" if source in ("done", "refused", "cancelled") else "NULL"
    past_triggers(f"state = '{source}', {everything}, closed_at = {closed}")
    ends = target in ("done", "refused", "cancelled")
    move = f"state = '{target}', closed_at = {'now()' if ends else 'NULL'}"
    if (source, target) in CHANGE_EDGES:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE deposits_accountchange SET {move}")
    else:
        refused_by_sql(asked, move)


def test_sql_lets_no_change_begin_elsewhere(asked: AccountChange, finance: User) -> None:
    for state in set(ChangeState.values) - {"requested"}:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO deposits_accountchange (application_id, old_account_id, new_account_id, reason,"
                " evidence, evidence_name, evidence_type, evidence_sha256, requested_by_id, requested_at, state,"
                " decision_reason, old_open_id, closed_at)"
                " SELECT application_id, old_account_id, new_account_id, reason, evidence, evidence_name,"
                " evidence_type, evidence_sha256, requested_by_id, now(), %s, 'x', '', now()"
                " FROM deposits_accountchange",
                [state],
            )


def test_sql_wants_two_people(asked: AccountChange, ops: User, finance: User) -> None:
    refused_by_sql(asked, "state = 'checked'")
    account_changes.check(asked.pk, actor=ops, seen="requested")

    refused_by_sql(asked, "state = 'cooling', effective_at = now()")
    refused_by_sql(
        asked,
        f"state = 'cooling', confirmed_by_id = {ops.pk}, confirmed_at = now(), effective_at = now()",
    )
    refused_by_sql(asked, f"checked_by_id = {finance.pk}")
    refused_by_sql(asked, "checked_by_id = NULL")


def test_sql_keeps_what_was_asked_for_and_decided(cooling: AccountChange, ops: User, finance: User) -> None:
    for assignment in (
        "new_account_id = '2088102146225998'",
        "old_account_id = '2088102146225998'",
        "evidence = 'another.pdf'",
        "evidence_type = 'text/html'",
        "requested_from = NULL",
        f"requested_by_id = {finance.pk}",
        f"confirmed_by_id = {ops.pk}",
        "effective_at = now()",
        "effective_at = NULL",
    ):
        refused_by_sql(cooling, assignment)


def test_sql_lets_it_take_effect_on_its_day_only(cooling: AccountChange) -> None:
    refused_by_sql(cooling, "state = 'done', closed_at = now()")
    refused_by_sql(cooling, "state = 'done'")
    refused_by_sql(cooling, "state = 'refused', closed_at = now()")  # without a reason


def test_sql_changes_nothing_of_what_is_over(done: AccountChange) -> None:
    refused_by_sql(done, "closed_at = closed_at + interval '1 day'")
    refused_by_sql(done, "old_open_id = 'another'")


def test_sql_deletes_none(asked: AccountChange) -> None:
    for statement in ("DELETE FROM deposits_accountchange", "TRUNCATE deposits_accountchange CASCADE"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_sql_has_one_open_change_a_company(asked: AccountChange) -> None:
    with pytest.raises(IntegrityError, match="one_open_account_change"), transaction.atomic():
        AccountChange.objects.create(
            application=asked.application,
            old_account_id=BOUND,
            new_account_id="2088102146225998",
            requested_by=asked.requested_by,
        )


@pytest.mark.parametrize("fixture", ["asked", "cooling"])
def test_sql_binds_an_account_by_the_procedure_only(
    fixture: str, request: pytest.FixtureRequest, approved: Application
) -> None:
    change = request.getfixturevalue(fixture)
    accounts = {"asked": [NEW, ""], "cooling": ["2088102146225998", ""]}[fixture]
    for account in accounts:
        with pytest.raises(IntegrityError, match="by its procedure only"), transaction.atomic():
            Application.objects.filter(pk=approved.pk).update(alipay_account_id=account)
    assert again(change).state == change.state


def test_a_draft_changes_its_account_freely(draft: Application) -> None:
    Application.objects.filter(pk=draft.pk).update(alipay_account_id=NEW)
    assert bound(draft) == NEW
