"""The ledger's one table: immutable movements between two accounts."""

from functools import reduce
from operator import or_

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from deposits.books.accounts import ENTRIES, OF_A_DEPOSIT, REVERSING, Account, Kind
from deposits.models.columns import money, refuses
from deposits.models.deposit import Deposit, Obligation, balances_equal_rows
from deposits.models.payment import PaymentOrder
from deposits.models.payout import Payout
from tmall_sp.core import clock
from tmall_sp.core.append_only import protect


def _kind_fits_accounts() -> Q:
    named = [Q(kind=kind, debit=debit, credit=credit) for kind, (debit, credit) in ENTRIES.items()]
    return reduce(or_, named, Q(kind__in=REVERSING, reverses__isnull=False))


class LedgerTransfer(models.Model):
    """One immutable movement of an amount from one account to another. Written by ledger.py alone."""

    deposit = models.ForeignKey(
        Deposit,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("deposit"),
    )
    kind = models.CharField(_("kind"), max_length=17, choices=Kind)
    debit = models.CharField(_("debit"), max_length=20, choices=Account)
    credit = models.CharField(_("credit"), max_length=20, choices=Account)
    amount = money(_("amount"))
    at = models.DateTimeField(_("time"), default=clock.now)
    # Names the cause: one cause moves money once.
    key = models.CharField(max_length=100, unique=True, editable=False)
    case = models.CharField(_("case"), max_length=60, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    order = models.ForeignKey(
        PaymentOrder,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("payment"),
    )
    payout = models.ForeignKey(
        Payout,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("payout"),
    )
    # The debt that this deduction settles, wholly or in part.
    obligation = models.ForeignKey(
        Obligation,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("obligation"),
    )
    # What two people decided, where the row needs that.
    proposal = models.ForeignKey(
        "deposits.Proposal",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transfers",
        verbose_name=_("decision"),
    )
    reverses = models.OneToOneField(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reversed_by",
        verbose_name=_("reverses"),
    )
    # None: the system by itself.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_amount_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="ledger_two_accounts"),
            models.CheckConstraint(
                condition=Q(debit__in=Account.values, credit__in=Account.values), name="ledger_accounts_known"
            ),
            models.CheckConstraint(condition=_kind_fits_accounts(), name="ledger_kind_fits_accounts"),
            models.CheckConstraint(
                condition=Q(deposit__isnull=False)
                | (~Q(debit__in=OF_A_DEPOSIT) & ~Q(credit__in=OF_A_DEPOSIT)),
                name="ledger_names_the_deposit",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=REVERSING) | Q(reverses__isnull=True),
                name="ledger_reversal_is_called_so",
            ),
        ]
        indexes = [
            models.Index(fields=["deposit", "at"], name="ledger_statement"),
            models.Index(fields=["at"], name="ledger_by_time"),
            models.Index(fields=["deposit", "case"], name="ledger_of_case", condition=~Q(case="")),
        ]
        triggers = [
            protect(),
            balances_equal_rows(pgtrigger.Insert, "NEW.deposit_id"),
            refuses(
                "reversal_mirrors",
                pgtrigger.Insert,
                """NEW.reverses_id IS NOT NULL AND NOT EXISTS (
                    SELECT 1 FROM deposits_ledgertransfer t
                    WHERE t.id = NEW.reverses_id AND t.debit = NEW.credit AND t.credit = NEW.debit
                      AND t.amount = NEW.amount AND t.deposit_id IS NOT DISTINCT FROM NEW.deposit_id
                )""",
                "a reversal mirrors the row that it reverses",
            ),
            refuses(
                "corrected_by_two",
                pgtrigger.Insert,
                """NEW.kind = 'correction' AND NOT EXISTS (
                    SELECT 1 FROM deposits_proposal p
                    WHERE p.id = NEW.proposal_id AND p.entry_id = NEW.reverses_id
                      AND p.kind = 'correct_entry' AND p.state = 'accepted'
                ) AND NOT EXISTS (
                    SELECT 1 FROM deposits_ledgertransfer t
                    JOIN deposits_deposit d ON d.id = t.deposit_id
                    JOIN applications_transition m ON m.application_id = d.application_id
                    WHERE t.id = NEW.reverses_id AND t.kind = 'forfeiture'
                      AND m.name = 'overturn_expulsion' AND m.at >= t.at
                )""",
                "two people correct a ledger entry, or overturn an expulsion",
            ),
            refuses(
                "booked_by_two",
                pgtrigger.Insert,
                """NEW.kind IN ('funding', 'withdrawal') AND NOT EXISTS (
                    SELECT 1 FROM deposits_proposal p
                    WHERE p.id = NEW.proposal_id AND p.kind = 'book_movement' AND p.state = 'accepted'
                )""",
                "two people book money that we put in or take out",
            ),
            # What one case froze can't pay for another.
            refuses(
                "frozen_by_its_case",
                pgtrigger.Insert,
                """NEW.debit = 'deposit_frozen' AND NEW.kind <> 'correction' AND (
                    SELECT COALESCE(SUM(CASE WHEN t.credit = 'deposit_frozen' THEN t.amount
                                             WHEN t.debit = 'deposit_frozen' THEN -t.amount ELSE 0 END), 0)
                    FROM deposits_ledgertransfer t
                    WHERE t.deposit_id = NEW.deposit_id AND t."case" = NEW."case"
                ) < NEW.amount""",
                "a case gives up no more than it froze",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount}"
