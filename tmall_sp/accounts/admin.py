"""Staff accounts, made by an administrator; companies and memberships, to be read."""

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tmall_sp.accounts.models import Company, Membership, User
from tmall_sp.accounts.roles import STAFF_ROLES, Role
from tmall_sp.core.read_only_admin import ReadOnlyAdmin

ROLE_NAMES: dict[str, str | Promise] = {
    Role.MERCHANT: _("merchant"),
    Role.COMPLAINANT: _("complainant"),
    Role.REVIEWER: _("reviewer"),
    Role.EXPERT: _("expert"),
    Role.OPS: _("operations"),
    Role.FINANCE: _("finance"),
    Role.AUDITOR: _("auditor"),
}


class StaffCreationForm(UserCreationForm):
    class Meta:
        model = User
        fields = ["username", "first_name", "email"]

    def clean_username(self) -> str:
        username: str = super().clean_username()
        if username.lower().startswith("taobao-"):
            raise forms.ValidationError(_("Such a name belongs to a Taobao account."))
        return username

    def save(self, commit: bool = True) -> User:
        self.instance.is_staff = True
        user: User = super().save(commit)
        return user


class RoleFilter(admin.SimpleListFilter):
    """By role, called as everywhere else."""

    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return list(ROLE_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        return queryset.filter(groups__name=self.value()) if self.value() else queryset


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Only a superuser writes here. Merchants make themselves by logging in, and can only be barred."""

    form = UserChangeForm
    add_form = StaffCreationForm
    change_password_form = AdminPasswordChangeForm

    list_display = [
        "username",
        "shown_name",
        "roles",
        "is_staff",
        "is_superuser",
        "is_active",
        "last_login",
    ]
    list_filter = ["is_staff", "is_superuser", "is_active", RoleFilter]
    search_fields = ["username", "first_name", "email", "taobao_nick", "taobao_user_id"]
    ordering = ["-is_staff", "username"]
    filter_horizontal = ()
    show_full_result_count = False
    actions = ["reset_second_factor"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "email", "language"]}),
        (_("Taobao"), {"fields": ["taobao_user_id", "taobao_sub_user_id", "taobao_nick"]}),
        (_("Rights"), {"fields": ["is_active", "is_staff", "is_superuser", "groups"]}),
        (_("Times"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "first_name", "email", "password1", "password2"]})]
    readonly_fields = [
        "taobao_user_id",
        "taobao_sub_user_id",
        "taobao_nick",
        "role_names",
        "last_login",
        "date_joined",
    ]

    @admin.display(description=_("display name"))
    def shown_name(self, person: User) -> str:
        return person.display_name

    @display(description=_("roles"), label=True)
    def roles(self, person: User) -> list[str]:
        return [str(ROLE_NAMES[group.name]) for group in person.groups.all()]

    @admin.display(description=_("roles"))
    def role_names(self, person: User) -> str:
        return gettext(", ").join(self.roles(person))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """A merchant has no password: whoever set one could act as the merchant."""
        if User.objects.filter(pk=unquote(id)).exclude(taobao_user_id="").exists():
            raise PermissionDenied
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        own = list(self.readonly_fields)
        if obj is None or not obj.taobao_user_id:
            return own
        return [*own, "username", "first_name", "email", "language", "is_staff", "is_superuser"]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        fieldsets: Any = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        if obj.taobao_user_id or not self.has_change_permission(request, obj):
            fieldsets = [(title, _with_role_names(section)) for title, section in fieldsets]
        if obj.taobao_user_id:
            return [(None, {"fields": ["username"]}), *fieldsets[1:]]
        return [section for section in fieldsets if section[0] != _("Taobao")]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "groups":
            kwargs["queryset"] = db_field.remote_field.model.objects.filter(name__in=STAFF_ROLES)
            kwargs["widget"] = forms.CheckboxSelectMultiple
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups":
            field.label_from_instance = lambda group: str(ROLE_NAMES[group.name])
        return field

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    @admin.action(description=_("Reset the second factor (lost phone)"), permissions=["change"])
    def reset_second_factor(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """They set up a new one at their next log-in."""
        for person in people:
            Authenticator.objects.filter(user=person).delete()
            self.log_change(request, person, "second factor reset")
        messages.success(request, _("They will set up a new second factor at the next log-in."))


def _with_role_names(section: Any) -> dict[str, Any]:
    """Where roles are only read, they are called by their names."""
    return {**section, "fields": ["role_names" if name == "groups" else name for name in section["fields"]]}


@admin.register(Company)
class CompanyAdmin(ReadOnlyAdmin):
    list_display = ["name", "credit_code", "created_at"]
    search_fields = ["name", "credit_code"]
    ordering = ["-created_at"]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ["company", "user", "role", "created_at"]
    list_filter = ["role"]
    list_select_related = ["company", "user"]
    search_fields = ["company__name", "company__credit_code", "user__taobao_nick"]
    ordering = ["-created_at"]
