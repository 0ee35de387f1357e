"""The catalogue of what complaints are about: operations add, reword, order and retire its entries."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from compliance.complaints import permissions
from compliance.models import Complaint, QuestionCode
from tmall_sp.accounts.models import User


@admin.register(QuestionCode)
class QuestionCodeAdmin(ModelAdmin):
    """An entry is never deleted: it is retired by offering it no more."""

    fields = ["code", "title", "help_text", "position", "is_active"]
    list_display = ["title", "code", "help_text", "position", "is_active", "is_used"]
    list_editable = ["position", "is_active"]
    list_display_links = ["title"]
    ordering = ["position", "code"]
    search_fields = ["code", "title"]
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[QuestionCode]:
        rows: QuerySet[QuestionCode] = super().get_queryset(request)
        return rows.annotate(used=Exists(Complaint.objects.filter(question=OuterRef("pk"))))

    @admin.display(description=_("used"), boolean=True)
    def is_used(self, question: Any) -> bool:
        return bool(question.used)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The code stays what complaints were filed under."""
        return ["code"] if obj is not None and obj.used else []

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and permissions.may_handle(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return isinstance(request.user, User) and permissions.may_handle(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
