"""What is still missing before an application can be handed in, and before a provider becomes active."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications import selectors
from applications.models import Application
from tmall_sp.core import clock

REQUIRED_FIELDS = (
    "company_name",
    "credit_code",
    "legal_representative",
    "region",
    "contact_name",
    "contact_phone",
    "contact_email",
    "onboarding_link",
    "alipay_account_id",
)


@dataclass(frozen=True)
class Gap:
    """Something missing, said to the merchant, with the wizard step (or page) where it is mended."""

    code: str
    message: str | Promise
    step: str


def missing_for_submission(application: Application) -> list[Gap]:
    """Everything that stops a submission; empty when it can be handed in."""
    gaps = [
        Gap(name, Application._meta.get_field(name).verbose_name, _step_of(name))  # type: ignore[union-attr]
        for name in REQUIRED_FIELDS
        if not getattr(application, name)
    ]
    if not (application.licence_permanent or application.licence_valid_until):
        gaps.append(Gap("licence_valid_until", _("licence validity"), "company"))
    elif licence_has_expired(application):
        gaps.append(Gap("licence_expired", _("The business licence has expired."), "company"))
    if application.contact_email and application.contact_email_verified_at is None:
        gaps.append(Gap("email_unverified", _("The contact e-mail is not verified yet."), "contact"))
    if not selectors.has_licence(application):
        gaps.append(Gap("licence_file", _("The business licence has not been uploaded."), "materials"))
    return gaps


def missing_for_activation(application: Application) -> list[Gap]:
    """Design §2: current agreement accepted, licence valid, company not banned.

    The payer needs no check here: `deposit_paid` is reached only by a confirmed payer.
    """
    gaps = []
    if not selectors.has_accepted_current_agreement(application):
        gaps.append(Gap("agreement", _("Accept the current programme rules."), "agreement"))
    if licence_has_expired(application):
        gaps.append(Gap("licence_expired", _("Renew the business licence: it has expired."), "licence"))
    if is_banned(application):
        gaps.append(Gap("banned", _("The company may not join at present. Please contact operations."), ""))
    return gaps


def licence_has_expired(application: Application) -> bool:
    """A licence is valid through the whole of its last day."""
    until = application.licence_valid_until
    return not application.licence_permanent and until is not None and until < clock.today()


def is_banned(application: Application) -> bool:
    return selectors.ban_in_force(
        credit_code=application.credit_code,
        taobao_user_id=application.taobao_user_id,
        alipay_account_id=application.alipay_account_id,
    )


def _step_of(field: str) -> str:
    if field.startswith("contact_"):
        return "contact"
    return "account" if field in ("onboarding_link", "alipay_account_id") else "company"
