"""What tests of reviews make again and again."""

from decimal import Decimal

from applications.models import Application
from compliance.models import ProviderProfile

MARKS = {"attitude": 5, "professionalism": 4, "speed": 3, "results": 4}
TEXT = "客服回复快,大促期间也顶得住。"
REASON = "含辱骂内容。"


def all_marks(mark: int) -> dict[str, int]:
    return dict.fromkeys(MARKS, mark)


def profile(application: Application) -> tuple[int, Decimal | None]:
    found = ProviderProfile.objects.get(application=application)
    return found.reviews, found.review_mean
