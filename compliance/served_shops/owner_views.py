"""Pages of a shop's owner: who serves the shop, and what can be done about it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from applications.lifecycle import MEMBER, State
from applications.views.people import person
from compliance.models import ServedShop, ShopState
from compliance.reviews import selectors as reviews
from compliance.reviews.eligibility import open_until, quarter_to_review
from compliance.reviews.forms import ReviewForm
from compliance.reviews.permissions import may_write
from compliance.served_shops import permissions, refusals, relations, selectors
from compliance.served_shops.forms import EndForm
from tmall_sp.core.errors import DomainError


@require_safe
def providers(request: HttpRequest) -> HttpResponse:
    relations_of_person = selectors.providers_of(person(request))
    return render(request, "served_shops/providers.html", {"relations": relations_of_person})


@require_safe
def provider(request: HttpRequest, pk: int) -> HttpResponse:
    return page(request, selectors.relation_for(person(request), pk))


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    shop = selectors.relation_for(person(request), pk)
    form = EndForm(shop, request.POST)
    if form.is_valid():
        try:
            relations.end(shop.pk, actor=person(request), ends_on=form.cleaned_data["ends_on"])
        except DomainError as error:
            refusals.show(form, error)
        else:
            messages.success(request, _("The relation has been ended. The company has been told."))
            return redirect("served_shops:provider", pk)
    return page(request, selectors.relation_for(person(request), pk), end_form=form)


def page(
    request: HttpRequest,
    shop: ServedShop,
    *,
    end_form: EndForm | None = None,
    review_form: ReviewForm | None = None,
) -> HttpResponse:
    """One relation, as its owner sees it; a form that was refused is shown again with what was typed."""
    user = person(request)
    written = list(reviews.by_owner_of(shop))
    quarter = quarter_to_review(shop)
    may_review = (
        quarter is not None
        and may_write(user, shop, shop.application)
        and all(review.quarter != quarter for review in written)
    )
    may_end = shop.state == ShopState.SERVING and permissions.is_owner(user, shop)
    shown_review = (review_form or ReviewForm()) if may_review else None
    shown_end = (end_form or EndForm(shop)) if may_end else None
    context = {
        "shop": shop,
        "application": shop.application,
        "is_member": shop.application.state in MEMBER,
        "is_listed": shop.application.state == State.ACTIVE,
        "is_main_account": permissions.is_main_account(user),
        "reviews": written,
        "quarter": quarter,
        "review_until": open_until(shop),
        "review_form": shown_review,
        "end_form": shown_end,
        "refusals": refusals.without_place((review_form, shown_review), (end_form, shown_end)),
    }
    status = 422 if end_form or review_form else 200
    return render(request, "served_shops/provider.html", context, status=status)
