"""The application itself: the whole membership of one company. Who may change what stands in services.py."""

import secrets

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import MEMBER, OPEN_PER_COMPANY, OPEN_PER_USER, Lifecycle, State, edges
from applications.models.company_data import CompanyData
from tmall_sp.accounts.models import Company
from tmall_sp.core import clock

_NUMBER_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is misread on paper


def new_number() -> str:
    """A public number that can't be guessed from another."""
    return "SP" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(10))


class Category(models.TextChoices):
    AFTER_SALES = "after_sales", _("Tmall after-sales service provider")
    OPERATIONS = "operations", _("Tmall operations service provider")


class Application(Lifecycle, CompanyData):
    """The whole membership of one company. `state` is changed by `door.move` alone."""

    number = models.CharField(_("number"), max_length=12, unique=True, default=new_number, editable=False)
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="applications",
        verbose_name=_("applicant"),
    )
    taobao_user_id = models.CharField(_("Taobao user id"), max_length=32, editable=False)
    taobao_nick = models.CharField(_("Taobao nick"), max_length=100, editable=False)
    categories = ArrayField(models.CharField(max_length=12, choices=Category), verbose_name=_("categories"))
    company = models.ForeignKey(
        Company, null=True, blank=True, on_delete=models.PROTECT, related_name="applications"
    )
    # Where Alipay names the payer by an open id only, the one that was accepted first is bound from then on.
    alipay_open_id = models.CharField(max_length=64, blank=True, editable=False)

    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reviews",
        verbose_name=_("reviewer"),
    )
    claimed_at = models.DateTimeField(_("claimed"), null=True, blank=True)
    review_due_at = models.DateTimeField(_("review due"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    state_since = models.DateTimeField(_("in this state since"), default=clock.now)
    # The instant after which a sweep lets the state lapse; null: the state has no clock of its own.
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)
    # So many days before the licence's last day the company was reminded of it last; 0: not yet (licence_expiry.py).
    licence_reminded_at = models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)
    # Grows with every change; a form carries the one that it showed.
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        ordering = ["-created_at", "-pk"]
        permissions = [
            ("review_application", "Can review applications"),
            ("reassign_application", "Can assign a review to somebody else"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="application_state_known"),
            models.CheckConstraint(condition=Q(categories__len__gt=0), name="application_has_category"),
            models.CheckConstraint(
                condition=~Q(state=State.EXITING) | ~Q(exit_origin=""), name="exiting_knows_its_origin"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=OPEN_PER_COMPANY) | Q(company__isnull=False),
                name="open_case_has_company",
            ),
            models.UniqueConstraint(
                fields=["taobao_user_id"],
                condition=Q(state__in=OPEN_PER_USER),
                name="one_open_application_per_taobao_user",
            ),
            models.UniqueConstraint(
                fields=["company"],
                condition=Q(state__in=OPEN_PER_COMPANY),
                name="one_open_application_per_company",
            ),
        ]
        indexes = [
            models.Index(
                fields=["deadline_at"], name="application_deadline", condition=Q(deadline_at__isnull=False)
            ),
            models.Index(fields=["taobao_user_id"], name="application_taobao_user"),
            models.Index(
                fields=["licence_valid_until"],
                name="application_licence",
                condition=Q(licence_permanent=False, state__in=MEMBER),
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="lawful_edges",
                field="state",
                transitions=sorted({(source, target) for _, source, target in edges()}),
            ),
            pgtrigger.Protect(
                name="required_exit_stays",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state=State.EXITING, old__exit_required=True)
                & (
                    ~pgtrigger.Q(new__state__in=[State.EXITING, State.EXITED, State.EXPELLED])
                    | pgtrigger.Q(new__exit_required=False)
                ),
            ),
            # Only the owner role, which loads histories, may begin elsewhere.
            pgtrigger.Trigger(
                name="begins_created",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                func="""
                    IF NEW.state <> 'created' AND NOT EXISTS (
                        SELECT 1 FROM pg_catalog.pg_class c
                        JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
                        WHERE c.oid = TG_RELID AND r.rolname = current_user
                    ) THEN
                        RAISE EXCEPTION 'an application begins in state created, not %', NEW.state
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.company_name or self.taobao_nick}"

    @property
    def is_draft(self) -> bool:
        return self.state in (State.CREATED, State.SHOP_UNQUALIFIED, State.SHOP_VERIFIED)
