"""Proves the contact's e-mail address by a code sent to it."""

import datetime as dt
import secrets

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from applications import drafts
from applications.models import Application, EmailCode
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError
from tmall_sp.core.notices import send_plain

LIFETIME = dt.timedelta(minutes=15)
MAX_FAILURES = 5
CODES_PER_HOUR = 5


@transaction.atomic
def send_code(pk: int, *, actor: User) -> None:
    """Mail a new six-digit code to the application's contact address; older codes stop working."""
    application = drafts.lock_for_editing(pk, actor=actor)
    if not application.contact_email:
        raise DomainError("no_email", _("Give an e-mail address first."), field="contact_email")
    now = clock.now()
    if _sent_lately(application, now) >= CODES_PER_HOUR:
        raise DomainError("too_many_codes", _("Too many codes in one hour. Please try again later."))
    code = f"{secrets.randbelow(10**6):06d}"
    EmailCode.objects.create(
        application=application,
        email=application.contact_email,
        code_hash=make_password(code),
        created_at=now,
        expires_at=now + LIFETIME,
    )
    send_plain(
        application.contact_email,
        subject=_("Your verification code"),  # staff see subjects, never codes
        body=_("Enter the code %(code)s on the page of your application. It is valid for 15 minutes.")
        % {"code": code},
    )


def _sent_lately(application: Application, now: dt.datetime) -> int:
    """By this Taobao account, in whichever application, or to this address, by whomever."""
    same = Q(application__taobao_user_id=application.taobao_user_id) | Q(email=application.contact_email)
    return EmailCode.objects.filter(same, created_at__gt=now - dt.timedelta(hours=1)).count()


def verify_code(pk: int, *, actor: User, code: str) -> Application:
    """Mark the address as proved. DomainError with a reason otherwise; a wrong guess is counted."""
    refusal: DomainError | None = None
    with transaction.atomic():
        application = drafts.lock_for_editing(pk, actor=actor)
        newest = application.email_codes.order_by("-created_at", "-pk").first()
        refusal = _refusal(application, newest, code)
        if refusal is None:
            assert newest is not None
            newest.used_at = clock.now()
            newest.save(update_fields=["used_at"])
            application.contact_email_verified_at = clock.now()
            drafts.touch(application)
        elif refusal.code == "wrong_code" and newest is not None:
            newest.failures += 1
            newest.save(update_fields=["failures"])
    if refusal is not None:
        raise refusal  # outside, so that the counted guess is not rolled back
    return application


def _refusal(application: Application, newest: EmailCode | None, code: str) -> DomainError | None:
    if newest is None or newest.used_at or newest.email != application.contact_email:
        return DomainError("no_code", _("Ask for a code first."), field="code")
    if clock.now() > newest.expires_at:
        return DomainError("code_expired", _("This code has expired. Ask for a new one."), field="code")
    if newest.failures >= MAX_FAILURES:
        return DomainError("code_locked", _("Too many wrong codes. Ask for a new one."), field="code")
    if not check_password(code.strip(), newest.code_hash):
        return DomainError("wrong_code", _("This is not the code that was sent."), field="code")
    return None
