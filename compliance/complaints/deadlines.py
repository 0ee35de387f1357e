"""How long each state of a complaint lasts, by the rules of the day on which it was filed."""

import datetime as dt

from django.utils.translation import gettext as _

from applications.services import clock_text
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import Complaint
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError

# Natural hours; what happens at their end stands in services.act_on_deadline.
HOURS = {
    ComplaintState.AWAITING_RESPONSE: "complaint.response_hours",
    ComplaintState.EVIDENCE: "complaint.evidence_hours",
    ComplaintState.AWAITING_DECISION: "complaint.decision_hours",
    ComplaintState.DECIDED: "complaint.appeal_hours",
    ComplaintState.APPEALED: "complaint.decision_hours",
}


def due(complaint: Complaint, since: dt.datetime) -> dt.datetime | None:
    """When the present state, entered at `since`, ends; None for an end state."""
    rule = HOURS.get(ComplaintState(complaint.state))
    if rule is None:
        return None
    return since + dt.timedelta(hours=rules.value(rule, complaint.filed_at))


def refuse_late(complaint: Complaint) -> None:
    """A late answer is refused even before the sweep ran; the instant itself is in time."""
    if complaint.due_at is not None and clock.now() > complaint.due_at:
        raise DomainError("too_late", _("The deadline was %(at)s.") % {"at": clock_text(complaint.due_at)})
