"""The marks of a provider in figures: of the reviews that are shown, kept in its profile with each of them."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.db.models import Avg, Count

from applications.models import Application
from compliance.models import DIMENSIONS, ProviderProfile, Review

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Marks:
    """Means of the marks, with two places; None where there is no review."""

    count: int
    mean: Decimal | None
    of: dict[str, Decimal | None]


def of_provider(application: Application) -> Marks:
    """In one query."""
    shown = Review.objects.filter(application=application, hidden_at__isnull=True).order_by()
    found = shown.aggregate(count=Count("pk"), **{name: Avg(name) for name in DIMENSIONS})
    means = {name: None if found[name] is None else Decimal(found[name]) for name in DIMENSIONS}
    known = [mean for mean in means.values() if mean is not None]
    return Marks(
        count=found["count"],
        mean=_rounded(sum(known, Decimal(0)) / len(known)) if known else None,
        of={name: None if mean is None else _rounded(mean) for name, mean in means.items()},
    )


def keep(application: Application) -> None:
    """Write count and mean into the profile, where the directory reads them. Hold the application's lock."""
    marks = of_provider(application)
    ProviderProfile.objects.filter(application=application).update(
        reviews=marks.count, review_mean=marks.mean
    )


def _rounded(mean: Decimal) -> Decimal:
    return mean.quantize(_CENT, ROUND_HALF_UP)
