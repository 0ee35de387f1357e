"""Database connections are cut, the mail server or Alipay is away: work waits, and then is done once."""

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest

from tests import services as test_services
from tests.faults.browser import Browser
from tests.faults.damage import Damage
from tests.faults.door import Door
from tests.faults.merchant import to_cashier
from tests.faults.stage import Stage
from tests.journey.waiting import eventually
from tests.journey.words import zh
from tests.stack import Stack
from tmall_sp.demo.companies import company

pytestmark = pytest.mark.faults

# Long enough to break something meanwhile, shorter than what the portal waits for an answer.
SECONDS = 8.0
# After this a claim belongs to a dead worker.
EXPIRED = dt.timedelta(minutes=2, seconds=1)
# After this a mail or a check that failed a few times is tried again.
BACK_OFF = dt.timedelta(minutes=30)
# What the portal waits for an answer of Alipay, and the work itself.
PATIENCE = 13.0


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Door]]:
    """A stack, and the door that its mails go through."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    [port] = test_services.free_ports(1)
    stack.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    with Door(port, int(stack.environ["SANDBOX_SMTP_PORT"])) as door, stack:
        yield stack, door


@pytest.fixture(scope="module")
def stack(portal: tuple[Stack, Door]) -> Stack:
    return portal[0]


@pytest.fixture
def door(portal: tuple[Stack, Door]) -> Iterator[Door]:
    yield portal[1]
    portal[1].open()


# The database --------------------------------------------------------------------------------------


def test_cut_database_connections_are_made_anew(stack: Stack, stage: Stage, damage: Damage) -> None:
    """Idle ones, and those of a worker that waits for Taobao, or for Alipay, which has just sent the money."""
    browser = Browser(stack, company(0))
    stage.play("registered", 0)
    browser.log_in()
    assert damage.cut_connections() >= 1, "the portal keeps its own"
    for _ in range(8):
        browser.read("/console/")
    browser.close()

    stack.sandbox.fault("taobao.vas.order.search", "delay", seconds=SECONDS, after=True)
    [begun] = stage.play("begun", 1)
    eventually(stage.struck, "Taobao is asked")
    damage.cut_connections()
    stage.let_pass(EXPIRED)
    eventually(lambda: stage.state(begun) == "shop_verified", "the check is finished", 60)
    assert stage.evidence(begun) == 1

    with stage.worker_asleep():
        stage.play("leaving", 2)
    stack.sandbox.fault("alipay.trade.refund", "delay", seconds=SECONDS, after=True)
    [left] = stage.play("left", 2)
    payout = stage.payout(left)[2]
    eventually(lambda: stack.sandbox.refunds(out_request_no=payout), "Alipay pays")
    damage.cut_connections()
    assert stage.payout(left)[0] == "calling"
    stage.let_pass(EXPIRED)
    eventually(lambda: stage.payout(left)[0] == "done", "the refund is finished", 60)
    [refund] = stack.sandbox.refunds(out_request_no=payout)
    assert refund["executions"] == 1
    stage.assert_books_balance()


# Mail ----------------------------------------------------------------------------------------------


def test_mails_wait_for_their_server(stack: Stack, stage: Stage, door: Door) -> None:
    eventually(lambda: not stage.unsent_mails(), "what was told before is sent", 60)
    before = len(stack.sandbox.mails())
    door.shut()
    with stage.worker_asleep():
        stage.play("approved", 10)
    told = stage.unsent_mails()
    assert told >= 3
    eventually(lambda: stage.failed_mails() == told, "each has been tried", 60)

    door.open()
    stage.let_pass(BACK_OFF)

    eventually(lambda: not stage.unsent_mails(), "the mails are sent", 60)
    assert len(stack.sandbox.mails()) - before == told


def test_a_mail_server_that_hangs_holds_no_money_up(stack: Stack, stage: Stage, door: Door) -> None:
    with stage.worker_asleep():
        [approved] = stage.play("approved", 11)
    eventually(lambda: not stage.unsent_mails(), "what was told before is sent", 60)
    payer = Browser(stack, company(11))
    payer.log_in()
    door.hold()
    stack.sql(
        'INSERT INTO core_mail ("to", subject, body, state, attempts, due_at, error, maybe_twice)'
        " SELECT 'many@example.com', 'news', '', 'queued', 0, now(), '', false FROM generate_series(1, 60)"
    )
    stage.tell_of_mails()
    eventually(lambda: stage.failed_mails() >= 2, "the mail server is found hanging", 60)

    cashier = to_cashier(payer, approved)
    httpx.get(cashier, timeout=30, trust_env=False, follow_redirects=True).raise_for_status()
    stack.sandbox.pay(stage.open_order(approved), payer.company.alipay_account_id)

    eventually(lambda: stage.state(approved) == "active", "the payment is settled", 45)
    assert stage.unsent_mails() >= 50, "and nothing was mailed meanwhile"
    payer.close()


# Alipay --------------------------------------------------------------------------------------------


def test_a_merchant_is_told_that_alipay_is_away(stack: Stack, stage: Stage, damage: Damage) -> None:
    """Gone, then hanging: nothing is decided without it, and all of it can be done afterwards."""
    with stage.worker_asleep():
        [number] = stage.play("approved", 20)
    merchant = Browser(stack, company(20))
    merchant.log_in()
    deposit = f"/console/deposit/{number}/"
    away = zh("Alipay can't be reached at present. Nothing was changed; please try again later.")

    damage.kill("sandbox")
    cashier = to_cashier(merchant, number)
    with pytest.raises(httpx.ConnectError):
        httpx.get(cashier, trust_env=False)
    assert stage.open_order(number) in merchant.read(deposit)
    assert merchant.send(f"{deposit}withdraw/", reason="") == deposit
    assert away in merchant.read(deposit)

    damage.start("sandbox")
    damage.freeze("sandbox")
    assert merchant.send(f"{deposit}withdraw/", reason="") == deposit
    assert away in merchant.read(deposit)
    assert stage.state(number) == "approved"
    assert [a for a in merchant.answers if a.status >= 500 or a.seconds > PATIENCE] == []

    damage.thaw("sandbox")
    merchant.send(f"{deposit}withdraw/", reason="")
    assert stage.state(number) == "withdrawn"
    stage.assert_books_balance()
    merchant.close()
    assert damage.done == {"sandbox killed": 1, "sandbox frozen": 1}
