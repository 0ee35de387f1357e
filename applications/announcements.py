"""Who is told what when an application moves: one table, read by door.py."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from applications.models import Application, Transition
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, staff_with
from tmall_sp.core.notices import notify


@dataclass(frozen=True)
class Announcement:
    subject: str | Promise
    body: str | Promise


MERCHANT: dict[str, Announcement] = {
    "pass_shop_check": Announcement(
        _("Your shop has passed the check"),
        _("Your shop meets the requirements. Complete your company's data and hand in the application."),
    ),
    "fail_shop_check": Announcement(
        _("资质对应店铺校验为不合格: your shop has not passed the check"),
        _(
            "The page of your application names each rule that is not met, and when the shop can be checked again."
        ),
    ),
    "submit": Announcement(
        _("Your application is under review"),
        _("It has been handed in. A reviewer will answer within the time shown on its page."),
    ),
    "resubmit": Announcement(
        _("Your changes have been handed in"),
        _("The application is under review again, by the same reviewer."),
    ),
    "request_changes": Announcement(
        _("Please change your application"),
        _("The reviewer asks for changes. Answer each of them before the deadline shown on the page."),
    ),
    "approve": Announcement(
        _("Approved: please pay the deposit"),
        _(
            "Your application has been approved. Pay the deposit from the bound enterprise Alipay account in time."
        ),
    ),
    "reject": Announcement(_("Your application was not approved"), _("The reason is on its page.")),
    "revoke_approval": Announcement(
        _("The approval was revoked"), _("The reason is on the application's page.")
    ),
    "withdraw": Announcement(
        _("Your application has been withdrawn"),
        _("You can begin a new one; what you typed is carried over."),
    ),
    "lapse": Announcement(
        _("Your application has lapsed"),
        _("Its deadline has passed. You can begin a new one; what you typed is carried over."),
    ),
    "record_deposit": Announcement(
        _("Your deposit has arrived"), _("The receipt is on the page of your deposit.")
    ),
    "activate": Announcement(
        _("You are now a Tmall service provider"),
        _("Your company stands in the public directory of providers."),
    ),
    "suspend": Announcement(
        _("Your membership is suspended"), _("The reason is on the page of your application.")
    ),
    "add_suspension": Announcement(
        _("There is one more reason to suspend your membership"),
        _("It is on the page of your application, and has to be gone before the membership can be active."),
    ),
    "lift_suspension": Announcement(
        _("A reason to suspend your membership is gone"),
        _("The page of your application shows which others there are."),
    ),
    "reinstate": Announcement(_("Your membership is active again"), _("The suspension has been lifted.")),
    "verify_licence": Announcement(
        _("Your renewed licence has been verified"), _("Its date and file are in force from now on.")
    ),
    "refuse_licence": Announcement(
        _("Your renewed licence was refused"),
        _("The reason is on the page of your application. Please hand in another."),
    ),
    "request_exit": Announcement(
        _("Your exit has been requested"), _("The page of your exit shows what is still to be cleared.")
    ),
    "require_exit": Announcement(
        _("Your exit has been required"), _("The reason is on the page of your exit.")
    ),
    "cancel_exit": Announcement(_("Your exit has been cancelled"), _("Your membership goes on as before.")),
    "complete_exit": Announcement(
        _("Your exit is complete"), _("The rest of your deposit goes back to the account that paid it.")
    ),
    "expel": Announcement(
        _("Your company has been removed from the providers"),
        _("A severe violation has been verified. The deposit is forfeited. The reason is on the page."),
    ),
    "ban": Announcement(
        _("Your company has been banned"),
        _(
            "A severe violation from the time of your membership has been verified. The reason is on the page."
        ),
    ),
    "lift_ban": Announcement(
        _("Your company is no longer banned"), _("Your appeal was upheld. You may apply again.")
    ),
    "overturn_expulsion": Announcement(
        _("Your removal has been overturned"),
        _("Your appeal was upheld. The membership is suspended for now."),
    ),
}

REVIEWER: dict[str, str | Promise] = {
    "submit": _("A new application waits for review"),
    "resubmit": _("A changed application is back"),
    "withdraw": _("An application was withdrawn"),
    "record_deposit": _("A deposit has been paid"),
    "activate": _("A provider is active"),
    "hand_in_licence": _("A renewed licence is to be looked at"),
    "request_exit": _("A provider wants to leave"),
    "complete_exit": _("A provider has left"),
    "expel": _("A provider has been expelled"),
}


def announce(application: Application, step: Transition) -> None:
    """Write the notices of one step, in its transaction."""
    key = f"application:{application.pk}:{step.pk}"
    if text := MERCHANT.get(step.name):
        notify(
            merchants(application),
            key=key,
            subject=text.subject,
            body=text.body,
            link=reverse("applications:detail", args=[application.number]),
            email=application.contact_email if application.contact_email_verified_at else "",
        )
    if subject := REVIEWER.get(step.name):
        notify(
            _reviewers(application),
            key=f"{key}:review",
            subject=subject,
            body=f"{application.number} {application.company_name}",
            link=reverse("admin:applications_application_change", args=[application.pk]),
        )


def merchants(application: Application) -> list[User]:
    """The applicant, and everybody with a membership in the company."""
    members = (
        User.objects.filter(memberships__company=application.company_id) if application.company_id else ()
    )
    return list({person.pk: person for person in (application.applicant, *members)}.values())


def _reviewers(application: Application) -> list[User]:
    """The one who claimed it; all reviewers while nobody has."""
    return [application.reviewer] if application.reviewer else list(staff_with(Role.REVIEWER))
