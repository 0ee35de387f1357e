"""What a merchant has to do next: derived from the state each time, so that no list can go stale."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import completeness, licence_renewals, permissions, selectors, wizard
from applications.lifecycle import DRAFT, State
from applications.models import Application, CheckState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules

# So long before its last day the list shows that the licence is to be renewed; and as urgent.
RENEWAL_SHOWN = dt.timedelta(days=30)
RENEWAL_URGENT = dt.timedelta(days=7)


@dataclass(frozen=True)
class Task:
    """One thing to do, with the page where it is done; `verb` stands on the button that leads there.

    Without a page here, `url` and `verb` are empty. `urgent`: it is about to have consequences, or has.
    """

    code: str
    title: str | Promise
    text: str | Promise = ""
    verb: str | Promise = ""
    url: str = ""
    due_at: dt.datetime | None = None
    urgent: bool = False


Source = Callable[[User, Application], Iterable[Task]]

_SOURCES: list[Source] = []


def tasks_from(source: Source) -> Source:
    """Register what a layer above gives members to do; its `ready` imports the module."""
    if source not in _SOURCES:
        _SOURCES.append(source)
    return source


def tasks_for(user: User, application: Application) -> list[Task]:
    """What this person can do now to bring the application on, most urgent first."""
    elsewhere = [task for source in _SOURCES for task in source(user, application)]
    return sorted([*elsewhere, *_own(user, application)], key=lambda task: not task.urgent)


def _own(user: User, application: Application) -> list[Task]:
    if not permissions.may_edit(user, application):
        return list(_payment(user, application))
    match application.state:
        case state if state in DRAFT:
            return list(_draft(application))
        case State.CHANGES_REQUESTED:
            return list(_changes(application))
        case State.APPROVED:
            return list(_payment(user, application))
        case State.DEPOSIT_PAID | State.ACTIVE | State.SUSPENDED:
            return list(_membership(application))
        case State.EXITING:
            return list(_exit(application))
    return []


def _draft(application: Application) -> Iterator[Task]:
    check = selectors.open_check(application)
    if check and check.state == CheckState.REAUTHORISE:
        yield _log_in_again(application)
    gaps = completeness.missing_for_submission(application)
    yield from _gaps(application, gaps)
    if not gaps and application.state == State.SHOP_VERIFIED:
        yield Task(
            "submit",
            gettext_lazy("Hand in the application"),
            gettext_lazy("Everything is there. Look it through, accept the rules, and hand it in."),
            gettext_lazy("Hand in"),
            edit_url(application, "review"),
        )


def _log_in_again(application: Application) -> Task:
    return Task(
        "reauthorise",
        gettext_lazy("Log in with Taobao again"),
        gettext_lazy(
            "Taobao's authorisation has run out. After the log-in the shop check goes on by itself."
        ),
        gettext_lazy("Log in again"),
        f"{detail_url(application)}#shop-check",
    )


def _gaps(application: Application, gaps: list[completeness.Gap]) -> Iterator[Task]:
    """One task a step of the wizard, but the mail's proof and the licence by themselves."""
    single = {
        "email_unverified": (gettext_lazy("Verify the contact e-mail"), gettext_lazy("Verify")),
        "licence_file": (gettext_lazy("Upload the business licence"), gettext_lazy("Upload")),
        "licence_expired": (gettext_lazy("Renew the business licence"), gettext_lazy("Fill in")),
    }
    for step, title in wizard.TITLES.items():
        missing = [gap for gap in gaps if gap.step == step]
        names = [str(gap.message) for gap in missing if gap.code not in single]
        if names:
            yield Task(
                f"complete_{step}",
                format_lazy(gettext_lazy("Complete: {step}"), step=title),
                _("Still missing: %(names)s") % {"names": _(", ").join(names)},
                gettext_lazy("Fill in"),
                edit_url(application, step),
            )
        for gap in missing:
            if gap.code in single:
                own_title, verb = single[gap.code]
                yield Task(gap.code, own_title, gap.message, verb, edit_url(application, step))


def _changes(application: Application) -> Iterator[Task]:
    yield Task(
        "answer_changes",
        gettext_lazy("Answer the reviewer's change request"),
        gettext_lazy("Change what is asked for, say what you did, and hand the application in again."),
        gettext_lazy("Answer"),
        f"{detail_url(application)}#changes",
        application.deadline_at,
    )
    yield from _gaps(application, completeness.missing_for_submission(application))


def _payment(user: User, application: Application) -> Iterator[Task]:
    if application.state != State.APPROVED:
        return
    amount = f"{rules.amount('deposit.required', application.state_since):,.2f}"
    if permissions.may_pay(user, application):
        yield Task(
            "pay_deposit",
            _("Pay the deposit of CNY %(amount)s") % {"amount": amount},
            _("From the enterprise Alipay account %(account)s only.")
            % {"account": application.alipay_account_id},
            gettext_lazy("Pay"),
            reverse("deposits:detail", args=[application.number]),
            application.deadline_at,
        )
    else:
        yield Task(
            "deposit_by_owner",
            _("The deposit of CNY %(amount)s is due") % {"amount": amount},
            gettext_lazy("The main Taobao account pays it; a sub-account can't."),
            due_at=application.deadline_at,
        )


def _membership(application: Application) -> Iterator[Task]:
    for gap in completeness.missing_for_activation(application):
        if gap.code == "agreement":
            url = reverse("applications:agreement", args=[application.number])
            yield Task(gap.code, gap.message, verb=gettext_lazy("Read and accept"), url=url)
        elif gap.code != "licence_expired":
            yield Task(gap.code, gap.message)
    yield from _licence(application)


def _licence(application: Application) -> Iterator[Task]:
    """To hand in the renewed licence: from some time before the last day on, unless one is being looked at."""
    until = application.licence_valid_until
    if application.licence_permanent or until is None or until - clock.today() > RENEWAL_SHOWN:
        return
    if licence_renewals.waiting_of(application) is not None:
        return
    expired = completeness.licence_has_expired(application)
    yield Task(
        "licence_expired" if expired else "licence_expires",
        gettext_lazy("Hand in the renewed business licence"),
        (_("It expired on %(date)s.") if expired else _("Yours is valid until %(date)s."))
        % {"date": until.isoformat()},
        gettext_lazy("Hand in"),
        reverse("applications:licence", args=[application.number]),
        clock.day_start(until + dt.timedelta(days=1)),
        urgent=expired or until - clock.today() <= RENEWAL_URGENT,
    )


def _exit(application: Application) -> Iterator[Task]:
    yield Task(
        "exit",
        gettext_lazy("Follow your exit"),
        gettext_lazy("The page shows what is still to be cleared, and the return of the deposit."),
        gettext_lazy("Look"),
        reverse("compliance:exit", args=[application.number]),
    )


def detail_url(application: Application) -> str:
    return reverse("applications:detail", args=[application.number])


def edit_url(application: Application, step: str) -> str:
    return reverse("applications:edit", args=[application.number, step])
