"""Celery's entry points; the work stands in the modules that they call."""

import logging

from celery import shared_task

from compliance import exits, selectors
from compliance.complaints import clocks, payees
from compliance.ratings import publication, runs
from compliance.served_shops import sweeps as served_shops
from compliance.violations import sweeps as violations
from tmall_sp.core.errors import DomainError
from tmall_sp.core.sweeps import for_each

logger = logging.getLogger(__name__)

SWEEP_SIZE = 200


@shared_task
def sweep_exits() -> None:
    """Complete each exit that is cleared. One that fails is logged and stops no other."""
    waiting = selectors.exits_that_may_be_cleared().values_list("application_id", flat=True)
    for application_pk in list(waiting[:SWEEP_SIZE]):
        try:
            exits.complete_exit(application_pk)
        except DomainError as error:  # moved on since it was listed
            logger.info("The exit of application %s is not complete: %s", application_pk, error.code)
        except Exception:
            logger.exception("The exit of application %s could not be completed", application_pk)


@shared_task
def sweep_invitations() -> None:
    served_shops.expire_invitations()


@shared_task
def sweep_complaints() -> None:
    """Remind of, and end, each state of a complaint whose time has come; send what waited for its payee."""
    for_each(clocks.due().values_list("pk", flat=True)[:SWEEP_SIZE], clocks.act_on_deadline)
    for_each(payees.waiting_with_payee()[:SWEEP_SIZE], payees.send_waiting)


@shared_task
def sweep_violations() -> None:
    """What the system reports, what was not put right in time, and money of an appeal that is still to come back."""
    violations.report_what_is_due()
    violations.tell_what_is_overdue(SWEEP_SIZE)
    violations.give_back_what_is_left(SWEEP_SIZE)


@shared_task
def rate(run_id: int) -> None:
    runs.work(run_id)


@shared_task
def tell_rated(run_id: int) -> None:
    publication.tell_everybody(run_id)


@shared_task
def sweep_ratings() -> None:
    """Rate the quarter that closed, go on with runs that no worker has, and with telling the providers."""
    runs.begin_what_is_due()
    for_each(runs.due().values_list("pk", flat=True)[:SWEEP_SIZE], runs.work)
    for_each(publication.to_tell().values_list("pk", flat=True)[:SWEEP_SIZE], publication.tell_everybody)
