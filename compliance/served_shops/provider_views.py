"""A provider's pages of the shops that it serves, and of the figures that it declares."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from applications import served_files
from applications.models import Application
from applications.views.people import person
from compliance.models import PROVEN, ServedShop, ShopState
from compliance.ratings.inputs import DECLARED, INPUTS
from compliance.served_shops import declarations, invitations, permissions, refusals, relations, selectors
from compliance.served_shops.forms import EndForm, FigureForm, GmvForm, InviteForm
from tmall_sp.accounts.models import User
from tmall_sp.core import rules
from tmall_sp.core.errors import DomainError, NotPermitted

PAGE_SIZE = 20
UNANSWERED_SHOWN = 10

# The shops ------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def shops(request: HttpRequest, number: str) -> HttpResponse:
    """All shops and invitations; POST invites one more."""
    application = selectors.provider_for(person(request), number)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            invited = invitations.invite(
                application.pk, actor=person(request), shop_name=form.cleaned_data["shop_name"]
            )
        except DomainError as error:
            refusals.show(form, error)
        else:
            messages.success(request, _("The invitation is made. Hand its link to the owner of the shop."))
            return redirect("served_shops:shop", number, invited.pk)
    context = {
        "application": application,
        "form": form,
        "may_act": permissions.may_act_for(person(request), application),
        "invitation_days": rules.value("served_shop.invitation_days"),
        "invitations": selectors.invitations_of(application),
        "page": Paginator(selectors.proven_of(application), PAGE_SIZE).get_page(request.GET.get("page")),
        "unanswered": selectors.unanswered_of(application)[:UNANSWERED_SHOWN],
    }
    return render(request, "served_shops/list.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def shop(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """One shop: its invitation, or its relation with the declared GMV; POST declares one more."""
    application = selectors.provider_for(person(request), number)
    found = selectors.shop_of(application, pk)
    if request.method != "POST":
        return _shop_page(request, application, found)
    form = GmvForm(declarations.quarters_served(found), request.POST, request.FILES)
    if form.is_valid():
        try:
            declarations.declare_gmv(
                found.pk,
                actor=person(request),
                quarter=form.cleaned_data["quarter"],
                value=form.cleaned_data["value"],
                upload=form.cleaned_data["file"],
            )
        except DomainError as error:
            refusals.show(form, error)
        else:
            messages.success(request, _("Declared. Operations compare it with the evidence."))
            return redirect("served_shops:shop", number, pk)
    return _shop_page(request, application, found, gmv_form=form)


@require_POST
def end(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    application = selectors.provider_for(person(request), number)
    found = selectors.shop_of(application, pk)
    form = EndForm(found, request.POST)
    if form.is_valid():
        try:
            relations.end(found.pk, actor=person(request), ends_on=form.cleaned_data["ends_on"])
        except DomainError as error:
            refusals.show(form, error)
        else:
            messages.success(request, _("The relation has been ended. The shop's owner has been told."))
            return redirect("served_shops:shop", number, pk)
    return _shop_page(request, application, selectors.shop_of(application, pk), end_form=form)


@require_POST
def renew(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return _change(
        request, number, pk, invitations.renew, _("The link is valid anew. Hand it to the owner again.")
    )


@require_POST
def withdraw(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    return _change(request, number, pk, invitations.withdraw, _("The invitation has been withdrawn."))


def _change(
    request: HttpRequest, number: str, pk: int, change: Callable[..., ServedShop], done: str
) -> HttpResponse:
    """One button of an invitation; a refusal is said on its page."""
    found = selectors.shop_of(selectors.provider_for(person(request), number), pk)
    try:
        change(found.pk, actor=person(request))
    except NotPermitted as error:
        raise PermissionDenied(str(error.message)) from error
    except DomainError as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, done)
    return redirect("served_shops:shop", number, pk)


def _shop_page(
    request: HttpRequest,
    application: Application,
    found: ServedShop,
    *,
    gmv_form: GmvForm | None = None,
    end_form: EndForm | None = None,
) -> HttpResponse:
    may_act = permissions.may_act_for(person(request), application)
    missing = selectors.quarters_to_declare(found) if found.state in PROVEN else []
    may_end = may_act and found.state == ShopState.SERVING
    shown_gmv = (gmv_form or GmvForm(missing)) if may_act and missing else None
    shown_end = (end_form or EndForm(found)) if may_end else None
    context = {
        "application": application,
        "shop": found,
        "is_proven": found.state in PROVEN,
        "may_act": may_act,
        "link": settings.SITE_URL + reverse("served_shops:invitation", args=[found.token]),
        "invitation_days": rules.value("served_shop.invitation_days"),
        "gmv": selectors.gmv_of(found) if found.state in PROVEN else [],
        "gmv_form": shown_gmv,
        "end_form": shown_end,
        "refusals": refusals.without_place((gmv_form, shown_gmv), (end_form, shown_end)),
    }
    status = 422 if gmv_form or end_form else 200
    return render(request, "served_shops/shop.html", context, status=status)


# Figures of the company -----------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def figures(request: HttpRequest, number: str) -> HttpResponse:
    """What the company has declared of itself; POST declares one more."""
    user = person(request)
    application = selectors.provider_for(user, number)
    if request.method == "POST":
        form = FigureForm(request.POST, request.FILES)
        if form.is_valid() and _declared(form, application, user):
            messages.success(request, _("Declared. Operations compare it with the evidence."))
            return redirect("served_shops:figures", number)
    else:
        form = FigureForm(initial={"figure": request.GET.get("figure")})
    rows = list(selectors.figures_of(application))
    context = {
        "application": application,
        "form": form if permissions.may_act_for(user, application) else None,
        "figures": [(INPUTS[code], [row for row in rows if row.input == code]) for code in DECLARED],
    }
    return render(request, "served_shops/figures.html", context, status=422 if form.errors else 200)


def _declared(form: FigureForm, application: Application, user: User) -> bool:
    try:
        declarations.declare_figure(
            application.pk,
            actor=user,
            figure=form.cleaned_data["figure"],
            value=form.cleaned_data["value"],
            upload=form.cleaned_data["file"],
        )
    except DomainError as error:
        refusals.show(form, error)
        return False
    return True


@require_safe
def evidence(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """What was handed in: everybody of the company can see what was declared in its name."""
    row = selectors.declaration_of(selectors.provider_for(person(request), number), pk)
    return served_files.for_merchant(
        row.file,
        name=row.original_name,
        content_type=row.content_type,
        download="download" in request.GET,
    )
