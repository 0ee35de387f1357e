"""Declared figures: what can be declared, who decides, and what becomes of a decision."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from applications.models import Application
from compliance.models import Declaration, DeclarationState, ServedShop
from compliance.quarters import Quarter
from compliance.served_shops import declarations, relations, selectors
from tests.compliance.served_shops.making import join, paper, picture, serve, serve_since
from tests.people import begin
from tmall_sp.accounts.models import Company, CompanyRole, Membership, User
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

MoveClock = Callable[..., None]
REASON = "截图看不出统计周期"


def gmv(shop: ServedShop, actor: User, **other: Any) -> Declaration:
    filled: dict[str, Any] = {
        "quarter": str(Quarter.current()),
        "value": Decimal("1200000.50"),
        "upload": paper(),
    } | other
    return declarations.declare_gmv(shop.pk, actor=actor, **filled)


def figure(application: Application, actor: User, **other: Any) -> Declaration:
    filled: dict[str, Any] = {"figure": "seats", "value": Decimal(80), "upload": picture()} | other
    return declarations.declare_figure(application.pk, actor=actor, **filled)


def refusal(act: Callable[[], object]) -> tuple[str, str | None]:
    with pytest.raises(DomainError) as caught:
        act()
    return caught.value.code, caught.value.field


# Declaring ------------------------------------------------------------------------------------------


def test_gmv_is_declared_with_its_evidence(serving: ServedShop, merchant: User) -> None:
    row = gmv(serving, merchant)

    assert (row.input, row.value, row.state, row.quarter) == (
        "gmv",
        Decimal("1200000.50"),
        DeclarationState.DECLARED,
        str(Quarter.current()),
    )
    assert (row.original_name, row.content_type, row.uploaded_by) == ("证明.pdf", "application/pdf", merchant)
    assert [step.name for step in row.steps.all()] == ["declare"]


def test_a_figure_of_the_company_is_declared(active: Application, merchant: User) -> None:
    row = figure(active, merchant)

    assert (row.input, row.value, row.served_shop, row.content_type) == ("seats", 80, None, "image/png")


def test_only_owner_and_editors_declare(
    serving: ServedShop, active: Application, stranger: User, owner: User
) -> None:
    for person in (stranger, owner):
        with pytest.raises(NotPermitted):
            gmv(serving, person)
        with pytest.raises(NotPermitted):
            figure(active, person)
    join(stranger, active, CompanyRole.EDITOR)
    assert gmv(serving, stranger).uploaded_by == stranger
    assert figure(active, stranger).uploaded_by == stranger


def test_only_quarters_of_the_relation_are_declared(active: Application, merchant: User, owner: User) -> None:
    current = str(Quarter.current())
    last, before_last = str(Quarter.named(current).previous), str(Quarter.named(current).previous.previous)
    shop = serve_since(active, owner, Quarter.named(last).last_day)
    after = str(Quarter.of(Quarter.named(current).last_day + dt.timedelta(days=1)))

    def refused(quarter: str) -> tuple[str, str | None]:
        return refusal(lambda: gmv(shop, merchant, quarter=quarter))

    for quarter in (before_last, after, "2026Q9", ""):
        assert refused(quarter) == ("quarter", "quarter")
    relations.end(shop.pk, actor=owner, ends_on=Quarter.named(last).last_day)
    assert refused(current) == ("quarter", "quarter")
    assert gmv(shop, merchant, quarter=last).quarter == last


def test_an_invitation_proves_nothing(invited: ServedShop, merchant: User) -> None:
    assert refusal(lambda: gmv(invited, merchant)) == ("quarter", "quarter")


def test_a_quarter_is_declared_anew_only_after_a_refusal(
    serving: ServedShop, merchant: User, ops: User
) -> None:
    first = gmv(serving, merchant)
    assert refusal(lambda: gmv(serving, merchant)) == ("declared_already", "quarter")
    declarations.verify(first.pk, actor=ops)
    assert refusal(lambda: gmv(serving, merchant)) == ("declared_already", "quarter")
    declarations.refuse(first.pk, actor=ops, reason=REASON)

    assert gmv(serving, merchant).pk != first.pk


def test_one_figure_of_a_kind_waits_at_a_time(active: Application, merchant: User, ops: User) -> None:
    first = figure(active, merchant)
    assert refusal(lambda: figure(active, merchant)) == ("waits_already", "figure")
    assert figure(active, merchant, figure="staff").input == "staff"
    declarations.verify(first.pk, actor=ops)

    assert figure(active, merchant, value=Decimal(90)).value == 90


@pytest.mark.parametrize("code", ["gmv", "review_mean", "complaint_rate", "", "beds"])
def test_what_is_measured_or_unknown_is_not_declared(active: Application, merchant: User, code: str) -> None:
    assert refusal(lambda: figure(active, merchant, figure=code)) == ("unknown", "figure")


@pytest.mark.parametrize(
    ("code", "value", "refused"),
    [
        ("seats", "80.5", "not_whole"),
        ("warehouse_area", "80.5", None),
        ("warehouse_area", "80.555", "value"),
        ("seats", "-1", "value"),
        ("seats", "0", None),
        ("warehouse_area", "9999999999.99", None),
        ("warehouse_area", "10000000000", "value"),
    ],
)
def test_a_value_is_a_figure_that_the_column_holds(
    active: Application, merchant: User, code: str, value: str, refused: str | None
) -> None:
    def act() -> Declaration:
        return figure(active, merchant, figure=code, value=Decimal(value))

    if refused is None:
        assert act().value == Decimal(value)
    else:
        assert refusal(act) == (refused, "value")


def test_evidence_is_judged_by_its_content(active: Application, serving: ServedShop, merchant: User) -> None:
    script = SimpleUploadedFile("证明.pdf", b"<script>alert(1)</script>", content_type="application/pdf")

    assert refusal(lambda: figure(active, merchant, upload=script)) == ("not_a_picture", "file")
    script.seek(0)
    assert refusal(lambda: gmv(serving, merchant, upload=script)) == ("not_a_picture", "file")
    assert not Declaration.objects.exists()


# Deciding -------------------------------------------------------------------------------------------


def test_operations_verify_and_the_company_is_told(declared: Declaration, ops: User, merchant: User) -> None:
    row = declarations.verify(declared.pk, actor=ops, seen="declared")

    assert (row.state, row.decided_by) == (DeclarationState.VERIFIED, ops)
    assert Notice.objects.get(key=f"declaration:{row.pk}:verified").recipient == merchant


def test_operations_refuse_with_a_reason_that_the_company_reads(
    declared: Declaration, ops: User, merchant: User
) -> None:
    assert refusal(lambda: declarations.refuse(declared.pk, actor=ops, reason=" ")) == ("empty", "reason")
    row = declarations.refuse(declared.pk, actor=ops, reason=REASON)

    assert (row.state, row.decision_reason) == (DeclarationState.REFUSED, REASON)
    assert REASON in Notice.objects.get(key=f"declaration:{row.pk}:refused").body


def test_what_was_verified_can_be_refused_and_who_did_each_is_kept(
    declared: Declaration, ops: User, second_ops: User
) -> None:
    declarations.verify(declared.pk, actor=ops)
    declarations.refuse(declared.pk, actor=second_ops, reason=REASON)

    steps = [(step.name, step.actor, step.note) for step in declared.steps.all()]
    assert steps[1:] == [("verify", ops, ""), ("refuse", second_ops, REASON)]


def test_what_was_refused_stays_refused(declared: Declaration, ops: User) -> None:
    declarations.refuse(declared.pk, actor=ops, reason=REASON)

    assert refusal(lambda: declarations.verify(declared.pk, actor=ops))[0] == "wrong_state"
    assert refusal(lambda: declarations.refuse(declared.pk, actor=ops, reason=REASON))[0] == "wrong_state"


@pytest.mark.parametrize("who", ["merchant", "owner", "reviewer", "finance", "auditor", "superuser"])
def test_only_operations_decide(declared: Declaration, who: str, request: pytest.FixtureRequest) -> None:
    person = request.getfixturevalue(who)

    with pytest.raises(NotPermitted):
        declarations.verify(declared.pk, actor=person)
    with pytest.raises(NotPermitted):
        declarations.refuse(declared.pk, actor=person, reason=REASON)


def test_who_decides_belongs_to_neither_company(
    declared: Declaration, active: Application, owner: User, ops: User, second_ops: User
) -> None:
    own = begin(owner)
    own.company = Company.objects.create(credit_code="91440300708461136T", name="花间集商贸")
    own.save(update_fields=["company"])
    join(ops, active)
    join(second_ops, own)

    for person in (ops, second_ops):
        with pytest.raises(NotPermitted):
            declarations.verify(declared.pk, actor=person)
    Membership.objects.filter(user=ops).delete()
    assert declarations.verify(declared.pk, actor=ops).state == DeclarationState.VERIFIED


def test_a_page_that_is_out_of_date_decides_nothing(
    declared: Declaration, ops: User, second_ops: User
) -> None:
    declarations.verify(declared.pk, actor=ops)

    with pytest.raises(StaleVersion):
        declarations.refuse(declared.pk, actor=second_ops, reason=REASON, seen="declared")
    assert declarations.refuse(declared.pk, actor=second_ops, reason=REASON, seen="verified")


# What is missing ------------------------------------------------------------------------------------


def test_quarters_to_declare_are_those_of_the_relation_without_a_figure(
    active: Application, merchant: User, owner: User, ops: User
) -> None:
    current = str(Quarter.current())
    last = str(Quarter.named(current).previous)
    shop = serve_since(active, owner, Quarter.named(last).last_day)
    assert selectors.quarters_to_declare(shop) == [current, last]
    row = gmv(shop, merchant, quarter=last)
    assert selectors.quarters_to_declare(shop) == [current]
    declarations.refuse(row.pk, actor=ops, reason=REASON)
    assert selectors.quarters_to_declare(shop) == [current, last]


def test_shops_without_gmv_are_those_served_in_the_quarter(
    active: Application, merchant: User, owner: User, stranger: User
) -> None:
    last = str(Quarter.current().previous)
    serve(active, stranger, "后来的店")
    assert not selectors.shops_without_gmv(active, last).exists(), "it began later"
    shop = serve_since(active, owner, Quarter.named(last).last_day)
    assert list(selectors.shops_without_gmv(active, last)) == [shop]
    gmv(shop, merchant, quarter=last)
    assert not selectors.shops_without_gmv(active, last).exists()
    relations.end(shop.pk, actor=owner, ends_on=Quarter.named(last).last_day)
    assert shop not in selectors.shops_without_gmv(active, str(Quarter.current())), "it had ended"
