"""What the desk's pages of money share."""

from django.http import HttpRequest

from tmall_sp.core.read_only_admin import ReadOnlyAdmin


class MoneyAdmin(ReadOnlyAdmin):
    list_per_page = 50

    def get_list_display_links(self, request: HttpRequest, list_display: list[str]) -> list[str]:
        return list_display[:1]
