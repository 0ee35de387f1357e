"""Served shops: to be read. Provider and owner make and end them by themselves."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from compliance.models import ServedShop, ShopState
from tmall_sp.core.read_only_admin import ReadOnlyAdmin

# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    **dict.fromkeys(ShopState, ""),
    ShopState.INVITED: "info",
    ShopState.SERVING: "success",
}


@admin.register(ServedShop)
class ServedShopAdmin(ReadOnlyAdmin):
    list_display = [
        "shop_name",
        "provider",
        "owner_nick",
        "state_label",
        "begins_on",
        "ends_on",
        "invited_at",
    ]
    list_select_related = ["application"]
    readonly_fields = ["closed_by"]
    list_filter = ["state"]
    list_per_page = 50
    search_fields = ["shop_name", "owner_nick", "application__number", "application__company_name"]
    search_help_text = _("Shop, its owner's nick, or the provider.")
    fields = [
        "application",
        "shop_name",
        "state",
        "owner_nick",
        "begins_on",
        "ends_on",
        "closed_by",
        "closed_at",
        "invited_by",
        "invited_at",
        "expires_at",
    ]

    @admin.display(description=_("provider"), ordering="application__company_name")
    def provider(self, shop: ServedShop) -> str:
        return str(shop.application)

    @admin.display(description=_("closed by"))
    def closed_by(self, shop: ServedShop) -> str:
        return shop.ended_by.display_name if shop.ended_by else "—"

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, shop: ServedShop) -> tuple[str, str]:
        return shop.state, shop.get_state_display()
