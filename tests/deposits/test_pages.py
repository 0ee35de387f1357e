"""The merchant's pages of the deposit: what they say, to whom, and at what cost in queries."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications.lifecycle import State
from applications.models import Application
from deposits.models import Deposit, LedgerTransfer, PaymentOrder
from tests.deposits.conftest import OTHER_COMPANY, Pay, deposit_of, pay_out, reload, settle
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User

HTMX = {"HX-Request": "true"}


def browser(person: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(person)
    return client


def page(name: str, application: Application, *args: object) -> str:
    return reverse(f"deposits:{name}", args=[application.number, *args])


def read(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def test_the_page_says_what_is_due_and_from_which_account(approved: Application, merchant: User) -> None:
    text = read(browser(merchant), page("detail", approved))
    assert "¥100,000.00" in text
    assert approved.alipay_account_id in text
    assert page("pay", approved) in text


def test_the_button_leads_to_the_cashier(
    approved: Application, merchant: User, alipay: SandboxClient
) -> None:
    answer = browser(merchant).post(page("pay", approved))

    assert answer.status_code == 302
    assert urlsplit(answer["Location"]).path == "/gateway.do"
    assert PaymentOrder.objects.filter(deposit=deposit_of(approved), state="open").exists()


def test_paying_and_withdrawing_want_a_post(approved: Application, merchant: User) -> None:
    client = browser(merchant)
    assert client.get(page("pay", approved)).status_code == 405
    client.get(page("withdraw", approved))
    assert reload(approved).state == State.APPROVED


def test_a_sub_account_reads_and_cant_pay(approved: Application, sub_account: User) -> None:
    client = browser(sub_account)
    assert page("pay", approved) not in read(client, page("detail", approved))
    assert client.post(page("pay", approved)).status_code == 403
    assert client.post(page("withdraw", approved)).status_code == 403


@pytest.mark.parametrize("name", ["detail", "returned", "withdraw", "pay"])
def test_a_stranger_finds_nothing(approved: Application, stranger: User, name: str) -> None:
    client = browser(stranger)
    ask: Callable[..., object] = client.post if name == "pay" else client.get
    assert ask(page(name, approved)).status_code == 404  # type: ignore[attr-defined]


def test_there_is_no_deposit_before_the_approval(under_review: Application, merchant: User) -> None:
    assert browser(merchant).get(page("detail", under_review)).status_code == 404


def test_a_refusal_is_said_on_the_page(active: Application, merchant: User) -> None:
    answer = browser(merchant).post(page("pay", active), follow=True)
    assert [str(message) for message in answer.context["messages"]]
    assert answer.redirect_chain[0][0] == page("detail", active)


def test_back_from_the_cashier_it_waits_for_alipay_and_then_shows_the_receipt(
    approved: Application, merchant: User, pay: Pay
) -> None:
    order = pay(approved)
    client, address = browser(merchant), page("returned", approved) + f"?out_trade_no={order.out_trade_no}"
    assert "hx-trigger" in read(client, address)

    settle(order)

    text = read(client, address, **HTMX)
    row = LedgerTransfer.objects.get()
    assert "hx-trigger" not in text and "<html" not in text
    assert page("receipt", approved, row.pk) in text


def test_the_return_address_believes_nothing(
    approved: Application, merchant: User, alipay: SandboxClient
) -> None:
    client = browser(merchant)
    client.post(page("pay", approved))
    client.get(page("returned", approved) + "?trade_status=TRADE_SUCCESS&total_amount=100000.00")
    assert reload(approved).state == State.APPROVED


def test_a_receipt_names_company_amount_and_trade(active: Application, merchant: User) -> None:
    row = LedgerTransfer.objects.get()
    text = read(browser(merchant), page("receipt", active, row.pk))
    assert row.order is not None
    for word in ("¥100,000.00", active.company_name, active.credit_code, row.order.trade_no):
        assert word in text


def test_there_is_no_receipt_of_another_deposit_or_of_a_refund_only_begun(
    exited: Application, merchant: User, stranger: User
) -> None:
    begun = LedgerTransfer.objects.get(kind="refund")
    paid = LedgerTransfer.objects.get(kind="payment")
    assert browser(merchant).get(page("receipt", exited, begun.pk)).status_code == 404
    assert browser(stranger).get(page("receipt", exited, paid.pk)).status_code == 404


def test_each_step_of_a_refund_is_shown(exited: Application, merchant: User) -> None:
    client = browser(merchant)
    under_way = client.get(page("detail", exited), headers=HTMX)
    assert "hx-trigger" in under_way.content.decode() and "HX-Refresh" not in under_way

    pay_out()

    done = client.get(page("detail", exited), headers=HTMX)
    assert "hx-trigger" not in done.content.decode() and done["HX-Refresh"] == "true"


def test_a_refused_payment_is_shown_with_its_reason(approved: Application, pay: Pay, merchant: User) -> None:
    order = settle(pay(approved, buyer=OTHER_COMPANY))
    text = read(browser(merchant), page("detail", approved))
    assert str(order.returned.get_reason_display()) in text
    assert order.buyer_name in text


def test_the_withdrawal_page_withdraws(approved: Application, merchant: User, alipay: SandboxClient) -> None:
    seen = reload(approved).version
    answer = browser(merchant).post(page("withdraw", approved), {"reason": "改变计划", "seen": seen})
    assert answer.status_code == 302
    assert reload(approved).state == State.WITHDRAWN


# Cost ----------------------------------------------------------------------------------------------


def cost(client: Client, address: str) -> int:
    """Queries of the second visit."""
    read(client, address)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    return len(queries)


def test_the_pages_cost_the_same_whatever_they_show(active: Application, pay: Pay, merchant: User) -> None:
    client, row = browser(merchant), LedgerTransfer.objects.get()

    def refused_then_topped_up(required: int) -> None:
        Deposit.objects.filter(application=active).update(required=required)
        settle(pay(active, buyer=OTHER_COMPANY))
        settle(pay(active))

    pages = [
        page("detail", active),
        page("returned", active),
        page("receipt", active, row.pk),
        page("withdraw", active),
    ]
    refused_then_topped_up(100_100)
    assert [cost(client, address) for address in pages] == [14, 8, 7, 6]

    for required in (100_200, 100_300):
        refused_then_topped_up(required)

    assert [cost(client, address) for address in pages] == [14, 8, 7, 6]
