"""Who is told what about a review. Call each in the transaction of its fact."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.announcements import merchants
from applications.models import Application
from compliance.models import Review, ReviewStep
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core.notices import notify

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

Tell = Callable[[Application, Review, ReviewStep], None]


def tell_written(application: Application, review: Review) -> None:
    _tell_provider(
        application,
        review,
        "written",
        _("A merchant has reviewed your company"),
        _("You can reply once; the reply is shown with the review."),
    )


def tell_replied(application: Application, review: Review, step: ReviewStep) -> None:
    subject = format_lazy(_("{company} has replied to your review"), company=application.company_name)
    _tell_author(review, step, subject, review.reply)


def tell_reported(application: Application, review: Review, step: ReviewStep) -> None:
    notify(
        staff_with(Role.OPS),
        key=f"review:{review.pk}:{step.pk}",
        subject=_("A provider has reported a review"),
        body=f"{application.number} {application.company_name}\n{review.report_reason}",
        link=reverse("admin:compliance_review_change", args=[review.pk]),
    )


def tell_kept(application: Application, review: Review, step: ReviewStep) -> None:
    _tell_provider(application, review, str(step.pk), _("A review that you reported stays"), _because(step))


def tell_hidden(application: Application, review: Review, step: ReviewStep) -> None:
    _tell_both(application, review, step, _("A review has been hidden by operations"))


def tell_shown(application: Application, review: Review, step: ReviewStep) -> None:
    _tell_both(application, review, step, _("A review is shown again"))


def _tell_both(application: Application, review: Review, step: ReviewStep, subject: "StrPromise") -> None:
    _tell_provider(application, review, str(step.pk), subject, _because(step))
    _tell_author(review, step, subject, _because(step))


def _because(step: ReviewStep) -> "StrPromise":
    return format_lazy("{text} {reason}", text=_("The reason:"), reason=step.note)


def _tell_provider(
    application: Application, review: Review, event: str, subject: "StrPromise", body: "StrPromise"
) -> None:
    notify(
        merchants(application),
        key=f"review:{review.pk}:{event}",
        subject=subject,
        body=body,
        link=f"{reverse('reviews:list', args=[application.number])}#review-{review.pk}",
        email=application.contact_email if application.contact_email_verified_at else "",
    )


def _tell_author(review: Review, step: ReviewStep, subject: "StrPromise", body: "str | StrPromise") -> None:
    notify(
        [review.author],
        key=f"review:{review.pk}:{step.pk}",
        subject=subject,
        body=body,
        link=reverse("served_shops:provider", args=[review.served_shop_id]),
    )
