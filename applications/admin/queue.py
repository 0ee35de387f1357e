"""How much waits for review, for the tabs above the list and for the desk's first page."""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from applications import selectors
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core import clock
from tmall_sp.core.desk import Task, tasks_from


@dataclass(frozen=True)
class Counts:
    total: int
    mine: int
    unclaimed: int
    overdue: int


def counts(user: User) -> Counts:
    """What is under review now, in one query."""
    return Counts(
        **selectors.review_queue()
        .order_by()
        .aggregate(
            total=Count("pk"),
            mine=Count("pk", filter=Q(reviewer=user)),
            unclaimed=Count("pk", filter=Q(reviewer__isnull=True)),
            overdue=Count("pk", filter=Q(review_due_at__lt=clock.now())),
        )
    )


def url(**parameters: str) -> str:
    """The list of applications with some filters set."""
    path = reverse("admin:applications_application_changelist")
    return f"{path}?{urlencode(parameters)}" if parameters else path


@tasks_from
def review_tasks(request: HttpRequest) -> list[Task]:
    assert isinstance(request.user, User)
    if not has_role(request.user, Role.REVIEWER, Role.OPS):
        return []
    now = counts(request.user)
    overdue = Task(_("Overdue reviews"), now.overdue, url(review="overdue"), urgent=now.overdue > 0)
    unclaimed = Task(_("Unclaimed applications"), now.unclaimed, url(review="unclaimed"))
    if not has_role(request.user, Role.REVIEWER):
        return [unclaimed, overdue]
    return [Task(_("My reviews"), now.mine, url(review="mine")), unclaimed, overdue]
