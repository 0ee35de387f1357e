"""What a person reads of the case that a row of money names, such as `complaint:C20261124`."""

from django.utils.translation import gettext_lazy as _

# The rows of refunds, refused payments and expulsions carry a case of their own, which says nothing to a company.
PREFIXES = {
    "complaint": _("Complaint"),
    "violation": _("Violation"),
}
STAFF_PREFIXES = {
    **PREFIXES,
    "refund": _("Refund"),
    "returned": _("Refused payment"),
    "expulsion": _("Expulsion"),
}


def case_name(case: str) -> str:
    """Kind and number; nothing for what is no case that was decided about the company."""
    prefix, _colon, number = case.partition(":")
    return f"{PREFIXES[prefix]} {number}" if prefix in PREFIXES else ""


def case_words(case: str) -> str:
    """For staff, who also read of what the system's own rows belong to; as it stands where its kind is not known."""
    prefix, colon, number = case.partition(":")
    return f"{STAFF_PREFIXES[prefix]} {number}" if colon and prefix in STAFF_PREFIXES else case
