"""Two at the same moment: one review a quarter, one reply, one decision, and figures that agree."""

import pytest

from applications.models import Application
from compliance.models import Review, ServedShop
from compliance.reviews import figures
from compliance.reviews import services as reviews
from tests.compliance.reviews.making import MARKS, REASON, all_marks, profile
from tests.compliance.served_shops.making import serve
from tests.compliance.served_shops.test_races import codes
from tests.people import make_merchant
from tests.races.together import together
from tmall_sp.accounts.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_quarter_is_reviewed_once(serving: ServedShop, active: Application, owner: User) -> None:
    outcomes = together(*[lambda: reviews.write(serving.pk, actor=owner, marks=MARKS)] * 3)

    assert codes(outcomes) == ["ok", "reviewed_already", "reviewed_already"]
    assert profile(active)[0] == 1


def test_reviews_of_several_shops_at_once_all_count(active: Application) -> None:
    people = [make_merchant(f"店主{number}", f"70660000{number}") for number in range(4)]
    shops = [serve(active, person, f"第{place}家店") for place, person in enumerate(people)]

    together(
        *(
            lambda place=place: reviews.write(
                shops[place].pk, actor=people[place], marks=all_marks(place + 1)
            )
            for place in range(4)
        )
    )

    marks = figures.of_provider(active)
    assert profile(active) == (4, marks.mean) == (4, 2.5)


def test_the_provider_replies_once(review: Review, merchant: User) -> None:
    outcomes = together(
        *(lambda text=text: reviews.reply(review.pk, actor=merchant, text=text) for text in ("甲", "乙"))
    )

    assert codes(outcomes) == ["ok", "replied_already"]
    assert review.steps.count() == 1


def test_hidden_or_kept_is_decided_once(
    reported_review: Review, active: Application, ops: User, second_ops: User
) -> None:
    outcomes = together(
        lambda: reviews.keep(reported_review.pk, actor=ops, reason="属正常评价", seen="reported"),
        lambda: reviews.hide(reported_review.pk, actor=second_ops, reason=REASON, seen="reported"),
    )

    assert codes(outcomes) == ["ok", "stale"]
    hidden = Review.objects.get(pk=reported_review.pk).hidden_at is not None
    assert profile(active)[0] == (0 if hidden else 1)
