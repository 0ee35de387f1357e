import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deposits.management.books import require_tables
from deposits.models import Difference, ReconciliationRun, RunState
from deposits.models.reconciliation import OPEN_DIFFERENCES
from deposits.reconciliation import days as reconciliation
from deposits.reconciliation.advice import advice, why_waiting
from deposits.reconciliation.figures import Comparison, Tally, comparisons
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

# Exit codes: everything agrees or is explained; open differences; no result, as a bill is missing.
OPEN, NO_RESULT = 1, 2


class Command(BaseCommand):
    help = (
        "Compares a day's bills of Alipay with our rows and prints the figures and each difference. "
        "Exits 1 on open differences, 2 while there is no bill."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--date", type=dt.date.fromisoformat, help="YYYY-MM-DD, Shanghai's calendar; yesterday by default"
        )
        parser.add_argument(
            "--again", action="store_true", help="ask for the bills again, though the day has been compared"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        require_tables(ReconciliationRun)
        try:
            run = reconciliation.day_of(options["date"] or clock.today() - reconciliation.DAY)
        except DomainError as error:
            raise CommandError(str(error.message)) from error
        is_wanted = run.state == RunState.WAITING or options["again"]
        if is_wanted:
            reconciliation.reconcile_now(run)
            run.refresh_from_db()
        self._print(run)
        if is_wanted and run.last_error:
            self._print_error(run)
        if run.state == RunState.WAITING or (is_wanted and run.last_error):
            raise SystemExit(NO_RESULT)
        if run.differences.filter(OPEN_DIFFERENCES).exists():
            raise SystemExit(OPEN)

    def _print(self, run: ReconciliationRun) -> None:
        self.stdout.write(f"{run.date}  {run.state}")
        if run.state != RunState.WAITING:
            self._print_figures(run)
        for difference in run.differences.select_related("explanation__actor"):
            self._print_difference(difference)

    def _print_error(self, run: ReconciliationRun) -> None:
        at = run.due_at.astimezone(clock.SHANGHAI) if run.due_at else clock.now()
        self.stderr.write(f"No result of this attempt ({run.last_error}): {why_waiting(run.last_error)}")
        self.stderr.write(f"Next attempt by itself: {at:%Y-%m-%d %H:%M}.")

    def _print_figures(self, run: ReconciliationRun) -> None:
        self.stdout.write(f"{'':<24}{'Alipay':>24}{'ours':>24}")
        for row in comparisons(run):
            self._print_comparison(row)
        for name, amount in (
            ("opening balance", run.opening),
            ("closing balance", run.closing),
            ("ledger's balance", run.our_cash),
        ):
            if amount is not None:
                self.stdout.write(f"{name:<24}{amount:>24,.2f}")
        if run.closing is not None and run.our_cash is not None:
            self.stdout.write(f"{'Alipay less ledger':<24}{run.closing - run.our_cash:>24,.2f}")

    def _print_comparison(self, row: Comparison) -> None:
        name = f"{row.bill.value}, {row.name}"
        self.stdout.write(f"{name:<24}{written(row.theirs):>24}{written(row.ours):>24}")
        for what, tally in (
            ("in another day's bill", row.ours_elsewhere),
            ("of another day with us", row.theirs_elsewhere),
            ("out and back at Alipay", row.offset),
        ):
            if tally.count:
                self.stdout.write(f"  {what}: {written(tally)}")

    def _print_difference(self, difference: Difference) -> None:
        self.stdout.write("")
        self.stdout.write(
            f"{difference.state:<10}{difference.bill:<14}{difference.mismatch:<14}{difference.number}"
            f"  Alipay {money(difference.their_amount)}  ours {money(difference.our_amount)}"
        )
        if difference.explanation is not None:
            self.stdout.write(f"  {difference.explanation.actor}: {difference.explanation.note}")
        elif difference.state == "open":
            self.stdout.write(f"  {difference.get_cause_display()}: {advice(difference)}")


def written(tally: Tally) -> str:
    return f"{tally.count} × {tally.amount:,.2f}" if tally.count else "—"


def money(amount: Decimal | None) -> str:
    return "—" if amount is None else f"{amount:,.2f}"
