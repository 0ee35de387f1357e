"""Reads. A relation reaches a view only through a selector that takes the person who asks, or its token."""

from django.db.models import QuerySet
from django.http import Http404

from applications import selectors as applications
from applications.lifecycle import MEMBER, State
from applications.models import Application
from compliance.models import PROVEN, Declaration, DeclarationState, ServedShop, ShopState
from compliance.quarters import Quarter
from compliance.ratings.inputs import GMV
from compliance.served_shops import declarations
from tmall_sp.accounts.models import User

# Who has, or had, shops to serve.
WAS_MEMBER = (*MEMBER, State.EXITED, State.EXPELLED)


def provider_for(user: User, number: str) -> Application:
    """A company of the person's that is or was a member; Http404 for any other."""
    application = applications.application_for(user, number)
    if application.state not in WAS_MEMBER:
        raise Http404
    return application


def shop_of(application: Application, pk: int) -> ServedShop:
    """One of the company's shops; Http404 for another's."""
    shop: ServedShop | None = (
        application.served_shops.filter(pk=pk).select_related("application", "owner").first()
    )
    if shop is None:
        raise Http404
    return shop


def invitations_of(application: Application) -> QuerySet[ServedShop]:
    """Those that wait for an answer."""
    return application.served_shops.filter(state=ShopState.INVITED).select_related("invited_by")


def proven_of(application: Application) -> QuerySet[ServedShop]:
    """What it serves, and what it served; the newest first."""
    return application.served_shops.filter(state__in=PROVEN).order_by("-state", "-begins_on", "-pk")


def unanswered_of(application: Application) -> QuerySet[ServedShop]:
    """Invitations that came to nothing, the latest first."""
    return application.served_shops.exclude(state__in=[ShopState.INVITED, *PROVEN]).order_by(
        "-closed_at", "-pk"
    )


def invitation(token: str) -> ServedShop:
    """Whoever has the link may see what it offers; Http404 for a token that was never given."""
    shop = ServedShop.objects.filter(token=token).select_related("application").first()
    if shop is None:
        raise Http404
    return shop


def providers_of(user: User) -> QuerySet[ServedShop]:
    """Who serves, or served, the shops of the person's Taobao account; sub-accounts see the same."""
    if not user.taobao_user_id:
        return ServedShop.objects.none()
    proven = ServedShop.objects.filter(owner_taobao_user_id=user.taobao_user_id, state__in=PROVEN)
    return proven.select_related("application").order_by("-state", "-begins_on", "-pk")


def relation_for(user: User, pk: int) -> ServedShop:
    """One of them; Http404 for a stranger's."""
    found = providers_of(user).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


# Declared figures ----------------------------------------------------------------------------------


def gmv_of(shop: ServedShop) -> QuerySet[Declaration]:
    return shop.declarations.filter(input=GMV).order_by("-quarter", "-uploaded_at", "-pk")


def quarters_to_declare(shop: ServedShop) -> list[str]:
    """In which the shop was served and no figure stands or waits; the latest first."""
    taken = shop.declarations.exclude(state=DeclarationState.REFUSED).values_list("quarter", flat=True)
    found = set(taken)
    return [quarter for quarter in declarations.quarters_served(shop) if quarter not in found]


def figures_of(application: Application) -> QuerySet[Declaration]:
    """Of the company as a whole, the newest first."""
    return application.declarations.filter(served_shop__isnull=True)


def declaration_of(application: Application, pk: int) -> Declaration:
    row: Declaration | None = application.declarations.filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def shops_without_gmv(application: Application, quarter: str) -> QuerySet[ServedShop]:
    """Served in the quarter, with no figure that stands or waits."""
    declared = Declaration.objects.filter(application=application, input=GMV, quarter=quarter).exclude(
        state=DeclarationState.REFUSED
    )
    served = application.served_shops.filter(state__in=PROVEN, begins_on__lte=Quarter.named(quarter).last_day)
    return served.exclude(ends_on__lt=Quarter.named(quarter).first_day).exclude(
        pk__in=declared.values("served_shop")
    )


def waiting_to_be_verified() -> QuerySet[Declaration]:
    return Declaration.objects.filter(state=DeclarationState.DECLARED)
