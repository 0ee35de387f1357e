"""What the database refuses by itself, whatever the services would let through."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from compliance.models import Review, ReviewStep
from tests.compliance.reviews.making import MARKS
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


def test_a_quarter_is_reviewed_once(review: Review) -> None:
    def write(quarter: str) -> Review:
        return Review.objects.create(
            application=review.application,
            served_shop=review.served_shop,
            author=review.author,
            quarter=quarter,
            **MARKS,
        )

    with pytest.raises(IntegrityError, match="one_review_per_shop_and_quarter"), transaction.atomic():
        write(review.quarter)
    assert write("2026Q1")


def test_nothing_is_hidden_without_a_reason(review: Review, ops: User) -> None:
    hide = Review.objects.filter(pk=review.pk).update
    name = "review_hidden_by_somebody_for_a_reason"

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        hide(hidden_at=clock.now(), hidden_by=ops)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        hide(hidden_at=clock.now(), hidden_reason="含辱骂内容")
    assert hide(hidden_at=clock.now(), hidden_by=ops, hidden_reason="含辱骂内容") == 1


def test_steps_are_only_written_and_reviews_stay(reported_review: Review) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        ReviewStep.objects.filter(review=reported_review).update(note="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        ReviewStep.objects.filter(review=reported_review).delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Review.objects.filter(pk=reported_review.pk).delete()
