"""A company's statement of its deposit as a table, for Excel and for its bookkeeping."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from deposits.books.accounts import RECEIPTS
from deposits.duties.case_names import case_name
from deposits.models import LedgerTransfer
from deposits.selectors import reason_of, receipt_number
from deposits.statements.statements import Statement
from deposits.statements.table_files import Cell, Table


def table(statement: Statement) -> Table:
    """Every movement, oldest first; amounts in CNY."""
    application = statement.deposit.application
    columns = [
        _("Time"),
        _("What"),
        _("Case"),
        _("Reason"),
        _("Amount"),
        _("Available, change"),
        _("Frozen, change"),
        _("Available afterwards"),
        _("Frozen afterwards"),
        _("Deposit afterwards"),
        _("Alipay's number"),
        _("Receipt"),
    ]
    title = f"{application.company_name} {application.credit_code} · {application.number}"
    return Table(title, columns, list(_rows(statement)))


def _rows(statement: Statement) -> Iterator[Sequence[Cell]]:
    for line in statement.lines:
        row = line.row
        yield [
            row.at,
            row.get_kind_display(),
            case_name(row.case),
            reason_of(row),
            row.amount,
            line.available,
            line.frozen,
            line.after.available,
            line.after.frozen,
            line.after.together,
            _alipay_number(row),
            receipt_number(row, statement.deposit.application) if row.kind in RECEIPTS else "",
        ]


def _alipay_number(row: LedgerTransfer) -> str:
    if row.payout is not None:
        return row.payout.alipay_number
    return row.order.trade_no if row.order is not None else ""
