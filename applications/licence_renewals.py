"""A member hands in its renewed business licence; staff look at it.

Verified, its date and file are the company's, and a suspension for the expired one ends by itself. What was handed
in while the old one was still valid, or before the exit followed, waits for us and not for the company: until it is
looked at, nothing happens to the membership.
"""

import datetime as dt

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from applications import permissions, services, suspensions
from applications.door import enter, refuse_stale, wrong_state
from applications.guards import refuse_empty
from applications.lifecycle import ADMITTED
from applications.locks import lock_application
from applications.models import (
    Application,
    Document,
    DocumentKind,
    LicenceRenewal,
    RenewalState,
    SuspensionCause,
)
from applications.uploads import CheckedFile, check_file
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

WAITING = Q(state=RenewalState.WAITING)


def hand_in(
    pk: int, *, actor: User, upload: UploadedFile, valid_until: dt.date | None, seen: int | None = None
) -> LicenceRenewal:
    """Give staff a renewed licence to look at; `valid_until` is its last day, None: it has no expiry.

    Any admitted member may, before and after the old one expired, suspended and on its way out. NotPermitted;
    DomainError as check_file, `expired`, `not_later`, `already_waiting`, `wrong_state`.
    """
    checked = check_file(upload)
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.may_edit(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        refuse_stale(application, seen)
        if application.state not in ADMITTED:
            raise wrong_state(application)
        _refuse_date(application, valid_until)
        renewal = _stored(application, actor, checked, valid_until)
        enter(application, "hand_in_licence", actor=actor, reason=_last_day(valid_until))
    return renewal


def withdraw(pk: int, *, actor: User) -> LicenceRenewal:
    """The company takes it back, for example to hand in the right file."""
    with transaction.atomic():
        application, renewal = _waiting(pk)
        if not permissions.may_edit(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _decide(renewal, RenewalState.WITHDRAWN, actor, "")
        enter(application, "withdraw_licence", actor=actor)
    return renewal


def verify(pk: int, *, actor: User) -> LicenceRenewal:
    """Staff have seen that it is the company's and says what was typed: its date and file are in force.

    The suspension for the expired one is lifted, and a member that waited for it alone becomes active.
    DomainError `expired` if its own last day has passed meanwhile.
    """
    with transaction.atomic():
        application, renewal = _waiting(pk, actor)
        if renewal.valid_until is not None and renewal.valid_until < clock.today():
            raise DomainError("expired", _("This licence has expired itself. Refuse it with that reason."))
        _decide(renewal, RenewalState.VERIFIED, actor, "")
        _bring_into_force(application, renewal)
        enter(application, "verify_licence", actor=actor, reason=_last_day(renewal.valid_until))
        suspensions.lift(
            application.pk,
            cause=SuspensionCause.LICENCE_EXPIRED,
            reason=_("The renewed licence has been verified."),
        )
        services.activate_if_ready(application.pk)
    return renewal


def refuse(pk: int, *, actor: User, reason: str) -> LicenceRenewal:
    """It isn't what it should be; the company reads why, and may hand in another."""
    refuse_empty(reason)
    with transaction.atomic():
        application, renewal = _waiting(pk, actor)
        _decide(renewal, RenewalState.REFUSED, actor, reason.strip())
        enter(application, "refuse_licence", actor=actor, reason=reason)
    return renewal


# Reads ---------------------------------------------------------------------------------------------


def waiting_of(application: Application) -> LicenceRenewal | None:
    return application.licence_renewals.filter(WAITING).first()


def queue() -> QuerySet[LicenceRenewal]:
    return LicenceRenewal.objects.filter(WAITING).order_by("handed_in_at", "pk")


# Parts ---------------------------------------------------------------------------------------------


def _refuse_date(application: Application, valid_until: dt.date | None) -> None:
    if valid_until is None:
        return
    if valid_until < clock.today():
        raise DomainError("expired", _("This licence has expired already."), field="valid_until")
    present = application.licence_valid_until
    if application.licence_permanent:
        raise DomainError("not_later", _("The licence that we have has no expiry."), field="valid_until")
    if present is not None and valid_until <= present:
        raise DomainError(
            "not_later",
            _("The licence that we have is valid until %(date)s: a renewed one has a later date.")
            % {"date": present.isoformat()},
            field="valid_until",
        )


def _stored(
    application: Application, actor: User, checked: CheckedFile, valid_until: dt.date | None
) -> LicenceRenewal:
    renewal = LicenceRenewal(
        application=application,
        original_name=checked.name,
        content_type=checked.content_type,
        size=len(checked.content),
        sha256=checked.sha256,
        valid_until=valid_until,
        old_valid_until=application.licence_valid_until,
        handed_in_by=actor,
        handed_in_at=clock.now(),
    )
    renewal.file.save(*checked.to_store(), save=False)
    try:
        with transaction.atomic():
            renewal.save(force_insert=True)
    except IntegrityError as error:
        if "one_waiting_licence" not in str(error):
            raise
        raise DomainError(
            "already_waiting", _("A renewed licence is being looked at already. Take it back first.")
        ) from error
    return renewal


def _waiting(pk: int, reviewer: User | None = None) -> tuple[Application, LicenceRenewal]:
    """Application and renewal under the application's lock; for staff, if they may, as long as it waits."""
    # Whose a renewal is never changes, so this read needs no lock.
    application = lock_application(LicenceRenewal.objects.values_list("application_id", flat=True).get(pk=pk))
    if reviewer is not None and not permissions.may_look_at_licence(reviewer, application):
        raise NotPermitted("not_permitted", _("You may not do this."))
    renewal = LicenceRenewal.objects.select_for_update(of=("self",)).get(pk=pk)
    if renewal.state != RenewalState.WAITING:
        raise DomainError(
            "decided",
            _("This was decided meanwhile: %(state)s.") % {"state": renewal.get_state_display()},
        )
    return application, renewal


def _decide(renewal: LicenceRenewal, state: RenewalState, actor: User, reason: str) -> None:
    renewal.state = state
    renewal.decided_by = actor
    renewal.decided_at = clock.now()
    renewal.decision_reason = reason
    renewal.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])


def _bring_into_force(application: Application, renewal: LicenceRenewal) -> None:
    application.licence_valid_until = renewal.valid_until
    application.licence_permanent = renewal.valid_until is None
    application.licence_reminded_at = 0
    application.save(update_fields=["licence_valid_until", "licence_permanent", "licence_reminded_at"])
    now = clock.now()
    application.documents.filter(kind=DocumentKind.LICENCE, removed_at__isnull=True).update(removed_at=now)
    Document.objects.create(
        application=application,
        kind=DocumentKind.LICENCE,
        file=renewal.file.name,
        original_name=renewal.original_name,
        content_type=renewal.content_type,
        size=renewal.size,
        sha256=renewal.sha256,
        uploaded_by=renewal.handed_in_by,
        uploaded_at=renewal.handed_in_at,
    )


def _last_day(valid_until: dt.date | None) -> str:
    if valid_until is None:
        return _("Without expiry")
    return _("Valid until %(date)s") % {"date": valid_until.isoformat()}
