"""What the system reports by itself: a provider against which complaints are upheld, or that leaves them unanswered.

By the rule `violation.automatic`: so many within so many days. Each counts for one report only: after it, the
count begins anew.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, F, Max, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from applications.locks import lock_application
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint, ComplaintStep, Liability, Violation
from compliance.violations.reporting import report_by_system
from tmall_sp.core import clock, rules

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Events = QuerySet[Any]


def _upheld(since: dt.datetime) -> Events:
    return Complaint.objects.filter(
        state=ComplaintState.FINAL,
        liability__in=[Liability.LIABLE, Liability.SHARED],
        closed_at__gt=since,
    ).annotate(provider=F("application"), happened=F("closed_at"))


def _unanswered(since: dt.datetime) -> Events:
    """Decided by silence; what an appeal says about the claim doesn't make an answer of it."""
    return ComplaintStep.objects.filter(name="default", at__gt=since).annotate(
        provider=F("complaint__application"), happened=F("at")
    )


@dataclass(frozen=True)
class Trigger:
    """One reason to report. `count` and `days` are named in the rule."""

    name: str
    count: str
    days: str
    # What counts since an instant: rows with their `provider` and when they `happened`.
    events: Callable[[dt.datetime], Events]
    title: "StrPromise"
    facts: "StrPromise"

    def due(self) -> list[int]:
        """The providers (ids of their applications) to be reported for it now."""
        return list(_counted(self, _fresh(self)).values_list("provider", flat=True))

    def report_if_due(self, application_pk: int) -> bool:
        """Report the provider, unless another worker has."""
        with transaction.atomic():
            lock_application(application_pk)
            found = _counted(self, _fresh(self).filter(provider=application_pk)).first()
            if found is not None:
                report_by_system(
                    application_pk,
                    trigger=f"{self.name}:{found['newest']}",
                    title=str(self.title),
                    facts=self.facts
                    % {"count": found["number"], "first": _day(found["first"]), "last": _day(found["last"])},
                )
        return True


TRIGGERS = (
    Trigger(
        "complaints",
        "complaints",
        "complaint_days",
        _upheld,
        _("Many complaints were upheld"),
        _("%(count)s complaints against the company were upheld between %(first)s and %(last)s."),
    ),
    Trigger(
        "silence",
        "silences",
        "silence_days",
        _unanswered,
        _("Complaints were left unanswered"),
        _("%(count)s complaints were decided by the company's silence between %(first)s and %(last)s."),
    ),
)


def _fresh(trigger: Trigger) -> Events:
    """Within the days, and after the last report for the same reason."""
    since = clock.now() - dt.timedelta(days=rules.value("violation.automatic")[trigger.days])
    reported = (
        Violation.objects.filter(application=OuterRef("provider"), trigger__startswith=f"{trigger.name}:")
        .order_by("-reported_at")
        .values("reported_at")[:1]
    )
    return trigger.events(since).filter(happened__gt=Coalesce(Subquery(reported), since))


def _counted(trigger: Trigger, events: Events) -> Events:
    """By provider, where there are enough."""
    enough = rules.value("violation.automatic")[trigger.count]
    counted: Events = (
        events.order_by()
        .values("provider")
        .annotate(number=Count("pk"), newest=Max("pk"), first=Min("happened"), last=Max("happened"))
        .filter(number__gte=enough)
        .order_by("provider")
    )
    return counted


def _day(moment: dt.datetime) -> str:
    return f"{moment.astimezone(clock.SHANGHAI):%Y-%m-%d}"
