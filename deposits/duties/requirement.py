"""Members follow the required amount of the rule `deposit.required`; who is only approved keeps its own (design §4)."""

from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from deposits import announcements
from deposits.duties import topups
from deposits.locks import lock_deposit
from deposits.models import DemandCause, Deposit
from tmall_sp.core import clock, rules


def outdated() -> QuerySet[Deposit]:
    """Deposits of members that still go by another amount than the rule's."""
    return Deposit.objects.filter(application__state__in=topups.FILLING_UP).exclude(required=_in_force())


def _in_force() -> Decimal:
    return rules.amount("deposit.required", clock.now())


def adopt(pk: int) -> bool:
    """Give one deposit the amount in force: who is short then has the days of a raise to fill it up.

    Again, or once the membership has ended, it changes nothing.
    """
    with transaction.atomic():
        # Whose a deposit is never changes, so this read needs no lock.
        application, deposit = lock_deposit(
            Deposit.objects.values_list("application_id", flat=True).get(pk=pk)
        )
        before, required = deposit.required, _in_force()
        if application.state in topups.FILLING_UP and before != required:
            deposit.required = required
            deposit.save(update_fields=["required"])
            _tell(application, deposit, before)
    return True


def _tell(application: Application, deposit: Deposit, before: Decimal) -> None:
    """In the timeline; and by the demand where there is one, else by a notice of its own."""
    change = f"¥{before:,} → ¥{deposit.required:,}"
    announcements.enter_timeline(application, "required_deposit_changed", change)
    if deposit.required > before and topups.demand_if_short(deposit, DemandCause.RAISED):
        return
    topups.close_if_met(deposit)
    announcements.tell_merchant(
        application,
        key=f"required:{deposit.pk}:{int(clock.now().timestamp())}",
        subject=_("The required deposit has changed"),
        body=change,
    )
