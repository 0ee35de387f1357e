"""A shop, its owner, and their relation with a provider in each state, made through the same services as in life."""

from decimal import Decimal

import pytest

from applications.models import Application
from compliance.models import Declaration, ServedShop
from compliance.quarters import Quarter
from compliance.served_shops import declarations, invitations
from tests.compliance.served_shops.making import SHOP, another_member, paper, serve
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


@pytest.fixture
def declared(serving: ServedShop, merchant: User) -> Declaration:
    """GMV of the running quarter, ¥1,200,000.00, not decided yet."""
    return declarations.declare_gmv(
        serving.pk, actor=merchant, quarter=str(Quarter.current()), value=Decimal("1200000"), upload=paper()
    )


@pytest.fixture
def other_member(stranger: User, reviewer: User) -> Application:
    """小店乙's company, which serves shops of its own."""
    return another_member(stranger, reviewer)
