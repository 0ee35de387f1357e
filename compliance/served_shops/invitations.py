"""A provider invites a shop; the shop's owner answers, known by a Taobao login.

A late answer is refused, whether the sweep has run or not; the instant itself is in time.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from applications.locks import lock_application
from applications.models import Application
from applications.services import clock_text
from compliance.locks import lock_served_shop
from compliance.models import ServedShop, ShopState
from compliance.served_shops import announcements, door, permissions
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError

MAX_OPEN = 50


def invite(application_pk: int, *, actor: User, shop_name: str) -> ServedShop:
    """An invitation whose link the provider hands to the shop's owner.

    DomainError on field `shop_name`: `empty`, `invited_already`, `too_many`.
    """
    name = " ".join(shop_name.split())
    with transaction.atomic():
        application = lock_application(application_pk)
        if not permissions.may_act_for(actor, application):
            raise door.not_permitted()
        if not name:
            raise DomainError("empty", _("Give the name of the shop."), field="shop_name")
        _refuse_repetition(application, name)
        now = clock.now()
        return ServedShop.objects.create(
            application=application,
            shop_name=name,
            invited_by=actor,
            invited_at=now,
            expires_at=now + rules.days("served_shop.invitation_days", now),
        )


def renew(pk: int, *, actor: User) -> ServedShop:
    """The same link is valid anew from now on. Only while it still is: one that has expired is made anew."""
    with transaction.atomic():
        application, shop = lock_served_shop(pk)
        if not permissions.may_act_for(actor, application):
            raise door.not_permitted()
        if shop.state != ShopState.INVITED:
            raise door.wrong_state(shop)
        _refuse_late(shop)
        now = clock.now()
        shop.expires_at = now + rules.days("served_shop.invitation_days", now)
        shop.save(update_fields=["expires_at"])
    return shop


def withdraw(pk: int, *, actor: User) -> ServedShop:
    """The provider takes the invitation back: its link leads nowhere any more."""

    def guard(application: Application, shop: ServedShop) -> None:
        _close(shop, actor)

    return door.move(
        pk,
        ShopState.REVOKED,
        may=lambda application, shop: permissions.may_act_for(actor, application),
        guard=guard,
        follow=lambda application, shop: None,
    )


def accept(pk: int, *, actor: User) -> ServedShop:
    """The owner of the shop authorises the provider: the relation begins today.

    DomainError: `sub_account`, `own_company`, `too_late`, `not_a_member`, `served_already`.
    """

    def guard(application: Application, shop: ServedShop) -> None:
        _refuse_no_owner(application, actor)
        _refuse_late(shop)
        if application.state not in permissions.SERVES:
            raise DomainError(
                "not_a_member", _("This company does not take part in the programme at the moment.")
            )
        _refuse_served_already(application, actor)
        shop.owner = actor
        shop.owner_taobao_user_id = actor.taobao_user_id
        shop.owner_nick = actor.taobao_nick
        shop.begins_on = clock.today()

    return door.move(
        pk,
        ShopState.SERVING,
        may=lambda application, shop: bool(actor.taobao_user_id),
        guard=guard,
        follow=announcements.tell_accepted,
    )


def decline(pk: int, *, actor: User) -> ServedShop:
    """The owner of the shop says no; the provider is told, and may invite again."""

    def guard(application: Application, shop: ServedShop) -> None:
        _refuse_no_owner(application, actor)
        _refuse_late(shop)
        _close(shop, actor)

    return door.move(
        pk,
        ShopState.DECLINED,
        may=lambda application, shop: bool(actor.taobao_user_id),
        guard=guard,
        follow=announcements.tell_declined,
    )


def expire(pk: int) -> ServedShop:
    """Nobody answered in time."""

    def guard(application: Application, shop: ServedShop) -> None:
        if clock.now() <= shop.expires_at:
            raise DomainError("not_due", _("The invitation is still valid."))
        _close(shop, None)

    return door.move(pk, ShopState.EXPIRED, guard=guard, follow=announcements.tell_expired)


def _close(shop: ServedShop, actor: User | None) -> None:
    shop.closed_at = clock.now()
    shop.ended_by = actor


def _refuse_repetition(application: Application, name: str) -> None:
    waiting = application.served_shops.filter(state=ShopState.INVITED)
    if waiting.filter(shop_name=name).exists():
        raise DomainError(
            "invited_already", _("An invitation of this shop is already open."), field="shop_name"
        )
    if waiting.count() >= MAX_OPEN:
        raise DomainError(
            "too_many",
            _("At most %(count)s invitations can be open at a time.") % {"count": MAX_OPEN},
            field="shop_name",
        )


def _refuse_no_owner(application: Application, actor: User) -> None:
    if actor.is_sub_account:
        raise DomainError(
            "sub_account", _("Only the shop's main Taobao account can answer; this is a sub-account.")
        )
    if permissions.is_own_company(actor, application):
        raise DomainError("own_company", _("A provider can't be authorised by its own people."))


def _refuse_late(shop: ServedShop) -> None:
    if clock.now() > shop.expires_at:
        raise DomainError(
            "too_late", _("The invitation was valid until %(at)s.") % {"at": clock_text(shop.expires_at)}
        )


def _refuse_served_already(application: Application, actor: User) -> None:
    """The database holds the same (shop_served_once_by_a_provider)."""
    serving = application.served_shops.filter(
        owner_taobao_user_id=actor.taobao_user_id, state=ShopState.SERVING
    )
    if serving.exists():
        raise DomainError("served_already", _("This company already serves your shop."))
