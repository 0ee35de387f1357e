"""What follows from the last day of a member's business licence: reminders before it, a suspension after it.

A licence is valid through the whole of its last day in Asia/Shanghai. A renewal that was handed in by then waits
for us, so it holds both off until it is looked at. Each sweep may be repeated, and a night without one is made up
for: of several missed reminders the company gets the last.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import announcements, licence_renewals, suspensions
from applications.lifecycle import ADMITTED, State
from applications.locks import lock_application
from applications.models import Application, Suspension, SuspensionCause
from tmall_sp.core import clock, rules
from tmall_sp.core.notices import notify

RULE = "licence.reminder_days"
EXPIRES = Q(licence_permanent=False, licence_valid_until__isnull=False)
# Who serves, or served before it began to leave.
SERVING = Q(state__in=[State.ACTIVE, State.SUSPENDED]) | Q(
    state=State.EXITING, exit_origin__in=[State.ACTIVE, State.SUSPENDED]
)


# Before --------------------------------------------------------------------------------------------


def to_remind() -> QuerySet[Application]:
    """Admitted companies for whom one more of the rule's moments has come; none while a renewal waits."""
    today = clock.today()
    due = Q(pk__in=[])
    for days in rules.value(RULE):
        not_yet = Q(licence_reminded_at=0) | Q(licence_reminded_at__gt=days)
        due |= not_yet & Q(licence_valid_until__lte=today + dt.timedelta(days=days))
    return Application.objects.filter(
        EXPIRES,
        due,
        ~Exists(licence_renewals.queue().filter(application=OuterRef("pk"))),
        state__in=ADMITTED,
        licence_valid_until__gte=today,
    )


def remind(pk: int) -> bool:
    """Remind of one licence, once for each of the rule's moments."""
    with transaction.atomic():
        application = lock_application(pk)
        if not to_remind().filter(pk=pk).exists():
            return True
        until = application.licence_valid_until
        assert until is not None  # EXPIRES
        left = (until - clock.today()).days
        application.licence_reminded_at = min(days for days in rules.value(RULE) if left <= days)
        application.save(update_fields=["licence_reminded_at"])
        notify(
            announcements.merchants(application),
            key=f"licence:{application.pk}:{until.isoformat()}:{application.licence_reminded_at}",
            subject=gettext_lazy("Reminder: your business licence expires"),
            body=format_lazy(
                gettext_lazy(
                    "It is valid until {date}. Hand in the renewed one before, or your membership is suspended."
                ),
                date=until.isoformat(),
            ),
            link=reverse("applications:licence", args=[application.number]),
            email=application.contact_email if application.contact_email_verified_at else "",
        )
    return True


# After ---------------------------------------------------------------------------------------------


def expired() -> QuerySet[Application]:
    """Members whose licence has expired, that are not suspended for it yet, and handed nothing in in time."""
    today = clock.today()
    suspended = Suspension.objects.filter(
        application=OuterRef("pk"), cause=SuspensionCause.LICENCE_EXPIRED, lifted_at__isnull=True
    )
    return Application.objects.filter(
        EXPIRES,
        SERVING,
        ~Exists(suspended),
        ~_in_time(),
        licence_valid_until__lt=today,
    ).order_by("licence_valid_until", "pk")


def suspend(pk: int) -> bool:
    """Suspend one member for its expired licence."""
    with transaction.atomic():
        application = lock_application(pk)
        if expired().filter(pk=pk).exists():
            suspensions.suspend(
                pk,
                cause=SuspensionCause.LICENCE_EXPIRED,
                reason=_("The business licence was valid until %(date)s.")
                % {"date": application.licence_valid_until},
            )
    return True


def _in_time() -> Exists:
    """A renewal waits that was handed in on the old licence's last day, or before."""
    return Exists(
        licence_renewals.queue().filter(
            application=OuterRef("pk"), handed_in_at__date__lte=F("application__licence_valid_until")
        )
    )
