"""A month's totals: a page for the screen, one to print, and a file."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from deposits.books import monthly
from deposits.books.accounts import REVERSING
from deposits.books.monthly import Month, Moved, Totals
from deposits.statements.table_files import Cell, Table
from tmall_sp.core import clock


def asked_month(request: HttpRequest) -> Month:
    """The month of the query; the current one where none is named. ValueError for one that is none."""
    text = request.GET.get("month", "")
    return Month.parse(text) if text else monthly.current()


def context(request: HttpRequest) -> dict[str, Any]:
    """What the page shows: the month's totals, or why there are none."""
    months = monthly.known()
    found: dict[str, Any] = {"months": months, "made_at": clock.now()}
    try:
        month = asked_month(request)
    except ValueError:
        return {**found, "problem": _("This is not a month. Choose one of the list.")}
    found |= {"month": month, "earlier": month.plus(-1), "later": month.plus(1)}
    if month > months[0]:
        return {**found, "later": None, "problem": _("This month has not begun yet.")}
    totals = monthly.totals(month)
    return {
        **found,
        "later": found["later"] if month < months[0] else None,
        "totals": totals,
        "is_current": month == months[0],
        "moved": [(line, rows_url(month, line)) for line in totals.moved],
    }


def rows_url(month: Month, line: Moved) -> str:
    """The rows of the ledger that a line adds up."""
    query = {
        "kind__exact": line.kind.value,
        "at__gte": month.begin.isoformat(),
        "at__lt": month.end.isoformat(),
    }
    if line.kind in REVERSING:
        query |= {"debit__exact": line.debit.value, "credit__exact": line.credit.value}
    return f"{reverse('admin:deposits_ledgertransfer_changelist')}?{urlencode(query)}"


def table(totals: Totals) -> Table:
    """Both parts under one another: what moved by kind, then the accounts."""
    columns = [
        _("Part"),
        _("Name"),
        _("Debit"),
        _("Credit"),
        _("Rows"),
        _("Amount"),
        _("Opening"),
        _("Moved"),
        _("Closing"),
        _("In the ledger"),
    ]
    title = _("Totals of %(month)s") % {"month": totals.month}
    return Table(title, columns, list(_rows(totals)))


def _rows(totals: Totals) -> Iterator[Sequence[Cell]]:
    nothing: list[Cell] = [None, None, None, None]
    for line in totals.moved:
        yield [
            _("By kind"),
            str(line.kind.label),
            str(line.debit.label),
            str(line.credit.label),
            line.count,
            line.amount,
            *nothing,
        ]
    for account in totals.accounts:
        yield [
            _("By account"),
            str(account.account.label),
            *nothing,
            account.opening,
            account.moved,
            account.closing,
            account.ledger,
        ]
