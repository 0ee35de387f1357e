"""What a merchant types before (and, when changes are asked for, during) a review."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from applications import permissions, selectors, services, shop_checks
from applications.door import deadline, refuse_stale
from applications.lifecycle import DRAFT, State
from applications.locks import lock_application
from applications.models import Application, CompanyData, Transition
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

EDITABLE = (*DRAFT, State.CHANGES_REQUESTED)
DATA_FIELDS = tuple(field.name for field in CompanyData._meta.get_fields())


def create_application(user: User, *, categories: Sequence[str]) -> Application:
    """Begin an application, with what an earlier one of the same account had typed, and queue its shop check.

    DomainError `already_open` while another of the Taobao account is open, `banned` during a ban.
    """
    if not user.taobao_user_id:
        raise NotPermitted("no_taobao_account", _("Log in with a Taobao account to apply."))
    if selectors.ban_in_force(taobao_user_id=user.taobao_user_id):
        raise DomainError("banned", _("The company may not join at present. Please contact operations."))
    try:
        with transaction.atomic():
            return _create(user, categories)
    except IntegrityError as error:
        if "one_open_application_per_taobao_user" in str(error):
            raise DomainError(
                "already_open", _("This Taobao account already has an open application.")
            ) from error
        raise


def _create(user: User, categories: Sequence[str]) -> Application:
    now = clock.now()
    application = Application.objects.create(
        applicant=user,
        taobao_user_id=user.taobao_user_id,
        taobao_nick=user.taobao_nick,
        categories=list(categories),
        created_at=now,
        state_since=now,
        updated_at=now,
        deadline_at=deadline(State.CREATED, now),
        **_carried_over(user),
    )
    Transition.objects.create(
        application=application, name="create", to_state=State.CREATED, actor=user, at=now
    )
    shop_checks.queue(application)
    return application


def _carried_over(user: User) -> dict[str, Any]:
    earlier = Application.objects.filter(taobao_user_id=user.taobao_user_id).first()
    return {name: getattr(earlier, name) for name in DATA_FIELDS} if earlier else {}


def save_data(pk: int, *, actor: User, data: Mapping[str, Any], seen: int | None = None) -> Application:
    """Save some typed fields. A changed e-mail has to be proved again.

    DomainError `not_editable` outside drafts and change requests, `too_late` after a deadline,
    StaleVersion when somebody else saved meanwhile.
    """
    unknown = set(data) - set(DATA_FIELDS) - {"categories"}
    if unknown:
        raise ValueError(f"not a field of an application's data: {sorted(unknown)}")
    with transaction.atomic():
        application = lock_for_editing(pk, actor=actor)
        refuse_stale(application, seen)
        if data.get("contact_email", application.contact_email) != application.contact_email:
            application.contact_email_verified_at = None
        for name, value in data.items():
            setattr(application, name, value)
        touch(application)
        return application


def lock_for_editing(pk: int, *, actor: User) -> Application:
    """The locked application, if the person may edit it now. The caller must be in a transaction."""
    application = lock_application(pk)
    if not permissions.may_edit(actor, application):
        raise NotPermitted("not_permitted", _("You may not do this."))
    if application.state not in EDITABLE:
        raise DomainError(
            "not_editable",
            _("Nothing can be changed while the application is in state “%(state)s”.")
            % {"state": application.get_state_display()},
        )
    services.refuse_late(application)
    return application


def touch(application: Application) -> None:
    """Save typed data: a draft that is worked on isn't idle, so its clock begins anew."""
    now = clock.now()
    application.updated_at = now
    application.version += 1
    if application.is_draft:
        application.deadline_at = deadline(application.state, now)
    application.save()
