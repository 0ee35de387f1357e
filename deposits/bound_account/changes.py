"""Another bound account, step by step: asked for, checked, confirmed by a second person, cooled off, done.

    REQUESTED → CHECKED → COOLING → DONE; from each open state also → REFUSED (staff) or CANCELLED (the company)

Same company name, evidence, two people, a cooling-off of 7 days, notice to the old contact (design §4). Every
verb locks the application first, so that of two at the same moment one acts and the other reads what happened.
What a payment counts for meanwhile stands in payers.py.
"""

import datetime as dt

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from applications import bound_account, uploads
from applications import selectors as applications
from applications.lifecycle import ADMITTED, OPEN_PER_COMPANY
from applications.locks import lock_application
from applications.models import Application
from deposits import permissions
from deposits.bound_account import news
from deposits.locks import lock_change
from deposits.models import AccountChange, PaymentOrder, Payout
from deposits.outgoing.payees import USER_ID
from deposits.states import CHANGE_OPEN, ORDER_UNRESOLVED, ChangeState, PayoutState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

# Each tells a whole company and may bring a file of ten megabytes.
MAX_REQUESTS = 5
REQUESTS_WITHIN = dt.timedelta(days=30)
# A change that waits for an outcome longer than this wants somebody.
LONG_WAIT = dt.timedelta(days=1)

# While one of these stands, nobody knows where the money is.
PAYOUT_UNRESOLVED = (PayoutState.QUEUED, PayoutState.CALLING, PayoutState.DEALING, PayoutState.ATTENTION)


# The company ---------------------------------------------------------------------------------------


def request(
    application_pk: int,
    *,
    actor: User,
    account_id: str,
    reason: str,
    evidence: UploadedFile,
    seen: str,
    address: str | None = None,
) -> AccountChange:
    """Ask that `account_id` be bound; the caller has the company's word that the account is its own.

    `seen` is the bound account that the page showed, `address` the network address it was asked from.
    NotPermitted, StaleVersion; DomainError `wrong_state`, `already_open`, `too_many`, and beside their fields
    what is wrong with account, reason or file.
    """
    _refuse_empty(reason)
    checked = uploads.check_file(evidence)
    with transaction.atomic():
        application = lock_application(application_pk)
        if not permissions.may_ask_for_account(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        if application.state not in ADMITTED:
            raise DomainError("wrong_state", _("The bound account can't be changed now."))
        if seen != application.alipay_account_id:
            raise StaleVersion("stale", _("Another account has been bound meanwhile. Nothing was changed."))
        _refuse_too_many(application)
        refuse_account(application, account_id)
        change = AccountChange(
            application=application,
            old_account_id=application.alipay_account_id,
            new_account_id=account_id,
            reason=reason.strip(),
            evidence_name=checked.name,
            evidence_type=checked.content_type,
            evidence_sha256=checked.sha256,
            requested_by=actor,
            requested_at=clock.now(),
            requested_from=address,
        )
        change.evidence.save(*checked.to_store(), save=False)
        change.save(force_insert=True)
        news.enter_timeline(change, actor=actor)
        news.tell_company(change, news.REQUESTED, by=actor, reason=change.reason)
        news.tell_who_checks(change)
    return change


def cancel(pk: int, *, actor: User) -> AccountChange:
    """The company stops its change, at any time before it takes effect."""
    with transaction.atomic():
        application, change = lock_change(pk)
        if not permissions.may_stop_account(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _refuse_closed(change)
        _close(change, ChangeState.CANCELLED, by=actor)
        news.enter_timeline(change, actor=actor)
        news.tell_company(change, news.CANCELLED, by=actor)
    return change


def cancel_with_membership(application: Application) -> None:
    """The membership ends, and an open change with it. Hold the application's lock."""
    change = AccountChange.objects.select_for_update().filter(CHANGE_OPEN, application=application).first()
    if change is None:
        return
    change.application = application
    _close(change, ChangeState.CANCELLED, reason=_("The membership has ended."))
    news.enter_timeline(change, reason=change.decision_reason)
    news.tell_company(change, news.ENDED)


# Staff ---------------------------------------------------------------------------------------------


def check(pk: int, *, actor: User, seen: str) -> AccountChange:
    """The first person has looked at evidence and name, and finds them in order. `seen`: the state shown."""
    with transaction.atomic():
        application, change = lock_change(pk)
        if not permissions.may_judge_account(actor, change):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _refuse_stale(change, seen)
        _refuse_unless(change, ChangeState.REQUESTED)
        refuse_account(application, change.new_account_id)
        change.state = ChangeState.CHECKED
        change.checked_by = actor
        change.checked_at = clock.now()
        change.save(update_fields=["state", "checked_by", "checked_at"])
        news.tell_company(change, news.CHECKED)
        news.tell_who_confirms(change)
    return change


def confirm(pk: int, *, actor: User, seen: str) -> AccountChange:
    """The second person, of finance, agrees: the cooling-off begins."""
    with transaction.atomic():
        application, change = lock_change(pk)
        if not permissions.may_confirm_account(actor, change):
            raise NotPermitted("not_permitted", _("Another person of finance must decide this."))
        _refuse_stale(change, seen)
        _refuse_unless(change, ChangeState.CHECKED)
        refuse_account(application, change.new_account_id)
        # Whole seconds, as those of the payments that are compared with the end of it.
        now = clock.now().replace(microsecond=0)
        change.state = ChangeState.COOLING
        change.confirmed_by = actor
        change.confirmed_at = now
        change.effective_at = now + dt.timedelta(days=news.cooling_days(change))
        change.save(update_fields=["state", "confirmed_by", "confirmed_at", "effective_at"])
        news.tell_company(change, news.CONFIRMED)
    return change


def refuse(pk: int, *, actor: User, reason: str, seen: str) -> AccountChange:
    """One person is enough to say no, in the cooling-off too. The company reads the reason."""
    _refuse_empty(reason)
    with transaction.atomic():
        _application, change = lock_change(pk)
        if not permissions.may_judge_account(actor, change):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _refuse_stale(change, seen)
        _refuse_closed(change)
        _close(change, ChangeState.REFUSED, by=actor, reason=reason.strip())
        _tell_refused(change)
    return change


# The end of the cooling-off ------------------------------------------------------------------------


def due(now: dt.datetime) -> QuerySet[AccountChange]:
    """Changes whose cooling-off is over."""
    return AccountChange.objects.filter(state=ChangeState.COOLING, effective_at__lte=now)


def take_effect(pk: int) -> bool:
    """Bind the new account if the cooling-off is over and no outcome is unknown; else come again later.

    The account is looked at once more: what has been banned or taken since is refused. Always True: nobody
    outside is asked.
    """
    with transaction.atomic():
        application, change = lock_change(pk)
        if not due(clock.now()).filter(pk=pk).exists():
            return True
        if unknown_outcome(application) is not None:
            _worry(change)
            return True
        try:
            refuse_account(application, change.new_account_id)
        except DomainError as error:
            _close(change, ChangeState.REFUSED, reason=str(error.message))
            _tell_refused(change)
            news.tell_of_end_by_itself(change)
            return True
        change.old_open_id = application.alipay_open_id
        bound_account.rebind_account(
            application.pk,
            account_id=change.new_account_id,
            reason=str(change),
        )
        _close(change, ChangeState.DONE)
        news.tell_company(change, news.DONE)
    return True


def unknown_outcome(application: Application) -> Promise | None:
    """What has to be known before another account is bound: where the company's money is. None: it is known.

    Compensation is no such thing: it goes to others, whatever account is bound.
    """
    orders = PaymentOrder.objects.filter(deposit__application=application, state__in=ORDER_UNRESOLVED)
    if orders.exists():
        return gettext_lazy("A payment has been begun, and Alipay has not yet said how it ended.")
    payouts = Payout.objects.filter(state__in=PAYOUT_UNRESOLVED)
    refunds = payouts.filter(refund__deposit__application=application)
    if (refunds | payouts.filter(returned__order__deposit__application=application)).exists():
        return gettext_lazy("Money is on its way back to your company, and has not arrived yet.")
    return None


def _worry(change: AccountChange) -> None:
    assert change.effective_at is not None  # change_confirmed_by_two
    if clock.now() - change.effective_at > LONG_WAIT:
        news.tell_of_wait(change)


# Refusals ------------------------------------------------------------------------------------------


def refuse_account(application: Application, account_id: str) -> None:
    """DomainError for an account that can't be bound; of what others have to do with it nothing is said."""
    if not USER_ID.fullmatch(account_id):
        raise DomainError(
            "no_account", _("An Alipay account number has 16 digits, 2088 first."), field="account_id"
        )
    if account_id == application.alipay_account_id:
        raise DomainError("same_account", _("This account is bound already."), field="account_id")
    if applications.ban_in_force(alipay_account_id=account_id) or _is_taken(application, account_id):
        raise DomainError(
            "account_refused",
            _("This account can't be bound. Please contact operations."),
            field="account_id",
        )


def _is_taken(application: Application, account_id: str) -> bool:
    """By an application that a reviewer has or had in hand (a draft blocks nobody), or by another's change."""
    others = Application.objects.filter(alipay_account_id=account_id, state__in=OPEN_PER_COMPANY)
    changes = AccountChange.objects.filter(CHANGE_OPEN, new_account_id=account_id)
    return (
        others.exclude(pk=application.pk).exists() or changes.exclude(application_id=application.pk).exists()
    )


def _refuse_too_many(application: Application) -> None:
    if application.account_changes.filter(CHANGE_OPEN).exists():
        raise DomainError("already_open", _("A change of the bound account is open already."))
    since = clock.now() - REQUESTS_WITHIN
    if application.account_changes.filter(requested_at__gt=since).count() >= MAX_REQUESTS:
        raise DomainError("too_many", _("This was asked for too often lately. Please contact operations."))


def _refuse_stale(change: AccountChange, seen: str) -> None:
    if change.state != seen:
        raise StaleVersion(
            "stale",
            _("This was decided meanwhile: %(state)s.") % {"state": change.get_state_display()},
        )


def _refuse_unless(change: AccountChange, state: ChangeState) -> None:
    if change.state != state:
        raise DomainError(
            "wrong_state",
            _("This can't be done in state “%(state)s”.") % {"state": change.get_state_display()},
        )


def _refuse_closed(change: AccountChange) -> None:
    if change.closed_at is not None:
        raise DomainError(
            "decided",
            _("This was decided meanwhile: %(state)s.") % {"state": change.get_state_display()},
        )


def _refuse_empty(reason: str) -> None:
    if not reason.strip():
        raise DomainError("empty", _("Give the reason."), field="reason")


def _close(change: AccountChange, state: ChangeState, *, by: User | None = None, reason: str = "") -> None:
    change.state = state
    change.closed_by = by
    change.closed_at = clock.now().replace(microsecond=0)
    change.decision_reason = reason
    change.save(update_fields=["state", "closed_by", "closed_at", "decision_reason", "old_open_id"])


def _tell_refused(change: AccountChange) -> None:
    news.enter_timeline(change, actor=change.closed_by, reason=change.decision_reason)
    news.tell_company(change, news.REFUSED, reason=change.decision_reason)
