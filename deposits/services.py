"""Verbs on a deposit that other apps and pages call. Payments stand in payments.py, refunds in refunds.py."""

import logging

from django.db import transaction
from django.utils.translation import gettext as _

from applications import permissions
from applications import services as applications
from applications.lifecycle import MEMBER, State
from applications.locks import lock_application
from applications.models import Application
from deposits.incoming import payments
from deposits.models import PaymentOrder
from deposits.states import ORDER_UNRESOLVED
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.gateway import GatewayError

logger = logging.getLogger(__name__)


def withdraw(application_pk: int, *, actor: User, reason: str = "", seen: int | None = None) -> Application:
    """Withdraw an application that has paid no deposit: first its orders are closed at Alipay, then the application.

    DomainError `already_paid` when a payment was found instead, `alipay_unavailable` when Alipay can't be
    asked; then nothing is withdrawn. Call it outside a transaction.
    """
    with transaction.atomic():
        application = lock_application(application_pk)
        if not permissions.may_leave(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        applications.refuse_stale(application, seen)
    for order in unresolved_orders(application_pk):
        try:
            payments.close_now(order)
        except GatewayError as error:
            raise DomainError(
                "alipay_unavailable",
                _("Alipay can't be reached at present. Nothing was changed; please try again later."),
            ) from error
    if Application.objects.get(pk=application_pk).state in MEMBER:
        raise DomainError("already_paid", _("The deposit has been paid meanwhile. You can leave by an exit."))
    return applications.withdraw(application_pk, actor=actor, reason=reason)


def lapse_if_due(application_pk: int) -> bool:
    """Let an approved application lapse whose deadline has passed without a payment. True if it lapsed now.

    Alipay is asked about every order first; while it can't be asked, or an order may still turn out paid,
    nothing lapses. Call it outside a transaction.
    """
    for order in unresolved_orders(application_pk):
        try:
            payments.resolve(order)
        except GatewayError as error:
            logger.warning("Application %s can't lapse yet: %s", application_pk, error)
            return False
    application = Application.objects.get(pk=application_pk)
    if application.state != State.APPROVED or unresolved_orders(application_pk):
        return False
    if application.deadline_at is None or clock.now() <= application.deadline_at:
        return False
    applications.lapse(application_pk)
    return True


def unresolved_orders(application_pk: int) -> list[PaymentOrder]:
    """Orders that may still be paid, or were paid without our knowing."""
    return list(
        PaymentOrder.objects.filter(
            deposit__application_id=application_pk, state__in=ORDER_UNRESOLVED
        ).order_by("pk")
    )
