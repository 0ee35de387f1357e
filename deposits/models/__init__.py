"""The deposit and everything that moves its money, a module for each part.

Amounts are CNY with two places. Numbers that Alipay sees are made and stored before it hears of them, and
never change; the database refuses what Python should have refused.
"""

from deposits.models.account_change import AccountChange
from deposits.models.columns import ZERO, new_order_number, new_payout_number
from deposits.models.deposit import DemandCause, Deposit, Obligation, TopUpDemand
from deposits.models.instruction import Instruction, InstructionKind
from deposits.models.ledger import LedgerTransfer
from deposits.models.payment import (
    AlipayNotification,
    PaymentOrder,
    Purpose,
    ReturnedPayment,
    ReturnReason,
    Verdict,
)
from deposits.models.payout import Compensation, Method, Payout, Refund
from deposits.models.proposal import Proposal, ProposalKind

__all__ = [
    "ZERO",
    "AccountChange",
    "AlipayNotification",
    "Compensation",
    "DemandCause",
    "Deposit",
    "Instruction",
    "InstructionKind",
    "LedgerTransfer",
    "Method",
    "Obligation",
    "PaymentOrder",
    "Payout",
    "Proposal",
    "ProposalKind",
    "Purpose",
    "Refund",
    "ReturnReason",
    "ReturnedPayment",
    "TopUpDemand",
    "Verdict",
    "new_order_number",
    "new_payout_number",
]
