"""What finance is told about reconciliation. Call it in the transaction of what is told."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy, ngettext_lazy

from deposits import announcements
from deposits.models import Difference, Mismatch, ReconciliationRun
from tmall_sp.core import clock

# So many stand in the notice itself; the page has all.
TOLD = 10


def tell_of(news: Iterable[Difference]) -> None:
    by_run: dict[ReconciliationRun, list[Difference]] = {}
    for difference in news:
        by_run.setdefault(difference.run, []).append(difference)
    for run, found in by_run.items():
        shown = found[:TOLD]
        words = [word for row in shown for word in (Mismatch(row.mismatch).label, _amount(row), row.number)]
        announcements.tell_finance(
            key=f"differences:{run.date}:{run.attempts}:{max(row.pk for row in found)}",
            subject=format_lazy(
                ngettext_lazy(
                    "Reconciliation of {day}: {count} difference",
                    "Reconciliation of {day}: {count} differences",
                    len(found),
                ),
                day=run,
                count=len(found),
            ),
            body=format_lazy("\n".join(["{} · {} · {}"] * len(shown)), *words),
            link=reverse("admin:deposits_reconciliationrun_change", args=[run.pk]),
        )


def _amount(difference: Difference) -> str:
    value = difference.their_amount if difference.their_amount is not None else difference.our_amount
    return f"¥{value:,}"


def tell_of_waiting(run: ReconciliationRun) -> None:
    announcements.tell_finance(
        key=f"no-bill:{run.date}:{clock.today()}",
        subject=format_lazy(gettext_lazy("There is still no bill of {day} from Alipay"), day=run),
        body=format_lazy(
            gettext_lazy("It is asked for again by itself. Last answer: {code}. Asked {count} times."),
            code=run.last_error,
            count=run.attempts,
        ),
        link=reverse("admin:deposits_reconciliationrun_change", args=[run.pk]),
    )
