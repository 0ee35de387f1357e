"""Roles of the programme, as Django groups with permissions.

A merchant or complainant needs no group: what is theirs follows from the Taobao account and the
membership. The groups are (re)made after every migration, so code is their only source.
"""

from collections.abc import Iterable
from enum import StrEnum

from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet

from tmall_sp.accounts.models import User


class Role(StrEnum):
    MERCHANT = "merchant"
    COMPLAINANT = "complainant"
    REVIEWER = "reviewer"
    EXPERT = "expert"
    OPS = "ops"
    FINANCE = "finance"
    AUDITOR = "auditor"


STAFF_ROLES = (Role.REVIEWER, Role.EXPERT, Role.OPS, Role.FINANCE, Role.AUDITOR)

_EVERYBODY_READS = (
    "accounts.view_company",
    "applications.view_application",
    "applications.view_transition",
    "applications.view_shopcheck",
    "applications.view_document",
    "applications.view_licencerenewal",
    "applications.view_suspension",
)

# Model permissions open the admin's pages; what a person may decide is asked again in the services.
PERMISSIONS: dict[Role, tuple[str, ...]] = {
    Role.MERCHANT: (),
    Role.COMPLAINANT: (),
    Role.EXPERT: (),
    Role.REVIEWER: (*_EVERYBODY_READS, "applications.review_application"),
    Role.OPS: (
        *_EVERYBODY_READS,
        "accounts.view_user",
        "accounts.view_membership",
        "core.view_ruleversion",
        "core.view_rulechange",
        "core.decide_rulechange",
        "core.view_mail",
        "applications.reassign_application",
        "applications.view_ban",
        "applications.view_decision",
        "compliance.view_violation",
        "compliance.add_violation",
        "compliance.handle_violation",
        "compliance.view_sanction",
        "compliance.view_violationappeal",
        "compliance.view_exitrequest",
        "compliance.view_servedshop",
        "compliance.view_declaration",
        "compliance.view_review",
        "compliance.view_complaint",
        "compliance.handle_complaint",
        "compliance.view_questioncode",
        "compliance.add_questioncode",
        "compliance.change_questioncode",
        "compliance.view_ratingrun",
        "compliance.publish_ratingrun",
        "compliance.view_score",
        "compliance.view_scoredispute",
        "deposits.view_deposit",
        "deposits.view_obligation",
        "deposits.view_topupdemand",
        "deposits.view_refund",
        "deposits.view_proposal",
        "deposits.view_accountchange",
    ),
    Role.FINANCE: (
        *_EVERYBODY_READS,
        "deposits.view_deposit",
        "deposits.view_paymentorder",
        "deposits.view_alipaynotification",
        "deposits.view_refund",
        "deposits.view_returnedpayment",
        "deposits.view_payout",
        "deposits.view_ledgertransfer",
        "deposits.view_obligation",
        "deposits.view_topupdemand",
        "deposits.view_compensation",
        "deposits.view_proposal",
        "deposits.view_accountchange",
        "deposits.view_reconciliationrun",
        "deposits.view_billline",
        "deposits.view_difference",
        "deposits.handle_money",
        "compliance.view_complaint",
    ),
    Role.AUDITOR: (
        *_EVERYBODY_READS,
        "accounts.view_user",
        "accounts.view_membership",
        "core.view_ruleversion",
        "core.view_rulechange",
        "core.view_mail",
        "applications.view_ban",
        "applications.view_decision",
        "compliance.view_violation",
        "compliance.view_sanction",
        "compliance.view_violationappeal",
        "compliance.view_exitrequest",
        "compliance.view_servedshop",
        "compliance.view_declaration",
        "compliance.view_review",
        "compliance.view_complaint",
        "compliance.view_questioncode",
        "compliance.view_ratingrun",
        "compliance.view_score",
        "compliance.view_scoredispute",
        "deposits.view_deposit",
        "deposits.view_paymentorder",
        "deposits.view_alipaynotification",
        "deposits.view_refund",
        "deposits.view_returnedpayment",
        "deposits.view_payout",
        "deposits.view_ledgertransfer",
        "deposits.view_obligation",
        "deposits.view_topupdemand",
        "deposits.view_compensation",
        "deposits.view_proposal",
        "deposits.view_accountchange",
        "deposits.view_reconciliationrun",
        "deposits.view_billline",
        "deposits.view_difference",
    ),
}


def has_role(user: User, *roles: Role) -> bool:
    """Whether the person is active staff with one of the roles.

    A superuser has none, whatever groups it is in: who gives roles can't be one of the two who decide.
    """
    if not (user.is_authenticated and user.is_active and user.is_staff) or user.is_superuser:
        return False
    if not hasattr(user, "_role_names"):
        user._role_names = set(user.groups.values_list("name", flat=True))  # type: ignore[attr-defined]
    return any(role in user._role_names for role in roles)  # type: ignore[attr-defined]


def staff_with(*roles: Role) -> QuerySet[User]:
    """Active staff who hold one of the roles."""
    return User.objects.filter(is_active=True, is_staff=True, groups__name__in=roles).distinct()


def grant(user: User, *roles: Role) -> None:
    user.groups.add(*Group.objects.filter(name__in=roles))


def sync_roles(sender: object = None, **kwargs: object) -> None:
    """Make every group and give it its permissions. Runs after each migrate; repeats change nothing."""
    for role, names in PERMISSIONS.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(_permissions(names))


def _permissions(names: Iterable[str]) -> QuerySet[Permission]:
    wanted = Q(pk__in=[])
    for name in names:
        app, codename = name.split(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    return Permission.objects.filter(wanted)
