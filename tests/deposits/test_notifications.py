"""What Alipay tells: believed only as a reason to ask, and never twice."""

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client
from django.urls import reverse

from applications.lifecycle import State
from applications.models import Application
from deposits import tasks
from deposits.incoming import payments
from deposits.models import AlipayNotification, LedgerTransfer, PaymentOrder
from tests.deposits.conftest import Pay, deposit_of, reload
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User


def genuine(alipay: SandboxClient, order: PaymentOrder, **changed: str) -> dict[str, str]:
    """A notification that Alipay has signed, whatever it says; it is not delivered by the sandbox."""
    row = alipay.notify(out_trade_no=order.out_trade_no, url="http://127.0.0.1:9/", fields=changed)
    return dict(row["fields"])


def tell(fields: dict[str, str]) -> str:
    answer = Client().post(
        reverse("alipay_notify"), urlencode(fields), content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 200
    return answer.content.decode()


def only() -> AlipayNotification:
    return AlipayNotification.objects.get()


@pytest.fixture
def paid(approved: Application, pay: Pay) -> PaymentOrder:
    """Paid at Alipay; nobody has told us."""
    return pay(approved)


def test_a_genuine_notification_brings_the_payment_in(
    approved: Application, paid: PaymentOrder, alipay: SandboxClient
) -> None:
    assert tell(genuine(alipay, paid)) == "success"
    assert (only().verdict, only().order) == ("believed", paid)

    tasks.sweep_orders()

    assert reload(approved).state == State.ACTIVE


def test_a_notification_moves_no_money_by_itself(
    approved: Application, merchant: User, pay: Pay, alipay: SandboxClient
) -> None:
    """It says paid, and is signed; but Alipay's query says otherwise."""
    order = payments.open_order(approved.pk, actor=merchant)
    fields = alipay.notify(
        url="http://127.0.0.1:9/",
        fields={
            "out_trade_no": order.out_trade_no,
            "seller_id": "2088000000000001",
            "total_amount": "100000.00",
            "trade_status": "TRADE_SUCCESS",
        },
    )["fields"]

    assert tell(fields) == "success"
    tasks.sweep_orders()

    assert reload(approved).state == State.APPROVED
    assert not LedgerTransfer.objects.exists()


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"app_id": "2021000000000002"}, "other_app"),
        ({"seller_id": "2088000000000002"}, "other_seller"),
        ({"out_trade_no": "D0"}, "unknown_order"),
    ],
)
def test_what_is_not_about_us_is_kept_with_its_reason_and_changes_nothing(
    paid: PaymentOrder, alipay: SandboxClient, changed: dict[str, str], verdict: str
) -> None:
    fields = genuine(alipay, paid, **changed)

    assert tell(fields) == "success"
    tasks.sweep_orders()

    assert (only().verdict, only().reason) == (verdict, next(iter(changed.values())))
    assert PaymentOrder.objects.get(pk=paid.pk).state == "open"
    assert not LedgerTransfer.objects.exists()


def test_another_amount_is_noted_and_alipay_is_asked(
    approved: Application, paid: PaymentOrder, alipay: SandboxClient
) -> None:
    assert tell(genuine(alipay, paid, total_amount="0.01")) == "success"
    tasks.sweep_orders()

    assert (only().verdict, only().reason) == ("other_amount", "0.01")
    assert reload(approved).state == State.ACTIVE


def test_a_forged_one_is_refused_and_kept(paid: PaymentOrder, alipay: SandboxClient) -> None:
    fields = genuine(alipay, paid)

    assert tell(fields | {"total_amount": "0.01"}) == "failure"
    assert tell({}) == "failure"
    tasks.sweep_orders()

    assert {row.verdict for row in AlipayNotification.objects.all()} == {"bad_signature"}
    assert PaymentOrder.objects.get(pk=paid.pk).state == "open"
    assert tell(fields) == "success", "a forged one must not take the genuine one's place"


def test_forged_ones_dont_fill_the_disk(
    paid: PaymentOrder, alipay: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "FORGED_PER_HOUR", 2)
    for number in range(5):
        assert tell({"notify_id": str(number)}) == "failure"
    assert AlipayNotification.objects.count() == 2


def test_it_is_taken_by_post_alone(db: None) -> None:
    assert Client().get(reverse("alipay_notify")).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_fifty_at_once_make_one_entry(
    approved: Application, paid: PaymentOrder, alipay: SandboxClient
) -> None:
    fields = genuine(alipay, paid)

    def deliver(_number: int) -> str:
        try:
            answer = tell(fields)
            payments.check_order(paid.pk)
            return answer
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(deliver, range(50)))

    assert set(answers) == {"success"}
    assert only().deliveries == 50
    assert [row.kind for row in LedgerTransfer.objects.all()] == ["payment"]
    assert deposit_of(approved).available == 100000
    assert reload(approved).state == State.ACTIVE
    assert [row.name for row in approved.transitions.all()].count("record_deposit") == 1


def test_news_of_a_settled_order_changes_nothing(
    approved: Application, paid: PaymentOrder, alipay: SandboxClient
) -> None:
    """The first notification comes again after the refund's."""
    first = genuine(alipay, paid)
    tell(first)
    tasks.sweep_orders()

    tell(genuine(alipay, paid, trade_status="TRADE_CLOSED"))
    tell(first)
    tasks.sweep_orders()

    assert PaymentOrder.objects.get(pk=paid.pk).next_check_at is None
    assert LedgerTransfer.objects.count() == 1


@pytest.mark.parametrize("change", ["params = '{}'", "verdict = 'believed'", "notify_id = 'x'"])
def test_sql_changes_no_notification(db: None, change: str) -> None:
    tell({"notify_id": "1"})
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE deposits_alipaynotification SET {change}")
