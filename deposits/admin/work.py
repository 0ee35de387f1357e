"""What of money waits for somebody, on the staff's first page."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from deposits.admin.payouts import STUCK
from deposits.admin.proposals import waiting_for
from deposits.models import Compensation, Payout, Proposal, Refund, TopUpDemand
from deposits.states import DEMAND_OPEN, CompensationState, RefundState
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core import clock
from tmall_sp.core.desk import Task, tasks_from


@tasks_from
def money_tasks(request: HttpRequest) -> list[Task]:
    """Finance's; operations see whose top-up is overdue, as they look after the members."""
    person = request.user
    if not isinstance(person, User) or not has_role(person, Role.FINANCE, Role.OPS):
        return []
    overdue = _task(
        _("Top-ups overdue"),
        TopUpDemand.objects.filter(DEMAND_OPEN, due_at__lt=clock.now()),
        "overdue",
        urgent=True,
    )
    if not has_role(person, Role.FINANCE):
        return [overdue]
    return [
        _task(
            _("Decisions waiting for me"), Proposal.objects.filter(waiting_for(person)), "for_me", urgent=True
        ),
        _task(
            _("Payouts that need a decision"),
            Payout.objects.filter(state__in=STUCK),
            "attention",
            urgent=True,
        ),
        _task(_("Refunds held"), Refund.objects.filter(state=RefundState.HELD), "held"),
        _task(
            _("Compensations without a payee"),
            Compensation.objects.filter(state=CompensationState.WAITING),
            "waiting",
        ),
        overdue,
    ]


def _task(title: str | Promise, rows: QuerySet, tab: str, *, urgent: bool = False) -> Task:
    """The rows stand behind this tab of their list."""
    count = rows.count()
    address = reverse(f"admin:deposits_{rows.model._meta.model_name}_changelist")
    return Task(title, count, f"{address}?tab={tab}", urgent=urgent and count > 0)
