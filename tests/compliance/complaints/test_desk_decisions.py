"""Decisions on the desk: what they will do is said first, and is what they do; only a confirmed one counts."""

import re
from decimal import Decimal
from html import unescape

import pytest
from django.utils import translation

from applications.models import Application
from compliance.admin.complaints.steps import STEPS
from compliance.complaints import door
from compliance.complaints import services as complaints
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint
from deposits.duties import cases
from deposits.models import Compensation, Obligation
from tests.compliance.complaints.conftest import PAYEE, again, deposit_of, money
from tests.compliance.complaints.desk import (
    REASON,
    confirm,
    enter,
    offered,
    preview,
    typed,
    url,
)
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core.errors import StaleVersion

NO_PAYEE = "Nobody has named a payee: the compensation waits until one is named, and finance is told."
OWING = "%(amount)s become an obligation of the provider, paid by its next top-up"
EITHER_APPEALS = "No money moves yet. Either side may appeal, until %(until)s; there is one appeal."
COMPLAINANT_APPEALS = "No money moves yet. The complainant may appeal once, until %(until)s."
PROVIDER_APPEALS = "No money moves yet. The provider may appeal once, until %(until)s."


def words(msgid: str, **values: str) -> str:
    """As the page says it."""
    return translation.gettext(msgid) % values if values else translation.gettext(msgid)


def test_a_case_goes_its_whole_way_over_the_desk(
    undecided: Complaint, ops: User, second_ops: User, merchant: User
) -> None:
    first, second = staff_client(ops), staff_client(second_ops)

    first.post(url(undecided, "claim"), {"seen": undecided.version})
    answer = confirm(first, again(undecided))
    assert answer["Location"] == url(undecided)
    complaints.appeal(undecided.pk, actor=merchant, text="签收记录不是我们的。")
    second.post(url(undecided, "claim"), {"seen": again(undecided).version})
    answer = confirm(second, again(undecided), "decide_appeal", award="150.00")

    final = again(undecided)
    assert (answer.status_code, final.state) == (302, ComplaintState.FINAL)
    assert (final.decided_by, final.appeal_decided_by, final.award) == (ops, second_ops, Decimal("150.00"))
    assert final.decision_reason.splitlines() == REASON.splitlines()
    assert final.steps.get(name="decide").internal_note == "对方态度好"
    assert money(final) == {
        "freeze": Decimal("300.00"),
        "compensation": Decimal("150.00"),
        "release": Decimal("150.00"),
    }


class TestPreview:
    def test_says_in_money_what_an_award_within_the_frozen_sum_does(
        self, undecided: Complaint, ops: User
    ) -> None:
        page = preview(staff_client(ops), undecided)

        assert page.status_code == 200
        said = "\n".join(page.context["consequences"])
        assert words("%(amount)s are frozen for this case.", amount="¥300.00") in said
        assert words("%(amount)s come out of what is frozen", amount="¥200.00") in said
        assert "¥200.00" in said and words("%(amount)s are released.", amount="¥100.00") in said
        assert words(NO_PAYEE) in said
        assert undecided.application.company_name in said and undecided.complainant_name in said
        assert words(EITHER_APPEALS).partition("%")[0] in said

    def test_says_what_is_available_and_what_is_owed(
        self, member: Application, undecided: Complaint, customer: User, ops: User, second_ops: User
    ) -> None:
        """500 are claimed when 120 are there; another case sets 300 free before it is decided."""
        drain(undecided, "120.00")
        other = enter(member, ops, claimed=Decimal("500.00"))
        complaints.withdraw(undecided.pk, actor=customer)
        contest_and_close(other)

        page = preview(staff_client(second_ops), again(other), award="500.00", liability="liable")

        said = "\n".join(page.context["consequences"])
        assert words("%(amount)s come out of what is frozen", amount="¥120.00") in said
        assert words("%(amount)s come out of what is available", amount="¥300.00") in said
        assert words(OWING, amount="¥80.00") in said
        assert words("Nothing of it is released.") in said
        assert "13900000001" in said
        assert words(PROVIDER_APPEALS).partition("%")[0] in said

    def test_names_the_payee(self, undecided: Complaint, ops: User, customer: User) -> None:
        complaints.name_payee(undecided.pk, actor=customer, payee=PAYEE)

        page = preview(staff_client(ops), again(undecided))

        assert any(PAYEE.identity in line for line in page.context["consequences"])

    def test_of_nothing_awarded_releases_everything(self, undecided: Complaint, ops: User) -> None:
        page = preview(staff_client(ops), undecided, liability="not_liable", award="")

        said = "\n".join(page.context["consequences"])
        assert words("%(amount)s are released.", amount="¥300.00") in said
        assert words(NO_PAYEE) not in said
        assert words(COMPLAINANT_APPEALS).partition("%")[0] in said

    def test_changes_nothing(self, undecided: Complaint, ops: User) -> None:
        preview(staff_client(ops), undecided)

        assert again(undecided).state == ComplaintState.AWAITING_DECISION
        assert again(undecided).version == undecided.version

    def test_carries_every_word_to_the_confirmation_and_back(self, undecided: Complaint, ops: User) -> None:
        """As the browser sends it: what the page has hidden, and the button."""
        client = staff_client(ops)
        text = '他说"<b>不退</b>"&\n第二行'
        page = preview(client, undecided, reason=text, internal_note="")
        hidden = hidden_inputs(page.content.decode())

        back = client.post(url(undecided, "decide"), hidden | {"edit": "1"})

        form = back.context["form"]
        assert back.status_code == 200
        assert not form.errors
        assert form["reason"].value().splitlines() == text.splitlines()
        assert (form["liability"].value(), form["award"].value()) == ("shared", "200.00")
        assert again(undecided).state == ComplaintState.AWAITING_DECISION
        client.post(url(undecided, "decide"), hidden | {"confirm": "1"})
        assert again(undecided).decision_reason.splitlines() == text.splitlines()

    @pytest.mark.parametrize(
        ("field", "changes"),
        [
            ("award", {"award": "300.01"}),
            ("award", {"award": ""}),
            ("award", {"award": "-5"}),
            ("award", {"award": "1.001"}),
            ("award", {"liability": "not_liable"}),
            ("reason", {"reason": "  "}),
            ("liability", {"liability": ""}),
            ("liability", {"liability": "guilty"}),
        ],
    )
    def test_is_not_reached_with_something_wrong(
        self, undecided: Complaint, ops: User, field: str, changes: dict[str, str]
    ) -> None:
        page = preview(staff_client(ops), undecided, **changes)

        assert set(page.context["form"].errors) == {field}
        assert "expected" not in page.context
        assert "对方态度好" in page.content.decode()

    def test_is_no_way_round_the_form(self, undecided: Complaint, ops: User) -> None:
        """A confirmation that no preview led to shows the preview."""
        answer = staff_client(ops).post(
            url(undecided, "decide"), typed(undecided, confirm="1", figures="0123456789abcdef")
        )

        assert answer.context["has_changed"]
        assert again(undecided).state == ComplaintState.AWAITING_DECISION


class TestWhatChangedMeanwhile:
    def test_figures_are_shown_anew(self, member: Application, undecided: Complaint, ops: User) -> None:
        client = staff_client(ops)
        page = preview(client, undecided)
        cases.penalise(member.pk, case="violation:9", amount=Decimal("5.00"), reason="迟", actor=None)

        answer = client.post(
            url(undecided, "decide"),
            typed(undecided) | {"figures": page.context["figures"], "confirm": "1"},
        )

        assert answer.status_code == 200
        assert answer.context["has_changed"]
        assert again(undecided).state == ComplaintState.AWAITING_DECISION

    def test_the_payee_is_one_of_them(self, undecided: Complaint, ops: User, customer: User) -> None:
        client = staff_client(ops)
        page = preview(client, undecided)
        complaints.name_payee(undecided.pk, actor=customer, payee=PAYEE)

        answer = client.post(
            url(undecided, "decide"),
            typed(again(undecided)) | {"figures": page.context["figures"], "confirm": "1"},
        )

        assert answer.context["has_changed"]

    def test_between_the_look_and_the_lock_it_is_refused(
        self, member: Application, undecided: Complaint, ops: User
    ) -> None:
        """The step's own comparison, under the lock."""
        decide = next(step for step in STEPS if step.name == "decide")
        form = decide.form(undecided, typed(undecided) | {"figures": "0123456789abcdef"})
        assert form.is_valid()

        with pytest.raises(StaleVersion):
            decide.run(undecided.pk, ops, form)

        assert again(undecided).state == ComplaintState.AWAITING_DECISION

    def test_a_case_that_went_on_is_shown_with_every_word(
        self, undecided: Complaint, ops: User, second_ops: User
    ) -> None:
        client = staff_client(second_ops)
        page = preview(client, undecided)
        confirm(staff_client(ops), undecided, award="100.00")

        answer = client.post(
            url(undecided, "decide"),
            typed(undecided) | {"figures": page.context["figures"], "confirm": "1"},
        )

        assert answer.status_code in (403, 409)
        assert "依据物流记录。" in answer.content.decode()
        assert again(undecided).award == Decimal("100.00")

    def test_two_confirmations_decide_once(self, undecided: Complaint, ops: User) -> None:
        client = staff_client(ops)
        page = preview(client, undecided)
        sent = typed(undecided) | {"figures": page.context["figures"], "confirm": "1"}

        answers = [client.post(url(undecided, "decide"), sent).status_code for _time in range(2)]

        assert answers == [302, 409]
        assert undecided.steps.filter(name="decide").count() == 1


class TestAppeal:
    def test_begins_from_the_decision_that_is_appealed(self, appealed: Complaint, second_ops: User) -> None:
        form = staff_client(second_ops).get(url(appealed, "decide_appeal")).context["form"]

        assert (form["liability"].value(), form["award"].value()) == ("shared", Decimal("200.00"))
        assert form["reason"].value() is None

    def test_says_that_it_is_final_at_once(self, appealed: Complaint, second_ops: User) -> None:
        page = preview(staff_client(second_ops), appealed, "decide_appeal")

        assert page.context["consequences"][0] == words("The decision is final at once, and the money moves.")

    def test_does_what_its_preview_says(
        self, member: Application, appealed: Complaint, second_ops: User, customer: User
    ) -> None:
        complaints.name_payee(appealed.pk, actor=customer, payee=PAYEE)
        client = staff_client(second_ops)
        expected = preview(client, again(appealed), "decide_appeal", award="123.45").context["expected"]

        confirm(client, again(appealed), "decide_appeal", award="123.45")

        compensation = Compensation.objects.get(case=appealed.case)
        assert compensation.amount == expected.paid == Decimal("123.45")
        assert compensation.payee_identity == PAYEE.identity
        assert not Obligation.objects.filter(case=appealed.case).exists()
        assert deposit_of(appealed).frozen == 0

    def test_is_not_for_who_decided_before(self, appealed: Complaint, ops: User) -> None:
        client = staff_client(ops)

        assert offered(client, appealed) == []
        answer = client.post(url(appealed, "decide_appeal"), typed(appealed, figures="x", confirm="1"))
        assert answer.status_code == 403
        assert again(appealed).state == ComplaintState.APPEALED


def drain(complaint: Complaint, left: str) -> None:
    """Take what is available down to what is left."""
    amount = deposit_of(complaint).available - Decimal(left)
    cases.penalise(complaint.application_id, case="violation:8", amount=amount, reason="迟", actor=None)


def contest_and_close(complaint: Complaint) -> None:
    complaints.contest(complaint.pk, actor=complaint.application.applicant, text="不是我们的。")
    door.move(complaint.pk, "close_evidence", actor=None)


def hidden_inputs(page: str) -> dict[str, str]:
    """What the browser would send of the page's second form, besides its buttons."""
    found = {}
    for tag in re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page):
        name = re.search(r'name="([^"]*)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name:
            found[name[1]] = unescape(value[1]) if value else ""
    return found
