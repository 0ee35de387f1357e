"""Celery's entry points; the work stands in the modules that they call."""

import logging

from celery import shared_task

from applications import licence_expiry, required_exits, services, shop_checks
from applications.lifecycle import DRAFT, State
from applications.models import Application
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.sweeps import for_each

logger = logging.getLogger(__name__)

SWEEP_SIZE = 200


@shared_task
def check_shop(check_id: int) -> None:
    shop_checks.run(check_id)


@shared_task
def sweep_shop_checks() -> None:
    """Run what is due and no worker was told of, or a dead worker left behind."""
    due = shop_checks.due(clock.now()).order_by("due_at").values_list("pk", flat=True)
    for_each(due[:SWEEP_SIZE], shop_checks.run)


@shared_task
def sweep_deadlines() -> None:
    """Let drafts and unanswered change requests lapse. `approved` lapses in `deposits`, which asks Alipay first."""
    overdue = Application.objects.filter(
        state__in=[*DRAFT, State.CHANGES_REQUESTED], deadline_at__lt=clock.now()
    ).order_by("deadline_at")
    for pk in list(overdue.values_list("pk", flat=True)[:SWEEP_SIZE]):
        try:
            services.lapse(pk)
        except DomainError as error:  # moved on since it was listed
            logger.info("Application %s did not lapse: %s", pk, error.code)


@shared_task
def sweep_suspensions() -> None:
    """Require the exit of each company whose suspension was not cured in time. One that fails stops no other."""
    for pk in list(required_exits.due().values_list("pk", flat=True)[:SWEEP_SIZE]):
        try:
            required_exits.require_exit_by_system(pk)
        except DomainError as error:  # moved on since it was listed
            logger.info("The exit of application %s was not required: %s", pk, error.code)
        except Exception:
            logger.exception("The exit of application %s could not be required", pk)


@shared_task
def sweep_licence_reminders() -> None:
    """Remind each member of its licence's last day, once for each moment of the rule."""
    due = licence_expiry.to_remind().order_by("licence_valid_until", "pk")
    for_each(due.values_list("pk", flat=True)[:SWEEP_SIZE], licence_expiry.remind)


@shared_task
def sweep_expired_licences() -> None:
    """Suspend each member whose licence's last day is over."""
    for_each(licence_expiry.expired().values_list("pk", flat=True)[:SWEEP_SIZE], licence_expiry.suspend)
