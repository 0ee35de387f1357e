"""A top-up demand whose date has passed: the member is suspended, once Alipay says that nothing was paid."""

import logging

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from applications import suspensions
from applications.lifecycle import State
from applications.models import SuspensionCause
from deposits.incoming import payments
from deposits.locks import lock_deposit
from deposits.models import TopUpDemand
from deposits.services import unresolved_orders
from deposits.states import DEMAND_OPEN
from tmall_sp.core import clock
from tmall_sp.core.gateway import GatewayError

logger = logging.getLogger(__name__)

# One that has not begun to serve can't be suspended; it is as soon as it has.
SERVING = (State.ACTIVE, State.SUSPENDED)


def passed() -> QuerySet[TopUpDemand]:
    """Open demands past their date that nothing has followed from yet. The instant itself is in time."""
    return TopUpDemand.objects.filter(
        DEMAND_OPEN,
        due_at__lt=clock.now(),
        lapsed_at__isnull=True,
        deposit__application__state__in=SERVING,
    )


def suspend_if_unpaid(pk: int) -> bool:
    """Suspend the member whose demand has passed; the top-up lifts it. False: Alipay couldn't be asked.

    Alipay is asked about every order first, as a payment counts however late its news: while it can't be
    asked, nobody is suspended. Call it outside a transaction.
    """
    application_pk = TopUpDemand.objects.values_list("deposit__application_id", flat=True).get(pk=pk)
    for order in unresolved_orders(application_pk):
        try:
            payments.resolve(order)
        except GatewayError as error:
            logger.warning("Application %s can't be suspended yet: %s", application_pk, error)
            return False
    with transaction.atomic():
        _application, deposit = lock_deposit(application_pk)
        demand = passed().filter(pk=pk).first()
        if demand is not None and deposit.shortfall:
            demand.lapsed_at = clock.now()
            demand.save(update_fields=["lapsed_at"])
            suspensions.suspend(
                application_pk,
                cause=SuspensionCause.SHORTFALL,
                reason=_("CNY %(amount)s of the deposit were missing when the time for the top-up ended.")
                % {"amount": f"{deposit.shortfall:,}"},
            )
    return True
