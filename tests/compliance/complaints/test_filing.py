"""How a complaint begins: what is frozen, who is told, and what can't be filed."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications import services as applications
from applications import suspensions
from applications.lifecycle import State
from applications.models import Application
from compliance.complaints import files
from compliance.complaints import services as complaints
from compliance.models import Channel, Complaint, Relation, ServedShop, ShopState, Side
from deposits.duties import cases
from tests.compliance.complaints.conftest import (
    CLAIMED,
    PAYEE,
    REQUIRED,
    a_claim,
    again,
    books_agree,
    deposit_of,
    file,
)
from tests.database import owner_role
from tests.deposits.conftest import expel, reload
from tests.deposits.trades import pay_what_is_due
from tests.people import PDF, make_merchant
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice


def enter(application: Application, actor: User, name: str = "顾客丁") -> Complaint:
    return complaints.enter(application.pk, actor=actor, claim=a_claim(), name=name, contact="13900000001")


def told(person: User) -> list[str]:
    return list(Notice.objects.filter(recipient=person).order_by("pk").values_list("link", flat=True))


# What it does --------------------------------------------------------------------------------------


def test_what_is_claimed_is_frozen_until_the_provider_has_answered(
    member: Application, customer: User, merchant: User
) -> None:
    complaint = file(member, customer)

    assert complaint.state == "awaiting_response"
    assert complaint.due_at == complaint.filed_at + dt.timedelta(hours=48)
    deposit = deposit_of(complaint)
    assert (deposit.available, deposit.frozen) == (REQUIRED - CLAIMED, CLAIMED)
    assert books_agree()
    step = complaint.steps.get()
    assert (step.name, step.from_state, step.side, step.actor) == ("file", "", Side.COMPLAINANT, customer)
    assert told(customer) == [f"/complaints/{complaint.number}/"]
    assert f"/console/cases/{member.number}/complaints/{complaint.number}/" in told(merchant)


def test_a_short_deposit_freezes_what_it_has(member: Application, customer: User) -> None:
    cases.penalise(member.pk, case="violation:1", amount=REQUIRED - Decimal("100.00"), reason="x", actor=None)

    first = file(member, customer)
    second = file(member, customer)

    deposit = deposit_of(first)
    assert (deposit.available, deposit.frozen) == (0, Decimal("100.00"))
    assert second.state == "awaiting_response", "a complaint doesn't depend on what is there"
    assert books_agree()


def test_who_was_served_complains_as_a_merchant_on_that_proof(member: Application, customer: User) -> None:
    with owner_role():
        shop = ServedShop.objects.create(
            application=member,
            shop_name="丙的小店",
            state=ShopState.ENDED,
            invited_by=member.applicant,
            expires_at=clock.now(),
            owner=customer,
            owner_taobao_user_id=customer.taobao_user_id,
            begins_on=dt.date(2026, 1, 1),
            ends_on=dt.date(2026, 6, 1),
            closed_at=clock.now(),
        )

    complaint = file(member, customer)

    assert (complaint.relation, complaint.served_shop) == (Relation.SERVED_MERCHANT, shop)


def test_anybody_else_complains_as_a_customer(member: Application, customer: User) -> None:
    complaint = file(member, customer)
    assert (complaint.relation, complaint.served_shop) == (Relation.CUSTOMER, None)


def test_operations_enter_one_for_somebody_without_an_account(member: Application, ops: User) -> None:
    complaint = enter(member, ops)

    assert (complaint.relation, complaint.complainant, complaint.entered_by) == (
        Relation.OPERATIONS,
        None,
        ops,
    )
    assert (complaint.complainant_name, complaint.complainant_contact) == ("顾客丁", "13900000001")
    assert deposit_of(complaint).frozen == CLAIMED


def test_a_payee_and_evidence_come_with_the_claim(member: Application, customer: User) -> None:
    uploads = files.checked([SimpleUploadedFile("物流.pdf", PDF)])

    complaint = complaints.file(member.pk, actor=customer, claim=a_claim(payee=PAYEE), uploads=uploads)

    assert complaints.payee_of(again(complaint)) == PAYEE
    kept = complaint.files.get()
    assert (kept.side, kept.original_name, kept.uploaded_by) == (Side.COMPLAINANT, "物流.pdf", customer)
    assert kept.file.read() == PDF


def test_a_side_hands_in_a_bounded_number_of_files(member: Application, customer: User) -> None:
    uploads = files.checked([SimpleUploadedFile("物流.pdf", PDF)]) * (files.MAX_FILES_PER_SIDE + 1)

    with pytest.raises(DomainError, match="too_many_files") as refusal:
        complaints.file(member.pk, actor=customer, claim=a_claim(), uploads=uploads)

    assert refusal.value.field == "files"
    assert not Complaint.objects.exists()


# Against whom --------------------------------------------------------------------------------------


def suspended(application: Application) -> None:
    suspensions.suspend(application.pk, cause="shortfall", reason="x")


def exiting(application: Application) -> None:
    applications.request_exit(application.pk, actor=application.applicant)


@pytest.mark.parametrize("bring_into", [suspended, exiting])
def test_a_member_is_complained_about_in_each_of_its_states(
    member: Application, customer: User, bring_into: Callable[[Application], None]
) -> None:
    bring_into(member)
    assert reload(member).state == bring_into.__name__

    assert deposit_of(file(member, customer)).frozen == CLAIMED


def test_a_member_that_has_only_just_paid_is_complained_about(approved: Application, customer: User) -> None:
    Application.objects.filter(pk=approved.pk).update(licence_valid_until=dt.date(2020, 1, 1))
    pay_what_is_due(approved)
    assert reload(approved).state == State.DEPOSIT_PAID

    assert deposit_of(file(approved, customer)).frozen == CLAIMED


def left(application: Application, *people: User) -> None:
    exiting(application)
    applications.complete_exit(application.pk)


def expelled(application: Application, *people: User) -> None:
    expel(application, *people)


@pytest.mark.parametrize("bring_into", [left, expelled])
def test_who_is_out_is_not_complained_about(
    member: Application,
    customer: User,
    ops: User,
    second_ops: User,
    bring_into: Callable[..., None],
) -> None:
    bring_into(member, ops, second_ops)
    with pytest.raises(DomainError, match="not_a_member"):
        file(member, customer)
    with pytest.raises(DomainError, match="not_a_member"):
        enter(member, ops)
    assert not Complaint.objects.exists()


def test_who_has_not_paid_yet_is_not_complained_about(approved: Application, customer: User) -> None:
    with pytest.raises(DomainError, match="not_a_member"):
        file(approved, customer)


# What can't be filed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"claimed": Decimal("1000.01")}, "over_the_order", "claimed"),
        ({"claimed": Decimal("0.00")}, "no_amount", "claimed"),
        ({"claimed": Decimal("-1.00")}, "no_amount", "claimed"),
        ({"claimed": Decimal("1.005")}, "no_amount", "claimed"),
        ({"order_value": Decimal("0.00")}, "no_amount", "order_value"),
        ({"order_value": Decimal("10000000000.00")}, "no_amount", "order_value"),
        ({"text": "  "}, "empty", "text"),
        ({"order_number": " \u3000"}, "empty", "order_number"),
        ({"order_number": "1" * 41}, "too_long", "order_number"),
    ],
)
def test_a_claim_that_makes_no_sense_is_refused_beside_its_field(
    member: Application, customer: User, changes: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(DomainError) as refusal:
        file(member, customer, **changes)

    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert not Complaint.objects.exists()
    assert not member.deposit.transfers.filter(kind="freeze").exists()


def test_a_question_that_is_no_longer_asked_is_refused(member: Application, customer: User) -> None:
    claim = a_claim()
    claim.question.is_active = False
    with pytest.raises(DomainError, match="question_gone"):
        complaints.file(member.pk, actor=customer, claim=claim)


@pytest.mark.parametrize("number", ["TB2026X1", "tb2026x1", " TB2026 X1 ", "ＴＢ２０２６Ｘ１"])
def test_an_order_is_claimed_once_however_it_is_typed(
    member: Application, customer: User, stranger: User, number: str
) -> None:
    first = file(member, customer, order_number="TB2026X1")

    with pytest.raises(DomainError, match="claimed_already") as refusal:
        file(member, stranger, order_number=number)

    assert refusal.value.field == "order_number"
    assert deposit_of(first).frozen == CLAIMED, "the refused one froze nothing"
    assert file(member, stranger, order_number=number, channel=Channel.OFFLINE)


def test_an_order_whose_complaint_was_withdrawn_can_be_claimed_again(
    member: Application, customer: User
) -> None:
    first = file(member, customer, order_number="1")
    complaints.withdraw(first.pk, actor=customer)

    second = file(member, customer, order_number="1")

    assert deposit_of(second).frozen == CLAIMED
    assert books_agree()


# By whom -------------------------------------------------------------------------------------------


def test_nobody_complains_about_the_own_company(
    member: Application, merchant: User, sub_account: User
) -> None:
    for person in (merchant, sub_account):
        with pytest.raises(DomainError, match="own_company"):
            file(member, person)


def test_staff_complain_for_somebody_and_never_for_themselves(
    member: Application, ops: User, reviewer: User, superuser: User, customer: User
) -> None:
    for person in (ops, reviewer, superuser):
        with pytest.raises(NotPermitted):
            file(member, person)
    for person in (reviewer, superuser, customer):
        with pytest.raises(NotPermitted):
            enter(member, person)
    with pytest.raises(DomainError, match="empty") as refusal:
        enter(member, ops, name=" ")
    assert refusal.value.field == "complainant_name"
    assert not Complaint.objects.exists()


def test_one_account_files_a_bounded_number_a_day(
    member: Application, customer: User, stranger: User, move_clock: Callable[..., None]
) -> None:
    set_rule("complaint.filed_a_day", 2)
    clerk = make_merchant("买家丙:客服", customer.taobao_user_id, "77001")
    file(member, customer)
    complaints.withdraw(file(member, clerk).pk, actor=clerk)

    for person in (customer, clerk):
        with pytest.raises(DomainError, match="too_many_today"):
            file(member, person)
    assert Complaint.objects.count() == 2
    assert file(member, stranger), "others are not held up"

    move_clock(hours=24)
    assert file(member, customer)


def test_operations_enter_as_many_as_there_are(member: Application, ops: User) -> None:
    set_rule("complaint.filed_a_day", 1)
    assert enter(member, ops).pk != enter(member, ops, name="顾客戊").pk
