"""Verbs of reviews. Each locks the provider's application, and keeps the figures of its profile with what it changes."""

from collections.abc import Callable, Mapping

from django.db import transaction
from django.utils.translation import gettext as _

from applications.models import Application
from compliance.locks import lock_review, lock_served_shop
from compliance.models import DIMENSIONS, Review, ReviewState, ReviewStep
from compliance.reviews import announcements, figures, permissions
from compliance.reviews.eligibility import quarter_to_review
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

Change = Callable[[Application, Review], None]

# The merchants --------------------------------------------------------------------------------------


def write(shop_pk: int, *, actor: User, marks: Mapping[str, int], text: str = "") -> Review:
    """The owner of a shop with a proven relation rates its provider, once per quarter and relation.

    DomainError: `not_now`, `reviewed_already`, `marks` (on the first field that is wrong).
    """
    with transaction.atomic():
        application, shop = lock_served_shop(shop_pk)
        if not permissions.may_write(actor, shop, application):
            raise _not_permitted()
        shop.application = application
        quarter = quarter_to_review(shop)
        if quarter is None:
            raise DomainError("not_now", _("This relation can't be reviewed (any more)."))
        if shop.reviews.filter(quarter=quarter).exists():
            raise DomainError(
                "reviewed_already", _("You have already reviewed this provider for this quarter.")
            )
        _refuse_marks(marks)
        review = Review.objects.create(
            application=application,
            served_shop=shop,
            author=actor,
            quarter=quarter,
            text=text.strip(),
            written_at=clock.now(),
            **{name: marks[name] for name in DIMENSIONS},
        )
        figures.keep(application)
        announcements.tell_written(application, review)
    return review


def _refuse_marks(marks: Mapping[str, int]) -> None:
    for name in DIMENSIONS:
        if marks.get(name) not in range(1, 6):
            raise DomainError("marks", _("Give a mark from 1 to 5."), field=name)


# The provider ---------------------------------------------------------------------------------------


def reply(pk: int, *, actor: User, text: str) -> Review:
    """What the provider says to it, once; shown with the review."""
    _refuse_empty(text, "reply", _("Write what you reply."))

    def change(application: Application, review: Review) -> None:
        _refuse_hidden(review)
        if review.replied_at:
            raise DomainError("replied_already", _("Your company has already replied."))
        review.reply = text.strip()
        review.replied_at = clock.now()

    return _change(
        pk,
        "reply",
        permissions.may_answer,
        actor=actor,
        change=change,
        tell=announcements.tell_replied,
        note=text,
    )


def report(pk: int, *, actor: User, reason: str) -> Review:
    """The provider asks operations to look at it, once; until they decide, it stays shown."""
    _refuse_empty(reason, "reason", _("Say what is wrong with the review."))

    def change(application: Application, review: Review) -> None:
        _refuse_hidden(review)
        if review.reported_at:
            raise DomainError("reported_already", _("Your company has already reported it."))
        review.reported_at = clock.now()
        review.report_reason = reason.strip()

    return _change(
        pk,
        "report",
        permissions.may_answer,
        actor=actor,
        change=change,
        tell=announcements.tell_reported,
        note=reason,
    )


# Operations -----------------------------------------------------------------------------------------


def keep(pk: int, *, actor: User, reason: str, seen: str | None = None) -> Review:
    """The report is not right: the review stays."""
    _refuse_empty(reason, "reason", _("Give the reason that the company reads."))

    def change(application: Application, review: Review) -> None:
        _refuse_unless(review, ReviewState.REPORTED)
        review.report_decided_at = clock.now()

    return _decide(
        pk, "keep", actor=actor, change=change, tell=announcements.tell_kept, note=reason, seen=seen
    )


def hide(pk: int, *, actor: User, reason: str, seen: str | None = None) -> Review:
    """It is shown and counts no more, whether it was reported or not. Author and provider read the reason."""
    _refuse_empty(reason, "reason", _("Give the reason that both sides read."))

    def change(application: Application, review: Review) -> None:
        _refuse_unless(review, ReviewState.SHOWN, ReviewState.REPORTED)
        review.hidden_at = clock.now()
        review.hidden_by = actor
        review.hidden_reason = reason.strip()
        if review.reported_at and not review.report_decided_at:
            review.report_decided_at = review.hidden_at

    return _decide(
        pk, "hide", actor=actor, change=change, tell=announcements.tell_hidden, note=reason, seen=seen
    )


def show(pk: int, *, actor: User, reason: str, seen: str | None = None) -> Review:
    """It was hidden wrongly: it is shown and counts again."""
    _refuse_empty(reason, "reason", _("Give the reason that both sides read."))

    def change(application: Application, review: Review) -> None:
        _refuse_unless(review, ReviewState.HIDDEN)
        review.hidden_at = None
        review.hidden_by = None
        review.hidden_reason = ""

    return _decide(
        pk, "show", actor=actor, change=change, tell=announcements.tell_shown, note=reason, seen=seen
    )


def _decide(
    pk: int,
    name: str,
    *,
    actor: User,
    change: Change,
    tell: announcements.Tell,
    note: str,
    seen: str | None,
) -> Review:
    """A step of operations, who see the state that they decide on."""

    def guarded(application: Application, review: Review) -> None:
        if not permissions.may_decide(actor, review, application):
            raise _not_permitted()
        if seen is not None and seen != review.state:
            raise StaleVersion(
                "stale",
                _("Meanwhile the review is in state “%(state)s”. Look at it again, then decide.")
                % {"state": review.state.label},
            )
        change(application, review)

    return _change(
        pk, name, lambda user, application: True, actor=actor, change=guarded, tell=tell, note=note
    )


# The door -------------------------------------------------------------------------------------------


def _change(
    pk: int,
    name: str,
    may: Callable[[User, Application], bool],
    *,
    actor: User,
    change: Change,
    tell: announcements.Tell,
    note: str = "",
) -> Review:
    """Lock application, then review → permission → change → save → step → figures → notices."""
    with transaction.atomic():
        application, review = lock_review(pk)
        if not may(actor, application):
            raise _not_permitted()
        change(application, review)
        review.save()
        step = ReviewStep.objects.create(
            review=review, name=name, actor=actor, at=clock.now(), note=note.strip()
        )
        figures.keep(application)
        tell(application, review, step)
    return review


def _not_permitted() -> NotPermitted:
    return NotPermitted("not_permitted", _("You may not do this."))


def _refuse_empty(text: str, field: str, message: str) -> None:
    if not text.strip():
        raise DomainError("empty", message, field=field)


def _refuse_hidden(review: Review) -> None:
    if review.hidden_at:
        raise DomainError("hidden", _("Operations have hidden this review."))


def _refuse_unless(review: Review, *states: ReviewState) -> None:
    if review.state not in states:
        raise DomainError(
            "wrong_state",
            _("This can't be done while the review is in state “%(state)s”.") % {"state": review.state.label},
        )
