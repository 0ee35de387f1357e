"""Who acts: people, the companies that they act for, and what each may do there."""

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tmall_sp.core import clock


class User(AbstractUser):
    """A merchant or customer known by a Taobao account, or a member of staff known by a login name.

    `taobao_user_id` is the main account's numeric id, the key of everything; the nick may change and
    be taken by another (protocols C3). A sub-account (`main:sub`) has its own id beside it.
    """

    taobao_user_id = models.CharField(_("Taobao user id"), max_length=32, blank=True)
    taobao_sub_user_id = models.CharField(_("Taobao sub-account id"), max_length=32, blank=True)
    taobao_nick = models.CharField(_("Taobao nick"), max_length=100, blank=True)
    language = models.CharField(
        _("language"), max_length=10, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["taobao_user_id", "taobao_sub_user_id"],
                condition=~Q(taobao_user_id=""),
                name="one_user_per_taobao_account",
            ),
            # Staff log in with a password and a second factor, never with Taobao.
            models.CheckConstraint(
                condition=Q(is_staff=False, is_superuser=False) | Q(taobao_user_id=""),
                name="staff_have_no_taobao_account",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        return self.taobao_nick or self.get_full_name() or self.username

    @property
    def is_sub_account(self) -> bool:
        return bool(self.taobao_sub_user_id)


class Company(models.Model):
    """A company, known by its unified social credit code (GB 32100-2015)."""

    credit_code = models.CharField(_("unified social credit code"), max_length=18, unique=True)
    name = models.CharField(_("company name"), max_length=120)
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("companies")

    def __str__(self) -> str:
        return self.name


class CompanyRole(models.TextChoices):
    OWNER = "owner", _("owner")
    EDITOR = "editor", _("editor")
    PAYER = "payer", _("payer")
    READER = "reader", _("reader")


class Membership(models.Model):
    """What a person may do for a company. Given when a reviewer has approved the company's papers."""

    company = models.ForeignKey(
        Company, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("company")
    )
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=6, choices=CompanyRole)
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["company", "user"], name="one_role_per_company_and_user")
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.company} · {self.get_role_display()}"
