"""Who hears of a change of the bound account: the whole company, the proven contact, and staff.

The contact's address was proven before anybody asked for the change, so its mail reaches the company even where
the account that asked has been taken over. Every function wants to be called in the transaction of its fact.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.announcements import merchants
from applications.door import clock_text
from applications.models import Transition
from applications.step_names import STEP_NAMES
from deposits.models import AccountChange
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core import clock, rules
from tmall_sp.core.notices import notify, send_plain

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

STEP_NAMES.update(
    {
        "account_change_requested": _("Another bound account asked for"),
        "account_change_refused": _("Change of the bound account refused"),
        "account_change_cancelled": _("Change of the bound account cancelled"),
        "rebind_account": _("Bound account changed"),
    }
)


@dataclass(frozen=True)
class News:
    """`body` may name {who}, {at}, {address}, {old}, {new}, {reason}, {days} and {effective}."""

    subject: "StrPromise"
    body: "StrPromise"
    can_be_stopped: bool = False


REQUESTED = News(
    _("Another Alipay account is to be bound to your membership"),
    _(
        "{who} asked on {at}, from the network address {address}, to bind the account {new} in place of {old}."
        " Reason: {reason}\n"
        "Nothing changes before two of our staff have agreed, and {days} days have passed after that."
    ),
    can_be_stopped=True,
)
CHECKED = News(
    _("The change of your bound account has been checked"),
    _("One of our staff has looked at the evidence for the account {new}. A second one decides next."),
    can_be_stopped=True,
)
CONFIRMED = News(
    _("The change of your bound account has been confirmed"),
    _("From {effective} on, payments must come from the account {new} in place of {old}."),
    can_be_stopped=True,
)
REFUSED = News(
    _("The change of your bound account was refused"),
    _("The account {old} stays bound. Reason: {reason}"),
)
CANCELLED = News(
    _("The change of your bound account was cancelled"),
    _("{who} cancelled it. The account {old} stays bound."),
)
ENDED = News(
    _("The change of your bound account was cancelled"),
    _("The membership has ended, and with it the change. The account {old} stays bound."),
)
DONE = News(
    _("Another Alipay account is bound to your membership"),
    _("From now on payments must come from the account {new}; {old} is bound no more."),
)
HOW_TO_STOP = _(
    "If your company does not want this, cancel it on the page below at once, or ask operations to refuse it."
    " Until it takes effect it can be stopped at any time."
)


def tell_company(change: AccountChange, news: News, *, by: User | None = None, reason: str = "") -> None:
    """A notice to everybody of the company, and a mail to its proven contact."""
    application = change.application
    key = f"deposit:account-change:{change.pk}:{change.state}"
    body = _body(change, news, by, reason)
    page = reverse("deposits:account", args=[application.number])
    notify(merchants(application), key=key, subject=news.subject, body=body, link=page)
    if application.contact_email_verified_at:
        with translation.override(application.applicant.language):
            send_plain(
                application.contact_email, subject=news.subject, body=f"{body}\n\n{settings.SITE_URL}{page}"
            )


def tell_staff(change: AccountChange, subject: str | Promise, people: Iterable[User], key: str = "") -> None:
    notify(
        people,
        key=f"deposit:account-change:{change.pk}:{key or change.state}",
        subject=subject,
        body=f"{change.application}\n{change}",
        link=reverse("admin:deposits_accountchange_change", args=[change.pk]),
    )


def tell_who_checks(change: AccountChange) -> None:
    tell_staff(change, _("A company asks for another bound account"), staff_with(Role.FINANCE, Role.OPS))


def tell_who_confirms(change: AccountChange) -> None:
    """Finance, but for the person who checked."""
    others = [person for person in staff_with(Role.FINANCE) if person.pk != change.checked_by_id]
    tell_staff(change, _("A change of a bound account waits for a second person"), others)


def tell_of_end_by_itself(change: AccountChange) -> None:
    """What two people had agreed to was not possible any more on its day."""
    tell_staff(change, _("A confirmed change of a bound account was not possible"), staff_with(Role.FINANCE))


def tell_of_wait(change: AccountChange) -> None:
    """Finance, once a day: the outcome that a change waits for may want somebody."""
    subject = _("A change of a bound account waits for an outcome")
    tell_staff(change, subject, staff_with(Role.FINANCE), key=f"waits:{clock.today()}")


def enter_timeline(change: AccountChange, *, actor: User | None = None, reason: str = "") -> None:
    """What the membership's timeline says of a change that was asked for, refused or cancelled.

    Hold the application's lock.
    """
    application = change.application
    Transition.objects.create(
        application=application,
        name=f"account_change_{change.state}",
        from_state=application.state,
        to_state=application.state,
        actor=actor,
        at=clock.now(),
        reason="\n".join(part for part in (str(change), reason) if part),
    )


def cooling_days(change: AccountChange) -> int:
    """By the rule in force when the change was asked for."""
    days: int = rules.value("account_change.cooling_days", change.requested_at)
    return days


def _body(change: AccountChange, news: News, by: User | None, reason: str) -> str | Promise:
    said = format_lazy(
        news.body,
        who=by.display_name if by else "",
        at=clock_text(change.requested_at),
        address=change.requested_from or "—",
        old=_short(change.old_account_id),
        new=_short(change.new_account_id),
        reason=reason,
        days=cooling_days(change),
        effective=clock_text(change.effective_at) if change.effective_at else "",
    )
    return format_lazy("{said}\n{how}", said=said, how=HOW_TO_STOP) if news.can_be_stopped else said


def _short(account_id: str) -> str:
    """Enough to know one's own account by; mails travel far."""
    return f"{account_id[:4]}…{account_id[-4:]}"
