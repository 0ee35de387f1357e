"""The one door through which an application's state changes: nothing else calls a transition or saves `state`."""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _
from django_fsm import can_proceed

from applications import announcements, selectors
from applications.lifecycle import State
from applications.locks import lock_application
from applications.models import Application, Transition
from applications.signals import moved
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

Guard = Callable[[Application], None]

# Steps that go on while the merchant types: they change nothing that a page asks to decide on, so they make
# no page out of date.
BESIDE_THE_PAGE = ("pass_shop_check", "fail_shop_check")


def move(
    pk: int,
    name: str,
    *,
    actor: User | None,
    may: Callable[[Application], bool] = lambda application: True,
    guard: Guard = lambda application: None,
    reason: str = "",
    internal_note: str = "",
    proposed_by: User | None = None,
    reported_by: User | None = None,
    seen: int | None = None,
) -> Application:
    """Lock → permission → page not out of date → lawful edge → guard → transition → row → `moved`.

    `guard` runs under the lock; it may set fields and write rows of this app, and raises DomainError to
    refuse. `actor` None is the system. Where two people decide, `proposed_by` is the first of them.
    """
    with transaction.atomic():
        application = lock_application(pk)
        if not may(application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        refuse_stale(application, seen)
        step = getattr(application, name)
        if not can_proceed(step):
            raise wrong_state(application)
        guard(application)
        before = application.state
        step()
        _stamp(application)
        if name not in BESIDE_THE_PAGE:
            application.version += 1
        application.save()
        row = Transition.objects.create(
            application=application,
            name=name,
            from_state=before,
            to_state=application.state,
            actor=actor,
            proposed_by=proposed_by,
            reported_by=reported_by,
            at=application.state_since,
            reason=reason,
            internal_note=internal_note,
        )
        announcements.announce(application, row)
        moved.send(sender=Application, application=application, transition=row)
    return application


def enter(
    application: Application,
    name: str,
    *,
    actor: User | None,
    reason: str = "",
    proposed_by: User | None = None,
    reported_by: User | None = None,
) -> None:
    """A timeline entry, with its notices, of a step that leaves the state as it is. Hold the application's lock."""
    application.version += 1
    application.save(update_fields=["version"])
    row = Transition.objects.create(
        application=application,
        name=name,
        from_state=application.state,
        to_state=application.state,
        actor=actor,
        proposed_by=proposed_by,
        reported_by=reported_by,
        at=clock.now(),
        reason=reason,
    )
    announcements.announce(application, row)


def refuse_stale(application: Application, seen: int | None) -> None:
    """StaleVersion, naming who changed what, if the page showed an older version. Hold the lock."""
    if seen is None or seen == application.version:
        return
    last = selectors.timeline(application).last()
    raise StaleVersion(
        "stale",
        _(
            "This page is out of date: the application changed meanwhile and is now “%(state)s”"
            " (last step at %(at)s). Nothing was changed. Look at it again, then decide."
        )
        % {
            "state": application.get_state_display(),
            "at": clock_text(last.at if last else application.updated_at),
        },
    )


def wrong_state(application: Application) -> DomainError:
    return DomainError(
        "wrong_state",
        _("This can't be done while the application is in state “%(state)s”.")
        % {"state": application.get_state_display()},
    )


def clock_text(moment: dt.datetime) -> str:
    return f"{moment.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}"


def deadline(state: str, since: dt.datetime) -> dt.datetime | None:
    """When a state lapses by itself, by the rules in force at its beginning; None if it doesn't."""
    match state:
        case State.CREATED | State.SHOP_UNQUALIFIED | State.SHOP_VERIFIED:
            return since + rules.days("application.idle_days", since)
        case State.CHANGES_REQUESTED:
            return since + rules.days("application.changes_days", since)
        case State.APPROVED:
            return since + rules.days("application.payment_days", since)
    return None


def _stamp(application: Application) -> None:
    now = clock.now()
    application.state_since = application.updated_at = now
    application.deadline_at = deadline(application.state, now)
