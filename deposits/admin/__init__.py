"""Finance's and the auditor's desk for money. No state is a field here: every step asks a service."""

from deposits.admin import deposit, ledger, payments, payouts

__all__ = ["deposit", "ledger", "payments", "payouts"]
