"""Reminds approved companies of the deposit that is due, before their application lapses."""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.door import clock_text
from applications.lifecycle import State
from deposits import announcements
from deposits.duties import reminders
from deposits.locks import lock_deposit
from deposits.models import Deposit
from tmall_sp.core import clock

RULE = "deposit.payment_reminder_days"


def to_remind(now: dt.datetime) -> QuerySet[Deposit]:
    return Deposit.objects.filter(
        reminders.come(RULE, "application__deadline_at", "application__state_since", now),
        application__state=State.APPROVED,
    )


def remind(pk: int) -> bool:
    """Remind of one deposit that is to be paid, once for each of the rule's moments."""
    with transaction.atomic():
        # Whose a deposit is never changes, so this read needs no lock.
        application, deposit = lock_deposit(
            Deposit.objects.values_list("application_id", flat=True).get(pk=pk)
        )
        now = clock.now()
        if application.deadline_at is not None and to_remind(now).filter(pk=pk).exists():
            deposit.reminders = reminders.dealt_with(
                RULE, application.deadline_at, application.state_since, now
            )
            deposit.save(update_fields=["reminders"])
            announcements.tell_merchant(
                application,
                key=f"payment-reminder:{deposit.pk}:{deposit.reminders}",
                subject=_("Reminder: please pay the deposit"),
                body=format_lazy(
                    _("Pay {amount} by {until}, or your application lapses."),
                    amount=f"¥{deposit.required:,}",
                    until=clock_text(application.deadline_at),
                ),
            )
    return True
