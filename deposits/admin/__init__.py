"""Finance's and the auditor's desk for money. No state is a field here: every step asks a service."""

from deposits.admin import (
    account_change,
    compensation,
    debts,
    deposit,
    ledger,
    panels,
    payments,
    payouts,
    proposals,
    reconciliation,
    refunds,
    returned,
    work,
)

__all__ = [
    "account_change",
    "compensation",
    "debts",
    "deposit",
    "ledger",
    "panels",
    "payments",
    "payouts",
    "proposals",
    "reconciliation",
    "refunds",
    "returned",
    "work",
]
