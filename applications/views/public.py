"""Pages for everybody: the programme, its rules, the log-in, the language."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import set_language as set_language_cookie

from applications import selectors
from tmall_sp.accounts.models import User
from tmall_sp.core import rules
from tmall_sp.core.rulebook import overview


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What the programme is, and how a company joins and leaves it."""
    return render(
        request,
        "home.html",
        {
            "deposit": f"{rules.amount('deposit.required'):,.2f}",
            "tenure_months": rules.value("shop_check.tenure_months"),
            "review_days": rules.value("review.working_days"),
            "payment_days": rules.value("application.payment_days"),
            "topup_days": rules.value("deposit.topup_days"),
        },
    )


@require_safe
def rules_page(request: HttpRequest) -> HttpResponse:
    """The rules that everybody accepts, the numbers in force now, and what will change on which day."""
    context = {"agreement": selectors.current_agreement(), "sections": overview.book(public=True)}
    return render(request, "rules.html", context)


@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """The merchant's log-in. `?taobao=` tells how an attempt at Taobao ended."""
    onward = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(onward, {request.get_host()}, require_https=request.is_secure()):
        onward = ""
    if request.user.is_authenticated:
        return redirect(onward or "console:home")
    return render(
        request,
        "login.html",
        {"next": onward or reverse("console:home"), "outcome": request.GET.get("taobao", "")},
    )


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Change the language of the pages and, for a person who is logged in, of the notices."""
    language = request.POST.get("language", "")
    if isinstance(request.user, User) and language in dict(settings.LANGUAGES):
        request.user.language = language
        request.user.save(update_fields=["language"])
    return set_language_cookie(request)
