"""Words and colours of the desk's pages of money."""

from typing import Any

from django import template

from deposits import colours
from deposits.duties.case_names import case_words
from deposits.models import Compensation, Obligation, PaymentOrder, Payout, Proposal, Refund, ReturnedPayment
from deposits.outgoing.alipay_codes import Explanation, explain

register = template.Library()
register.filter(case_words)

COLOURS: dict[type, dict[str, str]] = {
    Compensation: colours.COMPENSATION_COLOURS,
    Obligation: colours.OBLIGATION_COLOURS,
    PaymentOrder: colours.ORDER_COLOURS,
    Payout: colours.PAYOUT_COLOURS,
    Proposal: colours.PROPOSAL_COLOURS,
    Refund: colours.REFUND_COLOURS,
    ReturnedPayment: colours.BACK_COLOURS,
}


@register.inclusion_tag("unfold/helpers/label.html")
def state_label(row: Any) -> dict[str, str]:
    """The state of a row of money, in its colour."""
    return {"text": row.get_state_display(), "type": COLOURS[type(row)][row.state]}


@register.filter
def explained(code: str) -> Explanation | None:
    """What a code of Alipay's means, and what to do about it."""
    return explain(code)
