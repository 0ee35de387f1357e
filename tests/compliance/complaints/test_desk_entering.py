"""Operations enter a complaint for somebody without an account, and keep the catalogue of questions."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications.models import Application
from compliance.models import Complaint, QuestionCode, Relation
from tests.compliance.complaints.conftest import PAYEE, deposit_of
from tests.compliance.complaints.desk import ADD, url
from tests.people import PDF
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

QUESTIONS = "/admin/compliance/questioncode/"


def what_is_typed(member: Application, **changes: Any) -> dict[str, Any]:
    typed = {
        "provider": member.number.lower(),
        "complainant_name": "顾客丁",
        "complainant_contact": "13900000001",
        "channel": "offline",
        "order_number": " ht-2026-8 ",
        "order_value": "¥1,000",
        "claimed": "300.5",
        "question": str(QuestionCode.objects.get(code="service").pk),
        "text": "安装不到位。",
        "payee_identity": PAYEE.identity,
        "payee_name": "",
    }
    return {**typed, **changes}


def test_is_entered_with_everything_typed(member: Application, ops: User) -> None:
    evidence = [
        SimpleUploadedFile(name, PDF, content_type="application/pdf") for name in ("一.pdf", "二.pdf")
    ]

    answer = staff_client(ops).post(ADD, what_is_typed(member, files=evidence))

    complaint = Complaint.objects.get()
    assert answer["Location"] == url(complaint)
    assert (complaint.relation, complaint.complainant, complaint.entered_by) == (
        Relation.OPERATIONS,
        None,
        ops,
    )
    assert (complaint.claimed, complaint.order_value) == (Decimal("300.50"), Decimal("1000.00"))
    assert complaint.order_number == "HT-2026-8"
    assert complaint.payee_identity == PAYEE.identity
    assert [row.original_name for row in complaint.files.all()] == ["一.pdf", "二.pdf"]
    assert deposit_of(complaint).frozen == Decimal("300.50")


def test_the_page_knows_the_provider_it_was_opened_for(member: Application, ops: User) -> None:
    form = staff_client(ops).get(ADD, {"application": member.number}).context["form"]

    assert form["provider"].value() == member.number


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("provider", {"provider": "SP000000000"}),
        ("provider", {"provider": ""}),
        ("complainant_name", {"complainant_name": " "}),
        ("complainant_contact", {"complainant_contact": ""}),
        ("order_number", {"order_number": " "}),
        ("order_value", {"order_value": "0"}),
        ("claimed", {"claimed": "1000.01"}),
        ("claimed", {"claimed": "viel"}),
        ("question", {"question": "987654"}),
        ("text", {"text": ""}),
        ("payee_identity", {"payee_identity": "2088"}),
        ("payee_name", {"payee_identity": "keding@example.com"}),
        ("payee_identity", {"payee_identity": "", "payee_name": "顾客丁"}),
        ("channel", {"channel": "post"}),
    ],
)
def test_what_is_wrong_is_named_beside_its_field_and_nothing_is_lost(
    member: Application, ops: User, field: str, changes: dict[str, str]
) -> None:
    answer = staff_client(ops).post(ADD, what_is_typed(member, **changes))

    assert answer.status_code == 200
    assert set(answer.context["form"].errors) == {field}
    assert answer.context["form"]["order_value"].value() == changes.get("order_value", "¥1,000")
    assert Complaint.objects.count() == 0


def test_a_file_that_is_no_picture_is_named(member: Application, ops: User) -> None:
    bad = SimpleUploadedFile("表.exe", b"MZ", content_type="image/png")

    answer = staff_client(ops).post(ADD, what_is_typed(member, files=[bad]))

    assert "表.exe" in str(answer.context["form"].errors["files"])
    assert Complaint.objects.count() == 0


def test_an_order_is_claimed_for_once(member: Application, ops: User) -> None:
    client = staff_client(ops)
    client.post(ADD, what_is_typed(member))

    answer = client.post(ADD, what_is_typed(member, order_number="HT-2026-8"))

    assert set(answer.context["form"].errors) == {"order_number"}
    assert Complaint.objects.count() == 1


def test_who_has_no_membership_is_nobody_to_complain_about(under_review: Application, ops: User) -> None:
    answer = staff_client(ops).post(ADD, what_is_typed(under_review))

    assert set(answer.context["form"].errors) == {"provider"}


class TestCatalogue:
    def test_grows_and_is_put_in_order(self, ops: User) -> None:
        staff_client(ops).post(
            f"{QUESTIONS}add/",
            {"code": "training", "title": "培训", "help_text": "", "position": "0", "is_active": "on"},
        )

        assert QuestionCode.objects.first() == QuestionCode.objects.get(code="training")

    def test_a_code_that_was_used_stays(self, member: Application, ops: User) -> None:
        client = staff_client(ops)
        client.post(ADD, what_is_typed(member))
        used = QuestionCode.objects.get(code="service")

        client.post(
            f"{QUESTIONS}{used.pk}/change/",
            {"code": "other-code", "title": "服务", "help_text": "", "position": "1"},
        )

        found = QuestionCode.objects.get(pk=used.pk)
        assert (found.code, found.title, found.is_active) == ("service", "服务", False)

    def test_a_code_that_nobody_used_may_change(self, ops: User) -> None:
        unused = QuestionCode.objects.get(code="other")

        staff_client(ops).post(
            f"{QUESTIONS}{unused.pk}/change/",
            {"code": "rest", "title": "其他", "help_text": "", "position": "9", "is_active": "on"},
        )

        assert QuestionCode.objects.get(pk=unused.pk).code == "rest"

    def test_a_retired_question_is_offered_no_more(self, member: Application, ops: User) -> None:
        QuestionCode.objects.filter(code="service").update(is_active=False)

        answer = staff_client(ops).post(ADD, what_is_typed(member))

        assert set(answer.context["form"].errors) == {"question"}

    def test_nothing_is_deleted(self, ops: User) -> None:
        question = QuestionCode.objects.get(code="other")

        assert staff_client(ops).post(f"{QUESTIONS}{question.pk}/delete/", {"post": "yes"}).status_code == 403
