"""A shop, its owner, and their relation with a provider in each state, made through the same services as in life."""

import pytest

from applications.models import Application
from compliance.models import ServedShop
from compliance.served_shops import invitations
from tests.compliance.served_shops.making import SHOP, serve
from tests.people import make_merchant
from tmall_sp.accounts.models import User


@pytest.fixture
def owner(db: None) -> User:
    """花店主, whose shop is served."""
    return make_merchant("花店主", "706377777")


@pytest.fixture
def invited(active: Application, merchant: User) -> ServedShop:
    return invitations.invite(active.pk, actor=merchant, shop_name=SHOP)


@pytest.fixture
def serving(active: Application, owner: User) -> ServedShop:
    return serve(active, owner)
