"""What of complaints waits for operations: the tabs above their list, and the tasks on the desk's first page."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.complaints.lifecycle import OPEN, ComplaintState
from compliance.models import Complaint
from deposits.admin.tabs import Tab, TabFilter
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core import clock
from tmall_sp.core.desk import Task, tasks_from

ALL = "all"
# What is due within this time is shown as pressing.
SOON = dt.timedelta(hours=24)
# Operations owe a decision; every other state's deadline ends in something by itself.
WAITING = Q(state__in=[ComplaintState.AWAITING_DECISION, ComplaintState.APPEALED])
APPEALED = Q(state=ComplaintState.APPEALED)


def mine(request: HttpRequest) -> Q:
    return Q(claimed_by=request.user.pk, state__in=OPEN)


def soon(now: dt.datetime) -> Q:
    """Waiting, and due before long; the instant itself is still in time."""
    return WAITING & Q(due_at__gte=now, due_at__lt=now + SOON)


def overdue(now: dt.datetime) -> Q:
    return WAITING & Q(due_at__lt=now)


def shows_queue(request: HttpRequest) -> bool:
    """Whether the list shows what waits for a decision: by default, but not while somebody searches or filters."""
    return not set(request.GET) - {PAGE_VAR, ORDER_VAR}


class WorkTabs(TabFilter):
    """What waits for a decision, unless said otherwise; a search looks everywhere."""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(request, *args)
        if shows_queue(request):
            self.used_parameters[self.parameter_name] = "waiting"

    @classmethod
    def tabs_of(cls, request: HttpRequest) -> Sequence[Tab]:
        now = clock.now()
        return (
            Tab("waiting", _("To decide"), WAITING),
            Tab("mine", _("Mine"), mine(request)),
            Tab("appeals", _("Appeals"), APPEALED),
            Tab("soon", _("Due soon"), soon(now), urgent=True),
            Tab("overdue", _("Overdue"), overdue(now), urgent=True),
        )

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*super().lookups(request, model_admin), (ALL, _("All"))]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """No choice for 'no value': that is the default."""
        shown = self.value() or ALL
        for value, title in self.lookup_choices:
            yield {
                "selected": shown == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    @classmethod
    def shown(cls, request: HttpRequest, rows: QuerySet, *, summed: bool = False) -> list[dict[str, Any]]:
        tabs = super().shown(request, rows, summed=summed)
        waiting, everything = tabs[0], tabs[-1]
        waiting["active"] = waiting["active"] or shows_queue(request)
        everything["active"] = not any(tab["active"] for tab in tabs[:-1])
        everything["url"] += f"?{cls.parameter_name}={ALL}"
        return tabs


@tasks_from
def complaint_tasks(request: HttpRequest) -> list[Task]:
    """What this person can decide; whoever may not decide a case is not asked for it."""
    person = request.user
    if not isinstance(person, User) or not has_role(person, Role.OPS):
        return []
    waiting = WAITING & ~_not_for(person)
    late = overdue(clock.now())
    counts = Complaint.objects.filter(WAITING | mine(request)).aggregate(
        mine=Count("pk", filter=mine(request)),
        decisions=Count("pk", filter=waiting & ~APPEALED),
        appeals=Count("pk", filter=waiting & APPEALED),
        overdue=Count("pk", filter=late),
        late_decisions=Count("pk", filter=waiting & late & ~APPEALED),
        late_appeals=Count("pk", filter=waiting & late & APPEALED),
    )
    return [
        _task(_("Complaints to decide"), counts["decisions"], "waiting", urgent=counts["late_decisions"] > 0),
        _task(_("Appeals to decide"), counts["appeals"], "appeals", urgent=counts["late_appeals"] > 0),
        _task(_("My complaints"), counts["mine"], "mine"),
        _task(_("Decisions overdue"), counts["overdue"], "overdue", urgent=counts["overdue"] > 0),
    ]


def _not_for(person: User) -> Q:
    """As permissions.is_impartial and may_decide_appeal, for the database to count."""
    return (
        Q(entered_by=person)
        | Q(application__approved_by=person)
        | Q(application__applicant=person)
        | (APPEALED & Q(decided_by=person))
    )


def _task(title: str | Promise, count: int, tab: str, *, urgent: bool = False) -> Task:
    address = reverse("admin:compliance_complaint_changelist")
    return Task(title, count, f"{address}?{WorkTabs.parameter_name}={tab}", urgent=urgent)
