"""Who may do what with a violation. Each rule is one named function; pages hide, services refuse."""

from applications import permissions as applications
from applications.models import Application
from compliance.models import Violation
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role


def may_handle(user: User) -> bool:
    """Report, investigate and decide."""
    return has_role(user, Role.OPS)


def may_report(user: User, application: Application) -> bool:
    """Any merchant, but for those who have, or had, a part in the company."""
    return bool(user.taobao_user_id) and not applications.belongs_to(user, application)


def is_impartial(user: User, violation: Violation, application: Application) -> bool:
    """Neither reported the violation, nor admitted the company, nor belongs to it."""
    if user.pk in {violation.reported_by_id, application.approved_by_id, application.applicant_id}:
        return False
    return not user.memberships.filter(company=application.company_id).exists()


def may_take_up(user: User, violation: Violation, application: Application) -> bool:
    return may_handle(user) and is_impartial(user, violation, application)


def may_verify(user: User, violation: Violation, application: Application) -> bool:
    """The second person, whoever holds which other right."""
    return may_take_up(user, violation, application) and user.pk != violation.investigator_id


def may_appeal(user: User, application: Application) -> bool:
    """For the company, also once it was expelled or has left; a sub-account never does."""
    return not user.is_sub_account and applications.may_edit(user, application)


def may_decide_appeal(user: User, violation: Violation, application: Application) -> bool:
    """Propose or decide: nobody who had a part in the first decision."""
    return may_verify(user, violation, application) and user.pk != violation.verifier_id
