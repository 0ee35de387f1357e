from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from deposits.books import bookkeeping, ledger
from deposits.management.books import require_tables
from deposits.models import LedgerTransfer


class Command(BaseCommand):
    help = "Compares every balance with its rows and the whole with Alipay's cash; exits 1 on any difference."

    def handle(self, *args: Any, **options: Any) -> None:
        require_tables(LedgerTransfer)
        with transaction.atomic():
            # One moment for all figures, while payments go on.
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            totals = ledger.totals()
            comparisons = list(bookkeeping.comparisons())
        for account, amount in totals.items():
            self.stdout.write(f"{account.value:<24}{amount:>18,.2f}")
        self.stdout.write("")
        for row in comparisons:
            mark = "ok" if row.agrees else "DIFFERS"
            self.stdout.write(f"{row.name:<40}{row.ledger:>18,.2f}{row.rows:>18,.2f}  {mark}")
        differences = sum(not row.agrees for row in comparisons)
        if differences:
            self.stderr.write(f"{differences} figures differ.")
            raise SystemExit(1)
        self.stdout.write("The books balance.")
