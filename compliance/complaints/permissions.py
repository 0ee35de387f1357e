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
    """For whom the person speaks in this case; None for a stranger and for staff."""
    if complaint.complainant_id == user.pk:
        return Side.COMPLAINANT
    if applications.may_edit(user, complaint.application):
        return Side.PROVIDER
    return None


def belongs_to_provider(user: User, application: Application) -> bool:
    return applications.company_role(user, application) is not None


def is_impartial(user: User, complaint: Complaint) -> bool:
    """Neither entered the complaint, nor admitted the company, nor belongs to it."""
    application = complaint.application
    if user.pk in {complaint.entered_by_id, application.approved_by_id, application.applicant_id}:
        return False
    return not user.memberships.filter(company=application.company_id).exists()


def may_decide(user: User, complaint: Complaint) -> bool:
    return may_handle(user) and is_impartial(user, complaint)


def may_decide_appeal(user: User, complaint: Complaint) -> bool:
    """Another person than the one whose decision is appealed."""
    return may_decide(user, complaint) and user.pk != complaint.decided_by_id
