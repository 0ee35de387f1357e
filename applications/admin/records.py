"""Rules that merchants accept, and bans: to be read."""

from django.contrib import admin

from applications.models import Agreement, Ban
from tmall_sp.core.read_only_admin import ReadOnlyAdmin


@admin.register(Agreement)
class AgreementAdmin(ReadOnlyAdmin):
    list_display = ["version", "title", "effective_from"]


@admin.register(Ban)
class BanAdmin(ReadOnlyAdmin):
    list_display = ["credit_code", "taobao_user_id", "alipay_account_id", "begins_at", "ends_at", "lifted_at"]
    list_select_related = ["application"]
    search_fields = ["credit_code", "taobao_user_id", "alipay_account_id", "application__number"]
    ordering = ["-begins_at"]
