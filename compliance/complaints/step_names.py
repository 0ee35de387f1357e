"""What a step of a complaint is called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

STEP_NAMES: dict[str, str | Promise] = {
    "file": _("Complaint filed"),
    "admit": _("Liability admitted"),
    "contest": _("Claim contested"),
    "add_evidence": _("Evidence added"),
    "finish_evidence": _("Nothing more to add"),
    "close_evidence": _("Evidence closed"),
    "claim": _("Case claimed"),
    "release": _("Case released"),
    "decide": pgettext_lazy("complaint", "Decision"),
    "default": _("Decided by silence"),
    "appeal": _("Appeal"),
    "decide_appeal": _("Decision on the appeal"),
    "finalise": _("Decision became final"),
    "withdraw": _("Complaint withdrawn"),
    "name_payee": _("Payee named"),
}


def step_name(name: str) -> str | Promise:
    return STEP_NAMES.get(name, name)
