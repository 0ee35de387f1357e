"""What members find on their to-do list about complaints (applications/todo.py)."""

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from applications.permissions import may_edit
from applications.todo import Task, tasks_from
from compliance.complaints.lifecycle import ComplaintState
from compliance.complaints.permissions import has_something_to_gain
from compliance.models import Complaint, Side
from tmall_sp.accounts.models import User
from tmall_sp.core import clock

# From so long before its end on, an answer stands out.
PRESSING = dt.timedelta(hours=24)

_TO_ANSWER = (ComplaintState.AWAITING_RESPONSE, ComplaintState.EVIDENCE, ComplaintState.DECIDED)


@tasks_from
def answer_complaints(user: User, application: Application) -> Iterator[Task]:
    """What waits for the provider's word, an expelled one's too; nothing once its time is over."""
    if not may_edit(user, application):
        return
    waiting = application.complaints.filter(state__in=_TO_ANSWER, due_at__gte=clock.now())
    for complaint in waiting.order_by("due_at", "pk"):
        if (task := _task(application, complaint)) is not None:
            yield task


def _task(application: Application, complaint: Complaint) -> Task | None:
    match complaint.state:
        case ComplaintState.AWAITING_RESPONSE:
            title = _("Respond to the complaint {number}")
            text = _("Admit it, or contest it with evidence. Silence ends in a decision against you.")
            verb = _("Respond")
        case ComplaintState.EVIDENCE if complaint.provider_done_at is None:
            title = _("Hand in evidence on the complaint {number}")
            text = _("Afterwards it is decided on what is there.")
            verb = _("Hand in evidence")
        case ComplaintState.DECIDED if has_something_to_gain(Side.PROVIDER, complaint):
            title = _("You may appeal in the complaint {number}")
            text = _("There is one appeal. If nobody appeals, the decision is final and is paid.")
            verb = _("Look")
        case _:
            return None
    assert complaint.due_at is not None  # each of these states has an end
    return Task(
        f"complaint_{complaint.state}",
        format_lazy(title, number=complaint.number),
        text,
        verb,
        reverse("cases:complaint", args=[application.number, complaint.number]),
        complaint.due_at,
        urgent=complaint.state != ComplaintState.DECIDED and complaint.due_at - clock.now() <= PRESSING,
    )
