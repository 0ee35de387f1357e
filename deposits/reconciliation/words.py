"""How reconciliation is worded and coloured on the desk."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from deposits.models import BillLine, RunState

RUN_COLOURS: dict[str, str] = {
    RunState.WAITING: "warning",
    RunState.BALANCED: "success",
    RunState.DIFFERENT: "danger",
}
# Of `Difference.state`.
DIFFERENCE_COLOURS = {"open": "danger", "explained": "info", "settled": "success"}
DIFFERENCE_STATES = {
    "open": pgettext_lazy("difference", "open"),
    "explained": pgettext_lazy("difference", "explained"),
    "settled": pgettext_lazy("difference", "settled"),
}


def ours_of(line: BillLine) -> str:
    """What kind of row of ours a line of a bill belongs to."""
    if line.offset_by_id is not None:
        return _("out and back at Alipay")
    if line.entry is not None:
        return line.entry.get_kind_display()
    row = line.order or line.payout
    return str(row._meta.verbose_name) if row is not None else "—"
