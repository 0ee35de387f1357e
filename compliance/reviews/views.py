"""Reviews: the owner writes, the provider replies and reports."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from applications.models import Application
from applications.views.people import person
from compliance.models import DIMENSIONS, Review
from compliance.reviews import figures, permissions, selectors, services
from compliance.reviews.forms import ReplyForm, ReportForm, ReviewForm
from compliance.served_shops import owner_views, refusals
from compliance.served_shops import selectors as served_shops
from tmall_sp.core.errors import DomainError

PAGE_SIZE = 10


@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    shop = served_shops.relation_for(person(request), pk)
    form = ReviewForm(request.POST)
    if form.is_valid():
        try:
            services.write(shop.pk, actor=person(request), marks=form.marks(), text=form.cleaned_data["text"])
        except DomainError as error:
            refusals.show(form, error)
        else:
            messages.success(request, _("Thank you. Your review is in the directory now."))
            return redirect("served_shops:provider", pk)
    return owner_views.page(request, served_shops.relation_for(person(request), pk), review_form=form)


@require_safe
def reviews(request: HttpRequest, number: str) -> HttpResponse:
    """All reviews of the company, with those that operations have hidden."""
    return _page(request, served_shops.provider_for(person(request), number))


@require_POST
def reply(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    application = served_shops.provider_for(person(request), number)
    review = selectors.review_of(application, pk)
    form = ReplyForm(request.POST, prefix=f"reply-{pk}")
    if form.is_valid():
        try:
            services.reply(review.pk, actor=person(request), text=form.cleaned_data["reply"])
        except DomainError as error:
            refusals.show(form, error)
        else:
            messages.success(request, _("Your reply is shown with the review."))
            return redirect(f"{reverse('reviews:list', args=[number])}#review-{pk}")
    return _page(request, application, refused=(pk, form))


@require_POST
def report(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    application = served_shops.provider_for(person(request), number)
    review = selectors.review_of(application, pk)
    form = ReportForm(request.POST, prefix=f"report-{pk}")
    if form.is_valid():
        try:
            services.report(review.pk, actor=person(request), reason=form.cleaned_data["reason"])
        except DomainError as error:
            refusals.show(form, error)
        else:
            messages.success(request, _("Reported. Operations look at it and tell you."))
            return redirect(f"{reverse('reviews:list', args=[number])}#review-{pk}")
    return _page(request, application, refused=(pk, form))


def _page(
    request: HttpRequest, application: Application, refused: tuple[int, forms.Form] | None = None
) -> HttpResponse:
    """A form that was refused is shown open again, with what was typed, at its review."""
    rows = selectors.all_of(application)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    if refused is not None and all(row.pk != refused[0] for row in shown):
        shown = [selectors.review_of(application, refused[0]), *shown]
    may_answer = permissions.may_answer(person(request), application)
    context = {
        "application": application,
        "page": page,
        "rows": [_row(review, may_answer, refused) for review in shown],
        "marks": figures.of_provider(application),
        "dimensions": DIMENSIONS,
    }
    return render(request, "reviews/list.html", context, status=422 if refused else 200)


def _row(review: Review, may_answer: bool, refused: tuple[int, forms.Form] | None) -> dict[str, object]:
    form = refused[1] if refused and refused[0] == review.pk else None
    replies = isinstance(form, ReplyForm)
    may_reply = may_answer and not review.hidden_at and not review.replied_at
    may_report = may_answer and not review.hidden_at and not review.reported_at
    reply_form = (form if replies else ReplyForm(prefix=f"reply-{review.pk}")) if may_reply else None
    reports = isinstance(form, ReportForm)
    report_form = (form if reports else ReportForm(prefix=f"report-{review.pk}")) if may_report else None
    return {
        "review": review,
        "reply_form": reply_form,
        "report_form": report_form,
        "refusals": refusals.without_place((form, reply_form if replies else report_form)),
    }
