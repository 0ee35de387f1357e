"""Who is told what about a served shop. Call each in the transaction of its fact."""

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.announcements import merchants
from applications.models import Application
from compliance.models import Declaration, ServedShop
from tmall_sp.core.notices import notify

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


def tell_accepted(application: Application, shop: ServedShop) -> None:
    _tell_provider(
        application,
        shop,
        "accepted",
        _("{shop} has authorised you"),
        _("Its owner {nick} confirmed with Taobao that your company serves the shop, from {day} on."),
    )
    _tell_owner(
        application,
        shop,
        "accepted",
        _("You have authorised {company}"),
        _("It serves {shop} from {day} on. You can review it, complain about it, and end the relation."),
    )


def tell_declined(application: Application, shop: ServedShop) -> None:
    _tell_provider(
        application,
        shop,
        "declined",
        _("{shop} has declined your invitation"),
        _("If that was a mistake, you can invite it again."),
    )


def tell_expired(application: Application, shop: ServedShop) -> None:
    _tell_provider(
        application,
        shop,
        "expired",
        _("Your invitation of {shop} has expired"),
        _("Nobody answered in time. You can invite it again."),
    )


def tell_ended(application: Application, shop: ServedShop) -> None:
    body = _("The last day was {end}. What was served until then stays as proof.")
    _tell_provider(application, shop, "ended", _("You no longer serve {shop}"), body)
    _tell_owner(application, shop, "ended", _("{company} no longer serves {shop}"), body)


def tell_verified(application: Application, declaration: Declaration) -> None:
    _tell_of_figure(
        application,
        declaration,
        _("A declared figure has been verified"),
        _("It counts in your rating from the next run on."),
    )


def tell_refused(application: Application, declaration: Declaration) -> None:
    _tell_of_figure(
        application,
        declaration,
        _("A declared figure has been refused"),
        format_lazy("{text} {reason}", text=_("The reason:"), reason=declaration.decision_reason),
    )


def _tell_provider(
    application: Application, shop: ServedShop, event: str, subject: "StrPromise", body: "StrPromise"
) -> None:
    notify(
        merchants(application),
        key=f"served_shop:{shop.pk}:{event}",
        subject=_filled(subject, application, shop),
        body=_filled(body, application, shop),
        link=reverse("served_shops:shop", args=[application.number, shop.pk]),
        email=application.contact_email if application.contact_email_verified_at else "",
    )


def _tell_owner(
    application: Application, shop: ServedShop, event: str, subject: "StrPromise", body: "StrPromise"
) -> None:
    assert shop.owner is not None
    notify(
        [shop.owner],
        key=f"served_shop:{shop.pk}:{event}",
        subject=_filled(subject, application, shop),
        body=_filled(body, application, shop),
        link=reverse("served_shops:provider", args=[shop.pk]),
    )


def _filled(text: "StrPromise", application: Application, shop: ServedShop) -> "StrPromise":
    return format_lazy(
        text,
        shop=shop.shop_name,
        company=application.company_name,
        nick=shop.owner_nick,
        day=shop.begins_on,
        end=shop.ends_on,
    )


def _tell_of_figure(
    application: Application, declaration: Declaration, subject: "StrPromise", body: "StrPromise"
) -> None:
    name = "served_shops:shop" if declaration.served_shop_id else "served_shops:figures"
    args = [application.number, *([declaration.served_shop_id] if declaration.served_shop_id else [])]
    notify(
        merchants(application),
        key=f"declaration:{declaration.pk}:{declaration.state}",
        subject=subject,
        body=body,
        link=reverse(name, args=args),
        email=application.contact_email if application.contact_email_verified_at else "",
    )
