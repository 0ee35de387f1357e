"""Operations' desk for cases and exits. State is never a field here: every step asks the case's services."""

from compliance.admin import (
    complaints,
    panels,
    ratings,
    records,
    reviews,
    served_shops,
    violations,
)

__all__ = ["complaints", "panels", "ratings", "records", "reviews", "served_shops", "violations"]
