"""The page behind an invitation's link: everybody who has the link reads it; a Taobao log-in answers it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from applications.views.people import person
from compliance.models import ServedShop, ShopState
from compliance.served_shops import invitations, permissions, selectors
from compliance.served_shops.forms import AnswerForm
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError


@require_safe
@never_cache
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    return _page(request, selectors.invitation(token), AnswerForm())


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Accept or decline. Reached by GET only on the way back from a log-in: the page asks again."""
    shop = selectors.invitation(token)
    if request.method != "POST":
        return redirect("served_shops:invitation", token)
    if request.POST.get("answer") == "decline":
        return _decline(request, shop)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, shop, form, status=422)
    try:
        accepted = invitations.accept(shop.pk, actor=person(request))
    except DomainError as error:
        return _refused(request, token, error)
    messages.success(request, _("You have authorised the company. It serves your shop from today on."))
    return redirect("served_shops:provider", accepted.pk)


def _decline(request: HttpRequest, shop: ServedShop) -> HttpResponse:
    try:
        invitations.decline(shop.pk, actor=person(request))
    except DomainError as error:
        return _refused(request, shop.token, error)
    messages.success(request, _("You have declined. The company has been told."))
    return redirect("served_shops:invitation", shop.token)


def _refused(request: HttpRequest, token: str, error: DomainError) -> HttpResponse:
    """The page as it is now, with the reason."""
    messages.error(request, str(error.message))
    return _page(request, selectors.invitation(token), AnswerForm(), status=409)


def _page(request: HttpRequest, shop: ServedShop, form: AnswerForm, status: int = 200) -> HttpResponse:
    is_open = shop.state == ShopState.INVITED and clock.now() <= shop.expires_at
    user = request.user if isinstance(request.user, User) else None
    context = {
        "shop": shop,
        "application": shop.application,
        "form": form,
        "is_open": is_open and shop.application.state in permissions.SERVES,
        "is_late": shop.state == ShopState.EXPIRED
        or (shop.state == ShopState.INVITED and clock.now() > shop.expires_at),
        "hindrance": _hindrance(user, shop),
        "is_owner": user is not None and permissions.is_owner(user, shop),
    }
    return render(request, "served_shops/invitation.html", context, status=status)


def _hindrance(user: User | None, shop: ServedShop) -> str:
    """Why the person who looks can't be the one who answers; empty for the one who may, or is unknown yet."""
    if user is None:
        return ""
    if not user.taobao_user_id:
        return "staff"
    if user.is_sub_account:
        return "sub_account"
    return "own_company" if permissions.is_own_company(user, shop.application) else ""
