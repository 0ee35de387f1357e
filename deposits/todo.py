"""What members find on their to-do list about money (applications/todo.py)."""

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import permissions
from applications.lifecycle import MEMBER, State
from applications.models import Application
from applications.todo import Task, tasks_from
from deposits.duties import topups
from deposits.models import Deposit, TopUpDemand
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

# From so long before its date on, a top-up stands out.
PRESSING = dt.timedelta(days=3)


@tasks_from
def top_up(user: User, application: Application) -> Iterator[Task]:
    """To fill the deposit up, or, on the way out, to pay what is owed."""
    if application.state not in MEMBER:
        return
    deposit = Deposit.objects.filter(application=application).first()
    if deposit is None or not (amount := topups.payable(application, deposit)):
        return
    leaving = application.state == State.EXITING
    demand = None if leaving else topups.open_demand(deposit)
    title = _("Pay the obligations: ¥%(amount)s") if leaving else _("Top up the deposit: ¥%(amount)s")
    can_pay = permissions.may_pay(user, application)
    yield Task(
        "obligations" if leaving else "top_up",
        title % {"amount": f"{amount:,.2f}"},
        _why(deposit, demand, leaving)
        if can_pay
        else _("The main Taobao account pays it; a sub-account can't."),
        gettext_lazy("Pay") if leaving else gettext_lazy("Top up"),
        reverse("deposits:detail", args=[application.number]),
        demand.due_at if demand else None,
        urgent=demand is not None and demand.due_at - clock.now() <= PRESSING,
    )


def _why(deposit: Deposit, demand: TopUpDemand | None, leaving: bool) -> str:
    if leaving:
        return _("Until then your exit can't be completed.")
    if demand is not None and demand.lapsed_at is not None:
        return _("The suspension for it ends by itself once the money has arrived.")
    if deposit.owed:
        return _("¥%(owed)s of it are owed and are paid first.") % {"owed": f"{deposit.owed:,.2f}"}
    return _("Otherwise your membership is suspended.")
