"""The procedure by which a company binds another Alipay account to its membership."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from applications.models import Application
from deposits.models.columns import fixed, lawful, refuses
from deposits.states import CHANGE_EDGES, CHANGE_OPEN, ChangeState
from tmall_sp.core import clock
from tmall_sp.core.first_state import begins_in


class AccountChange(models.Model):
    """One wish to bind another account: evidence, two people, a cooling-off, and only then the change."""

    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="account_changes", verbose_name=_("application")
    )
    old_account_id = models.CharField(_("account until now"), max_length=32)
    # The open id that ceased to be bound with it, where Alipay names payers by that.
    old_open_id = models.CharField(max_length=64, blank=True)
    new_account_id = models.CharField(_("new account"), max_length=16)
    reason = models.CharField(_("reason"), max_length=500)
    evidence = models.FileField(_("evidence"), upload_to="account-changes/%Y/%m/", max_length=200)
    evidence_name = models.CharField(_("name of the file"), max_length=200)
    evidence_type = models.CharField(max_length=40)
    evidence_sha256 = models.CharField(max_length=64)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("requested by"),
    )
    requested_at = models.DateTimeField(_("requested"), default=clock.now)
    requested_from = models.GenericIPAddressField(_("network address"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=ChangeState, default=ChangeState.REQUESTED)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("checked by"),
    )
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("confirmed by"),
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    # End of the cooling-off.
    effective_at = models.DateTimeField(_("takes effect"), null=True, blank=True)
    # Done: payments from this instant on come from the new account.
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    # Who refused or cancelled it; None: it took effect, or ended by itself.
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("closed by"),
    )
    # What the company reads of a refusal.
    decision_reason = models.CharField(_("reason for the decision"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("change of the bound account")
        verbose_name_plural = _("changes of the bound account")
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"], condition=CHANGE_OPEN, name="one_open_account_change"
            ),
            models.CheckConstraint(condition=Q(state__in=ChangeState.values), name="change_state_known"),
            models.CheckConstraint(
                condition=Q(new_account_id__regex=r"^2088[0-9]{12}$")
                & ~Q(new_account_id=F("old_account_id")),
                name="change_names_another_account",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[ChangeState.COOLING, ChangeState.DONE])
                | Q(
                    checked_by__isnull=False,
                    confirmed_by__isnull=False,
                    confirmed_at__isnull=False,
                    effective_at__isnull=False,
                    effective_at__gte=F("confirmed_at"),
                ),
                name="change_confirmed_by_two",
            ),
            models.CheckConstraint(
                condition=~Q(state=ChangeState.CHECKED) | Q(checked_by__isnull=False),
                name="change_checked_by_somebody",
            ),
            models.CheckConstraint(
                condition=(CHANGE_OPEN & Q(closed_at__isnull=True))
                | (~CHANGE_OPEN & Q(closed_at__isnull=False)),
                name="change_closed_at_its_end",
            ),
            models.CheckConstraint(
                condition=~Q(state=ChangeState.DONE) | Q(closed_at__gte=F("effective_at")),
                name="change_not_before_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(state=ChangeState.REFUSED) | ~Q(decision_reason=""),
                name="change_refused_with_reason",
            ),
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True)
                | Q(confirmed_by__isnull=True)
                | ~Q(confirmed_by=F("checked_by")),
                name="change_confirmed_by_another",
            ),
        ]
        indexes = [
            models.Index(
                fields=["effective_at"],
                name="change_cooling",
                condition=Q(state=ChangeState.COOLING),
            ),
        ]
        triggers = [
            begins_in(ChangeState.REQUESTED.value),
            lawful(CHANGE_EDGES),
            fixed(
                "application",
                "old_account_id",
                "new_account_id",
                "reason",
                "evidence",
                "evidence_name",
                "evidence_type",
                "evidence_sha256",
                "requested_by",
                "requested_at",
                "requested_from",
            ),
            refuses(
                "decided_once",
                pgtrigger.Update,
                """(OLD.checked_by_id IS NOT NULL
                    AND (NEW.checked_by_id, NEW.checked_at) IS DISTINCT FROM (OLD.checked_by_id, OLD.checked_at))
                OR (OLD.confirmed_by_id IS NOT NULL
                    AND (NEW.confirmed_by_id, NEW.confirmed_at, NEW.effective_at)
                        IS DISTINCT FROM (OLD.confirmed_by_id, OLD.confirmed_at, OLD.effective_at))
                OR OLD.closed_at IS NOT NULL""",
                "what was decided about an account stays",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.old_account_id} → {self.new_account_id}"
