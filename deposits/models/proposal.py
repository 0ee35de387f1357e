"""What two people decide about money: one proposes, another accepts; both with a reason."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from deposits.models.columns import fixed, lawful
from deposits.models.deposit import Deposit, Obligation
from deposits.models.ledger import LedgerTransfer
from deposits.models.payout import Payout, Refund
from deposits.states import PROPOSAL_EDGES, ProposalState
from tmall_sp.core import clock
from tmall_sp.core.first_state import begins_in


class ProposalKind(models.TextChoices):
    WAIVE_OBLIGATION = "waive_obligation", _("waive an obligation")
    RELEASE_REFUND = "release_refund", _("release a refund")
    HOLD_REFUND = "hold_refund", _("hold a refund")
    REFUND_BY_HAND = "refund_by_hand", _("refund by hand")
    REDIRECT_PAYOUT = "redirect_payout", _("send a payout to another account")
    SETTLE_PAYOUT = "settle_payout", _("record a payout as paid")
    CORRECT_ENTRY = "correct_entry", _("correct a ledger entry")
    BOOK_MOVEMENT = "book_movement", _("book a movement at Alipay")


K = ProposalKind

# Which row a proposal of this kind is about.
TARGETS: dict[ProposalKind, str] = {
    K.WAIVE_OBLIGATION: "obligation",
    K.RELEASE_REFUND: "refund",
    K.HOLD_REFUND: "refund",
    K.REFUND_BY_HAND: "deposit",
    K.REDIRECT_PAYOUT: "payout",
    K.SETTLE_PAYOUT: "payout",
    K.CORRECT_ENTRY: "entry",
}


def _names_its_target() -> Q:
    condition = Q(kind=K.BOOK_MOVEMENT)
    for kind, target in TARGETS.items():
        condition |= Q(kind=kind, **{f"{target}__isnull": False})
    return condition


class Proposal(models.Model):
    """A decision about money that waits for a second person. Written by proposals.py alone."""

    kind = models.CharField(_("kind"), max_length=16, choices=ProposalKind)
    deposit = models.ForeignKey(
        Deposit,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proposals",
        verbose_name=_("deposit"),
    )
    obligation = models.ForeignKey(
        Obligation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proposals",
        verbose_name=_("obligation"),
    )
    refund = models.ForeignKey(
        Refund,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proposals",
        verbose_name=_("refund"),
    )
    payout = models.ForeignKey(
        Payout,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proposals",
        verbose_name=_("payout"),
    )
    entry = models.ForeignKey(
        LedgerTransfer,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="proposals",
        verbose_name=_("ledger entry"),
    )
    # Amounts as text with two places, payees, numbers: what the kind needs (proposals.py).
    details = models.JSONField(_("details"), default=dict, blank=True)
    reason = models.TextField(_("reason"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("proposed by"),
    )
    proposed_at = models.DateTimeField(_("proposed"), default=clock.now)
    state = models.CharField(_("state"), max_length=9, choices=ProposalState, default=ProposalState.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decision_reason = models.TextField(_("reason for the decision"), blank=True)

    class Meta:
        verbose_name = _("decision by two people")
        verbose_name_plural = _("decisions by two people")
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ProposalKind.values), name="proposal_kind_known"),
            models.CheckConstraint(condition=Q(state__in=ProposalState.values), name="proposal_state_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="proposal_has_reason"),
            models.CheckConstraint(condition=_names_its_target(), name="proposal_names_its_target"),
            models.CheckConstraint(
                condition=Q(state=ProposalState.OPEN, decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state=ProposalState.OPEN) & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="proposal_decided_by_somebody",
            ),
            # A comparison with NULL is neither true nor false, which a CHECK lets pass.
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True)
                | Q(state=ProposalState.WITHDRAWN, decided_by=F("proposed_by"))
                | (~Q(state=ProposalState.WITHDRAWN) & ~Q(decided_by=F("proposed_by"))),
                name="proposal_decided_by_another",
            ),
            *[
                models.UniqueConstraint(
                    fields=["kind", target],
                    condition=Q(state=ProposalState.OPEN, **{f"{target}__isnull": False}),
                    name=f"one_open_proposal_per_{target}",
                )
                for target in ("obligation", "refund", "payout", "entry")
            ],
        ]
        indexes = [
            models.Index(fields=["proposed_at"], name="proposal_open", condition=Q(state=ProposalState.OPEN)),
        ]
        triggers = [
            begins_in(ProposalState.OPEN.value),
            lawful(PROPOSAL_EDGES),
            fixed(
                "kind",
                "deposit",
                "obligation",
                "refund",
                "payout",
                "entry",
                "details",
                "reason",
                "proposed_by",
                "proposed_at",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"
