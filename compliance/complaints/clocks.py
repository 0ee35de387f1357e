"""What the system does by itself when its time has come: reminders, and the ends of states.

A sweep finds the rows by `alarm_at` (deadlines.py) and acts on each in a transaction of its own. It may come
late or twice, and two may run at once: each looks again under the lock. What follows from a step that a sweep
made late begins when the step was made and both sides were told. So after a night without a worker a silent
provider is decided against in the morning, and its appeal period begins that morning; no two states pass
in one sweep.
"""

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from compliance.complaints import announcements, deadlines, door, endings, findings
from compliance.complaints.lifecycle import ComplaintState
from compliance.locks import lock_complaint
from compliance.models import Complaint, Liability
from tmall_sp.core import clock


def due() -> QuerySet[Complaint]:
    """Complaints with something to do now, the longest waiting first."""
    return Complaint.objects.filter(alarm_at__lte=clock.now()).order_by("alarm_at", "pk")


def act_on_deadline(pk: int) -> bool:
    """Remind, or do what the end of the present state brings, if its time has come. Repeats change nothing.

    Silence of the provider ends in a decision against it; closed evidence waits for the decision; a decision
    that nobody appealed is final. Of a decision that operations owe they are reminded, once.
    """
    with transaction.atomic():
        complaint = lock_complaint(pk)
        if complaint.alarm_at is None or clock.now() < complaint.alarm_at:
            return True
        if deadlines.is_over(complaint):
            _end_state(complaint)
        elif deadlines.reminder_passed(complaint):
            announcements.remind(complaint)
            _set_alarm(complaint)
    return True


def _end_state(complaint: Complaint) -> None:
    match ComplaintState(complaint.state):
        case ComplaintState.AWAITING_RESPONSE:
            door.move(complaint.pk, "default", actor=None, guard=_decide_against_silence)
        case ComplaintState.EVIDENCE:
            door.move(complaint.pk, "close_evidence", actor=None)
        case ComplaintState.DECIDED:
            endings.finalise(complaint.pk)
        case _:
            announcements.tell_overdue(complaint)
            complaint.alarm_at = None
            complaint.save(update_fields=["alarm_at"])


def _set_alarm(complaint: Complaint) -> None:
    complaint.alarm_at = deadlines.next_alarm(complaint, clock.now())
    complaint.save(update_fields=["alarm_at"])


def _decide_against_silence(complaint: Complaint) -> None:
    reason = _("The provider did not respond in time.")
    findings.find(complaint, Liability.LIABLE, complaint.claimed, reason, decided_by=None)
