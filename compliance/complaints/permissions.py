"""Who may do what with a complaint. Each rule is one named function; pages hide, services refuse."""

from applications import permissions as applications
from applications.models import Application
from compliance.models import Complaint, Side
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role


def may_handle(user: User) -> bool:
    """Enter, claim and decide complaints."""
    return has_role(user, Role.OPS)


def side_of(user: User, complaint: Complaint) -> Side | None:
    """For whom the person speaks in this case; None for a stranger and for staff who may decide it.

    An expelled company still has its case: the Taobao account that applied, and its sub-accounts, answer for it.
    """
    if complaint.complainant_id == user.pk or _speaks_for_complainant(user, complaint):
        return Side.COMPLAINANT
    if applications.may_edit(user, complaint.application):
        return Side.PROVIDER
    return None


def _speaks_for_complainant(user: User, complaint: Complaint) -> bool:
    """Operations, for somebody without an account; but not who handles or decided the case."""
    handlers = {complaint.claimed_by_id, complaint.decided_by_id, complaint.appeal_decided_by_id}
    return complaint.complainant_id is None and may_handle(user) and user.pk not in handlers


def belongs_to_provider(user: User, application: Application) -> bool:
    return applications.belongs_to(user, application)


def may_admit(user: User, complaint: Complaint) -> bool:
    """An admission is paid out of the deposit: as with a payment, never a sub-account."""
    return side_of(user, complaint) is Side.PROVIDER and not user.is_sub_account


def has_something_to_gain(side: Side, complaint: Complaint) -> bool:
    """Whether an appeal of this side could bring it anything against the present finding."""
    if side is Side.COMPLAINANT:
        return bool(complaint.award < complaint.claimed)
    return bool(complaint.award) and not complaint.is_admitted


def may_appeal(user: User, complaint: Complaint) -> bool:
    side = side_of(user, complaint)
    return side is not None and has_something_to_gain(side, complaint)


def is_impartial(user: User, complaint: Complaint) -> bool:
    """Neither spoke for a side, nor entered the complaint, nor admitted the company, nor belongs to it."""
    application = complaint.application
    if user.pk in {complaint.entered_by_id, complaint.complainant_id, application.approved_by_id}:
        return False
    if belongs_to_provider(user, application):
        return False
    return not complaint.steps.filter(actor=user).exclude(side="").exists()


def may_decide(user: User, complaint: Complaint) -> bool:
    return may_handle(user) and is_impartial(user, complaint)


def may_decide_appeal(user: User, complaint: Complaint) -> bool:
    """Another person than the one whose decision is appealed."""
    return may_decide(user, complaint) and user.pk != complaint.decided_by_id
