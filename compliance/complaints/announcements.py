"""Who is told what about a complaint: one table, read by door.py."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from applications.announcements import merchants
from applications.services import clock_text
from compliance.models import Complaint, ComplaintStep, Side
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core.notices import notify

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Announcement:
    """What a side reads of a step; `{until}` is the end of the state that it led to."""

    subject: "StrPromise"
    body: "StrPromise"


PROVIDER: dict[str, Announcement] = {
    "file": Announcement(
        _("A complaint against your company"),
        _(
            "Respond by {until}: admit it, or contest it with evidence. Silence ends in a decision against you."
            " What is claimed is frozen in your deposit until the decision is final."
        ),
    ),
    "add_evidence": Announcement(
        _("New evidence in a complaint"), _("The other side has added something to the case.")
    ),
    "close_evidence": Announcement(
        _("The evidence is closed"), _("Operations now decide the complaint. You will be told.")
    ),
    "default": Announcement(
        _("A complaint was decided against you"),
        _("You did not respond in time. You can appeal once, until {until}."),
    ),
    "decide": Announcement(
        _("A complaint has been decided"),
        _("The case has the decision and its reason. There is one appeal, until {until}."),
    ),
    "appeal": Announcement(
        _("An appeal in a complaint"), _("Another person of the platform decides the case anew.")
    ),
    "decide_appeal": Announcement(_("The appeal has been decided"), _("The decision is final.")),
    "finalise": Announcement(
        _("The decision on a complaint is final"),
        _("There is no appeal any more. The case shows what was paid."),
    ),
    "withdraw": Announcement(
        _("A complaint was withdrawn"), _("What was frozen for it in your deposit is free again.")
    ),
}

COMPLAINANT: dict[str, Announcement] = {
    "file": Announcement(_("Your complaint has been filed"), _("The provider has until {until} to respond.")),
    "admit": Announcement(
        _("The provider accepts liability"),
        _("The case has the amount. If it is not enough, you can appeal once, until {until}."),
    ),
    # Of all that was claimed: there is nothing to appeal for.
    "admit_all": Announcement(
        _("The provider accepts liability"), _("It admits all that you claimed. The decision is final.")
    ),
    "contest": Announcement(
        _("The provider contests your complaint"), _("You can hand in more evidence until {until}.")
    ),
    "add_evidence": PROVIDER["add_evidence"],
    "close_evidence": PROVIDER["close_evidence"],
    "default": Announcement(
        _("Your complaint was decided in your favour"), _("The provider did not respond in time.")
    ),
    "decide": PROVIDER["decide"],
    "appeal": PROVIDER["appeal"],
    "decide_appeal": PROVIDER["decide_appeal"],
    "finalise": Announcement(
        _("The decision on your complaint is final"),
        _("If you were awarded compensation, it is sent to the account that you named."),
    ),
    "withdraw": Announcement(_("Your complaint has been withdrawn"), _("The case is closed.")),
}

# What operations have to do next.
OPERATIONS: dict[str, "StrPromise"] = {
    "close_evidence": _("A complaint waits for its decision"),
    "appeal": _("An appeal waits for another person"),
}


# Who said it needs no notice of it.
OWN_WORDS = ("add_evidence", "appeal")

REMINDER = Announcement(
    _("A complaint waits for your response"),
    _("Respond by {until}, or it is decided against you. Admit it, or contest it with evidence."),
)


def announce(complaint: Complaint, step: ComplaintStep) -> None:
    """Tell both sides and operations of a step, in its transaction."""
    key = f"complaint:{complaint.pk}:{step.pk}"
    by = step.side if step.name in OWN_WORDS else ""
    if step.name in PROVIDER and by != Side.PROVIDER:
        _tell_provider(complaint, PROVIDER[step.name], key)
    if step.name in COMPLAINANT and by != Side.COMPLAINANT and complaint.complainant is not None:
        name = "admit_all" if step.name == "admit" and step.award == complaint.claimed else step.name
        link = reverse("complaints:detail", args=[complaint.number])
        _tell([complaint.complainant], complaint, COMPLAINANT[name], key, link)
    if step.name in OPERATIONS:
        _tell_operations(complaint, OPERATIONS[step.name], key)


def remind(complaint: Complaint) -> None:
    """Silence will soon be decided against the provider: once for each reminder."""
    _tell_provider(complaint, REMINDER, f"complaint:{complaint.pk}:reminder:{complaint.alarm_at:%Y%m%d%H%M}")


def tell_overdue(complaint: Complaint) -> None:
    """A decision that operations owe is late: once, to all of them."""
    _tell_operations(
        complaint,
        _("The decision on a complaint is overdue"),
        f"complaint:{complaint.pk}:overdue:{complaint.state}",
    )


def _tell_provider(complaint: Complaint, announcement: Announcement, key: str) -> None:
    application = complaint.application
    email = application.contact_email if application.contact_email_verified_at else ""
    link = reverse("cases:complaint", args=[application.number, complaint.number])
    _tell(list(merchants(application)), complaint, announcement, key, link, email)


def _tell(
    people: list[User], complaint: Complaint, announcement: Announcement, key: str, link: str, email: str = ""
) -> None:
    until = clock_text(complaint.due_at) if complaint.due_at else ""
    notify(
        people,
        key=key,
        subject=format_lazy("{subject} {number}", subject=announcement.subject, number=complaint.number),
        body=format_lazy(announcement.body, until=until),
        link=link,
        email=email,
    )


def _tell_operations(complaint: Complaint, subject: "StrPromise", key: str) -> None:
    notify(
        staff_with(Role.OPS),
        key=key,
        subject=subject,
        body=f"{complaint.number} · {complaint.application.number} {complaint.application.company_name}",
        link=reverse("admin:compliance_complaint_change", args=[complaint.pk]),
    )
