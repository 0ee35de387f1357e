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
from deposits.models.reconciliation import (
    Answer,
    BillKind,
    BillLine,
    Cause,
    Difference,
    Explanation,
    Mismatch,
    ReconciliationRun,
    RunState,
    Sort,
)

__all__ = [
    "ZERO",
    "AccountChange",
    "AlipayNotification",
    "Answer",
    "BillKind",
    "BillLine",
    "Cause",
    "Compensation",
    "DemandCause",
    "Deposit",
    "Difference",
    "Explanation",
    "Instruction",
    "InstructionKind",
    "LedgerTransfer",
    "Method",
    "Mismatch",
    "Obligation",
    "PaymentOrder",
    "Payout",
    "Proposal",
    "ProposalKind",
    "Purpose",
    "ReconciliationRun",
    "Refund",
    "ReturnReason",
    "ReturnedPayment",
    "RunState",
    "Sort",
    "TopUpDemand",
    "Verdict",
    "new_order_number",
    "new_payout_number",
]
