"""Who may do what about a served shop. Each rule is one named function; pages hide, services refuse."""

from applications import permissions as applications
from applications.lifecycle import State
from applications.models import Application
from compliance.models import Declaration, ServedShop
from tmall_sp.accounts.models import Company, User
from tmall_sp.accounts.roles import Role, has_role

# Who serves shops. While it is suspended or leaving, a new relation is still the proof that its shop needs.
SERVES = (State.ACTIVE, State.SUSPENDED, State.EXITING)


def may_act_for(user: User, application: Application) -> bool:
    """For the provider: its owner or an editor, while it serves."""
    return application.state in SERVES and applications.may_edit(user, application)


def is_main_account(user: User) -> bool:
    """Of any Taobao account: a sub-account authorises, ends and reviews nothing."""
    return bool(user.taobao_user_id) and not user.is_sub_account


def is_owner(user: User, shop: ServedShop) -> bool:
    """The main account that authorised the relation."""
    return is_main_account(user) and user.taobao_user_id == shop.owner_taobao_user_id


def is_own_company(user: User, application: Application) -> bool:
    """The provider's own people prove nothing about it."""
    return applications.belongs_to(user, application)


def may_decide(user: User, declaration: Declaration, application: Application) -> bool:
    """Operations who belong neither to the provider nor to the company of the shop's owner."""
    return has_role(user, Role.OPS) and not belongs_to_either(user, application, declaration.served_shop)


def belongs_to_either(user: User, application: Application, shop: ServedShop | None) -> bool:
    companies = {application.company_id}
    if shop is not None and shop.owner_taobao_user_id:
        of_owner = Company.objects.filter(applications__taobao_user_id=shop.owner_taobao_user_id)
        companies |= set(of_owner.values_list("pk", flat=True))
    return user.memberships.filter(company__in=companies).exists()
