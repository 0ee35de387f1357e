"""The one door through which a violation changes: nothing else calls a transition or saves its row.

Every verb takes the primary key, locks the application and then the violation, and does the whole step or
raises and changes nothing. `seen` is the version of the page that the person acted on; an older one raises
StaleVersion.
"""

from collections.abc import Callable, Collection

from django.db import transaction
from django.utils.translation import gettext as _
from django_fsm import can_proceed

from applications.models import Application
from compliance.locks import lock_violation
from compliance.models import Violation, ViolationStep
from compliance.violations import permissions
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

May = Callable[[Application, Violation], bool]
Guard = Callable[[Application, Violation], None]
Follow = Callable[[Application, Violation, ViolationStep], None]


def move(
    pk: int,
    name: str,
    *,
    actor: User,
    may: May | None = None,
    guard: Guard = lambda application, violation: None,
    follow: Follow = lambda application, violation, step: None,
    note: str = "",
    seen: int | None = None,
) -> Violation:
    """Lock → permission → page not out of date → lawful edge → guard → transition → step → follow.

    `guard` may set fields and raises DomainError to refuse; `follow` does what the step brings about. Without
    `may` the step is for operations.
    """
    with transaction.atomic():
        application, violation = _enter_by(pk, actor, may, seen)
        if not can_proceed(getattr(violation, name)):
            raise _wrong_state(violation)
        guard(application, violation)
        before = violation.state
        getattr(violation, name)()
        _finish(application, violation, name, before, actor, note, follow)
    return violation


def note_step(
    pk: int,
    name: str,
    *,
    actor: User,
    states: Collection[str],
    may: May | None = None,
    guard: Guard = lambda application, violation: None,
    follow: Follow = lambda application, violation, step: None,
    note: str = "",
    seen: int | None = None,
) -> Violation:
    """As `move`, for a step in one of `states` that leaves the state as it is."""
    with transaction.atomic():
        application, violation = _enter_by(pk, actor, may, seen)
        if violation.state not in states:
            raise _wrong_state(violation)
        guard(application, violation)
        _finish(application, violation, name, violation.state, actor, note, follow)
    return violation


def record(
    violation: Violation, name: str, *, before: str, actor: User | None, note: str = ""
) -> ViolationStep:
    """The history's row of a step. Hold the application's lock."""
    return ViolationStep.objects.create(
        violation=violation,
        name=name,
        from_state=before,
        to_state=violation.state,
        actor=actor,
        at=clock.now(),
        severity=violation.severity,
        note=note.strip(),
    )


def refuse_partial(actor: User, application: Application, violation: Violation) -> None:
    if not permissions.is_impartial(actor, violation, application):
        raise DomainError(
            "not_impartial", _("Who reported the violation or admitted the company can't decide on it.")
        )


def refuse_empty(text: str, field: str, message: str) -> None:
    if not text.strip():
        raise DomainError("empty", message, field=field)


def _enter_by(pk: int, actor: User, may: May | None, seen: int | None) -> tuple[Application, Violation]:
    application, violation = lock_violation(pk)
    violation.application = application
    if not (may(application, violation) if may else permissions.may_handle(actor)):
        raise NotPermitted("not_permitted", _("You may not do this."))
    _refuse_stale(violation, seen)
    return application, violation


def _finish(
    application: Application,
    violation: Violation,
    name: str,
    before: str,
    actor: User,
    note: str,
    follow: Follow,
) -> None:
    violation.version += 1
    violation.save()
    follow(application, violation, record(violation, name, before=before, actor=actor, note=note))


def _refuse_stale(violation: Violation, seen: int | None) -> None:
    if seen is None or seen == violation.version:
        return
    last = violation.steps.select_related("actor").last()
    raise StaleVersion(
        "stale",
        _(
            "This page is out of date: the violation changed meanwhile and is now “%(state)s”"
            " (last step by %(who)s). Nothing was changed. Look at it again, then decide."
        )
        % {
            "state": violation.get_state_display(),
            "who": last.actor if last and last.actor else _("the system"),
        },
    )


def _wrong_state(violation: Violation) -> DomainError:
    return DomainError(
        "wrong_state",
        _("This can't be done while the violation is in state “%(state)s”.")
        % {"state": violation.get_state_display()},
    )
