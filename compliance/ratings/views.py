"""A provider's pages of its rating: selector or form → service → page or redirect."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from applications.views.people import person
from compliance.ratings import disputes, permissions, selectors
from compliance.ratings.figures import standing
from compliance.ratings.forms import DisputeForm
from compliance.ratings.inputs import INPUTS
from compliance.ratings.provider_page import page
from compliance.ratings.scoring import value_of
from compliance.ratings.words import level_name
from tmall_sp.core.errors import DomainError, NotPermitted


@require_safe
def ratings(request: HttpRequest) -> HttpResponse:
    """Every membership of the person's with its level; to the page itself where there is one only."""
    found: list[Any] = list(selectors.rated_of(person(request)))
    if len(found) == 1:
        return redirect("ratings:rating", found[0].number)
    rows = [(application, level_name(application.stars)) for application in found]
    return render(request, "ratings/list.html", {"rows": rows})


@require_safe
def rating(request: HttpRequest, number: str) -> HttpResponse:
    """The newest published score, or that of the quarter named by `?quarter=`."""
    application = selectors.rated_for(person(request), number)
    scores = selectors.published_scores(application)
    wanted = request.GET.get("quarter")
    shown = next((score for score in scores if wanted in (None, score.run.period)), None)
    if wanted and shown is None:
        raise Http404
    context = {
        "application": application,
        "page": shown and page(person(request), application, scores, shown),
    }
    return render(request, "ratings/rating.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def dispute(request: HttpRequest, number: str, pk: int, code: str) -> HttpResponse:
    """GET shows the input; only POST disputes it. What is refused is shown again with every word typed."""
    score = selectors.score_for(person(request), number, pk)
    if code not in INPUTS:
        raise Http404
    form, status = DisputeForm(request.POST or None), 200
    if request.method == "POST" and form.is_valid():
        try:
            disputes.open_dispute(score.pk, actor=person(request), code=code, text=form.cleaned_data["text"])
        except DomainError as error:
            form.add_error(error.field, str(error.message))
            status = 403 if isinstance(error, NotPermitted) else 409
        else:
            messages.success(request, _("Operations look into it. You will be told what they decide."))
            return redirect("ratings:rating", number)
    elif request.method == "POST":
        status = 422
    context = {
        "application": score.application,
        "score": score,
        "item": INPUTS[code],
        "value": value_of(standing(score).inputs, code),
        "until": disputes.until(score.run),
        "form": form,
        "may_dispute": permissions.may_dispute(person(request), score.application),
    }
    return render(request, "ratings/dispute.html", context, status=status)
