"""Finance's pages of reconciliation: who reads them, what they say and offer, and at what cost in queries."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.models import Application
from deposits.models import (
    BillLine,
    Deposit,
    Difference,
    Explanation,
    PaymentOrder,
    Proposal,
    ReconciliationRun,
)
from tests.deposits.conftest import PERSON, Pay, deposit_of, settle
from tests.deposits.days import Day, compare, day, pay_outside, set_balance
from tests.sandbox_client import SandboxClient
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

__all__ = ["day"]

MODELS = [ReconciliationRun, Difference, BillLine]


def url(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:deposits_{model._meta.model_name}_{view}", args=args)


def read(client: Client, address: str) -> str:
    answer = client.get(address, headers={"accept-language": "en"})
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def cost(client: Client, address: str) -> int:
    """Queries of the second visit."""
    read(client, address)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)


@pytest.fixture
def run(active: Application, alipay: SandboxClient, day: Day) -> ReconciliationRun:
    """A day with a payment of ours, one from elsewhere, and money put in."""
    alipay.change_settings(fee_basis_points=10)
    pay_outside(alipay, "OUTSIDE1", PERSON, "1234.56")
    set_balance(alipay, "700000.00")
    return compare(day.end())


def of_funds(cause: str) -> Difference:
    return Difference.objects.get(bill="signcustomer", cause=cause)


# Who -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_finance_and_the_auditor_read_every_list_and_write_none(
    run: ReconciliationRun, finance: User, auditor: User, model: type[Model]
) -> None:
    for person in (finance, auditor):
        client = staff_client(person)
        read(client, url(model, "changelist"))
        assert client.post(url(model, "changelist"), {"action": "delete_selected"}).status_code in (200, 403)
    assert model._default_manager.exists()


@pytest.mark.parametrize("model", MODELS)
def test_nobody_else_reads_them(
    run: ReconciliationRun, reviewer: User, ops: User, model: type[Model]
) -> None:
    for person in (reviewer, ops):
        assert staff_client(person).get(url(model, "changelist")).status_code == 403
        row = model._default_manager.first()
        assert row is not None
        if model is not BillLine:
            assert staff_client(person).get(url(model, "change", row.pk)).status_code == 403


def test_the_auditor_reads_and_is_offered_nothing(run: ReconciliationRun, auditor: User) -> None:
    client, difference = staff_client(auditor), of_funds("money_in")
    assert url(ReconciliationRun, "again", run.pk) not in read(
        client, url(ReconciliationRun, "change", run.pk)
    )
    page = read(client, url(Difference, "change", difference.pk))
    assert url(Difference, "explain", difference.pk) not in page
    assert reverse("admin:deposits_proposal_book_movement") not in page
    sent = client.post(
        url(Difference, "explain", difference.pk),
        {"seen": "x", "note": "不明"},
        headers={"accept-language": "en"},
    )
    assert sent.status_code in (403, 409)
    assert not Explanation.objects.exists()


# What ----------------------------------------------------------------------------------------------


def test_the_list_says_how_each_day_stands(run: ReconciliationRun, finance: User) -> None:
    page = read(staff_client(finance), url(ReconciliationRun, "changelist"))
    assert str(run.date) in page
    assert "700,000.00" in page
    assert "has differences" in page


def test_the_days_page_has_figures_differences_and_what_to_do(run: ReconciliationRun, finance: User) -> None:
    page = read(staff_client(finance), url(ReconciliationRun, "change", run.pk))
    assert "Somebody paid outside the portal" in page
    assert "If we put the money in" in page
    assert "+¥1,234.56" in page
    assert PaymentOrder.objects.get().out_trade_no in page
    assert page.index("What to do") < page.index("Figures of the day") < page.index("<details")


def test_a_day_that_waits_says_why_and_for_what(
    active: Application, alipay: SandboxClient, day: Day, finance: User
) -> None:
    alipay.change_settings(bill_ready_hour=13)
    run = compare(day.end())
    page = read(staff_client(finance), url(ReconciliationRun, "change", run.pk))
    assert "Alipay has no bill of this day, but we have movements of it." in page
    assert "no_bill" in page and PaymentOrder.objects.get().out_trade_no in page


def test_finance_explains_on_the_differences_page(run: ReconciliationRun, finance: User) -> None:
    client, difference = staff_client(finance), of_funds("foreign_payment")
    form = client.get(url(Difference, "explain", difference.pk)).context["form"]
    assert "other bill" in read(client, url(Difference, "explain", difference.pk))

    empty = client.post(url(Difference, "explain", difference.pk), {"seen": form["seen"].value(), "note": ""})
    assert empty.status_code == 200 and empty.context["form"].errors["note"]
    sent = client.post(
        url(Difference, "explain", difference.pk),
        {"seen": form["seen"].value(), "note": "张三误付<b>已退</b>"},
        follow=True,
    )

    assert sent.redirect_chain[-1][0] == url(Difference, "change", difference.pk)
    assert "张三误付&lt;b&gt;已退&lt;/b&gt;" in sent.content.decode()
    assert Explanation.objects.count() == 2
    stale = client.post(
        url(Difference, "explain", difference.pk), {"seen": form["seen"].value(), "note": "另一说"}
    )
    assert stale.status_code == 409 and "另一说" in stale.content.decode()


def test_a_booking_is_proposed_with_the_bills_figures(run: ReconciliationRun, finance: User) -> None:
    client, difference = staff_client(finance), of_funds("money_in")
    page = client.get(url(Difference, "change", difference.pk))
    address = page.context["booking_url"]
    figures = {name: value[0] for name, value in parse_qs(urlsplit(address).query).items()}
    assert difference.line is not None
    assert (figures["kind"], figures["serial"]) == ("funding", difference.line.key)
    assert figures["amount"] == f"{difference.their_amount:.2f}"

    filled = client.get(address).context["form"]
    data = {name: filled[name].value() for name in ("kind", "amount", "serial", "at")}
    sent = client.post(urlsplit(address).path, data | {"reason": "自有资金转入"})

    assert sent.status_code == 302
    assert Proposal.objects.get().details["serial"] == difference.line.key
    again = client.get(url(Difference, "change", difference.pk))
    assert again.context["booking_url"] == ""
    assert Proposal.objects.get() in again.context["proposals"]


def test_the_button_has_the_day_compared_again(run: ReconciliationRun, finance: User) -> None:
    client = staff_client(finance)
    address = url(ReconciliationRun, "again", run.pk)
    sent = client.post(address, {"seen": str(run.attempts)})
    assert sent.status_code == 302
    assert ReconciliationRun.objects.get(pk=run.pk).due_at is not None
    assert compare(run.date).attempts == 2
    assert client.post(address, {"seen": "1"}).status_code == 409


def test_finance_asks_alipay_from_the_page(
    active: Application, pay: Pay, alipay: SandboxClient, day: Day, finance: User
) -> None:
    Deposit.objects.filter(application=active).update(required=100_500)
    order = pay(active)
    compare(day.end())
    difference = of_funds("unsettled_order")
    client = staff_client(finance)
    page = client.get(url(Difference, "change", difference.pk))
    assert [step.name for step in page.context["steps"]] == ["ask", "explain"]

    seen = page.context["steps"][0].form.seen_of(difference)
    client.post(url(Difference, "ask", difference.pk), {"seen": seen})

    assert PaymentOrder.objects.get(pk=order.pk).state == "paid"
    assert "Settled: both sides agree" in read(client, url(Difference, "change", difference.pk))


def test_the_first_page_says_what_waits(run: ReconciliationRun, finance: User, auditor: User) -> None:
    page = staff_client(finance).get(reverse("admin:index"))
    tasks = {str(task.url): task.count for task in page.context["tasks"]}
    assert tasks[url(Difference, "changelist") + "?tab=open"] == 3
    assert tasks[url(ReconciliationRun, "changelist") + "?tab=waiting"] == 0
    assert not staff_client(auditor).get(reverse("admin:index")).context["tasks"]


def test_the_lines_of_one_day_are_a_list(run: ReconciliationRun, finance: User) -> None:
    client = staff_client(finance)
    listed = client.get(url(BillLine, "changelist") + f"?run__id__exact={run.pk}")
    assert listed.status_code == 200
    assert listed.context["cl"].result_count == BillLine.objects.count()


# Cost ----------------------------------------------------------------------------------------------


def test_the_pages_cost_the_same_whatever_they_show(
    run: ReconciliationRun,
    active: Application,
    pay: Pay,
    alipay: SandboxClient,
    day: Day,
    finance: User,
) -> None:
    client = staff_client(finance)

    def pages(run: ReconciliationRun) -> list[str]:
        return [
            url(ReconciliationRun, "changelist"),
            url(ReconciliationRun, "change", run.pk),
            url(Difference, "changelist"),
            url(Difference, "change", of_day(run, "foreign_payment").pk),
            url(Difference, "explain", of_day(run, "foreign_payment").pk),
            url(BillLine, "changelist"),
        ]

    costs = [cost(client, address) for address in pages(run)]
    assert costs == [10, 12, 8, 10, 7, 9]

    for number in (2, 3):
        Deposit.objects.filter(application=active).update(required=100_000 + 500 * number)
        settle(pay(active))
        pay_outside(alipay, f"OUTSIDE{number}", PERSON)
        pay_outside(alipay, f"ALSO{number}", PERSON)
        later = compare(day.end())
        assert deposit_of(active).available > 100_000

    assert [cost(client, address) for address in pages(later)] == costs


def of_day(run: ReconciliationRun, cause: str) -> Difference:
    found = run.differences.filter(bill="signcustomer", cause=cause).order_by("pk").first()
    assert found is not None
    return found
