"""Who is told what about money, and what of it stands in the membership's timeline."""

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications.announcements import merchants
from applications.models import Application, Transition
from applications.step_names import STEP_NAMES
from deposits.models import LedgerTransfer
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core import clock
from tmall_sp.core.notices import notify

STEP_NAMES.update(
    {
        "deposit_topped_up": _("Deposit topped up"),
        "required_deposit_changed": _("Required deposit changed"),
        "payment_refused": _("Payment not accepted"),
        "refused_payment_returned": _("Refused payment sent back"),
        "refund_held": _("Refund waits to be released by two people"),
        "refund_released": _("Refund released by two people"),
        "refund_paid": _("Deposit paid back"),
        "compensation_paid": _("Compensation paid out"),
        "transfer_returned": _("Transfer returned by the bank"),
        "payout_retried": _("Payout tried again"),
        "deposit_frozen": _("Part of the deposit frozen"),
        "deposit_released": _("Frozen part of the deposit released"),
        "compensation_deducted": _("Compensation deducted"),
        "penalty_deducted": _("Penalty deducted"),
        "breach_deducted": _("Damages for breach deducted"),
        "forfeiture_deducted": _("Deposit forfeited"),
        "obligation_recorded": _("Deduction larger than the deposit: the rest is owed"),
        "obligation_paid": _("Obligation paid from the deposit"),
        "obligation_waived": _("Obligation waived by two people"),
        "entry_corrected": _("Deduction corrected by two people"),
        "forfeiture_returned": _("Forfeited deposit given back"),
    }
)


def tell_merchant(
    application: Application,
    *,
    key: str,
    subject: str | Promise,
    body: str | Promise,
    receipt: LedgerTransfer | None = None,
) -> None:
    """A notice to everybody of the company, with a link to the receipt of a row, or else to the deposit's page.

    Call it in the fact's transaction.
    """
    link = reverse("deposits:detail", args=[application.number])
    if receipt is not None:
        link = reverse("deposits:receipt", args=[application.number, receipt.pk])
    notify(
        merchants(application),
        key=f"deposit:{key}",
        subject=subject,
        body=body,
        link=link,
        email=application.contact_email if application.contact_email_verified_at else "",
    )


def tell_finance(
    *, key: str, subject: str | Promise, body: str | Promise, link: str, but: User | None = None
) -> None:
    """A notice to everybody with the role finance, but for one. Call it in the fact's transaction."""
    people = [person for person in staff_with(Role.FINANCE) if person != but]
    notify(people, key=f"deposit:{key}", subject=subject, body=body, link=link)


def tell_person(person: User, *, key: str, subject: str | Promise, body: str | Promise, link: str) -> None:
    """A notice to one person of staff. Call it in the fact's transaction."""
    notify([person], key=f"deposit:{key}", subject=subject, body=body, link=link)


def enter_timeline(application: Application, name: str, reason: str = "") -> None:
    """A public timeline entry of a step that moves money and not the state. Hold the application's lock."""
    Transition.objects.create(
        application=application,
        name=name,
        from_state=application.state,
        to_state=application.state,
        at=clock.now(),
        reason=reason,
    )


def enter_internally(application: Application, name: str, *, actor: User, note: str) -> None:
    """What a person of staff did about money, for staff to read. Hold the application's lock."""
    Transition.objects.create(
        application=application,
        name=name,
        from_state=application.state,
        to_state=application.state,
        actor=actor,
        at=clock.now(),
        internal_note=note,
        public=False,
    )
