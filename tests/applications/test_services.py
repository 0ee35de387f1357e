"""The one door: permission, guard, one timeline row, notices, and nothing half done."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction

from applications import completeness, drafts, selectors, services, tasks, uploads
from applications.lifecycle import State
from applications.models import Application, Ban, DocumentKind, Transition
from applications.signals import moved
from tests.people import COMPANY_DATA, OTHER_CREDIT_CODE, begin, complete, hand_in
from tmall_sp.accounts.models import Membership, User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice


def reload(application: Application) -> Application:
    return Application.objects.get(pk=application.pk)


def steps(application: Application) -> list[str]:
    return [row.name for row in application.transitions.all()]


def submit(application: Application, **kwargs: Any) -> Application:
    return services.submit(
        application.pk,
        actor=application.applicant,
        agreement_version=selectors.current_agreement().version,
        **kwargs,
    )


def test_each_step_leaves_one_row_with_actor_and_states(claimed: Application, reviewer: User) -> None:
    services.reject(claimed.pk, actor=reviewer, reason="营业执照不清晰", internal_note="模糊")

    row = claimed.transitions.last()
    assert row is not None
    assert (row.name, row.from_state, row.to_state) == ("reject", "under_review", "rejected")
    assert (row.actor, row.reason, row.internal_note) == (reviewer, "营业执照不清晰", "模糊")
    assert steps(claimed) == ["create", "pass_shop_check", "submit", "claim", "reject"]


def test_merchant_and_reviewer_are_told(reviewer: User, approved: Application) -> None:
    told = set(Notice.objects.filter(recipient=approved.applicant).values_list("key", flat=True))
    assert len(told) == 3  # verified, handed in, approved
    assert Notice.objects.filter(recipient=reviewer).exists()


def test_a_receiver_that_raises_undoes_the_whole_step(verified: Application) -> None:
    def refuse(**kwargs: Any) -> None:
        raise RuntimeError("no")

    moved.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            submit(verified)
    finally:
        moved.disconnect(refuse)

    assert reload(verified).state == State.SHOP_VERIFIED
    assert "submit" not in steps(verified)
    assert not verified.acceptances.exists()


def test_an_incomplete_application_is_not_handed_in(draft: Application) -> None:
    application = complete(draft, contact_phone="")

    with pytest.raises(DomainError, match="incomplete"):
        submit(application)

    assert [gap.code for gap in completeness.missing_for_submission(reload(application))] == ["contact_phone"]


def test_an_expired_licence_is_not_handed_in(draft: Application) -> None:
    application = complete(draft, licence_valid_until=clock.today() - dt.timedelta(days=1))
    with pytest.raises(DomainError, match="incomplete"):
        submit(application)


def test_a_licence_is_valid_through_its_last_day(draft: Application) -> None:
    application = complete(draft, licence_valid_until=clock.today())
    assert submit(application).state == State.UNDER_REVIEW


def test_rules_that_changed_since_they_were_shown_are_not_accepted(verified: Application) -> None:
    with pytest.raises(DomainError, match="agreement_changed"):
        services.submit(verified.pk, actor=verified.applicant, agreement_version=0)


def test_the_accepted_version_and_time_are_kept(under_review: Application) -> None:
    acceptance = under_review.acceptances.get()
    assert acceptance.agreement == selectors.current_agreement()
    assert acceptance.user == under_review.applicant
    assert clock.now() - acceptance.at < dt.timedelta(minutes=1)


def test_a_stranger_can_do_nothing(under_review: Application, stranger: User) -> None:
    with pytest.raises(NotPermitted):
        services.withdraw(under_review.pk, actor=stranger)


def test_a_sub_account_edits_but_does_not_withdraw(verified: Application, sub_account: User) -> None:
    drafts.save_data(verified.pk, actor=sub_account, data={"contact_name": "李四"})
    with pytest.raises(NotPermitted):
        services.withdraw(verified.pk, actor=sub_account)


def test_only_the_reviewer_who_claimed_it_decides(
    claimed: Application, second_reviewer: User, superuser: User
) -> None:
    for person in (second_reviewer, superuser, claimed.applicant):
        with pytest.raises(NotPermitted):
            services.approve(claimed.pk, actor=person)


def test_an_unclaimed_application_is_not_decided(under_review: Application, reviewer: User) -> None:
    with pytest.raises(NotPermitted):
        services.approve(under_review.pk, actor=reviewer)


def test_the_second_to_claim_is_told_who_was_first(claimed: Application, second_reviewer: User) -> None:
    with pytest.raises(DomainError, match="already_claimed") as refusal:
        services.claim(claimed.pk, actor=second_reviewer)
    assert "李审" in str(refusal.value.message)


def test_a_review_is_released_and_reassigned(
    claimed: Application, reviewer: User, second_reviewer: User, ops: User
) -> None:
    services.release(claimed.pk, actor=reviewer)
    assert reload(claimed).reviewer is None

    services.reassign(claimed.pk, actor=ops, reviewer=second_reviewer)
    assert reload(claimed).reviewer == second_reviewer

    with pytest.raises(DomainError, match="not_a_reviewer"):
        services.reassign(claimed.pk, actor=ops, reviewer=ops)


def test_a_page_that_is_out_of_date_overwrites_nothing(claimed: Application, reviewer: User) -> None:
    seen = reload(claimed).version
    services.request_changes(claimed.pk, actor=reviewer, changes=[services.Change("address", "补充地址")])

    with pytest.raises(StaleVersion) as refusal:
        services.reject(claimed.pk, actor=reviewer, reason="晚了", seen=seen)

    assert reload(claimed).state == State.CHANGES_REQUESTED
    assert str(State.CHANGES_REQUESTED.label) in str(refusal.value.message)


def test_a_merchants_stale_tab_overwrites_nothing(draft: Application) -> None:
    seen = draft.version
    drafts.save_data(draft.pk, actor=draft.applicant, data={"contact_name": "新"}, seen=seen)

    with pytest.raises(StaleVersion):
        drafts.save_data(draft.pk, actor=draft.applicant, data={"contact_name": "旧"}, seen=seen)

    assert reload(draft).contact_name == "新"


def test_a_shop_check_makes_no_page_out_of_date_on_which_the_merchant_types(draft: Application) -> None:
    seen = draft.version
    services.pass_shop_check(draft.pk)

    drafts.save_data(draft.pk, actor=draft.applicant, data={"contact_name": "周敏"}, seen=seen)

    assert reload(draft).contact_name == "周敏"


def test_asked_changes_are_answered_and_come_back_to_the_same_reviewer(
    changes_requested: Application, reviewer: User
) -> None:
    request = selectors.open_request(changes_requested)
    assert request is not None
    [item] = request.items.all()

    with pytest.raises(DomainError, match="unanswered"):
        services.resubmit(changes_requested.pk, actor=changes_requested.applicant, answers={})
    services.resubmit(changes_requested.pk, actor=changes_requested.applicant, answers={item.pk: "已更正"})

    again = reload(changes_requested)
    assert (again.state, again.reviewer) == (State.UNDER_REVIEW, reviewer)
    assert selectors.open_request(again) is None
    item.refresh_from_db()
    assert item.answer == "已更正"


def test_an_answer_at_the_very_instant_is_in_time_and_a_later_one_is_not(
    changes_requested: Application, move_clock: Callable[..., None]
) -> None:
    application = reload(changes_requested)
    assert application.deadline_at is not None
    move_clock(seconds=(application.deadline_at - clock.now()).total_seconds() - 5)
    drafts.save_data(application.pk, actor=application.applicant, data={"contact_name": "刚好"})

    move_clock(seconds=6)
    item = application.review_requests.get().items.get()
    with pytest.raises(DomainError, match="too_late"):
        services.resubmit(application.pk, actor=application.applicant, answers={item.pk: "晚了"})
    assert reload(application).state == State.CHANGES_REQUESTED


def test_the_sweep_lets_an_unanswered_request_lapse(
    changes_requested: Application, move_clock: Callable[..., None]
) -> None:
    tasks.sweep_deadlines()
    assert reload(changes_requested).state == State.CHANGES_REQUESTED

    move_clock(days=15, seconds=1)
    tasks.sweep_deadlines()
    assert reload(changes_requested).state == State.LAPSED


def test_a_draft_that_is_worked_on_does_not_lapse(
    draft: Application, move_clock: Callable[..., None]
) -> None:
    move_clock(days=80)
    drafts.save_data(draft.pk, actor=draft.applicant, data={"contact_name": "还在"})
    move_clock(days=80)
    tasks.sweep_deadlines()
    assert reload(draft).state == State.CREATED

    move_clock(days=11)
    tasks.sweep_deadlines()
    assert reload(draft).state == State.LAPSED


def test_one_open_application_for_each_taobao_account(draft: Application, sub_account: User) -> None:
    for person in (draft.applicant, sub_account):
        with pytest.raises(DomainError, match="already_open"):
            begin(person)


def test_a_new_application_carries_over_what_was_typed(verified: Application) -> None:
    services.withdraw(verified.pk, actor=verified.applicant)

    again = begin(verified.applicant)

    assert again.company_name == COMPANY_DATA["company_name"]
    assert again.contact_email_verified_at is not None
    assert again.state == State.CREATED


def test_a_draft_of_the_same_company_blocks_nobody(draft: Application, stranger: User) -> None:
    drafts.save_data(draft.pk, actor=draft.applicant, data=COMPANY_DATA)
    assert hand_in(complete(begin(stranger))).state == State.UNDER_REVIEW


def test_a_company_under_review_is_not_handed_in_twice_and_nobody_is_named(
    under_review: Application, stranger: User
) -> None:
    rival = complete(begin(stranger))
    with pytest.raises(DomainError, match="company_taken") as refusal:
        submit(rival)
    assert under_review.applicant.taobao_nick not in str(refusal.value.message)
    assert reload(rival).state == State.SHOP_VERIFIED


def test_approval_makes_the_applicant_the_companys_owner(approved: Application) -> None:
    membership = Membership.objects.get(company=approved.company)
    assert (membership.user, membership.role) == (approved.applicant, "owner")


def test_who_acted_for_a_company_before_has_no_say_in_its_next_application(
    approved: Application, stranger: User, reviewer: User
) -> None:
    before = approved.applicant
    services.withdraw(approved.pk, actor=before)
    again = hand_in(complete(begin(stranger)))

    for _ in ("under review", "approved"):
        assert again not in selectors.applications_of(before)
        with pytest.raises(NotPermitted):
            services.withdraw(again.pk, actor=before)
        if reload(again).state == State.UNDER_REVIEW:
            services.claim(again.pk, actor=reviewer)
            services.approve(again.pk, actor=reviewer)
    assert list(selectors.applications_of(stranger)) == [again]


def test_a_superuser_decides_nothing_even_in_a_group(active: Application, ops: User, superuser: User) -> None:
    superuser.groups.set(ops.groups.all())
    with pytest.raises(NotPermitted):
        expel(active, ops, User.objects.get(pk=superuser.pk))


def test_the_paper_of_another_credit_code_gives_no_access(approved: Application, stranger: User) -> None:
    other = complete(begin(stranger), credit_code=OTHER_CREDIT_CODE)
    assert list(selectors.applications_of(stranger)) == [other]


def paid(application: Application) -> Application:
    return services.record_deposit(application.pk)


def test_a_paid_member_with_all_checks_becomes_active(approved: Application) -> None:
    paid(approved)
    assert services.activate_if_ready(approved.pk)
    assert reload(approved).state == State.ACTIVE


def test_an_expired_licence_holds_the_activation_back(
    approved: Application, move_clock: Callable[..., None]
) -> None:
    Application.objects.filter(pk=approved.pk).update(licence_valid_until=clock.today())
    paid(approved)
    move_clock(days=1)
    assert not services.activate_if_ready(approved.pk)
    assert [gap.code for gap in completeness.missing_for_activation(reload(approved))] == ["licence_expired"]


def expel(application: Application, investigator: User, verifier: User, reporter: User | None = None) -> None:
    services.expel(
        application.pk, investigator=investigator, verifier=verifier, reporter=reporter, reason="售假"
    )


def test_two_people_of_operations_expel(active: Application, ops: User, second_ops: User) -> None:
    expel(active, ops, second_ops)

    assert reload(active).state == State.EXPELLED
    ban = Ban.objects.get()
    assert ban.ends_at is None
    assert selectors.ban_in_force(alipay_account_id=active.alipay_account_id)
    with pytest.raises(DomainError, match="banned"):
        begin(active.applicant)


def test_nobody_expels_alone(active: Application, ops: User, superuser: User) -> None:
    with pytest.raises(DomainError, match="same_person"):
        expel(active, ops, ops)
    with pytest.raises(NotPermitted):
        expel(active, ops, superuser)
    assert reload(active).state == State.ACTIVE


def test_neither_reporter_nor_admitting_reviewer_expels(
    active: Application, ops: User, second_ops: User, reviewer: User
) -> None:
    from tmall_sp.accounts.roles import Role, grant

    with pytest.raises(DomainError, match="not_impartial"):
        expel(active, ops, second_ops, reporter=ops)
    grant(reviewer, Role.OPS)
    with pytest.raises(DomainError, match="not_impartial"):
        expel(active, ops, User.objects.get(pk=reviewer.pk))


def test_the_timeline_only_grows(draft: Application) -> None:
    row = Transition.objects.get()
    for statement in (
        "UPDATE applications_transition SET name = 'x' WHERE id = %s",
        "DELETE FROM applications_transition WHERE id = %s",
        "TRUNCATE applications_transition -- %s",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [row.pk])
    assert Transition.objects.get() == row


def test_a_newer_licence_replaces_the_first_and_keeps_it(verified: Application) -> None:
    newer = SimpleUploadedFile("新执照.pdf", b"%PDF-1.7\nnew")
    uploads.add_document(verified.pk, actor=verified.applicant, kind=DocumentKind.LICENCE, upload=newer)

    assert [d.original_name for d in selectors.documents_of(verified)] == ["新执照.pdf"]
    assert verified.documents.count() == 2


@pytest.mark.parametrize("content", [b"MZ\x90", b"<html>", b"\xff\xd8\xff not really"])
def test_what_is_neither_picture_nor_pdf_is_refused_whatever_its_name(
    draft: Application, content: bytes
) -> None:
    upload = SimpleUploadedFile("licence.jpg", content, content_type="image/jpeg")
    with pytest.raises(DomainError, match="not_a_picture"):
        uploads.add_document(draft.pk, actor=draft.applicant, kind=DocumentKind.LICENCE, upload=upload)
