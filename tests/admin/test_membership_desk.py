"""Operations' desk for memberships: suspend and lift, renewed licences, and what two people decide."""

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from applications import decisions, licence_renewals, services, suspensions
from applications.lifecycle import State
from applications.models import (
    Application,
    Decision,
    DecisionKind,
    LicenceRenewal,
    Suspension,
)
from tests.admin.rows import browser, consequences, cost, offered, take, url
from tests.people import PDF
from tmall_sp.accounts.models import User

NEXT = dt.date(2045, 1, 1)


@pytest.fixture
def active(approved: Application) -> Application:
    services.record_deposit(approved.pk)
    services.activate_if_ready(approved.pk)
    return reload(approved)


@pytest.fixture
def desk(ops: User) -> Client:
    return browser(ops)


@pytest.fixture
def second_desk(second_ops: User) -> Client:
    return browser(second_ops)


@pytest.fixture
def renewal(active: Application) -> LicenceRenewal:
    upload = SimpleUploadedFile("新执照.pdf", PDF, content_type="application/pdf")
    return licence_renewals.hand_in(active.pk, actor=active.applicant, upload=upload, valid_until=NEXT)


@pytest.fixture
def proposed(active: Application, ops: User) -> Decision:
    return decisions.propose(DecisionKind.REQUIRE_EXIT, active.pk, actor=ops, reason="长期不提供服务")


def reload(application: Application) -> Application:
    return Application.objects.get(pk=application.pk)


class TestSuspensions:
    def test_operations_suspend_and_lift(self, desk: Client, active: Application) -> None:
        assert offered(desk, active) == ["suspend", "propose_require_exit"]
        take(desk, active, "suspend", reason="正在核查")
        assert reload(active).state == State.SUSPENDED
        assert offered(desk, active) == ["lift", "propose_require_exit"]

        (suspension,) = Suspension.objects.all()
        take(desk, active, "lift", suspension=str(suspension.pk), reason="核查完毕")

        assert reload(active).state == State.ACTIVE
        suspension.refresh_from_db()
        assert (suspension.reason, suspension.lift_reason) == ("正在核查", "核查完毕")

    def test_what_ends_by_itself_is_not_lifted_here(self, desk: Client, active: Application) -> None:
        suspension = suspensions.suspend(active.pk, cause="shortfall", reason="保证金不足")

        assert "lift" not in offered(desk, active)
        take(desk, active, "lift", suspension=str(suspension.pk), reason="好")
        assert reload(active).state == State.SUSPENDED

    def test_another_companys_suspension_is_none(
        self, desk: Client, active: Application, ops: User, stranger: User
    ) -> None:
        suspensions.suspend(active.pk, cause="ops", reason="核查", actor=ops)

        answer = take(desk, active, "lift", suspension="987654", reason="好")

        assert "suspension" in answer.context["form"].errors

    @pytest.mark.parametrize("step", ["suspend", "propose_require_exit"])
    @pytest.mark.parametrize("person", ["reviewer", "finance", "auditor", "superuser"])
    def test_others_do_not(
        self, request: pytest.FixtureRequest, active: Application, person: str, step: str
    ) -> None:
        client = browser(request.getfixturevalue(person))

        assert offered(client, active) == []
        assert take(client, active, step, reason="好").status_code == 403
        assert reload(active).state == State.ACTIVE
        assert not Decision.objects.exists()

    def test_an_old_page_changes_nothing(self, desk: Client, active: Application, ops: User) -> None:
        seen = active.version
        suspensions.suspend(active.pk, cause="sanction", case="violation:1", reason="处罚", actor=ops)

        answer = desk.post(url(active, "suspend"), {"seen": seen, "reason": "核查"})

        assert answer.status_code == 409
        assert Suspension.objects.count() == 1

    @pytest.mark.parametrize("person", ["ops", "reviewer", "finance", "auditor", "superuser"])
    def test_staff_read_them(
        self, request: pytest.FixtureRequest, active: Application, ops: User, person: str
    ) -> None:
        suspension = suspensions.suspend(active.pk, cause="ops", reason="正在核查", actor=ops)
        client = browser(request.getfixturevalue(person))

        listed = client.get(url(Suspension, "changelist"), {"open": "yes"})
        assert list(listed.context["cl"].result_list) == [suspension]
        page = client.get(url(suspension, "change"))
        assert "正在核查" in page.content.decode()
        assert client.post(url(suspension, "change"), {"reason": "x"}).status_code == 403


class TestDecisions:
    def test_proposed_by_one_and_accepted_by_another(
        self, desk: Client, second_desk: Client, active: Application, ops: User, second_ops: User
    ) -> None:
        said = consequences(desk, active, "propose_require_exit")
        assert "Nothing happens yet" in said
        assert "published for 30 days" in said
        take(desk, active, "propose_require_exit", reason="长期不提供服务", note="见工单")
        decision = Decision.objects.get()
        assert (decision.reason, decision.note) == ("长期不提供服务", "见工单")
        assert offered(desk, decision) == ["withdraw"]
        assert "propose_require_exit" not in offered(second_desk, active)

        assert "deposit is not forfeited" in consequences(second_desk, decision, "accept")
        take(second_desk, decision, "accept", reason="已核对")

        assert reload(active).state == State.EXITING
        page = second_desk.get(url(decision, "change")).content.decode()
        assert "carried out" in page
        assert "已核对" in page

    def test_an_approval(self, desk: Client, second_desk: Client, approved: Application) -> None:
        assert offered(desk, approved) == ["propose_revoke_approval"]
        take(desk, approved, "propose_revoke_approval", reason="材料系伪造")
        take(second_desk, Decision.objects.get(), "accept")

        assert reload(approved).state == State.REJECTED

    def test_the_proposer_only_withdraws(self, desk: Client, proposed: Decision) -> None:
        for step in ("accept", "refuse"):
            assert take(desk, proposed, step, reason="好").status_code == 403
        take(desk, proposed, "withdraw")

        assert Decision.objects.get().state == "withdrawn"

    def test_a_refusal_needs_a_reason(self, second_desk: Client, proposed: Decision) -> None:
        assert take(second_desk, proposed, "refuse", reason="").context["form"].errors
        take(second_desk, proposed, "refuse", reason="证据不足")

        assert Decision.objects.get().state == "refused"

    @pytest.mark.parametrize("person", ["auditor", "superuser"])
    def test_readers_decide_nothing(
        self, request: pytest.FixtureRequest, proposed: Decision, person: str
    ) -> None:
        client = browser(request.getfixturevalue(person))

        assert offered(client, proposed) == []
        for step in ("accept", "refuse", "withdraw"):
            assert take(client, proposed, step, reason="好").status_code == 403

    @pytest.mark.parametrize("person", ["reviewer", "finance"])
    def test_others_do_not_even_read(
        self, request: pytest.FixtureRequest, proposed: Decision, person: str
    ) -> None:
        client = browser(request.getfixturevalue(person))

        assert client.get(url(Decision, "changelist")).status_code == 403
        assert client.get(url(proposed, "change")).status_code == 403

    def test_a_membership_that_moved_on_says_so(
        self, second_desk: Client, proposed: Decision, active: Application, merchant: User
    ) -> None:
        services.request_exit(active.pk, actor=merchant)

        assert offered(second_desk, proposed) == ["refuse"]
        assert "moved on meanwhile" in second_desk.get(url(proposed, "change")).content.decode()

    def test_the_desk_lists_what_waits(self, desk: Client, second_desk: Client, proposed: Decision) -> None:
        def waiting(client: Client) -> int:
            tasks = client.get(reverse("admin:index")).context["tasks"]
            return next(task.count for task in tasks if "decision" in task.url)

        assert (waiting(desk), waiting(second_desk)) == (0, 1)


class TestLicences:
    @pytest.mark.parametrize("person", ["reviewer", "ops"])
    def test_verified_after_a_look(
        self, request: pytest.FixtureRequest, renewal: LicenceRenewal, person: str
    ) -> None:
        client = browser(request.getfixturevalue(person))
        assert offered(client, renewal) == ["verify", "refuse"]

        unticked = client.post(url(renewal, "verify"), {"seen": "waiting"})
        assert set(unticked.context["form"].errors) == {"company", "last_day"}
        take(client, renewal, "verify")

        assert reload(renewal.application).licence_valid_until == NEXT

    def test_refused_with_a_reason(self, desk: Client, renewal: LicenceRenewal) -> None:
        assert take(desk, renewal, "refuse", reason="").context["form"].errors
        take(desk, renewal, "refuse", reason="看不清有效期")

        assert LicenceRenewal.objects.get().decision_reason == "看不清有效期"

    @pytest.mark.parametrize("person", ["finance", "auditor", "superuser"])
    def test_other_staff_read(
        self, request: pytest.FixtureRequest, renewal: LicenceRenewal, person: str
    ) -> None:
        client = browser(request.getfixturevalue(person))

        assert offered(client, renewal) == []
        for step in ("verify", "refuse"):
            assert take(client, renewal, step, reason="好").status_code == 403
        assert LicenceRenewal.objects.get().state == "waiting"

    def test_the_file_is_shown_and_stays_what_it_is(self, desk: Client, renewal: LicenceRenewal) -> None:
        answer = desk.get(url(renewal, "file"))

        assert answer.getvalue() == PDF
        assert answer["Content-Type"] == "application/pdf"
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "SAMEORIGIN"

    def test_the_queue_is_on_the_first_page(self, desk: Client, renewal: LicenceRenewal) -> None:
        (task,) = [
            task for task in desk.get(reverse("admin:index")).context["tasks"] if "licence" in task.url
        ]

        assert task.count == 1
        assert list(desk.get(task.url).context["cl"].result_list) == [renewal]
        assert renewal.original_name in desk.get(url(renewal, "change")).content.decode()


def test_what_the_pages_cost(
    second_desk: Client, active: Application, proposed: Decision, renewal: LicenceRenewal
) -> None:
    addresses = {
        "decisions": url(Decision, "changelist"),
        "decision": url(proposed, "change"),
        "accept": url(proposed, "accept"),
        "licences": url(LicenceRenewal, "changelist"),
        "licence": url(renewal, "change"),
        "verify": url(renewal, "verify"),
        "suspensions": url(Suspension, "changelist"),
        "membership": url(active, "change"),
    }

    assert {name: cost(second_desk, address) for name, address in addresses.items()} == {
        "decisions": 7,
        "decision": 7,
        "accept": 7,
        "licences": 7,
        "licence": 12,
        "verify": 11,
        "suspensions": 7,
        "membership": 22,
    }
