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
    QUEUED = "queued", _("waiting to be sent")
    CALLING = "calling", _("being sent")
    DEALING = "dealing", _("being processed by Alipay")
    DONE = "done", pgettext_lazy("state", "paid out")
    ATTENTION = "attention", _("being looked at by finance")
    REPLACED = "replaced", _("sent in another way")


P = PayoutState

PAYOUT_EDGES = [
    (P.QUEUED, P.CALLING),
    (P.DEALING, P.CALLING),
    *[(P.CALLING, target) for target in (P.QUEUED, P.DEALING, P.DONE, P.ATTENTION, P.REPLACED)],
    (P.ATTENTION, P.QUEUED),
    (P.ATTENTION, P.REPLACED),
]


class BackState(models.TextChoices):
    """Of a refund and of a refused payment: both are done once every leg is."""

    IN_PROGRESS = "in_progress", _("under way")
    DONE = "done", _("done")


BACK_EDGES = [(BackState.IN_PROGRESS, BackState.DONE)]
