"""Reads of reviews. What the public reads names no shop in full, and no person."""

from django.db.models import F, Q, QuerySet
from django.http import Http404

from applications.models import Application
from compliance.models import Review, ServedShop

WAITING = Q(reported_at__isnull=False, report_decided_at__isnull=True, hidden_at__isnull=True)


def shown_of(application: Application) -> QuerySet[Review]:
    """What the directory shows, the newest first."""
    return Review.objects.filter(application=application, hidden_at__isnull=True).select_related(
        "served_shop"
    )


def all_of(application: Application) -> QuerySet[Review]:
    """What the provider reads: with those that operations have hidden."""
    return application.merchant_reviews.select_related("served_shop")


def review_of(application: Application, pk: int) -> Review:
    review: Review | None = all_of(application).filter(pk=pk).first()
    if review is None:
        raise Http404
    return review


def by_owner_of(shop: ServedShop) -> QuerySet[Review]:
    """What the shop's owner wrote about the provider."""
    return shop.reviews.all()


def reported() -> QuerySet[Review]:
    """Reports that operations have to decide, the oldest first."""
    return Review.objects.filter(WAITING).order_by(F("reported_at"), "pk")


def masked(shop_name: str) -> str:
    """Enough for its owner to know the own review again, too little for others to know the shop."""
    return f"{shop_name[:1]}**{shop_name[-1:] if len(shop_name) > 2 else ''}"
