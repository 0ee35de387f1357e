"""The shops that a provider serves: the proof behind complaints, reviews and rating."""

import secrets

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from applications.models import Application
from compliance.models.stored_file import StoredFile
from compliance.served_shops.words import declared
from deposits.models.columns import fixed, lawful, money, refuses
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect
from tmall_sp.core.first_state import begins_in


def new_token() -> str:
    return secrets.token_urlsafe(24)


class ShopState(models.TextChoices):
    INVITED = "invited", _("invited")
    SERVING = "serving", _("served")
    ENDED = "ended", _("ended")
    DECLINED = "declined", _("declined")
    EXPIRED = "expired", _("invitation expired")
    REVOKED = "revoked", _("invitation withdrawn")


SHOP_EDGES = [
    *[
        (ShopState.INVITED, target)
        for target in (ShopState.SERVING, ShopState.DECLINED, ShopState.EXPIRED, ShopState.REVOKED)
    ],
    (ShopState.SERVING, ShopState.ENDED),
]
# The owner authorised it: what happened then is proven, whatever became of it.
PROVEN = (ShopState.SERVING, ShopState.ENDED)


class ServedShop(models.Model):
    """One provider serves one shop, from the day its owner authorised it by Taobao login."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="served_shops", verbose_name=_("provider")
    )
    shop_name = models.CharField(_("shop"), max_length=100)
    token = models.CharField(max_length=40, unique=True, default=new_token, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=ShopState, default=ShopState.INVITED)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("invited by")
    )
    invited_at = models.DateTimeField(_("invited at"), default=clock.now)
    expires_at = models.DateTimeField(_("invitation valid until"))
    # Whoever logged in with Taobao and said yes.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="served_by",
        verbose_name=_("owner of the shop"),
    )
    owner_taobao_user_id = models.CharField(max_length=32, blank=True, editable=False)
    owner_nick = models.CharField(_("owner's nick"), max_length=100, blank=True)
    begins_on = models.DateField(_("served since"), null=True, blank=True)
    ends_on = models.DateField(_("served until"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("served shop")
        verbose_name_plural = _("served shops")
        ordering = ["-invited_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ShopState.values), name="served_shop_state_known"),
            models.CheckConstraint(
                condition=~Q(state__in=[ShopState.SERVING, ShopState.ENDED])
                | (Q(owner__isnull=False, begins_on__isnull=False) & ~Q(owner_taobao_user_id="")),
                name="served_shop_authorised_by_its_owner",
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("begins_on")),
                name="served_shop_ends_after_it_begins",
            ),
            models.UniqueConstraint(
                fields=["application", "owner_taobao_user_id"],
                condition=Q(state=ShopState.SERVING),
                name="shop_served_once_by_a_provider",
            ),
        ]
        indexes = [models.Index(fields=["owner_taobao_user_id"], name="served_shop_of_owner")]
        triggers = [
            begins_in(ShopState.INVITED.value),
            lawful(SHOP_EDGES),
            fixed("application", "token", "invited_by", "invited_at"),
            refuses(
                "authorised_for_good",
                pgtrigger.Update,
                """OLD.state IN ('serving', 'ended') AND (
                    NEW.owner_id IS DISTINCT FROM OLD.owner_id
                    OR NEW.owner_taobao_user_id IS DISTINCT FROM OLD.owner_taobao_user_id
                    OR NEW.shop_name IS DISTINCT FROM OLD.shop_name
                    OR NEW.begins_on IS DISTINCT FROM OLD.begins_on
                    OR (OLD.ends_on IS NOT NULL AND NEW.ends_on IS DISTINCT FROM OLD.ends_on)
                )""",
                "what the owner authorised stays",
            ),
        ]

    def __str__(self) -> str:
        return self.shop_name


class DeclarationState(models.TextChoices):
    DECLARED = "declared", _("waiting to be verified")
    VERIFIED = "verified", pgettext_lazy("declaration", "verified")
    REFUSED = "refused", _("refused")


DECLARATION_EDGES = [
    (DeclarationState.DECLARED, DeclarationState.VERIFIED),
    (DeclarationState.DECLARED, DeclarationState.REFUSED),
    # Somebody looked again, or a dispute was upheld.
    (DeclarationState.VERIFIED, DeclarationState.REFUSED),
]


class Declaration(StoredFile):
    """A figure that a provider states with evidence, and operations verify. Its file is the evidence."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="declarations", verbose_name=_("provider")
    )
    # One of ratings/inputs.py; GMV names its shop and quarter, too.
    input = models.CharField(_("figure"), max_length=40)
    value = money(_("value"))
    served_shop = models.ForeignKey(
        ServedShop,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="declarations",
        verbose_name=_("served shop"),
    )
    quarter = models.CharField(_("quarter"), max_length=6, blank=True)
    state = models.CharField(
        _("state"), max_length=8, choices=DeclarationState, default=DeclarationState.DECLARED
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_reason = models.CharField(_("reason for the decision"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("declaration")
        verbose_name_plural = _("declarations")
        ordering = ["-uploaded_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=DeclarationState.values), name="declaration_state_known"
            ),
            models.CheckConstraint(condition=Q(value__gte=0), name="declaration_not_negative"),
            models.CheckConstraint(
                condition=Q(state=DeclarationState.DECLARED, decided_by__isnull=True)
                | (
                    ~Q(state=DeclarationState.DECLARED)
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
                name="declaration_decided_by_somebody",
            ),
            models.UniqueConstraint(
                fields=["served_shop", "quarter"],
                condition=Q(served_shop__isnull=False) & ~Q(state=DeclarationState.REFUSED),
                name="one_gmv_per_shop_and_quarter",
            ),
            models.UniqueConstraint(
                fields=["application", "input"],
                condition=Q(served_shop__isnull=True, state=DeclarationState.DECLARED),
                name="one_figure_waits_per_input",
            ),
        ]
        indexes = [models.Index(fields=["application", "input"], name="declaration_of_input")]
        triggers = [
            begins_in(DeclarationState.DECLARED.value),
            lawful(DECLARATION_EDGES),
            fixed("application", "input", "value", "served_shop", "quarter", "file", "sha256"),
        ]

    def __str__(self) -> str:
        return declared(self.input, self.value)


class DeclarationStep(models.Model):
    """One step of a declaration: who declared, verified or refused it, and why."""

    declaration = models.ForeignKey(Declaration, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(_("step"), max_length=10)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(_("time"), default=clock.now)
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("step of a declaration")
        verbose_name_plural = _("steps of declarations")
        ordering = ["at", "pk"]
        triggers = [protect()]

    def __str__(self) -> str:
        return self.name
