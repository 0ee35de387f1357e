"""What Alipay's codes mean to finance, and what to do about each (protocols B3, B6, B8)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from deposits.gateways.alipay import LIMIT_PREFIX
from deposits.outgoing.payout_answers import DAY_LIMIT


@dataclass(frozen=True)
class Explanation:
    meaning: str | Promise
    advice: str | Promise


BY_ITSELF = _("Nothing: it goes on by itself, and Alipay is asked before anything is sent again.")
TOP_UP = _("Put money into our Alipay account. Then it goes on by itself; “Try again” makes it faster.")
ELSEWHERE = _(
    "Ask the company. Once its account is in order: try again. Otherwise two people send it to another account."
)
SUPPORT = _("Clear it up with Alipay's support, then try again; or two people send it to another account.")
OPERATOR = _("Something is wrong with our request or contract: tell the portal's operators, then try again.")
LOOK = _(
    "Ask Alipay again and look into its bill. If the money has gone, two people record it with Alipay's number."
)
SMALLER = _(
    "Set the rule for the largest transfer lower; then two people send it again, to the same account, in parts."
)
BOOK = _("Try again: nothing is sent a second time, it is only booked.")
SAY_WHERE = _("Ask the company for an account that can receive it; two people send it there.")

_ROWS: list[tuple[str, str | Promise, str | Promise]] = [
    # Unknown outcomes
    ("ACQ.SYSTEM_ERROR", _("Alipay had a fault; whether it was executed is not known."), BY_ITSELF),
    ("SYSTEM_ERROR", _("Alipay had a fault; whether it was executed is not known."), BY_ITSELF),
    ("isp.unknow-error", _("Alipay was not available; whether it was executed is not known."), BY_ITSELF),
    ("connection", _("Alipay could not be reached; nothing was sent."), BY_ITSELF),
    ("timeout", _("No answer came in time; whether it was executed is not known."), BY_ITSELF),
    ("dropped", _("The connection broke; whether it was executed is not known."), BY_ITSELF),
    ("http_status", _("Alipay's server answered with an error."), BY_ITSELF),
    ("malformed", _("The answer could not be understood."), BY_ITSELF),
    ("unsigned", _("The answer had no signature and was not believed."), BY_ITSELF),
    ("bad_signature", _("The answer's signature was wrong, and it was not believed."), BY_ITSELF),
    ("not_confirmed", _("Alipay took the request and does not confirm it yet."), BY_ITSELF),
    ("cert_changed", _("Alipay signs with a new certificate that the portal does not have yet."), OPERATOR),
    ("key_files", _("The portal can't read its keys."), OPERATOR),
    ("DEALING", _("Alipay is processing the transfer."), BY_ITSELF),
    ("WAIT_PAY", _("Alipay is processing the transfer."), BY_ITSELF),
    # Our own account
    ("ACQ.SELLER_BALANCE_NOT_ENOUGH", _("Our Alipay account lacks the money."), TOP_UP),
    ("PAYER_BALANCE_NOT_ENOUGH", _("Our Alipay account lacks the money."), TOP_UP),
    ("BALANCE_IS_NOT_ENOUGH", _("Our Alipay account lacks the money."), TOP_UP),
    ("PAYER_STATUS_ERROR", _("Our Alipay account is not in order."), SUPPORT),
    ("PAYER_USER_INFO_ERROR", _("The data of our Alipay account are not in order."), SUPPORT),
    ("PAYER_DATA_INCOMPLETE", _("The data of our Alipay account are not complete."), SUPPORT),
    ("PAYER_CERT_EXPIRED", _("Our identity document at Alipay has expired."), SUPPORT),
    ("PAYER_CERTIFY_CHECK_FAIL", _("Our identity is not certified at Alipay."), SUPPORT),
    ("PERMIT_PAYER_LOWEST_FORBIDDEN", _("Our account's level of certification is too low."), SUPPORT),
    ("PERMIT_PAYER_FORBIDDEN", _("Alipay lets our account transfer nothing at present."), SUPPORT),
    ("CERT_MISS_TRANS_LIMIT", _("Without a certificate our account may not transfer this much."), SUPPORT),
    ("CERT_MISS_ACC_LIMIT", _("Without a certificate our account may not transfer this much."), SUPPORT),
    # The number was executed, with other values
    (
        "ACQ.DISCORDANT_REPEAT_REQUEST",
        _("Alipay has executed this number already, with another amount."),
        LOOK,
    ),
    ("PAYMENT_INFO_INCONSISTENCY", _("Alipay knows this number already, with other data."), LOOK),
    ("amount_differs", _("Alipay has executed this number with another amount."), LOOK),
    # The trade
    ("ACQ.TRADE_HAS_FINISHED", _("The refund window has passed; it goes by transfer."), BY_ITSELF),
    ("ACQ.TRADE_NOT_EXIST", _("Alipay does not know the payment."), OPERATOR),
    ("ACQ.TRADE_STATUS_ERROR", _("The payment is in a state that allows no refund."), LOOK),
    ("ACQ.REASON_TRADE_STATUS_INVALID", _("The payment is in a state that allows no refund."), LOOK),
    ("ACQ.TRADE_HAS_SUCCESS", _("Alipay regards the payment as finished with success."), LOOK),
    ("ACQ.TRADE_HAS_CLOSE", _("Alipay regards the payment as closed."), LOOK),
    ("ACQ.TRADE_NOT_ALLOW_REFUND", _("Status or contract of the payment allow no refund."), SUPPORT),
    ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", _("The amount is more than is left of the payment."), LOOK),
    ("ACQ.REASON_TRADE_REFUND_FEE_ERR", _("The amount is more than is left of the payment."), LOOK),
    ("ACQ.REFUND_FEE_ERROR", _("The amount is more than is left of the payment."), LOOK),
    ("ACQ.REASON_TRADE_BEEN_FREEZEN", _("Alipay has frozen the payment."), SUPPORT),
    # Who is to get it
    ("ACQ.BUYER_ERROR", _("The payer's account is abnormal, closed or frozen."), ELSEWHERE),
    ("ACQ.CUSTOMER_VALIDATE_ERROR", _("The payer's account is abnormal, closed or frozen."), ELSEWHERE),
    ("ACCOUNT_NOT_EXIST", _("The payee's account does not exist."), ELSEWHERE),
    ("PAYEE_NOT_EXIST", _("The payee's account does not exist."), ELSEWHERE),
    ("PAYEE_ACCOUNT_STATUS_ERROR", _("The payee's account is not in order."), ELSEWHERE),
    ("PAYEE_USER_INFO_ERROR", _("The account does not belong to the name given."), ELSEWHERE),
    ("PAYEE_ACC_OCUPIED", _("The login name belongs to more than one account."), ELSEWHERE),
    ("PERM_AML_NOT_REALNAME_REV", _("The payee has not proved its identity at Alipay."), ELSEWHERE),
    ("PERMIT_CHECK_PERM_LIMITED", _("The account may not receive or send this at present."), ELSEWHERE),
    (
        "PERMIT_CHECK_PERM_IDENTITY_THEFT",
        _("Alipay suspects that the account's identity was stolen."),
        ELSEWHERE,
    ),
    ("PERMIT_NON_BANK_LIMIT_PAYEE", _("The payee has reached its yearly limit of receiving."), ELSEWHERE),
    ("PAYCARD_UNABLE_PAYMENT", _("The payee's card can't take the money."), ELSEWHERE),
    ("PAYER_PAYEE_CANNOT_SAME", _("The account is our own."), ELSEWHERE),
    # Our request
    ("ACQ.INVALID_PARAMETER", _("Alipay calls our request wrong."), OPERATOR),
    ("INVALID_PARAMETER", _("Alipay calls our request wrong."), OPERATOR),
    ("MEMO_REQUIRED_IN_TRANSFER_ERROR", _("Alipay wants a remark with the transfer."), OPERATOR),
    ("REMARK_HAS_SENSITIVE_WORD", _("Alipay does not like a word of the remark."), OPERATOR),
    ("SYNC_SECURITY_CHECK_FAILED", _("Alipay's risk control has stopped it."), SUPPORT),
    # Ends of a transfer
    ("FAIL", _("The transfer has failed; no money has gone."), SAY_WHERE),
    ("CLOSED", _("The transfer was closed; no money has gone."), SAY_WHERE),
    ("REFUND", _("The transfer had arrived, and the bank has returned it."), SAY_WHERE),
    ("executed", _("Alipay says that it has been executed."), BOOK),
]
EXPLANATIONS = {code: Explanation(meaning, advice) for code, meaning, advice in _ROWS}


def explain(code: str) -> Explanation | None:
    """What a payout's `last_code` means; None for no code."""
    if not code:
        return None
    known = EXPLANATIONS.get(code)
    if known is not None:
        return known
    if DAY_LIMIT in code:
        return Explanation(_("The limit of one day is reached."), BY_ITSELF)
    if code.startswith(LIMIT_PREFIX):
        return Explanation(_("The amount is outside Alipay's limits."), SMALLER)
    return Explanation(_("A code that the portal does not know: read Alipay's words."), LOOK)
