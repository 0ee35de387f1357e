"""What members find on their to-do list about the shops that they serve (applications/todo.py)."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications.models import Application
from applications.todo import Task, tasks_from
from compliance.models import DeclarationState
from compliance.quarters import Quarter
from compliance.served_shops import permissions, selectors
from tmall_sp.accounts.models import User


@tasks_from
def declare(user: User, application: Application) -> Iterator[Task]:
    """GMV of the last quarter, and figures of the company that were refused and not declared anew."""
    if not permissions.may_act_for(user, application):
        return
    quarter = str(Quarter.current().previous)
    if missing := selectors.shops_without_gmv(application, quarter).count():
        yield Task(
            "declare_gmv",
            _("Declare the GMV of %(quarter)s") % {"quarter": quarter},
            _("Not yet declared for %(count)s of your shops; without it they don't count in your rating.")
            % {"count": missing},
            gettext_lazy("Declare"),
            reverse("served_shops:list", args=[application.number]),
        )
    if refused := _refused(application):
        yield Task(
            "declare_again",
            gettext_lazy("Declare a refused figure anew"),
            _("Refused and not declared anew: %(count)s. The reason stands beside each.")
            % {"count": refused},
            gettext_lazy("Declare"),
            reverse("served_shops:figures", args=[application.number]),
        )


def _refused(application: Application) -> int:
    figures = selectors.figures_of(application)
    later = figures.filter(input=OuterRef("input"), pk__gt=OuterRef("pk"))
    refused: int = figures.filter(state=DeclarationState.REFUSED).exclude(Exists(later)).order_by().count()
    return refused
