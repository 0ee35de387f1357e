"""How the states of money look in lists and on pages. Each state needs an entry: unfold shows the stored value of one without."""

from deposits.states import (
    BackState,
    CompensationState,
    ObligationState,
    OrderState,
    PayoutState,
    ProposalState,
    RefundState,
)

ORDER_COLOURS: dict[str, str] = {
    OrderState.PAID: "success",
    OrderState.REFUSED: "danger",
    OrderState.CLOSED: "secondary",
    OrderState.CLOSING: "warning",
    OrderState.OPEN: "info",
}
PAYOUT_COLOURS: dict[str, str] = {
    PayoutState.HELD: "warning",
    PayoutState.QUEUED: "info",
    PayoutState.CALLING: "info",
    PayoutState.DEALING: "info",
    PayoutState.DONE: "success",
    PayoutState.ATTENTION: "danger",
    PayoutState.REPLACED: "secondary",
    PayoutState.RETURNED: "danger",
}
REFUND_COLOURS: dict[str, str] = {
    RefundState.HELD: "warning",
    RefundState.IN_PROGRESS: "info",
    RefundState.DONE: "success",
}
BACK_COLOURS: dict[str, str] = {BackState.IN_PROGRESS: "info", BackState.DONE: "success"}
COMPENSATION_COLOURS: dict[str, str] = {
    CompensationState.WAITING: "warning",
    CompensationState.IN_PROGRESS: "info",
    CompensationState.DONE: "success",
}
OBLIGATION_COLOURS: dict[str, str] = {
    ObligationState.OPEN: "warning",
    ObligationState.SETTLED: "success",
    ObligationState.WAIVED: "secondary",
}
PROPOSAL_COLOURS: dict[str, str] = {
    ProposalState.OPEN: "warning",
    ProposalState.ACCEPTED: "success",
    ProposalState.REFUSED: "danger",
    ProposalState.WITHDRAWN: "secondary",
}
