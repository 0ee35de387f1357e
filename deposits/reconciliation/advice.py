"""What to do about each kind of difference, and about a day without its bill, in words for finance."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from deposits.models import BillKind, Cause, Difference
from deposits.reconciliation.days import BILL_CHANGED, NO_BILL

Words = str | Promise

_OTHER_BILL = _("The fund bill has the same movement: decide there, the explanation is kept at both.")

_ADVICE: dict[Cause, Words] = {
    Cause.UNSETTLED_ORDER: _(
        "Alipay has been asked about this order; what it confirms is booked and this settles by itself. If it"
        " doesn't within the hour, ask again and read the last error of the payment."
    ),
    Cause.FOREIGN_PAYMENT: _(
        "Somebody paid outside the portal. Find out who, by the other side and the title. If it is to go back,"
        " refund it in Alipay's merchant centre; have two people book both movements."
    ),
    Cause.OPEN_PAYOUT: _(
        "Alipay has moved the money and the payout isn't finished here. It is booked as soon as Alipay confirms"
        " it: ask again. If the payout waits for a person, decide on its page."
    ),
    Cause.FOREIGN_REFUND: _(
        "No refund of ours has this number: it was made in Alipay's merchant centre or with our key. Find out"
        " today who made it; stop further refunds of this payment; have two people book it."
    ),
    Cause.FOREIGN_TRANSFER: _(
        "No payout of ours has this number. Find out today who made it; if nobody knows, have Alipay block the"
        " account (95188). Once it is clear, have two people book it."
    ),
    Cause.UNBOOKED_RETURN: _(
        "A transfer of ours came back. Alipay is asked about it; once it confirms, the return is booked and"
        " finance says where the money goes instead."
    ),
    Cause.FEE_RETURNED: _(
        "Alipay gave a fee back, as it does after a refund. Have two people book it, and name the fee in the reason."
    ),
    Cause.MONEY_IN: _(
        "If we put the money in, have two people book it as own money. Otherwise find out by the other side and"
        " the note whose it is, and whether it is to go back."
    ),
    Cause.MONEY_OUT: _(
        "If we withdrew the money to our bank, have two people book it. If nobody knows of it, call Alipay"
        " (95188) today."
    ),
    Cause.MISSING_PAYMENT: _(
        "Ask Alipay about the payment. Until it is clear, pay nothing of this deposit back. If Alipay has it,"
        " compare this day again tomorrow; if not, hand the case to the portal's operators."
    ),
    Cause.MISSING_PAYOUT: _(
        "Ask Alipay about the payout. If Alipay has it, it stands in the bill of another day and settles when"
        " that is compared; if not, the payee has not got the money: hand the case to the portal's operators."
    ),
    Cause.MISSING_RETURN: _(
        "Ask Alipay about the payout. If it came back, the return stands in the bill of an earlier day: compare"
        " the days since the transfer again."
    ),
    Cause.MISSING_BOOKING: _(
        "Compare the booking's number, amount and time with the bill. If it is wrong, have two people correct"
        " the entry and book it as the bill has it."
    ),
    Cause.OTHER_AMOUNT: _(
        "Call Alipay (95188) with both amounts before anything else moves on this deposit. If a booking by hand"
        " is wrong, have two people correct it."
    ),
    Cause.BALANCE_GAP: _(
        "A movement is missing in this bill or in the one of the day before. Compare both days again; if it"
        " stays, get both bills from Alipay's merchant centre and look for the amount of the gap."
    ),
}

_WAITING: dict[str, Words] = {
    NO_BILL: _("Alipay has no bill of this day, but we have movements of it. It is asked again by itself."),
    BILL_CHANGED: _(
        "Alipay's bill says something else than when it was first read. The first one stays; ask Alipay which is right."
    ),
    "malformed": _(
        "The bill can't be read, or its totals are not those of its lines. It is asked for again."
    ),
    "key_files": _("Alipay can't be asked: our keys for it can't be read. Tell the portal's operators."),
    "connection": _("Alipay can't be reached. It is asked again by itself."),
    "40006": _("Our contract with Alipay doesn't include bills: tell the portal's operators."),
}


def advice(difference: Difference) -> Words:
    """What finance is to do about it."""
    cause = Cause(difference.cause)
    if difference.bill == BillKind.TRADE and cause in (Cause.FOREIGN_PAYMENT, Cause.FOREIGN_REFUND):
        return _OTHER_BILL
    return _ADVICE[cause]


def why_waiting(code: str) -> Words:
    """What the last attempt's error means; blank before the first."""
    if not code:
        return ""
    return _WAITING.get(code, _("Alipay gave no bill this time. It is asked again by itself."))
