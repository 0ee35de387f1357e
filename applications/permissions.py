"""Who may do what with an application. Each rule is one named function; views hide, services refuse."""

from applications.lifecycle import ADMITTED
from applications.models import Application
from tmall_sp.accounts.models import CompanyRole, Membership, User
from tmall_sp.accounts.roles import Role, has_role


def company_role(user: User, application: Application) -> CompanyRole | None:
    """The person's role in this membership, or None for a stranger.

    The Taobao account that applied owns it; its sub-accounts edit. Others need a membership of the company,
    which counts only while this application has been admitted: it gives nothing in another's application
    for the same credit code.
    """
    if user.taobao_user_id and user.taobao_user_id == application.taobao_user_id:
        return CompanyRole.EDITOR if user.is_sub_account else CompanyRole.OWNER
    if application.state not in ADMITTED:
        return None
    membership = Membership.objects.filter(user=user, company=application.company_id).first()
    return CompanyRole(membership.role) if membership else None


def may_edit(user: User, application: Application) -> bool:
    return company_role(user, application) in (CompanyRole.OWNER, CompanyRole.EDITOR)


def may_pay(user: User, application: Application) -> bool:
    """A sub-account never pays, whatever its membership says."""
    return not user.is_sub_account and company_role(user, application) in (
        CompanyRole.OWNER,
        CompanyRole.PAYER,
    )


def may_leave(user: User, application: Application) -> bool:
    """Withdraw or exit: the owner alone, never a sub-account."""
    return not user.is_sub_account and company_role(user, application) == CompanyRole.OWNER


def may_review(user: User, application: Application) -> bool:
    """A reviewer who has no part in the company, now or before."""
    return has_role(user, Role.REVIEWER) and not belongs_to(user, application)


def may_look_at_licence(user: User, application: Application) -> bool:
    """A reviewer, or operations, with no part in the company."""
    return has_role(user, Role.REVIEWER, Role.OPS) and not belongs_to(user, application)


def belongs_to(user: User, application: Application) -> bool:
    """Whether the person has, or had, a part in the company."""
    return (
        company_role(user, application) is not None
        or Membership.objects.filter(user=user, company=application.company_id).exists()
    )


def is_claimed_by(user: User, application: Application) -> bool:
    return application.reviewer_id == user.pk and may_review(user, application)


def may_reassign(user: User) -> bool:
    return has_role(user, Role.OPS)


def are_operations(*people: User) -> bool:
    return all(has_role(person, Role.OPS) for person in people)
