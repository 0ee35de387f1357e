"""What the cases of a membership have had done with its deposit: the record by which each of it is done once."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from deposits.models.columns import money
from deposits.models.deposit import Deposit
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect


class InstructionKind(models.TextChoices):
    FREEZE = "freeze", _("freeze what is claimed")
    SETTLE = "settle", _("final decision on what is frozen")
    PENALTY = "penalty", _("penalty")
    BREACH = "breach", _("damages for breach")


class Instruction(models.Model):
    """One thing that a case has ordered about a deposit, each kind once. Written by cases.py alone.

    `amount` is what was ordered; how much of it was there, the ledger and the obligations tell.
    """

    deposit = models.ForeignKey(
        Deposit, on_delete=models.PROTECT, related_name="instructions", verbose_name=_("deposit")
    )
    case = models.CharField(_("case"), max_length=60)
    kind = models.CharField(_("kind"), max_length=7, choices=InstructionKind)
    amount = money(_("amount"))
    # Whom a compensation goes to, as far as it was known then.
    payee_identity = models.CharField(_("payee"), max_length=128, blank=True)
    payee_identity_type = models.CharField(max_length=16, blank=True)
    payee_name = models.CharField(_("name of the payee"), max_length=200, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    # None: the system by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )
    at = models.DateTimeField(_("time"), default=clock.now)

    class Meta:
        verbose_name = _("instruction of a case")
        verbose_name_plural = _("instructions of cases")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["case", "kind"], name="instruction_once_per_case"),
            models.CheckConstraint(
                condition=Q(kind__in=InstructionKind.values), name="instruction_kind_known"
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="instruction_amount_not_negative"),
            models.CheckConstraint(condition=~Q(case=""), name="instruction_names_its_case"),
        ]
        triggers = [protect()]

    def __str__(self) -> str:
        return f"{self.case} {self.kind} {self.amount}"
