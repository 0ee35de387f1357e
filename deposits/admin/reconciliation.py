"""Reconciliation with Alipay: the days, their differences, and the lines of the bills."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.decorators import display

from deposits import permissions
from deposits.admin.base import MoneyAdmin, amount, moment, name, person, two_lines
from deposits.admin.reconciliation_steps import DIFFERENCE_STEPS, RUN_STEPS
from deposits.admin.tabs import Tab, TabFilter
from deposits.models import BillKind, BillLine, Difference, ReconciliationRun, RunState
from deposits.models.reconciliation import OPEN_DIFFERENCES
from deposits.reconciliation import decisions as reconciliation_decisions
from deposits.reconciliation.advice import advice, why_waiting
from deposits.reconciliation.differences import ours_without_line
from deposits.reconciliation.figures import comparisons, with_counts
from deposits.reconciliation.words import DIFFERENCE_COLOURS, DIFFERENCE_STATES, RUN_COLOURS, ours_of
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.step_pages import StepPages

# So many stand on the day's page itself; the list has all.
SHOWN = 50

EXPLAINED = Q(settled_at__isnull=True, explanation__isnull=False)
SETTLED = Q(settled_at__isnull=False)
WITHOUT_BILL = Q(state=RunState.WAITING)


class RunTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab(
            "open",
            _("With open differences"),
            Q(pk__in=Difference.objects.filter(OPEN_DIFFERENCES).values("run")),
            urgent=True,
        ),
        Tab("waiting", _("Without a bill"), WITHOUT_BILL, urgent=True),
        Tab("different", _("With differences"), Q(state=RunState.DIFFERENT)),
        Tab("balanced", _("Agree"), Q(state=RunState.BALANCED)),
    )


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(StepPages[ReconciliationRun], MoneyAdmin):
    steps = RUN_STEPS
    head_template = "admin/deposits/_reconciliation_head.html"
    page_template = "admin/deposits/reconciliation.html"
    list_display = [
        "day",
        "state_label",
        "matched_count",
        "open_count",
        "explained_count",
        "came_in_amount",
        "went_out_amount",
        "closing_amount",
        "ledger_amount",
        "last_error",
    ]
    list_filter = [RunTabs]
    list_before_template = "admin/deposits/list_head.html"
    date_hierarchy = "date"

    # The list

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReconciliationRun]:
        return with_counts(super().get_queryset(request))

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": RunTabs.shown(request, ReconciliationRun.objects.all(), summed=False)}

    @admin.display(description=_("day"), ordering="date")
    def day(self, run: ReconciliationRun) -> str:
        return str(run)

    @display(description=_("state"), ordering="state", label=RUN_COLOURS)
    def state_label(self, run: ReconciliationRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @admin.display(description=_("matched"))
    def matched_count(self, run: Any) -> int | str:
        return run.matched or "—"

    @admin.display(description=pgettext_lazy("difference", "open"))
    def open_count(self, run: Any) -> int | str:
        return run.open or "—"

    @admin.display(description=pgettext_lazy("difference", "explained"))
    def explained_count(self, run: Any) -> int | str:
        return run.explained or "—"

    @admin.display(description=_("came in"))
    def came_in_amount(self, run: Any) -> SafeString:
        return amount(run.came_in)

    @admin.display(description=_("went out"))
    def went_out_amount(self, run: Any) -> SafeString:
        return amount(run.went_out)

    @admin.display(description=_("balance at Alipay"))
    def closing_amount(self, run: ReconciliationRun) -> SafeString:
        return amount(run.closing)

    @admin.display(description=_("balance by the ledger"))
    def ledger_amount(self, run: ReconciliationRun) -> SafeString:
        return amount(run.our_cash)

    # The page

    def objects(self, request: HttpRequest) -> QuerySet[ReconciliationRun]:
        return ReconciliationRun.objects.all()

    def object_context(self, request: HttpRequest, obj: ReconciliationRun) -> dict[str, Any]:
        return {
            "run": obj,
            "title": str(obj),
            "run_colour": RUN_COLOURS[obj.state],
            "why_waiting": why_waiting(obj.last_error),
        }

    def page_context(self, request: HttpRequest, obj: ReconciliationRun) -> dict[str, Any]:
        rows = list(obj.differences.select_related("explanation__actor", "order", "payout", "entry"))
        lines = obj.lines.select_related("entry", "order", "payout")
        return {
            "comparisons": comparisons(obj),
            "balance_gap": _less(obj.closing, obj.our_cash),
            "differences": [(row, advice(row)) for row in _in_order(rows)],
            "settled": [row for row in rows if row.state == "settled"],
            "lines": lines.order_by("bill", "at", "pk")[:SHOWN],
            "lines_url": _lines_url(obj),
            "expected": _expected(obj) if obj.state == RunState.WAITING else [],
            "colours": DIFFERENCE_COLOURS,
            "states": DIFFERENCE_STATES,
        }


def _in_order(rows: list[Difference]) -> list[Difference]:
    """What waits for somebody first, and of two about one movement the one on which it is decided."""
    live = [row for row in rows if row.state != "settled"]
    return sorted(live, key=lambda row: (row.state != "open", row.bill != BillKind.FUND))


def _less(theirs: Any, ours: Any) -> Any:
    return None if theirs is None or ours is None else theirs - ours


def _expected(run: ReconciliationRun) -> list[tuple[Any, Any]]:
    """What of ours a day without its bill should tell of."""
    found: list[tuple[Any, Any]] = []
    for kind in BillKind:
        for rows in ours_without_line(run, kind):
            found += [(kind.label, row) for row in rows[:SHOWN]]
    return found


def _lines_url(run: ReconciliationRun, **more: str) -> str:
    query = urlencode({"run__id__exact": str(run.pk), **more})
    return f"{reverse('admin:deposits_billline_changelist')}?{query}"


class DifferenceTabs(TabFilter):
    title = _("state")
    tabs = (
        Tab("open", DIFFERENCE_STATES["open"], OPEN_DIFFERENCES, urgent=True),
        Tab("explained", DIFFERENCE_STATES["explained"], EXPLAINED),
        Tab("settled", DIFFERENCE_STATES["settled"], SETTLED),
    )


@admin.register(Difference)
class DifferenceAdmin(StepPages[Difference], MoneyAdmin):
    steps = DIFFERENCE_STEPS
    head_template = "admin/deposits/_difference_head.html"
    page_template = "admin/deposits/difference.html"
    list_display = ["what", "day", "bill", "mismatch", "theirs", "ours", "state_label"]
    list_select_related = ["run"]
    list_filter = [DifferenceTabs, "bill", "mismatch", "cause"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = ["number", "line__trade_no", "line__key", "order__out_trade_no", "payout__number"]
    search_help_text = _("Our number or Alipay's.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": DifferenceTabs.shown(request, Difference.objects.all(), summed=False)}

    @admin.display(description=_("difference"), ordering="cause")
    def what(self, difference: Difference) -> SafeString:
        return two_lines(difference.get_cause_display(), difference.number)

    @admin.display(description=_("day"), ordering="run__date")
    def day(self, difference: Difference) -> SafeString:
        return name(str(difference.run))

    @admin.display(description=_("at Alipay"), ordering="their_amount")
    def theirs(self, difference: Difference) -> SafeString:
        return amount(difference.their_amount)

    @admin.display(description=_("with us"), ordering="our_amount")
    def ours(self, difference: Difference) -> SafeString:
        return amount(difference.our_amount)

    @display(description=_("state"), label=DIFFERENCE_COLOURS)
    def state_label(self, difference: Difference) -> tuple[str, Any]:
        return difference.state, DIFFERENCE_STATES[difference.state]

    def objects(self, request: HttpRequest) -> QuerySet[Difference]:
        return Difference.objects.select_related(
            "run",
            "line",
            "entry__deposit__application",
            "order__deposit__application",
            "payout__refund__deposit__application",
            "payout__compensation__deposit__application",
            "payout__returned__order__deposit__application",
            "explanation__actor",
        )

    def object_context(self, request: HttpRequest, obj: Difference) -> dict[str, Any]:
        return {
            "difference": obj,
            "title": str(obj),
            "difference_state": DIFFERENCE_STATES[obj.state],
            "difference_colour": DIFFERENCE_COLOURS[obj.state],
        }

    def page_context(self, request: HttpRequest, obj: Difference) -> dict[str, Any]:
        is_bookable = permissions.may_handle_money(
            person(request)
        ) and reconciliation_decisions.can_be_booked(obj)
        return {
            "advice": advice(obj) if obj.settled_at is None else "",
            "explanations": obj.explanations.select_related("actor").order_by("-at", "-pk"),
            "proposals": _bookings(obj),
            "booking_url": _booking_url(obj) if is_bookable else "",
            "twins": _same_movement(obj),
        }


def _bookings(difference: Difference) -> Any:
    if difference.line is None:
        return []
    return reconciliation_decisions.bookings_of(difference).select_related("proposed_by", "decided_by")


def _booking_url(difference: Difference) -> str:
    assert difference.line is not None  # can_be_booked
    query = urlencode(reconciliation_decisions.booking_of(difference.line))
    return f"{reverse('admin:deposits_proposal_book_movement')}?{query}"


def _same_movement(difference: Difference) -> Any:
    """What else is open or explained of the same number on this day."""
    return (
        difference.run.differences.filter(number=difference.number)
        .exclude(pk=difference.pk)
        .exclude(number="")
    )


@admin.register(BillLine)
class BillLineAdmin(MoneyAdmin):
    list_display = ["time", "what", "numbers_of", "gained", "ours", "whose"]
    list_select_related = ["run", "entry", "order", "payout", "offset_by"]
    list_filter = ["bill", "sort"]
    ordering = ["-at", "-pk"]
    search_fields = ["key", "number", "trade_no", "other_side"]
    search_help_text = _("Our number or Alipay's.")
    date_hierarchy = "at"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup == "run__id__exact" or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("time"), ordering="at")
    def time(self, line: BillLine) -> SafeString | str:
        return moment(line.at)

    @admin.display(description=_("bill"), ordering="bill")
    def what(self, line: BillLine) -> SafeString:
        return two_lines(line.get_bill_display(), line.business)

    @admin.display(description=_("our number, Alipay's number"), ordering="number")
    def numbers_of(self, line: BillLine) -> SafeString:
        return two_lines(line.number or "—", line.trade_no)

    @admin.display(description=_("amount, balance"), ordering="amount")
    def gained(self, line: BillLine) -> SafeString:
        if line.balance is None:
            return amount(line.amount)
        return format_html('{}<span class="desk-muted">{}</span>', amount(line.amount), amount(line.balance))

    @admin.display(description=_("with us"))
    def ours(self, line: BillLine) -> SafeString:
        return name(ours_of(line))

    @admin.display(description=_("other side"), ordering="other_side")
    def whose(self, line: BillLine) -> SafeString:
        return name(line.other_side)


@tasks_from
def reconciliation_tasks(request: HttpRequest) -> list[Task]:
    """What waits for finance."""
    if not permissions.may_handle_money(person(request)):
        return []
    unexplained = Difference.objects.filter(OPEN_DIFFERENCES).count()
    waiting = ReconciliationRun.objects.filter(WITHOUT_BILL).count()
    return [
        Task(
            _("Reconciliation: differences open"),
            unexplained,
            f"{reverse('admin:deposits_difference_changelist')}?tab=open",
            urgent=unexplained > 0,
        ),
        Task(
            _("Reconciliation: days without a bill"),
            waiting,
            f"{reverse('admin:deposits_reconciliationrun_changelist')}?tab=waiting",
        ),
    ]
