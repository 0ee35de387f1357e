"""A served shop whose owner reviews the provider."""

import pytest

from applications.models import Application
from compliance.models import Review, ServedShop
from compliance.reviews import services as reviews
from tests.compliance.reviews.making import MARKS, TEXT
from tests.compliance.served_shops.making import another_member, serve
from tests.people import make_merchant
from tmall_sp.accounts.models import User


@pytest.fixture
def owner(db: None) -> User:
    """花店主, whose shop is served."""
    return make_merchant("花店主", "706377777")


@pytest.fixture
def serving(active: Application, owner: User) -> ServedShop:
    return serve(active, owner)


@pytest.fixture
def review(serving: ServedShop, owner: User) -> Review:
    """5, 4, 3 and 4: a mean of 4."""
    return reviews.write(serving.pk, actor=owner, marks=MARKS, text=TEXT)


@pytest.fixture
def reported_review(review: Review, merchant: User) -> Review:
    return reviews.report(review.pk, actor=merchant, reason="辱骂客服,与服务无关")


@pytest.fixture
def other_member(stranger: User, reviewer: User) -> Application:
    """小店乙's company, which serves shops of its own."""
    return another_member(stranger, reviewer)
