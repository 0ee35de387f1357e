"""Redis is gone, or hangs, while companies apply and pay: nobody notices, and nothing is lost."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests import services as test_services
from tests.faults.browser import Browser
from tests.faults.damage import Damage
from tests.faults.door import Door
from tests.faults.merchant import begin, fill_in, hand_in, prove_address, to_cashier
from tests.faults.stage import Stage
from tests.journey.waiting import eventually
from tests.stack import Stack
from tmall_sp.demo.companies import company
from tmall_sp.embedded import redis

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(
        not test_services.is_embedded("redis"), reason="REDIS_URL names a server that is not ours to stop"
    ),
]

# The time-out of one publish (1 s), and the work itself.
PATIENCE = 2.5
CATCHES_UP = 90


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Door]]:
    """A stack, and the door to its Redis: over TCP, as where it is deployed."""
    stack = Stack(tmp_path_factory.mktemp("stack"))
    [port] = test_services.free_ports(1)
    stack.environ["REDIS_URL"] = f"redis://127.0.0.1:{port}"
    with Door(port, redis.socket_file(stack.run_dir)) as door, stack:
        yield stack, door


@pytest.fixture(scope="module")
def stack(portal: tuple[Stack, Door]) -> Stack:
    return portal[0]


class Outage:
    """Three merchants who use the portal at the same time while Redis is away."""

    def __init__(self, stack: Stack, stage: Stage, first: int) -> None:
        self.stack, self.stage = stack, stage
        self.newcomer, self.submitter, self.payer = (
            Browser(stack, company(number)) for number in range(first, first + 3)
        )
        with stage.worker_asleep():
            stage.play("registered", first)
            [self.ready] = stage.play("ready", first + 1)
            [self.approved] = stage.play("approved", first + 2)
        self.begun = ""
        eventually(lambda: not stage.unsent_mails(), "what was told before is sent")

    def everybody_acts(self) -> None:
        with ThreadPoolExecutor(3) as pool:
            for act in [pool.submit(act) for act in (self._apply, self._submit, self._pay)]:
                act.result()

    def _apply(self) -> None:
        self.newcomer.log_in()
        self.begun = begin(self.newcomer)
        fill_in(self.newcomer, self.begun)

    def _submit(self) -> None:
        self.submitter.log_in()
        hand_in(self.submitter, self.ready)

    def _pay(self) -> None:
        self.payer.log_in()
        cashier = to_cashier(self.payer, self.approved)
        httpx.get(cashier, timeout=30, trust_env=False, follow_redirects=True).raise_for_status()
        order = self.stage.open_order(self.approved)
        self.stack.sandbox.pay(order, self.payer.company.alipay_account_id)
        eventually(lambda: self._is_told(order), "Alipay's notification is taken")
        self.payer.read(f"/console/deposit/{self.approved}/")

    def _is_told(self, order: str) -> bool:
        [news] = self.stack.sandbox.notifications(out_trade_no=order)
        return bool(news["status"] == "delivered")

    def assert_nobody_noticed(self) -> None:
        answers = [a for person in (self.newcomer, self.submitter, self.payer) for a in person.answers]
        assert len(answers) >= 20
        assert [a for a in answers if a.status >= 500 or a.seconds > PATIENCE] == []

    def assert_all_waits(self) -> None:
        """Accepted, and stored; no worker has heard of it."""
        states = [self.stage.state(number) for number in (self.begun, self.ready, self.approved)]
        assert states == ["created", "under_review", "approved"]
        assert self.stage.unsent_mails() >= 2

    def assert_all_catches_up(self) -> None:
        stage = self.stage
        eventually(lambda: stage.state(self.begun) == "shop_verified", "the shop is checked", CATCHES_UP)
        eventually(lambda: stage.state(self.approved) == "active", "the payment is settled", CATCHES_UP)
        eventually(lambda: not stage.unsent_mails(), "the mails are sent", CATCHES_UP)
        assert stage.evidence(self.begun) == 1
        assert stage.steps(self.approved).count("record_deposit") == 1
        stage.assert_books_balance()

    def go_on(self) -> None:
        """The newcomer finishes with the code that came by mail."""
        prove_address(self.newcomer, self.begun)
        hand_in(self.newcomer, self.begun)
        assert self.stage.state(self.begun) == "under_review"

    def close(self) -> None:
        for person in (self.newcomer, self.submitter, self.payer):
            person.close()


def heard(stack: Stack, task: str) -> int:
    """How often the worker, which nobody has restarted, was told of a task."""
    return stack.log("worker").count(f"{task}[")


@pytest.mark.parametrize(
    ("kind", "first", "seconds"),
    # So long that worker and beat give their silent connections up and make new ones.
    [("killed", 20, 20), ("frozen", 30, 60)],
)
def test_nobody_notices_that_redis_is_away(
    stack: Stack, stage: Stage, damage: Damage, kind: str, first: int, seconds: float
) -> None:
    outage = Outage(stack, stage, first)
    strike: Callable[[], None] = {"killed": damage.kill_redis, "frozen": damage.freeze_redis}[kind]
    mend: Callable[[], None] = {"killed": damage.start_redis, "frozen": damage.thaw_redis}[kind]

    strike()
    began = time.monotonic()
    outage.everybody_acts()
    outage.assert_all_waits()
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    mend()
    by_beat, by_web = heard(stack, "sweep_mail"), heard(stack, "check_shop")

    outage.assert_all_catches_up()
    outage.assert_nobody_noticed()
    assert damage.done == {f"redis {kind}": 1}

    outage.go_on()
    stage.play("begun", first + 3)
    eventually(lambda: heard(stack, "check_shop") > by_web, "the worker is told at once again")
    eventually(lambda: heard(stack, "sweep_mail") > by_beat, "beat tells the worker again")
    outage.close()


def test_a_redis_that_vanished_is_found_again(portal: tuple[Stack, Door], stage: Stage) -> None:
    """Its connections are never closed, as after a failover: worker and beat must give them up by themselves."""
    stack, door = portal
    assert door.strand() >= 2, "the worker's and beat's"
    by_beat = heard(stack, "sweep_mail")
    [begun] = stage.play("begun", 40)

    eventually(lambda: heard(stack, "sweep_mail") >= by_beat + 2, "beat and worker meet again", 120)
    eventually(lambda: stage.state(begun) == "shop_verified", "the shop is checked")
