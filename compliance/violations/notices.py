"""处罚公告: which companies were expelled, for everybody to read. Nothing here says why, or names a person."""

from django.db.models import QuerySet

from compliance.models import Measure, Sanction

PAGE_SIZE = 20
NEWEST_FIRST = "-imposed_at"


def published() -> QuerySet[Sanction]:
    """Expulsions that stand; one that an appeal took back is gone from the page."""
    return Sanction.objects.filter(measure=Measure.EXPULSION, taken_back_at__isnull=True).select_related(
        "application"
    )
