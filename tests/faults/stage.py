"""Plays scenes in a stack, and reads what has become of the companies in them."""

import contextlib
import datetime as dt
import json
import signal
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.stack import Stack


class Stage:
    """The companies of one stack, by their number in the demo."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._offset = dt.timedelta()

    def let_pass(self, time: dt.timedelta) -> None:
        """Portal and sandbox believe that so much time has passed; it never goes back."""
        self._offset += time
        self.stack.set_clock(self._offset)

    def play(self, scene: str, *companies: int) -> list[str]:
        """Play a scene for each company; the numbers of their applications."""
        code = f"from tests.faults import scenes; scenes.tell(scenes.{scene}, {list(companies)})"
        numbers: list[str] = json.loads(self.stack.python(code).splitlines()[-1])
        return numbers

    def load(self, crowd: str, *arguments: object) -> None:
        """Load a crowd of companies: crowd.load_<crowd>(*arguments)."""
        code = f"from tests.faults import crowd; crowd.load_{crowd}(*{list(arguments)})"
        self.stack.python(code, as_owner=True)

    def act(self, crowd_does: str, *arguments: object) -> None:
        """Let the crowd that was loaded do something, such as crowd.pay_one_after_the_other."""
        self.stack.python(f"from tests.faults import crowd; crowd.{crowd_does}(*{list(arguments)})")

    @contextlib.contextmanager
    def worker_asleep(self) -> Iterator[None]:
        """What is played in the block is over before any worker hears of it."""
        self.stack.signal("worker", signal.SIGSTOP)
        try:
            yield
        finally:
            self.stack.signal("worker", signal.SIGCONT)

    def tell_of_mails(self) -> None:
        """A worker is told of every mail that waits, as it is when they are written."""
        self.stack.python(
            "from tmall_sp.core import jobs, models, tasks\n"
            "for mail in models.Mail.objects.filter(state='queued'): jobs.enqueue(tasks.send_mail, mail.pk)"
        )

    def struck(self) -> int:
        """How many calls the faults that were ordered at the sandbox have struck."""
        return sum(fault["hits"] for fault in self.stack.sandbox.get("faults"))

    # What became of them

    def state(self, number: str) -> str:
        """The application's state."""
        [(state,)] = self.stack.sql("SELECT state FROM applications_application WHERE number = %s", number)
        return str(state)

    def steps(self, number: str) -> list[str]:
        """The names of its timeline's entries, in their order."""
        rows = self.stack.sql(
            "SELECT t.name FROM applications_transition t JOIN applications_application a"
            " ON a.id = t.application_id WHERE a.number = %s ORDER BY t.id",
            number,
        )
        return [name for (name,) in rows]

    def check(self, number: str) -> tuple[Any, ...]:
        """State, attempts and last error of its first shop check."""
        [row] = self.stack.sql(
            "SELECT c.state, c.attempts, c.last_error FROM applications_shopcheck c"
            " JOIN applications_application a ON a.id = c.application_id WHERE a.number = %s",
            number,
        )
        return row

    def evidence(self, number: str) -> int:
        """How many pieces of evidence its shop checks have left."""
        [(count,)] = self.stack.sql(
            "SELECT count(*) FROM applications_shopevidence e JOIN applications_application a"
            " ON a.id = e.application_id WHERE a.number = %s",
            number,
        )
        return int(count)

    def payout(self, number: str) -> tuple[Any, ...]:
        """(state, attempts, number) of the one payout that gives the company its deposit back."""
        [row] = self.stack.sql(
            "SELECT p.state, p.attempts, p.number FROM deposits_payout p"
            " JOIN deposits_refund r ON r.id = p.refund_id JOIN deposits_deposit d ON d.id = r.deposit_id"
            " JOIN applications_application a ON a.id = d.application_id WHERE a.number = %s",
            number,
        )
        return row

    def unsent_mails(self) -> int:
        [(count,)] = self.stack.sql("SELECT count(*) FROM core_mail WHERE state <> 'sent'")
        return int(count)

    def failed_mails(self) -> int:
        """Mails that were tried in vain, and will be tried again."""
        [(count,)] = self.stack.sql("SELECT count(*) FROM core_mail WHERE state = 'queued' AND attempts > 0")
        return int(count)

    def open_order(self, number: str) -> str:
        """The number under which the company can pay at Alipay now."""
        [(order,)] = self.stack.sql(
            "SELECT o.out_trade_no FROM deposits_paymentorder o"
            " JOIN deposits_deposit d ON d.id = o.deposit_id"
            " JOIN applications_application a ON a.id = d.application_id"
            " WHERE o.state = 'open' AND a.number = %s",
            number,
        )
        return str(order)

    def cash(self) -> Decimal:
        """What our ledger says that we have at Alipay."""
        [(cash,)] = self.stack.sql(
            "SELECT COALESCE(SUM(CASE 'alipay_cash' WHEN debit THEN amount WHEN credit THEN -amount END), 0)"
            " FROM deposits_ledgertransfer"
        )
        return Decimal(cash)

    def cash_at_alipay(self) -> Decimal:
        """What Alipay says that we have."""
        return Decimal(self.stack.sandbox.books()["seller_balance"])

    def assert_books_balance(self) -> None:
        """Ours by themselves, Alipay's by themselves, and both with each other."""
        assert "The books balance." in self.stack.manage("ledger_check")
        alipay = self.stack.sandbox.books()
        assert alipay["balanced"]
        assert alipay["refunds_executed_more_than_once"] == []
