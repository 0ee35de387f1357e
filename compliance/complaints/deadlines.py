"""How long each state of a complaint lasts, by the rules of the day on which it was filed; all times are aware."""

import datetime as dt

from django.utils.translation import gettext as _

from applications.services import clock_text
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError

# Natural hours; what happens at their end stands in clocks.py.
HOURS = {
    ComplaintState.AWAITING_RESPONSE: "complaint.response_hours",
    ComplaintState.EVIDENCE: "complaint.evidence_hours",
    ComplaintState.AWAITING_DECISION: "complaint.decision_hours",
    ComplaintState.DECIDED: "complaint.appeal_hours",
    ComplaintState.APPEALED: "complaint.decision_hours",
}
# Hours before the end at which whoever has to act is reminded.
REMINDERS = {ComplaintState.AWAITING_RESPONSE: "complaint.reminder_hours"}


def due(complaint: Complaint, since: dt.datetime) -> dt.datetime | None:
    """When the present state, entered at `since`, ends; None for an end state."""
    rule = HOURS.get(ComplaintState(complaint.state))
    if rule is None:
        return None
    return since + dt.timedelta(hours=rules.value(rule, complaint.filed_at))


def next_alarm(complaint: Complaint, now: dt.datetime) -> dt.datetime | None:
    """When the sweep has to look at it next: at a reminder that is still to come, or else at its end."""
    if complaint.due_at is None:
        return None
    return min((moment for moment in _reminders(complaint) if moment > now), default=complaint.due_at)


def reminder_passed(complaint: Complaint) -> bool:
    return complaint.alarm_at is not None and complaint.alarm_at != complaint.due_at


def is_over(complaint: Complaint) -> bool:
    """Whether the present state should have ended; the instant itself is still in time."""
    return complaint.due_at is not None and clock.now() > complaint.due_at


def refuse_late(complaint: Complaint) -> None:
    """A late answer is refused even before the sweep ran."""
    if is_over(complaint):
        assert complaint.due_at is not None
        raise DomainError("too_late", _("The deadline was %(at)s.") % {"at": clock_text(complaint.due_at)})


def _reminders(complaint: Complaint) -> list[dt.datetime]:
    rule = REMINDERS.get(ComplaintState(complaint.state))
    if rule is None or complaint.due_at is None:
        return []
    return [complaint.due_at - dt.timedelta(hours=hours) for hours in rules.value(rule, complaint.filed_at)]
