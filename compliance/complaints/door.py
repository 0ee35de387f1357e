"""The one door through which a complaint's state changes: nothing else calls a transition or saves `state`."""

from collections.abc import Callable, Sequence

from django.db import transaction
from django.utils.translation import gettext as _
from django_fsm import can_proceed

from compliance.complaints import announcements, deadlines, permissions
from compliance.complaints.lifecycle import OPEN
from compliance.locks import lock_complaint
from compliance.models import Complaint, ComplaintStep, Side
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

Guard = Callable[[Complaint], None]
Follow = Callable[[Complaint, ComplaintStep], None]

# Steps that find who is liable: the history keeps each finding, the complaint the one that counts.
FINDINGS = ("admit", "default", "decide", "decide_appeal")


def move(
    pk: int,
    name: str,
    *,
    actor: User | None,
    sides: Sequence[Side] = (),
    guard: Guard = lambda complaint: None,
    follow: Follow = lambda complaint, step: None,
    note: str = "",
    internal: str = "",
    seen: int | None = None,
) -> Complaint:
    """Lock application, then complaint → side → page not out of date → lawful edge → guard → step → follow.

    `sides` are those of which one must speak here; none: no side does. `guard` asks for other rights, may set
    fields, and raises DomainError to refuse; `follow` does what the step brings about. `actor` None is the system.
    """
    with transaction.atomic():
        complaint = lock_complaint(pk)
        side = speaker(actor, complaint, *sides) if sides else None
        refuse_stale(complaint, seen)
        transit = getattr(complaint, name)
        if not can_proceed(transit):
            raise wrong_state(complaint)
        guard(complaint)
        before = complaint.state
        transit()
        _stamp(complaint)
        complaint.save()
        step = record(complaint, name, before=before, actor=actor, side=side, note=note, internal=internal)
        announcements.announce(complaint, step)
        follow(complaint, step)
    return complaint


def record(
    complaint: Complaint,
    name: str,
    *,
    actor: User | None,
    before: str | None = None,
    side: Side | None = None,
    note: str = "",
    internal: str = "",
) -> ComplaintStep:
    """Write a step into the history; without `before` it left the state as it is. Hold the lock."""
    found = name in FINDINGS
    return ComplaintStep.objects.create(
        complaint=complaint,
        name=name,
        from_state=complaint.state if before is None else before,
        to_state=complaint.state,
        actor=actor,
        side=side or "",
        at=clock.now(),
        liability=complaint.liability if found else "",
        award=complaint.award if found else None,
        note=note.strip(),
        internal_note=internal.strip(),
    )


def speaker(actor: User | None, complaint: Complaint, *sides: Side) -> Side:
    """The side for which the person speaks; NotPermitted unless it is one of `sides`."""
    side = permissions.side_of(actor, complaint) if actor else None
    if side is None or side not in sides:
        raise NotPermitted("not_permitted", _("You may not do this."))
    return side


def refuse_stale(complaint: Complaint, seen: int | None) -> None:
    """StaleVersion if the page showed an older version. Hold the lock."""
    if seen is None or seen == complaint.version:
        return
    raise StaleVersion(
        "stale",
        _(
            "This page is out of date: the complaint changed meanwhile and is now “%(state)s”."
            " Nothing was changed. Look at it again, then decide."
        )
        % {"state": complaint.get_state_display()},
    )


def refuse_empty(text: str) -> None:
    if not text.strip():
        raise DomainError("empty", _("Write what you have to say."), field="text")


def wrong_state(complaint: Complaint) -> DomainError:
    return DomainError(
        "wrong_state",
        _("This can't be done while the complaint is in state “%(state)s”.")
        % {"state": complaint.get_state_display()},
    )


def _stamp(complaint: Complaint) -> None:
    """A state begins when its step is made, however late a sweep made it: an outage takes nobody's time."""
    now = clock.now()
    complaint.state_since = now
    complaint.due_at = deadlines.due(complaint, now)
    complaint.alarm_at = deadlines.next_alarm(complaint, now)
    if complaint.state not in OPEN:
        complaint.closed_at = now
    complaint.version += 1
