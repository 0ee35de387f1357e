"""The desk for declared figures: the queue, the evidence inline, and what each person is offered."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from compliance.models import Declaration, DeclarationState, ServedShop
from compliance.served_shops import declarations
from tests.compliance.served_shops.making import join, paper, serve
from tests.people import make_merchant
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

LIST = "/admin/compliance/declaration/"
SHOPS = "/admin/compliance/servedshop/"


def url(row: Declaration, name: str = "change") -> str:
    return reverse(f"admin:compliance_declaration_{name}", args=[row.pk])


def offered(person: User, row: Declaration) -> list[str]:
    return [step.name for step in staff_client(person).get(url(row)).context["steps"]]


def take(person: User, row: Declaration, step: str, **typed: Any) -> Any:
    client = staff_client(person)
    form = client.get(url(row, step)).context["form"]
    boxes = {box.html_name: "on" for box in form.boxes()}
    return client.post(url(row, step), {"seen": form["seen"].value(), **boxes, **typed})


def test_a_figure_goes_its_way_over_the_desk(declared: Declaration, ops: User) -> None:
    waiting = staff_client(ops).get(LIST + "?tab=waiting")
    assert list(waiting.context["cl"].result_list) == [declared]
    page = staff_client(ops).get(url(declared)).content.decode()
    assert "1,200,000.00" in page and url(declared, "evidence") in page

    answer = take(ops, declared, "verify")
    assert answer["Location"] == url(declared)
    assert offered(ops, declared) == ["refuse"]
    take(ops, declared, "refuse", reason="凭证被修改过")

    declared.refresh_from_db()
    assert (declared.state, declared.decision_reason) == (DeclarationState.REFUSED, "凭证被修改过")
    assert offered(ops, declared) == []
    assert list(staff_client(ops).get(LIST + "?tab=waiting").context["cl"].result_list) == []


def test_looking_at_a_step_decides_nothing(declared: Declaration, ops: User) -> None:
    for step in ("verify", "refuse"):
        assert staff_client(ops).get(url(declared, step)).status_code == 200
    declared.refresh_from_db()
    assert declared.state == DeclarationState.DECLARED


def test_a_figure_is_not_verified_without_looking(declared: Declaration, ops: User) -> None:
    answer = staff_client(ops).post(url(declared, "verify"), {"seen": "declared", "figure": "on"})

    assert answer.status_code == 200
    declared.refresh_from_db()
    assert declared.state == DeclarationState.DECLARED


def test_a_page_out_of_date_is_shown_again_with_every_word(
    declared: Declaration, ops: User, second_ops: User
) -> None:
    declarations.verify(declared.pk, actor=ops)

    answer = staff_client(second_ops).post(url(declared, "refuse"), {"seen": "declared", "reason": "看不清"})
    assert answer.status_code == 409
    assert "看不清" in answer.content.decode()
    declared.refresh_from_db()
    assert declared.state == DeclarationState.VERIFIED


def test_each_is_offered_what_is_theirs(
    declared: Declaration, active: Application, ops: User, second_ops: User, auditor: User
) -> None:
    join(second_ops, active)

    assert [offered(person, declared) for person in (ops, second_ops, auditor)] == [
        ["verify", "refuse"],
        [],
        [],
    ]
    answer = staff_client(second_ops).post(url(declared, "refuse"), {"seen": "declared", "reason": "看不清"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("who", "status"), [("ops", 200), ("auditor", 200), ("reviewer", 403), ("finance", 403)]
)
def test_operations_and_the_auditor_read(
    declared: Declaration, who: str, status: int, request: pytest.FixtureRequest
) -> None:
    client = staff_client(request.getfixturevalue(who))

    for address in (LIST, url(declared), url(declared, "evidence"), SHOPS):
        assert client.get(address).status_code == status


def test_the_evidence_is_framed_by_our_own_pages_and_runs_nothing(declared: Declaration, ops: User) -> None:
    answer = staff_client(ops).get(url(declared, "evidence"))

    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_desk_counts_what_waits(declared: Declaration, ops: User, auditor: User) -> None:
    def waiting(person: User) -> list[int]:
        tasks = staff_client(person).get("/admin/").context["tasks"]
        return [task.count for task in tasks if task.url == LIST + "?tab=waiting"]

    assert waiting(ops) == [1]
    assert waiting(auditor) == []
    declarations.verify(declared.pk, actor=ops)
    assert waiting(ops) == [0]


def test_a_served_shop_is_read_without_its_link(serving: ServedShop, ops: User) -> None:
    address = reverse("admin:compliance_servedshop_change", args=[serving.pk])
    page = staff_client(ops).get(address).content.decode()

    assert serving.shop_name in page
    assert serving.token not in page


def test_more_rows_cost_no_more(
    declared: Declaration, active: Application, merchant: User, ops: User
) -> None:
    def cost(address: str) -> int:
        client = staff_client(ops)
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    pages = [LIST, url(declared), SHOPS]
    before = [cost(page) for page in pages]
    for number in range(3):
        shop = serve(active, make_merchant(f"店主{number}", f"70660000{number}"), f"第{number}家店")
        declarations.declare_gmv(
            shop.pk, actor=merchant, quarter=declared.quarter, value=declared.value, upload=paper()
        )

    assert [cost(page) for page in pages] == before
