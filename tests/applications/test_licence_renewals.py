"""A member's licence: reminded of before its last day, suspended for after it, renewed and verified at any time."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, IntegrityError, connection, transaction

from applications import (
    completeness,
    licence_expiry,
    licence_renewals,
    required_exits,
    services,
    suspensions,
    tasks,
    todo,
)
from applications.lifecycle import State
from applications.models import Application, DocumentKind, LicenceRenewal, SuspensionCause
from tests.people import PDF
from tests.races.together import together
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]
NEXT = dt.date(2045, 1, 1)
REMINDED = "licence:"


def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("新执照.pdf", PDF, content_type="application/pdf")


def hand_in(application: Application, **kwargs: Any) -> LicenceRenewal:
    options: dict[str, Any] = {
        "actor": application.applicant,
        "upload": upload(),
        "valid_until": NEXT,
    } | kwargs
    return licence_renewals.hand_in(application.pk, **options)


def expire_in(application: Application, days: int) -> Application:
    """Its last day is so many days from today."""
    last = clock.today() + dt.timedelta(days=days)
    Application.objects.filter(pk=application.pk).update(licence_valid_until=last)
    return reload(application)


def reload(application: Application) -> Application:
    return Application.objects.get(pk=application.pk)


def names(application: Application) -> list[str]:
    return [row.name for row in application.transitions.all()]


def open_causes(application: Application) -> list[str]:
    return list(application.suspensions.filter(lifted_at__isnull=True).values_list("cause", flat=True))


def reminders() -> int:
    return Notice.objects.filter(key__startswith=REMINDED).count()


def refused(code: str) -> Any:
    return pytest.raises(DomainError, match=f"^{code}:")


@pytest.fixture
def expired(active: Application) -> Application:
    """Suspended by the sweep on the day after the last."""
    expire_in(active, -1)
    tasks.sweep_expired_licences()
    return reload(active)


class TestReminders:
    def test_one_at_each_moment_of_the_rule(self, active: Application, move_clock: MoveClock) -> None:
        expire_in(active, 31)
        tasks.sweep_licence_reminders()
        assert reminders() == 0

        for day, told in ((1, 1), (23, 2), (6, 3), (1, 3)):
            move_clock(days=day)
            tasks.sweep_licence_reminders()
            tasks.sweep_licence_reminders()
            assert reminders() == told

    def test_of_several_missed_moments_the_last(self, active: Application) -> None:
        expire_in(active, 1)

        tasks.sweep_licence_reminders()
        tasks.sweep_licence_reminders()

        assert reminders() == 1

    def test_none_of_a_licence_without_expiry_or_one_being_looked_at(self, active: Application) -> None:
        expire_in(active, 5)
        hand_in(reload(active))
        tasks.sweep_licence_reminders()
        Application.objects.update(licence_permanent=True)
        tasks.sweep_licence_reminders()

        assert reminders() == 0

    def test_the_renewed_licence_is_reminded_of_anew(self, active: Application, reviewer: User) -> None:
        expire_in(active, 5)
        tasks.sweep_licence_reminders()
        later = clock.today() + dt.timedelta(days=29)
        licence_renewals.verify(hand_in(reload(active), valid_until=later).pk, actor=reviewer)

        tasks.sweep_licence_reminders()

        assert reminders() == 2

    def test_the_rule_says_when(self, active: Application) -> None:
        set_rule("licence.reminder_days", [60])
        expire_in(active, 60)

        tasks.sweep_licence_reminders()

        assert reminders() == 1

    def test_a_new_rule_repeats_no_reminder(self, active: Application, move_clock: MoveClock) -> None:
        expire_in(active, 29)
        tasks.sweep_licence_reminders()

        set_rule("licence.reminder_days", [60, 30, 10])
        tasks.sweep_licence_reminders()
        assert reminders() == 1
        move_clock(days=19)
        tasks.sweep_licence_reminders()
        assert reminders() == 2

    def test_whoever_only_applies_is_not_reminded(self, under_review: Application) -> None:
        expire_in(under_review, 3)
        tasks.sweep_licence_reminders()

        assert reminders() == 0


class TestExpiry:
    def test_the_last_day_itself_is_valid_in_shanghai(
        self, active: Application, move_clock: MoveClock
    ) -> None:
        expire_in(active, 0)
        end = clock.day_start(clock.today() + dt.timedelta(days=1))
        move_clock(seconds=(end - clock.now()).total_seconds() - 20)
        tasks.sweep_expired_licences()
        assert reload(active).state == State.ACTIVE

        move_clock(seconds=21)
        tasks.sweep_expired_licences()

        assert reload(active).state == State.SUSPENDED
        (suspension,) = active.suspensions.all()
        assert (suspension.cause, suspension.opened_by) == ("licence_expired", None)
        assert suspension.exit_due_at == suspension.opened_at + dt.timedelta(days=30)

    def test_it_suspends_once(self, expired: Application) -> None:
        tasks.sweep_expired_licences()

        assert expired.suspensions.count() == 1

    def test_whoever_is_suspended_or_leaving_has_one_reason_more(
        self, active: Application, merchant: User
    ) -> None:
        suspensions.suspend(active.pk, cause="shortfall", reason="保证金不足")
        services.request_exit(active.pk, actor=merchant)
        expire_in(active, -1)

        tasks.sweep_expired_licences()

        assert open_causes(active) == ["shortfall", "licence_expired"]
        services.cancel_exit(active.pk, actor=merchant)
        assert reload(active).state == State.SUSPENDED

    @pytest.mark.parametrize("permanent", [True, False])
    def test_not_without_an_expired_date(self, active: Application, permanent: bool) -> None:
        Application.objects.filter(pk=active.pk).update(
            licence_permanent=permanent, licence_valid_until=dt.date(2020, 1, 1) if permanent else None
        )

        tasks.sweep_expired_licences()

        assert reload(active).state == State.ACTIVE

    def test_what_was_handed_in_in_time_waits_for_us(
        self, active: Application, reviewer: User, move_clock: MoveClock
    ) -> None:
        renewal = hand_in(expire_in(active, 0))
        move_clock(days=5)
        tasks.sweep_expired_licences()
        assert reload(active).state == State.ACTIVE

        licence_renewals.refuse(renewal.pk, actor=reviewer, reason="看不清有效期")
        tasks.sweep_expired_licences()

        assert reload(active).state == State.SUSPENDED

    def test_what_comes_late_does_not_hold_it_off(self, active: Application) -> None:
        hand_in(expire_in(active, -1))

        tasks.sweep_expired_licences()

        assert reload(active).state == State.SUSPENDED

    def test_an_exit_follows_a_suspension_that_is_not_cured(
        self, expired: Application, move_clock: MoveClock
    ) -> None:
        move_clock(days=30, seconds=5)
        tasks.sweep_suspensions()

        assert (reload(expired).state, reload(expired).exit_required) == (State.EXITING, True)

    def test_but_not_while_a_licence_that_came_by_then_waits_for_us(
        self, expired: Application, reviewer: User, move_clock: MoveClock
    ) -> None:
        move_clock(days=29)
        renewal = hand_in(expired)
        move_clock(days=5)
        tasks.sweep_suspensions()
        assert reload(expired).state == State.SUSPENDED

        licence_renewals.refuse(renewal.pk, actor=reviewer, reason="不是本公司的执照")
        tasks.sweep_suspensions()

        assert reload(expired).state == State.EXITING

    def test_nor_does_a_late_one_hold_the_exit_off(self, expired: Application, move_clock: MoveClock) -> None:
        move_clock(days=31)
        hand_in(expired)

        assert list(required_exits.due()) == [expired]


class TestRenewal:
    def test_verified_its_date_and_file_are_in_force(self, active: Application, reviewer: User) -> None:
        old = active.documents.get(kind=DocumentKind.LICENCE)
        renewal = hand_in(active)
        assert reload(active).licence_valid_until != NEXT

        licence_renewals.verify(renewal.pk, actor=reviewer)

        assert reload(active).licence_valid_until == NEXT
        new = active.documents.get(kind=DocumentKind.LICENCE, removed_at__isnull=True)
        assert (new.file.name, new.original_name, new.sha256) == (
            renewal.file.name,
            "新执照.pdf",
            renewal.sha256,
        )
        assert active.documents.get(pk=old.pk).removed_at is not None
        assert names(active)[-2:] == ["hand_in_licence", "verify_licence"]

    def test_the_suspension_lifts_itself(self, expired: Application, ops: User) -> None:
        licence_renewals.verify(hand_in(expired).pk, actor=ops)

        assert (reload(expired).state, open_causes(expired)) == (State.ACTIVE, [])
        assert expired.suspensions.get().lifted_by is None

    def test_and_leaves_another_reason_standing(self, expired: Application, ops: User) -> None:
        suspensions.suspend(expired.pk, cause="ops", reason="核查", actor=ops)

        licence_renewals.verify(hand_in(reload(expired)).pk, actor=ops)

        assert (reload(expired).state, open_causes(expired)) == (State.SUSPENDED, ["ops"])

    def test_on_the_way_out(self, expired: Application, merchant: User, reviewer: User) -> None:
        services.request_exit(expired.pk, actor=merchant)

        licence_renewals.verify(hand_in(reload(expired)).pk, actor=reviewer)
        services.cancel_exit(expired.pk, actor=merchant)

        assert reload(expired).state == State.ACTIVE

    def test_a_member_that_waited_for_it_alone_becomes_active(
        self, approved: Application, reviewer: User
    ) -> None:
        expire_in(approved, -1)
        services.record_deposit(approved.pk)
        assert not services.activate_if_ready(approved.pk)

        licence_renewals.verify(hand_in(reload(approved)).pk, actor=reviewer)

        assert reload(approved).state == State.ACTIVE

    def test_without_expiry(self, expired: Application, reviewer: User) -> None:
        licence_renewals.verify(hand_in(expired, valid_until=None).pk, actor=reviewer)

        assert reload(expired).licence_permanent
        assert not completeness.licence_has_expired(reload(expired))

    def test_refused_the_company_reads_why_and_hands_in_another(
        self, expired: Application, reviewer: User
    ) -> None:
        with refused("no_reason"):
            licence_renewals.refuse(hand_in(expired).pk, actor=reviewer, reason=" ")
        renewal = expired.licence_renewals.get()

        licence_renewals.refuse(renewal.pk, actor=reviewer, reason="看不清有效期")

        assert names(expired)[-1] == "refuse_licence"
        assert open_causes(expired) == ["licence_expired"]
        assert hand_in(reload(expired)).state == "waiting"

    def test_a_licence_that_expired_while_it_waited_is_not_verified(
        self, expired: Application, reviewer: User, move_clock: MoveClock
    ) -> None:
        renewal = hand_in(expired, valid_until=clock.today() + dt.timedelta(days=1))
        move_clock(days=2)

        with refused("expired"):
            licence_renewals.verify(renewal.pk, actor=reviewer)

    def test_dates_that_renew_nothing(self, active: Application) -> None:
        for days, code in ((-1, "expired"), (0, "not_later"), (100, "not_later")):
            expire_in(active, 100)
            with refused(code):
                hand_in(active, valid_until=clock.today() + dt.timedelta(days=days))
        assert not LicenceRenewal.objects.exists()

    def test_a_file_is_judged_by_its_content(self, active: Application) -> None:
        with refused("not_a_picture"):
            hand_in(active, upload=SimpleUploadedFile("a.pdf", b"MZ not a PDF"))

    def test_one_is_looked_at_at_a_time_and_can_be_taken_back(
        self, active: Application, merchant: User, stranger: User, reviewer: User
    ) -> None:
        renewal = hand_in(active)
        with refused("already_waiting"):
            hand_in(reload(active))
        with pytest.raises(NotPermitted):
            licence_renewals.withdraw(renewal.pk, actor=stranger)

        licence_renewals.withdraw(renewal.pk, actor=merchant)

        with refused("decided"):
            licence_renewals.verify(renewal.pk, actor=reviewer)
        hand_in(reload(active))

    def test_a_sub_account_may_hand_it_in(self, active: Application, sub_account: User) -> None:
        assert hand_in(active, actor=sub_account).handed_in_by == sub_account

    @pytest.mark.parametrize("person", ["stranger", "reviewer", "superuser"])
    def test_others_may_not(self, active: Application, request: pytest.FixtureRequest, person: str) -> None:
        with pytest.raises(NotPermitted):
            hand_in(active, actor=request.getfixturevalue(person))

    @pytest.mark.parametrize("person", ["superuser", "finance", "auditor", "merchant"])
    def test_others_neither_verify_nor_refuse(
        self, active: Application, request: pytest.FixtureRequest, person: str
    ) -> None:
        renewal, other = hand_in(active), request.getfixturevalue(person)
        with pytest.raises(NotPermitted):
            licence_renewals.verify(renewal.pk, actor=other)
        with pytest.raises(NotPermitted):
            licence_renewals.refuse(renewal.pk, actor=other, reason="不")

    def test_not_before_the_company_was_admitted(self, under_review: Application) -> None:
        with refused("wrong_state"):
            hand_in(under_review)


class TestToDo:
    def test_the_task_leads_to_the_page(self, active: Application, merchant: User) -> None:
        def licence_tasks() -> list[tuple[str, bool, str]]:
            found = todo.tasks_for(merchant, reload(active))
            return [(task.code, task.urgent, task.url) for task in found if "licence" in task.code]

        url = f"/console/applications/{active.number}/licence/"
        for days, expected in (
            (31, []),
            (30, [("licence_expires", False, url)]),
            (7, [("licence_expires", True, url)]),
            (-1, [("licence_expired", True, url)]),
        ):
            expire_in(active, days)
            assert licence_tasks() == expected

        hand_in(reload(active))
        assert licence_tasks() == []


class TestTheDatabase:
    def test_nobody_verifies_what_they_handed_in(self, active: Application, merchant: User) -> None:
        renewal = hand_in(active)
        with pytest.raises(IntegrityError, match="licence_verified_by_another"), transaction.atomic():
            LicenceRenewal.objects.filter(pk=renewal.pk).update(
                state="verified", decided_by=merchant, decided_at=clock.now()
            )

    def test_a_renewal_stays_as_it_was_handed_in_and_decided(
        self, active: Application, reviewer: User
    ) -> None:
        renewal = hand_in(active)
        with pytest.raises(DatabaseError), transaction.atomic():
            LicenceRenewal.objects.update(valid_until=dt.date(2099, 1, 1))
        licence_renewals.refuse(renewal.pk, actor=reviewer, reason="看不清")
        with pytest.raises(DatabaseError), transaction.atomic():
            LicenceRenewal.objects.update(state="verified")
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM applications_licencerenewal")


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_verified_and_refused_at_once_it_is_one_of_both(
        self, active: Application, reviewer: User, ops: User
    ) -> None:
        expire_in(active, -1)
        tasks.sweep_expired_licences()
        renewal = hand_in(reload(active))

        outcomes = together(
            partial(licence_renewals.verify, renewal.pk, actor=reviewer),
            partial(licence_renewals.refuse, renewal.pk, actor=ops, reason="看不清"),
            partial(licence_renewals.verify, renewal.pk, actor=ops),
        )

        assert outcomes.count("decided") == 2
        verified = LicenceRenewal.objects.get().state == "verified"
        assert reload(active).state == (State.ACTIVE if verified else State.SUSPENDED)

    def test_swept_by_two_at_once_it_is_one_suspension(self, active: Application) -> None:
        expire_in(active, -1)

        together(*[partial(licence_expiry.suspend, active.pk)] * 4)

        assert active.suspensions.filter(cause=SuspensionCause.LICENCE_EXPIRED).count() == 1

    def test_handed_in_twice_at_once_one_waits(self, active: Application) -> None:
        outcomes = together(*[partial(hand_in, active)] * 3)

        assert outcomes.count("already_waiting") == 2
