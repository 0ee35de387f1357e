"""How a member leaves: what has to be cleared first, and the step that ends it.

Asking for the exit and cancelling it are `applications.services.request_exit` and `cancel_exit`;
receivers.py keeps the ExitRequest beside them.
"""

from dataclasses import dataclass

from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import services as applications
from applications.lifecycle import State
from applications.locks import lock_application
from applications.models import Application
from compliance import selectors
from compliance.models import ExitRequest
from deposits.models import Deposit
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


@dataclass(frozen=True)
class Item:
    """One thing that has to be cleared before the exit is complete, and what is still missing."""

    code: str
    title: str | Promise
    cleared: bool
    missing: str = ""
    # Where the company can do something about it, and what stands on the button.
    url: str = ""
    verb: str | Promise = ""


def clearance(request: ExitRequest) -> list[Item]:
    """What the exit waits for. For a decision, hold the application's lock."""
    return [_notice_period(request), *obstacles(request.application)]


def obstacles(application: Application) -> list[Item]:
    """What bars an exit whenever it was asked for: see which of them are not `cleared`."""
    items = [_no_open_complaint(application), _no_open_violation(application)]
    deposit = Deposit.objects.filter(application=application).first()
    if deposit is not None:
        items += [_nothing_owed(application, deposit), _nothing_frozen(deposit)]
    return items


def _notice_period(request: ExitRequest) -> Item:
    """The instant itself ends it."""
    over = clock.now() >= request.notice_ends_at
    ends = _("It ends on %(at)s.") % {"at": applications.clock_text(request.notice_ends_at)}
    return Item("notice", gettext_lazy("The notice period is over"), over, "" if over else ends)


def _no_open_complaint(application: Application) -> Item:
    """However little it froze: the deposit may have had nothing left to freeze."""
    title = gettext_lazy("No complaint is open")
    numbers = list(selectors.open_complaints(application).values_list("number", flat=True))
    if not numbers:
        return Item("complaints", title, True)
    missing = _("%(count)s complaint(s) not final yet: %(numbers)s.") % {
        "count": len(numbers),
        "numbers": _(", ").join(numbers),
    }
    url = (
        reverse("cases:complaint", args=[application.number, numbers[0]])
        if len(numbers) == 1
        else reverse("cases:list")
    )
    return Item("complaints", title, False, missing, url, gettext_lazy("Look"))


def _no_open_violation(application: Application) -> Item:
    count = selectors.open_violations(application).count()
    missing = _("%(count)s violation(s) not decided yet.") % {"count": count}
    return Item("violations", gettext_lazy("No violation is open"), not count, missing if count else "")


def _nothing_owed(application: Application, deposit: Deposit) -> Item:
    if not deposit.owed:
        return Item("obligations", gettext_lazy("All obligations are paid"), True)
    missing = _("¥%(amount)s of what was deducted is not paid yet.") % {"amount": f"{deposit.owed:,}"}
    return Item(
        "obligations",
        gettext_lazy("All obligations are paid"),
        False,
        missing,
        reverse("deposits:detail", args=[application.number]),
        gettext_lazy("Pay"),
    )


def _nothing_frozen(deposit: Deposit) -> Item:
    """Frozen is what an undecided case may still cost."""
    missing = _("¥%(amount)s are frozen until their case is decided.") % {"amount": f"{deposit.frozen:,}"}
    return Item(
        "frozen",
        gettext_lazy("Nothing is frozen any more"),
        not deposit.frozen,
        missing if deposit.frozen else "",
    )


def complete_exit(application_pk: int) -> Application:
    """End the membership once everything is cleared; its deposit is then returned by `deposits`.

    DomainError `not_cleared` while something is missing, `wrong_state` if it is not leaving (any more).
    """
    with transaction.atomic():
        application = lock_application(application_pk)
        request = selectors.open_exit(application)
        if application.state != State.EXITING or request is None:
            raise DomainError("wrong_state", _("This provider is not leaving."))
        missing = [item for item in clearance(request) if not item.cleared]
        if missing:
            titles = _(", ").join(str(item.title) for item in missing)
            raise DomainError("not_cleared", _("Still to be cleared: %(titles)s") % {"titles": titles})
        return applications.complete_exit(application_pk)
