"""Who may do what with a review. Each rule is one named function; pages hide, services refuse."""

from applications.models import Application
from compliance.models import Review, ServedShop
from compliance.served_shops import permissions as served_shops
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role


def may_write(user: User, shop: ServedShop, application: Application) -> bool:
    """The shop's main account; never one of the provider's own people, whatever it became since."""
    return served_shops.is_owner(user, shop) and not served_shops.is_own_company(user, application)


def may_answer(user: User, application: Application) -> bool:
    """Reply and report: for the provider."""
    return served_shops.may_act_for(user, application)


def may_decide(user: User, review: Review, application: Application) -> bool:
    """Operations who belong neither to the provider nor to the author's company."""
    return has_role(user, Role.OPS) and not served_shops.belongs_to_either(
        user, application, review.served_shop
    )
