"""The desk for complaints: what one case's page shows, what it offers to whom, and that only POST does anything."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications.models import Application
from compliance.complaints import files
from compliance.complaints import services as complaints
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint, ComplaintFile, Relation, ServedShop, ShopState
from deposits.duties import cases
from tests.compliance.complaints.conftest import PAYEE, again, decide, file, money
from tests.compliance.complaints.desk import cost, enter, offered, url
from tests.people import PDF
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.models import Notice


def evidence(name: str = "物流.pdf") -> list[files.CheckedFile]:
    return files.checked([SimpleUploadedFile(name, PDF, content_type="application/pdf")])


class TestPage:
    def test_puts_both_sides_beside_each_other_in_order_of_time(
        self, contested: Complaint, customer: User, merchant: User, ops: User
    ) -> None:
        complaints.add_evidence(contested.pk, actor=customer, text="签收截图见附件。", uploads=evidence())
        complaints.add_evidence(
            contested.pk, actor=merchant, text="我们的入库单。", uploads=evidence("入库.pdf")
        )

        page = staff_client(ops).get(url(contested))

        dossier = page.context["dossier"]
        assert [item.text or item.file.original_name for item in dossier.complainant] == [
            contested.text,
            "签收截图见附件。",
            "物流.pdf",
        ]
        assert [item.text or item.file.original_name for item in dossier.provider] == [
            "退货在途,未签收。",
            "我们的入库单。",
            "入库.pdf",
        ]
        text = page.content.decode()
        for row in ComplaintFile.objects.all():
            assert f'<iframe src="{url(contested, "file", row.pk)}' in text

    def test_says_what_is_frozen_available_and_owed(self, filed: Complaint, ops: User) -> None:
        money = staff_client(ops).get(url(filed)).context["dossier"].money

        assert (money.frozen, money.deposit.available) == (Decimal("300.00"), Decimal("99700.00"))

    def test_says_what_is_still_owed_for_the_case(
        self, member: Application, filed: Complaint, merchant: User, ops: User
    ) -> None:
        """An earlier penalty left 100; the claim froze those."""
        complaints.withdraw(filed.pk, actor=filed.complainant)  # type: ignore[arg-type]
        cases.penalise(member.pk, case="violation:8", amount=Decimal("99900.00"), reason="迟", actor=None)
        entered = enter(member, ops)
        complaints.admit(entered.pk, actor=merchant, amount=Decimal("300.00"), text="我们的错。")

        page = staff_client(ops).get(url(entered))

        money_of_case = page.context["dossier"].money
        assert (money_of_case.frozen, money_of_case.owed) == (Decimal("0.00"), Decimal("200.00"))
        assert "¥200.00" in page.content.decode()

    def test_has_the_history_with_internal_notes(self, undecided: Complaint, ops: User) -> None:
        complaints.decide(
            undecided.pk,
            actor=ops,
            liability="liable",
            award=Decimal("300.00"),
            reason="依据物流记录。",
            internal_note="第三次了",
        )

        page = staff_client(ops).get(url(undecided))

        names = [entry.step.name for entry in page.context["dossier"].history]
        assert names[0] == "file" and names[-1] == "decide"
        assert "第三次了" in page.content.decode()

    def test_shows_both_decisions_the_last_first(self, final: Complaint, ops: User) -> None:
        findings = staff_client(ops).get(url(final)).context["dossier"].findings

        assert [entry.step.name for entry in findings] == ["decide_appeal", "decide"]

    def test_names_other_cases_of_both(
        self, filed: Complaint, member: Application, customer: User, stranger: User, ops: User
    ) -> None:
        of_customer, of_another = file(member, customer), file(member, stranger)

        page = staff_client(ops).get(url(filed))

        dossier = page.context["dossier"]
        assert dossier.of_provider == [of_another, of_customer]
        assert dossier.of_complainant == [of_customer]
        assert url(of_another) in page.content.decode()

    def test_knows_a_complainant_without_an_account_by_the_contact(
        self, member: Application, ops: User
    ) -> None:
        first, second = enter(member, ops), enter(member, ops)

        assert staff_client(ops).get(url(second)).context["dossier"].of_complainant == [first]

    def test_names_the_relation_that_is_proven(
        self, member: Application, customer: User, merchant: User, ops: User
    ) -> None:
        ServedShop.objects.create(
            application=member,
            shop_name="丙家旗舰店",
            invited_by=merchant,
            expires_at=clock.now(),
        )
        ServedShop.objects.update(
            state=ShopState.SERVING,
            owner=customer,
            owner_taobao_user_id=customer.taobao_user_id,
            begins_on=clock.now().date(),
        )

        complaint = file(member, customer)

        assert complaint.relation == Relation.SERVED_MERCHANT
        assert "丙家旗舰店" in staff_client(ops).get(url(complaint)).content.decode()

    def test_names_the_rules_of_the_day_it_was_filed(self, filed: Complaint, ops: User) -> None:
        hours = [hours for _state, hours in staff_client(ops).get(url(filed)).context["dossier"].hours]

        assert hours == [48, 72, 168, 168, 168]

    def test_is_where_the_notice_leads(self, ops: User, undecided: Complaint) -> None:
        links = set(Notice.objects.filter(recipient=ops).values_list("link", flat=True))

        assert url(undecided) in links
        assert {staff_client(ops).get(link).status_code for link in links} == {200}

    def test_costs_as_many_queries_however_much_was_said(
        self, contested: Complaint, customer: User, merchant: User, member: Application, ops: User
    ) -> None:
        client = staff_client(ops)
        before = cost(client, url(contested))
        for number in range(3):
            complaints.add_evidence(
                contested.pk, actor=customer, text=f"第 {number} 份。", uploads=evidence()
            )
            complaints.add_evidence(
                contested.pk, actor=merchant, text=f"第 {number} 份。", uploads=evidence()
            )
            file(member, customer)

        assert cost(client, url(contested)) == before == 25


class TestOffers:
    def test_each_is_offered_what_is_theirs(
        self, undecided: Complaint, ops: User, second_ops: User, finance: User, auditor: User
    ) -> None:
        people = {name: staff_client(who) for name, who in locals().items() if isinstance(who, User)}

        def steps() -> dict[str, list[str]]:
            return {name: offered(client, undecided) for name, client in people.items()}

        assert steps() == {
            "ops": ["claim", "decide"],
            "second_ops": ["claim", "decide"],
            "finance": [],
            "auditor": [],
        }
        complaints.claim(undecided.pk, actor=ops)
        assert steps() == {"ops": ["decide", "release"], "second_ops": [], "finance": [], "auditor": []}

    def test_an_appeal_is_another_persons(self, appealed: Complaint, ops: User, second_ops: User) -> None:
        assert offered(staff_client(ops), appealed) == []
        assert offered(staff_client(second_ops), appealed) == ["claim", "decide_appeal"]

    def test_who_admitted_the_company_is_offered_nothing(self, undecided: Complaint, ops: User) -> None:
        Application.objects.filter(pk=undecided.application_id).update(approved_by=ops)

        assert offered(staff_client(ops), undecided) == []

    def test_what_is_overdue_may_be_taken_over(
        self, undecided: Complaint, ops: User, second_ops: User, sleep_until: object
    ) -> None:
        complaints.claim(undecided.pk, actor=ops)
        sleep_until(undecided.due_at, seconds=1)  # type: ignore[operator]
        client = staff_client(second_ops)

        assert offered(client, undecided) == ["claim"]
        client.post(url(undecided, "claim"), {"seen": again(undecided).version})

        assert again(undecided).claimed_by == second_ops

    def test_for_somebody_without_an_account_operations_speak(
        self, member: Application, ops: User, second_ops: User
    ) -> None:
        entered = enter(member, ops)

        assert offered(staff_client(ops), entered) == ["name_payee", "withdraw"]
        assert offered(staff_client(second_ops), entered) == ["claim", "name_payee", "withdraw"]
        complaints.claim(entered.pk, actor=second_ops)
        assert offered(staff_client(second_ops), entered) == ["release"]

    @pytest.mark.parametrize(
        "step", ["claim", "decide", "decide_appeal", "withdraw", "name_payee", "release"]
    )
    def test_looking_at_a_step_does_nothing(self, undecided: Complaint, ops: User, step: str) -> None:
        before = undecided.steps.count()

        staff_client(ops).get(url(undecided, step))

        assert again(undecided).state == ComplaintState.AWAITING_DECISION
        assert undecided.steps.count() == before


class TestSteps:
    def test_one_of_two_who_claim_gets_it(self, undecided: Complaint, ops: User, second_ops: User) -> None:
        seen = {"seen": undecided.version}

        staff_client(ops).post(url(undecided, "claim"), seen)
        late = staff_client(second_ops).post(url(undecided, "claim"), seen)

        assert late.status_code == 409
        assert "王运" in late.content.decode()
        assert again(undecided).claimed_by == ops

    def test_what_is_released_is_anybodys_again(
        self, undecided: Complaint, ops: User, second_ops: User
    ) -> None:
        complaints.claim(undecided.pk, actor=ops)

        staff_client(ops).post(url(undecided, "release"), {"seen": again(undecided).version})

        assert again(undecided).claimed_by is None
        assert offered(staff_client(second_ops), again(undecided)) == ["claim", "decide"]

    def test_withdrawn_for_the_complainant_the_sum_is_free(self, member: Application, ops: User) -> None:
        entered = enter(member, ops)

        answer = staff_client(ops).post(
            url(entered, "withdraw"), {"seen": entered.version, "reason": "来电撤诉"}
        )

        assert answer.status_code == 302
        assert again(entered).state == ComplaintState.WITHDRAWN
        assert money(entered) == {"freeze": Decimal("300.00"), "release": Decimal("300.00")}

    def test_who_spoke_for_the_complainant_does_not_decide(
        self, member: Application, ops: User, second_ops: User
    ) -> None:
        entered = enter(member, ops)
        client = staff_client(second_ops)

        client.post(
            url(entered, "name_payee"),
            {"seen": entered.version, "payee_identity": PAYEE.identity, "payee_name": "顾客丁"},
        )

        assert again(entered).payee_identity == PAYEE.identity
        assert "claim" not in offered(client, entered)

    def test_a_payee_that_can_not_be_paid_is_named_beside_its_field(
        self, member: Application, ops: User
    ) -> None:
        entered = enter(member, ops)

        answer = staff_client(ops).post(
            url(entered, "name_payee"),
            {"seen": entered.version, "payee_identity": "keding@example.com", "payee_name": " "},
        )

        assert set(answer.context["form"].errors) == {"payee_name"}
        assert "keding@example.com" in answer.content.decode()

    def test_evidence_and_appeal_for_somebody_without_an_account(
        self, member: Application, ops: User, second_ops: User, merchant: User
    ) -> None:
        entered = enter(member, ops)
        complaints.contest(entered.pk, actor=merchant, text="不是我们的。")
        client = staff_client(ops)

        client.post(url(entered, "add_evidence"), {"seen": again(entered).version, "text": "来电补充。"})
        complaints.finish_evidence(entered.pk, actor=merchant)
        complaints.finish_evidence(entered.pk, actor=ops)
        decide(again(entered), second_ops, "shared", "100.00")
        assert "appeal" in offered(client, again(entered))
        client.post(url(entered, "appeal"), {"seen": again(entered).version, "text": "要求全赔。"})

        assert again(entered).state == ComplaintState.APPEALED
        said = staff_client(second_ops).get(url(entered)).context["dossier"].complainant
        assert [item.text for item in said] == [entered.text, "来电补充。", "要求全赔。"]

    def test_a_late_payee_gets_what_waits(
        self, member: Application, ops: User, second_ops: User, merchant: User
    ) -> None:
        """Nobody named one before the money moved."""
        entered = enter(member, ops)
        complaints.admit(entered.pk, actor=merchant, amount=Decimal("300.00"), text="我们的错。")
        client = staff_client(ops)
        assert offered(client, again(entered)) == ["name_payee"]

        client.post(
            url(entered, "name_payee"),
            {"seen": again(entered).version, "payee_identity": PAYEE.identity, "payee_name": "顾客丁"},
        )

        assert member.deposit.compensations.get(case=entered.case).payee_identity == PAYEE.identity


def test_the_page_of_the_application_counts_complaints(filed: Complaint, ops: User) -> None:
    page = staff_client(ops).get(f"/admin/applications/application/{filed.application_id}/change/")

    assert filed.number in page.content.decode()
