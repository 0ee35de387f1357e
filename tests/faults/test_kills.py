"""The worker is killed in the middle of its work: after a restart the work is done, exactly once."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest

from tests.faults.damage import Damage
from tests.faults.stage import Stage
from tests.journey.waiting import eventually
from tests.stack import Stack

pytestmark = pytest.mark.faults

FIRST_CALL, LAST_CALL = "taobao.user.seller.get", "taobao.vas.order.search"
REFUND = "alipay.trade.refund"
# Long enough to kill somebody meanwhile, shorter than what the portal waits for an answer.
SECONDS = 8.0
# Long enough for the next worker to have begun.
IN_FLIGHT = 25.0
# After this a claim belongs to a dead worker.
EXPIRED = dt.timedelta(minutes=2, seconds=1)


# The shop check ------------------------------------------------------------------------------------


def test_a_shop_check_survives_its_worker(stack: Stack, stage: Stage, damage: Damage) -> None:
    """Dead while Taobao answers its first call, or its last; or only the pool's process is, for want of memory."""

    def begin_and_lose(company: int, method: str, lose: Callable[[str], None]) -> str:
        stack.sandbox.clear_faults()
        stack.sandbox.fault(method, "delay", seconds=SECONDS, after=True)
        [number] = stage.play("begun", company)
        eventually(stage.struck, "Taobao is asked")
        lose("worker")
        assert stage.check(number) == ("running", 1, "")
        assert (stage.state(number), stage.evidence(number)) == ("created", 0)
        return number

    def is_finished_once(number: str) -> None:
        stage.let_pass(EXPIRED)
        eventually(lambda: stage.state(number) == "shop_verified", "the check is finished", 60)
        assert stage.check(number) == ("done", 2, "")
        assert stage.evidence(number) == 1
        assert stage.steps(number) == ["create", "pass_shop_check"]

    for company, method in enumerate([FIRST_CALL, LAST_CALL]):
        number = begin_and_lose(company, method, damage.kill)
        damage.start("worker")
        is_finished_once(number)
    is_finished_once(begin_and_lose(2, LAST_CALL, damage.kill_children))

    assert damage.done == {"worker killed": 2, "worker's children killed": 1}


# The refund ----------------------------------------------------------------------------------------

Moment = Callable[[Stage, Damage], AbstractContextManager[Callable[[str], bool]]]


@contextmanager
def claimed_but_not_called(stage: Stage, damage: Damage) -> Iterator[Callable[[str], bool]]:
    """The worker waits for the order's row, which names the trade to refund."""
    before = stage.stack.sandbox.books()["calls"].get(REFUND, 0)
    with damage.table_locked("deposits_paymentorder"):
        yield lambda number: stage.stack.sandbox.books()["calls"].get(REFUND, 0) == before


@contextmanager
def called_but_lost(stage: Stage, damage: Damage) -> Iterator[Callable[[str], bool]]:
    """The call never reaches those who execute it."""
    stage.stack.sandbox.fault(REFUND, "delay", seconds=SECONDS)
    stage.stack.sandbox.fault(REFUND, "drop")
    yield lambda number: stage.struck() == 2 and not stage.stack.sandbox.refunds(out_request_no=number)


@contextmanager
def called_and_executed_late(stage: Stage, damage: Damage) -> Iterator[Callable[[str], bool]]:
    """Alipay executes long after the caller has died, while or after the next one asks."""
    stage.stack.sandbox.fault(REFUND, "delay", seconds=IN_FLIGHT)
    yield lambda number: stage.struck() == 1 and not stage.stack.sandbox.refunds(out_request_no=number)


@contextmanager
def executed_but_not_heard(stage: Stage, damage: Damage) -> Iterator[Callable[[str], bool]]:
    """The money has left, and the answer is on its way."""
    stage.stack.sandbox.fault(REFUND, "delay", seconds=SECONDS, after=True)
    yield lambda number: bool(stage.stack.sandbox.refunds(out_request_no=number))


MOMENTS: tuple[Moment, ...] = (
    called_and_executed_late,  # first: what is late has come by the end of the test
    claimed_but_not_called,
    called_but_lost,
    executed_but_not_heard,
)


def test_a_refund_survives_its_worker(stack: Stack, stage: Stage, damage: Damage) -> None:
    companies = range(10, 10 + len(MOMENTS))
    with stage.worker_asleep():
        stage.play("leaving", *companies)

    def die_at(moment: Moment, company: int) -> str:
        stack.sandbox.clear_faults()
        with ExitStack() as until_death:
            with stage.worker_asleep():
                [application] = stage.play("left", company)
                has_come = until_death.enter_context(moment(stage, damage))
            payout = stage.payout(application)[2]
            eventually(lambda: stage.payout(application)[0] == "calling", "a worker claims the refund")
            eventually(lambda: has_come(payout), moment.__name__)
            damage.kill("worker")
            assert stage.payout(application) == ("calling", 1, payout)
        return application

    def is_finished(application: str) -> bool:
        return bool(stage.payout(application)[0] == "done")

    def is_refunded_once(application: str) -> None:
        [refund] = stack.sandbox.refunds(out_request_no=stage.payout(application)[2])
        assert (refund["amount"], refund["executions"]) == ("100000.00", 1)
        assert stage.steps(application).count("refund_paid") == 1

    applications = []
    for company, moment in zip(companies, MOMENTS, strict=True):
        applications.append(die_at(moment, company))
        damage.start("worker")
        stage.let_pass(EXPIRED)
        eventually(lambda: is_finished(applications[-1]), f"refund after {moment.__name__}", 60)

    for application in applications:
        is_refunded_once(application)
    stage.assert_books_balance()
    assert damage.done == {"worker killed": 4, "table locked": 1}
