"""Who may do what with ratings. Each rule is one named function; pages hide, services refuse."""

from applications import permissions as applications
from applications.models import Application
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role


def may_rate(user: User) -> bool:
    """Begin, cancel and publish runs, and try a rule."""
    return has_role(user, Role.OPS)


def may_dispute(user: User, application: Application) -> bool:
    """For the company; whoever only reads or pays there does not."""
    return applications.may_edit(user, application)


def may_decide_dispute(user: User, application: Application) -> bool:
    """Operations who have no part in the company."""
    return has_role(user, Role.OPS) and not applications.belongs_to(user, application)
