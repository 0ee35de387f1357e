"""The reviewers' steps: offered to the right person at the right time, done by POST, and never over another's."""

import re
import threading
from collections.abc import Callable

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from applications import services
from applications.admin.steps import STEPS, Step
from applications.models import Application, Ban, ShopEvidence, Transition
from tests.admin.pages import PAGE, fill, state, step_url, take
from tests.people import begin, complete, hand_in, make_merchant
from tests.staff_login import staff_client
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.accounts.roles import Role, grant

TYPED: dict[str, dict[str, str]] = {
    "approve": {},
    "reject": {"reason": "营业执照不符"},
    "request_changes": {"changes-0-subject": "company_name", "changes-0-text": "与营业执照不一致"},
    "claim": {},
    "release": {},
}
DECISIONS = ("approve", "reject", "request_changes")


@pytest.fixture
def desk(reviewer: User) -> Client:
    return staff_client(reviewer)


def add_evidence(application: Application, **outcomes: str) -> ShopEvidence:
    """A finished check with these outcomes by rule."""
    return ShopEvidence.objects.create(
        check_run=application.shop_checks.get(),
        application=application,
        read={"shop_title": "小店甲旗舰店"},
        verdicts=[
            {"rule": rule, "outcome": outcome, "value": "", "limit": "4.6"}
            for rule, outcome in outcomes.items()
        ],
        passed=True,
    )


class TestHappyPaths:
    def test_claim(self, desk: Client, under_review: Application, reviewer: User) -> None:
        response = take(desk, under_review, "claim")

        assert response["Location"] == reverse(PAGE, args=[under_review.pk])
        assert Application.objects.get(pk=under_review.pk).reviewer == reviewer

    def test_release(self, desk: Client, claimed: Application) -> None:
        take(desk, claimed, "release")

        assert Application.objects.get(pk=claimed.pk).reviewer is None

    def test_reassign(self, ops: User, claimed: Application, second_reviewer: User) -> None:
        take(staff_client(ops), claimed, "reassign", reviewer=second_reviewer.pk)

        assert Application.objects.get(pk=claimed.pk).reviewer == second_reviewer

    def test_approve(self, desk: Client, claimed: Application, reviewer: User) -> None:
        take(desk, claimed, "approve", internal_note="合同已核对")

        step = Transition.objects.get(application=claimed, name="approve")
        assert (state(claimed), step.actor) == ("approved", reviewer)
        assert step.internal_note.startswith("合同已核对")

    def test_reject(self, desk: Client, claimed: Application) -> None:
        take(desk, claimed, "reject", reason="营业执照不符", internal_note="伪造")

        step = Transition.objects.get(application=claimed, name="reject")
        assert (state(claimed), step.reason, step.internal_note) == ("rejected", "营业执照不符", "伪造")

    def test_request_changes(self, desk: Client, claimed: Application) -> None:
        typed = {
            "changes-0-subject": "company_name",
            "changes-0-text": "与营业执照不一致",
            "changes-2-subject": "licence",
            "changes-2-text": "请上传清晰的图片",
            "message": "请补充",
        }

        take(desk, claimed, "request_changes", **typed)

        request = claimed.review_requests.get()
        assert (state(claimed), request.message) == ("changes_requested", "请补充")
        assert [(item.subject, item.text) for item in request.items.all()] == [
            ("company_name", "与营业执照不一致"),
            ("licence", "请上传清晰的图片"),
        ]


class TestWhoIsOffered:
    def test_the_reviewer_of_an_unclaimed_one(self, desk: Client, under_review: Application) -> None:
        assert steps_of(desk, under_review) == ["claim"]

    def test_the_reviewer_who_claimed_it(self, desk: Client, claimed: Application) -> None:
        assert steps_of(desk, claimed) == ["approve", "request_changes", "reject", "release"]

    def test_another_reviewer(self, second_reviewer: User, claimed: Application) -> None:
        assert steps_of(staff_client(second_reviewer), claimed) == []

    def test_operations(self, ops: User, claimed: Application) -> None:
        assert steps_of(staff_client(ops), claimed) == ["reassign"]

    @pytest.mark.parametrize("person", ["finance", "auditor", "superuser"])
    def test_nobody_else(self, person: str, request: pytest.FixtureRequest, claimed: Application) -> None:
        assert steps_of(staff_client(request.getfixturevalue(person)), claimed) == []

    def test_the_reviewer_nothing_once_it_is_decided(self, desk: Client, approved: Application) -> None:
        assert steps_of(desk, approved) == []


def steps_of(client: Client, application: Application) -> list[str]:
    """What the page offers: buttons and links."""
    response = client.get(reverse(PAGE, args=[application.pk]))
    offered = [step.name for step in response.context["steps"]]
    shown = [step.name for step in STEPS if step_url(application, step.name) in response.content.decode()]
    assert sorted(offered) == sorted(shown)
    return offered


class TestWhoIsRefused:
    @pytest.mark.parametrize("step", [*DECISIONS, "release"])
    @pytest.mark.parametrize("person", ["second_reviewer", "ops", "finance", "auditor", "superuser"])
    def test_all_but_the_reviewer_who_claimed_it(
        self, step: str, person: str, request: pytest.FixtureRequest, claimed: Application
    ) -> None:
        response = take(staff_client(request.getfixturevalue(person)), claimed, step, **TYPED[step])

        assert response.status_code == 403
        unchanged = Application.objects.get(pk=claimed.pk)
        assert (unchanged.state, unchanged.version) == ("under_review", claimed.version)

    @pytest.mark.parametrize("person", ["ops", "finance", "auditor", "superuser"])
    def test_who_is_no_reviewer_can_not_claim(
        self, person: str, request: pytest.FixtureRequest, under_review: Application
    ) -> None:
        response = take(staff_client(request.getfixturevalue(person)), under_review, "claim")

        assert response.status_code == 403
        assert Application.objects.get(pk=under_review.pk).reviewer is None

    @pytest.mark.parametrize("person", ["reviewer", "second_reviewer", "finance", "auditor", "superuser"])
    def test_only_operations_reassign(
        self, person: str, request: pytest.FixtureRequest, claimed: Application, second_reviewer: User
    ) -> None:
        client = staff_client(request.getfixturevalue(person))

        response = take(client, claimed, "reassign", reviewer=second_reviewer.pk)

        assert response.status_code == 403
        assert Application.objects.get(pk=claimed.pk).reviewer == claimed.reviewer

    def test_a_review_goes_to_reviewers_only(self, ops: User, claimed: Application, finance: User) -> None:
        response = take(staff_client(ops), claimed, "reassign", reviewer=finance.pk)

        assert response.context["form"].errors["reviewer"]
        assert Application.objects.get(pk=claimed.pk).reviewer == claimed.reviewer

    def test_a_reviewer_who_lost_the_role(self, desk: Client, claimed: Application, reviewer: User) -> None:
        data = fill(desk, claimed, "approve")
        reviewer.groups.clear()
        grant(reviewer, Role.AUDITOR)

        assert desk.post(step_url(claimed, "approve"), data).status_code == 403
        assert state(claimed) == "under_review"


class TestGet:
    @pytest.mark.parametrize("step", [*DECISIONS, "release"])
    def test_changes_nothing(self, step: str, desk: Client, claimed: Application) -> None:
        query = {"seen": str(claimed.version), **TYPED[step]}

        response = desk.get(step_url(claimed, step), query)

        assert response.status_code == 200
        unchanged = Application.objects.get(pk=claimed.pk)
        assert (unchanged.state, unchanged.version) == ("under_review", claimed.version)

    def test_claims_nothing(self, desk: Client, under_review: Application) -> None:
        desk.get(step_url(under_review, "claim"), {"seen": under_review.version})

        assert Application.objects.get(pk=under_review.pk).reviewer is None

    def test_is_the_only_way_without_a_token(self, reviewer: User, claimed: Application) -> None:
        careful = Client(enforce_csrf_checks=True)
        careful.cookies = staff_client(reviewer).cookies

        response = careful.post(step_url(claimed, "approve"), {"seen": claimed.version})

        assert response.status_code == 403
        assert state(claimed) == "under_review"

    def test_says_what_the_step_will_do(self, desk: Client, claimed: Application) -> None:
        page = desk.get(step_url(claimed, "approve")).content.decode()

        approve = next(step for step in STEPS if step.name == "approve")
        assert str(*approve.consequences(claimed)) in unescaped(page)


def unescaped(page: str) -> str:
    return page.replace("&#x27;", "'")


class TestNoFormHasTheState:
    @pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
    def test_among_its_fields(self, step: Step, desk: Client, claimed: Application) -> None:
        page = desk.get(step_url(claimed, step.name)).content.decode()

        names = set(re.findall(r'name="([^"]+)"', page))
        assert not names & {"state", "exit_origin", "version", "company", "approved_by", "deadline_at"}

    def test_what_is_sent_besides_is_ignored(self, desk: Client, claimed: Application) -> None:
        take(desk, claimed, "reject", reason="不符", state="active", company="")

        assert state(claimed) == "rejected"


class TestApprovalChecklist:
    def test_every_value_that_taobao_does_not_give_must_be_ticked(
        self, desk: Client, claimed: Application
    ) -> None:
        add_evidence(claimed, tenure="not_available", item_score="not_available", service_score="pass")
        page = desk.get(step_url(claimed, "approve"))
        data = {"seen": claimed.version, "looked_tenure": "on", "internal_note": "看过了"}

        response = desk.post(step_url(claimed, "approve"), data)

        assert [box.html_name for box in page.context["form"].boxes()] == [
            "looked_tenure",
            "looked_item_score",
        ]
        assert set(response.context["form"].errors) == {"looked_item_score"}
        assert "看过了" in response.content.decode()
        assert state(claimed) == "under_review"

    def test_what_was_looked_at_stays_in_the_timeline(self, desk: Client, claimed: Application) -> None:
        add_evidence(claimed, tenure="not_available", item_score="not_available")

        take(desk, claimed, "approve")

        note = Transition.objects.get(application=claimed, name="approve").internal_note
        assert note.count("✓") == 2

    def test_nothing_to_tick_where_all_was_given(self, desk: Client, claimed: Application) -> None:
        add_evidence(claimed, tenure="pass", item_score="pass")

        assert desk.get(step_url(claimed, "approve")).context["form"].boxes() == []

    def test_an_expired_licence_has_to_be_looked_at(
        self, desk: Client, claimed: Application, move_clock: Callable[..., None]
    ) -> None:
        add_evidence(claimed, tenure="pass")
        move_clock(days=6000)

        boxes = desk.get(step_url(claimed, "approve")).context["form"].boxes()

        assert [box.html_name for box in boxes] == ["looked_licence_expired"]


class TestWhatIsTyped:
    def test_a_rejection_needs_a_reason(self, desk: Client, claimed: Application) -> None:
        response = take(desk, claimed, "reject", reason="  ", internal_note="想一想")

        assert "reason" in response.context["form"].errors
        assert "想一想" in response.content.decode()
        assert state(claimed) == "under_review"

    def test_at_least_one_change_is_named(self, desk: Client, claimed: Application) -> None:
        response = take(desk, claimed, "request_changes", message="请补充")

        assert response.context["form"].non_field_errors()
        assert "请补充" in response.content.decode()
        assert state(claimed) == "under_review"

    def test_a_subject_without_words_is_no_change(self, desk: Client, claimed: Application) -> None:
        response = take(desk, claimed, "request_changes", **{"changes-0-subject": "region"})

        assert response.context["form"].rows[0].errors["text"]
        assert state(claimed) == "under_review"

    def test_one_more_row_keeps_the_words(self, desk: Client, claimed: Application) -> None:
        typed = {"changes-0-subject": "region", "changes-0-text": "地区不符", "add_row": "1"}

        response = take(desk, claimed, "request_changes", **typed)

        form = response.context["form"]
        assert len(form.rows.forms) == 4
        assert form.rows[0]["text"].value() == "地区不符"
        assert state(claimed) == "under_review"

    @pytest.mark.parametrize("seen", ["", "now", None])
    def test_a_form_without_its_version_is_refused(
        self, seen: str | None, desk: Client, claimed: Application
    ) -> None:
        response = take(desk, claimed, "approve", seen=seen)

        assert response.context["form"].errors["seen"]
        assert state(claimed) == "under_review"


class TestStalePage:
    @pytest.mark.parametrize("step", DECISIONS)
    def test_is_told_and_overwrites_nothing(
        self, step: str, desk: Client, claimed: Application, reviewer: User, ops: User
    ) -> None:
        """The review went away and came back while the page was open."""
        data = fill(desk, claimed, step, **TYPED[step])
        services.release(claimed.pk, actor=reviewer)
        now = services.claim(claimed.pk, actor=reviewer)

        response = desk.post(step_url(claimed, step), data)

        assert response.status_code == 409
        assert response.context["form"].non_field_errors()
        assert Application.objects.get(pk=claimed.pk).version == now.version
        assert state(claimed) == "under_review"
        for words in TYPED[step].values():
            assert words in response.content.decode()

    def test_can_be_decided_anew_once_it_has_been_looked_at(
        self, desk: Client, claimed: Application, reviewer: User
    ) -> None:
        data = fill(desk, claimed, "reject", reason="营业执照不符")
        services.release(claimed.pk, actor=reviewer)
        services.claim(claimed.pk, actor=reviewer)

        shown_again = desk.post(step_url(claimed, "reject"), data).context["form"]
        desk.post(step_url(claimed, "reject"), {**data, "seen": shown_again["seen"].value()})

        assert state(claimed) == "rejected"

    def test_gives_no_tick_to_what_is_new(self, desk: Client, claimed: Application, reviewer: User) -> None:
        data = fill(desk, claimed, "approve")
        services.release(claimed.pk, actor=reviewer)
        services.claim(claimed.pk, actor=reviewer)

        form = desk.post(step_url(claimed, "approve"), data).context["form"]

        assert [box.value() for box in form.boxes()] == [False] * len(form.boxes())
        assert form.boxes()

    @pytest.mark.parametrize("step", DECISIONS)
    def test_of_one_that_was_withdrawn(
        self, step: str, desk: Client, claimed: Application, merchant: User
    ) -> None:
        data = fill(desk, claimed, step, **TYPED[step])
        services.withdraw(claimed.pk, actor=merchant)

        response = desk.post(step_url(claimed, step), data)

        assert response.status_code == 409
        assert not response.context["is_offered"]
        assert state(claimed) == "withdrawn"

    def test_a_second_claim_is_told_who_has_it(
        self, desk: Client, under_review: Application, second_reviewer: User
    ) -> None:
        data = fill(desk, under_review, "claim")
        services.claim(under_review.pk, actor=second_reviewer)

        response = desk.post(step_url(under_review, "claim"), data)

        assert response.status_code == 409
        assert "孙审" in str(response.context["form"].non_field_errors())
        assert Application.objects.get(pk=under_review.pk).reviewer == second_reviewer

    def test_a_second_reassignment_does_not_undo_the_first(
        self, ops: User, second_ops: User, claimed: Application, reviewer: User, second_reviewer: User
    ) -> None:
        late = staff_client(second_ops)
        data = fill(late, claimed, "reassign", reviewer=reviewer.pk)
        services.reassign(claimed.pk, actor=ops, reviewer=second_reviewer)

        assert late.post(step_url(claimed, "reassign"), data).status_code == 409
        assert Application.objects.get(pk=claimed.pk).reviewer == second_reviewer


def test_a_banned_company_is_not_approved(
    desk: Client, claimed: Application, reviewer: User, ops: User
) -> None:
    Ban.objects.create(application=claimed, credit_code=claimed.credit_code, reason="严重违规")
    page = desk.get(reverse(PAGE, args=[claimed.pk]))

    response = take(desk, claimed, "approve")

    assert [finding.code for finding in page.context["dossier"].findings if finding.blocks] == ["banned"]
    assert response.status_code == 409
    assert state(claimed) == "under_review"


def test_an_application_that_does_not_exist(desk: Client) -> None:
    for step in STEPS:
        url = reverse(f"admin:applications_application_{step.name}", args=[987654321])
        assert desk.get(url).status_code == desk.post(url, {"seen": 1}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_eight_browsers_approve_at_once(claimed: Application, reviewer: User) -> None:
    """One wins; the others are told; there is one entry in the timeline, and one notice."""
    browsers = [staff_client(reviewer) for _ in range(8)]
    data = fill(browsers[0], claimed, "approve")
    at_once, answers = threading.Barrier(8), []

    def approve(browser: Client) -> None:
        try:
            at_once.wait()
            answers.append(browser.post(step_url(claimed, "approve"), data).status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=approve, args=[browser]) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [302] + [409] * 7
    assert state(claimed) == "approved"
    step = Transition.objects.get(application=claimed, name="approve")
    assert claimed.applicant.notices.filter(key=f"application:{claimed.pk}:{step.pk}").count() == 1


def test_a_reviewer_has_no_say_in_an_own_company(reviewer: User, db: None) -> None:
    """A part in the company bars the review: nothing is offered, and a claim is refused."""
    merchant = make_merchant("小店丙", "706300003")
    own = hand_in(complete(begin(merchant)))
    assert own.company is not None
    Membership.objects.create(company=own.company, user=reviewer, role=CompanyRole.READER)
    client = staff_client(reviewer)

    assert steps_of(client, own) == []
    assert take(client, own, "claim").status_code == 403
