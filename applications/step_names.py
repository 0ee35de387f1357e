"""What a step of the timeline is called."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STEP_NAMES: dict[str, str | Promise] = {
    "create": _("Application begun"),
    "pass_shop_check": _("Shop check passed"),
    "fail_shop_check": _("Shop check not passed"),
    "submit": _("Handed in"),
    "resubmit": _("Handed in again"),
    "claim": _("Review claimed"),
    "release": _("Review released"),
    "reassign": _("Review assigned"),
    "approve": _("Approved"),
    "request_changes": _("Changes requested"),
    "reject": _("Rejected"),
    "revoke_approval": _("Approval revoked"),
    "withdraw": _("Withdrawn"),
    "lapse": _("Lapsed"),
    "record_deposit": _("Deposit received"),
    "activate": _("Became active"),
    "suspend": _("Suspended"),
    "add_suspension": _("One more reason for suspension"),
    "lift_suspension": _("A suspension lifted"),
    "reinstate": _("Reinstated"),
    "hand_in_licence": _("Renewed licence handed in"),
    "withdraw_licence": _("Renewed licence taken back"),
    "verify_licence": _("Renewed licence verified"),
    "refuse_licence": _("Renewed licence refused"),
    "request_exit": _("Exit requested"),
    "require_exit": _("Exit required"),
    "cancel_exit": _("Exit cancelled"),
    "complete_exit": _("Exit completed"),
    "expel": _("Expelled"),
    "ban": _("Banned"),
    "lift_ban": _("Ban lifted"),
    "overturn_expulsion": _("Expulsion overturned"),
}


def step_name(name: str) -> str | Promise:
    return STEP_NAMES.get(name, name)
