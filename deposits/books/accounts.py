"""The chart of accounts (design §4): small, fixed, and which kind of movement goes between which two."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Account(models.TextChoices):
    ALIPAY_CASH = "alipay_cash", _("cash at Alipay")
    SUSPENSE = "suspense", _("received, not accepted")
    DEPOSIT_AVAILABLE = "deposit_available", _("deposits, available")
    DEPOSIT_FROZEN = "deposit_frozen", _("deposits, frozen")
    REFUND_IN_TRANSIT = "refund_in_transit", _("refunds on their way")
    COMPENSATION_PAYABLE = "compensation_payable", _("compensation to be paid")
    PENALTY_INCOME = "penalty_income", _("penalties")
    BREACH_INCOME = "breach_income", _("damages for breach")
    FORFEITURE_INCOME = "forfeiture_income", _("forfeited deposits")
    GATEWAY_FEES = "gateway_fees", _("Alipay's fees")
    PLATFORM_FUNDING = "platform_funding", _("own money put in")
    BANK_WITHDRAWAL = "bank_withdrawal", _("withdrawn to our bank")
    OPENING_BALANCE = "opening_balance", _("opening balance")


class Kind(models.TextChoices):
    PAYMENT = "payment", _("deposit paid")
    TOP_UP = "top_up", _("deposit topped up")
    REFUSED_PAYMENT = "refused_payment", _("payment received, not accepted")
    REFUSED_RETURN = "refused_return", _("refused payment sent back")
    FREEZE = "freeze", _("frozen")
    RELEASE = "release", _("released")
    COMPENSATION = "compensation", _("compensation")
    COMPENSATION_PAID = "compensation_paid", _("compensation paid out")
    PENALTY = "penalty", _("penalty")
    BREACH = "breach", _("damages for breach")
    FORFEITURE = "forfeiture", _("deposit forfeited")
    REFUND = "refund", _("refund begun")
    REFUND_PAID = "refund_paid", _("refund paid out")
    BANK_RETURN = "bank_return", _("returned by the bank")
    GATEWAY_FEE = "gateway_fee", _("Alipay's fee")
    FUNDING = "funding", _("own money put in")
    WITHDRAWAL = "withdrawal", _("withdrawn to our bank")
    OPENING_BALANCE = "opening_balance", _("opening balance")
    CORRECTION = "correction", _("correction")


A, K = Account, Kind

# Kind → (debit, credit).
ENTRIES: dict[Kind, tuple[Account, Account]] = {
    K.PAYMENT: (A.ALIPAY_CASH, A.DEPOSIT_AVAILABLE),
    K.TOP_UP: (A.ALIPAY_CASH, A.DEPOSIT_AVAILABLE),
    K.REFUSED_PAYMENT: (A.ALIPAY_CASH, A.SUSPENSE),
    K.REFUSED_RETURN: (A.SUSPENSE, A.ALIPAY_CASH),
    K.FREEZE: (A.DEPOSIT_AVAILABLE, A.DEPOSIT_FROZEN),
    K.RELEASE: (A.DEPOSIT_FROZEN, A.DEPOSIT_AVAILABLE),
    K.COMPENSATION: (A.DEPOSIT_FROZEN, A.COMPENSATION_PAYABLE),
    K.COMPENSATION_PAID: (A.COMPENSATION_PAYABLE, A.ALIPAY_CASH),
    K.PENALTY: (A.DEPOSIT_AVAILABLE, A.PENALTY_INCOME),
    K.BREACH: (A.DEPOSIT_AVAILABLE, A.BREACH_INCOME),
    K.FORFEITURE: (A.DEPOSIT_AVAILABLE, A.FORFEITURE_INCOME),
    K.REFUND: (A.DEPOSIT_AVAILABLE, A.REFUND_IN_TRANSIT),
    K.REFUND_PAID: (A.REFUND_IN_TRANSIT, A.ALIPAY_CASH),
    K.GATEWAY_FEE: (A.GATEWAY_FEES, A.ALIPAY_CASH),
    K.FUNDING: (A.ALIPAY_CASH, A.PLATFORM_FUNDING),
    K.WITHDRAWAL: (A.BANK_WITHDRAWAL, A.ALIPAY_CASH),
    K.OPENING_BALANCE: (A.ALIPAY_CASH, A.OPENING_BALANCE),
}
# A row of these kinds mirrors an earlier row: its accounts are that row's, exchanged.
REVERSING = (K.BANK_RETURN, K.CORRECTION)
# Money in these belongs to one deposit, which the row must name.
OF_A_DEPOSIT = (A.DEPOSIT_AVAILABLE, A.DEPOSIT_FROZEN, A.REFUND_IN_TRANSIT)
# What stands on a deposit's row, kept under its lock.
BALANCES = {A.DEPOSIT_AVAILABLE: "available", A.DEPOSIT_FROZEN: "frozen"}
# These grow by debit; all others by credit.
GROWS_BY_DEBIT = (A.ALIPAY_CASH, A.GATEWAY_FEES, A.BANK_WITHDRAWAL)
# What a decision takes out of a deposit; their notes are the reasons that the company reads.
DECIDED = (K.COMPENSATION, K.PENALTY, K.BREACH, K.FORFEITURE)
# What the merchant reads in its statement, and has a receipt for.
RECEIPTS = (K.PAYMENT, K.TOP_UP, K.COMPENSATION, K.PENALTY, K.BREACH, K.FORFEITURE, K.REFUND_PAID)
