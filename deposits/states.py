"""The states of everything that moves money, and the edges between them, on one screen.

models.py gives the same edges to the database (`pgtrigger.FSM`). Who takes an edge stands in payments.py,
refunds.py and payouts.py, always under the application's lock or by a claim.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class OrderState(models.TextChoices):
    OPEN = "open", _("waiting for payment")
    CLOSING = "closing", _("being closed")
    CLOSED = "closed", _("closed, not paid")
    PAID = "paid", pgettext_lazy("state", "paid")
    REFUSED = "refused", _("paid, not accepted")


O = OrderState  # noqa: E741 -- read as a table

# Money that Alipay has taken is never ignored: a closed order that turns out paid is settled all the same.
ORDER_EDGES = [
    (O.OPEN, O.CLOSING),
    *[(source, target) for source in (O.OPEN, O.CLOSING) for target in (O.CLOSED, O.PAID, O.REFUSED)],
    (O.CLOSED, O.PAID),
    (O.CLOSED, O.REFUSED),
]
ORDER_SETTLED = (O.PAID, O.REFUSED)
ORDER_UNRESOLVED = (O.OPEN, O.CLOSING)


class PayoutState(models.TextChoices):
    HELD = "held", _("held with its refund")
    QUEUED = "queued", _("waiting to be sent")
    CALLING = "calling", _("being sent")
    DEALING = "dealing", _("being processed by Alipay")
    DONE = "done", pgettext_lazy("state", "paid out")
    ATTENTION = "attention", _("being looked at by finance")
    REPLACED = "replaced", _("sent in another way")
    RETURNED = "returned", _("returned by the bank")


P = PayoutState

PAYOUT_EDGES = [
    (P.HELD, P.QUEUED),
    (P.QUEUED, P.HELD),
    (P.QUEUED, P.CALLING),
    (P.DEALING, P.CALLING),
    *[(P.CALLING, target) for target in (P.QUEUED, P.DEALING, P.DONE, P.ATTENTION, P.REPLACED)],
    # A person decides: try again; two: sent otherwise, or paid after all.
    (P.ATTENTION, P.QUEUED),
    (P.ATTENTION, P.REPLACED),
    (P.ATTENTION, P.DONE),
    # The bank may return what had arrived; two people say where it goes instead.
    (P.DONE, P.RETURNED),
    (P.RETURNED, P.REPLACED),
]


class BackState(models.TextChoices):
    """Of a refused payment: done once every leg is, and under way again if the bank returns one."""

    IN_PROGRESS = "in_progress", _("under way")
    DONE = "done", _("done")


BACK_EDGES = [(BackState.IN_PROGRESS, BackState.DONE), (BackState.DONE, BackState.IN_PROGRESS)]


class RefundState(models.TextChoices):
    HELD = "held", _("waiting for two people")
    IN_PROGRESS = "in_progress", _("under way")
    DONE = "done", _("done")


REFUND_EDGES = [
    (RefundState.HELD, RefundState.IN_PROGRESS),
    (RefundState.IN_PROGRESS, RefundState.HELD),
    (RefundState.IN_PROGRESS, RefundState.DONE),
    (RefundState.DONE, RefundState.IN_PROGRESS),
]


class CompensationState(models.TextChoices):
    WAITING = "waiting", _("waiting for a payee")
    IN_PROGRESS = "in_progress", _("under way")
    DONE = "done", _("done")


COMPENSATION_EDGES = [
    (CompensationState.WAITING, CompensationState.IN_PROGRESS),
    (CompensationState.IN_PROGRESS, CompensationState.DONE),
    (CompensationState.DONE, CompensationState.IN_PROGRESS),
]


class ObligationState(models.TextChoices):
    OPEN = "open", pgettext_lazy("obligation", "open")
    SETTLED = "settled", pgettext_lazy("obligation", "paid")
    WAIVED = "waived", _("waived")


OBLIGATION_EDGES = [
    (ObligationState.OPEN, ObligationState.SETTLED),
    (ObligationState.OPEN, ObligationState.WAIVED),
]


class DemandOutcome(models.TextChoices):
    MET = "met", _("filled up")
    ENDED = "ended", _("the membership ended")


DEMAND_OPEN = models.Q(closed_at__isnull=True)


class ProposalState(models.TextChoices):
    OPEN = "open", _("waiting for a second person")
    ACCEPTED = "accepted", _("carried out")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", pgettext_lazy("proposal", "withdrawn")


PROPOSAL_EDGES = [
    (ProposalState.OPEN, target)
    for target in (ProposalState.ACCEPTED, ProposalState.REFUSED, ProposalState.WITHDRAWN)
]


class ChangeState(models.TextChoices):
    """Of a change of the bound account."""

    REQUESTED = "requested", _("waiting to be checked")
    CHECKED = "checked", _("waiting for a second person")
    COOLING = "cooling", _("confirmed, takes effect after the cooling-off")
    DONE = "done", _("done")
    REFUSED = "refused", _("refused")
    CANCELLED = "cancelled", _("cancelled")


C = ChangeState

CHANGE_EDGES = [
    (C.REQUESTED, C.CHECKED),
    (C.CHECKED, C.COOLING),
    (C.COOLING, C.DONE),
    *[
        (source, target)
        for source in (C.REQUESTED, C.CHECKED, C.COOLING)
        for target in (C.REFUSED, C.CANCELLED)
    ],
]
CHANGE_OPEN = models.Q(state__in=[C.REQUESTED, C.CHECKED, C.COOLING])
