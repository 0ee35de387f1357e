"""What operations can do with a violation: one table.

`may` and the lifecycle decide what is offered; whether it happens, violations.py decides under the lock.
"""

from collections.abc import Callable

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import can_proceed

from applications.models import Application
from compliance.admin.forms import DismissForm, ProposeForm, VerifyForm
from compliance.models import Violation
from compliance.violations import permissions
from compliance.violations import services as violations
from deposits.models import Deposit
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import Step, plainly


def _leads_on(name: str) -> Callable[[Violation], bool]:
    """Whether the lifecycle has this step from where the violation is."""
    return lambda violation: can_proceed(getattr(violation, name))


def _of_verification(violation: Violation) -> list[str]:
    """In words and, where a deposit is at stake, in money."""
    application = violation.application
    match violations.consequences(violation).ending:
        case violations.Ending.EXPELLED:
            return [
                gettext("%(company)s is expelled at once.") % {"company": application.company_name},
                *_at_stake(application),
                gettext("It is banned for good: by credit code, Taobao account and Alipay account."),
                gettext("It is gone from the directory, and reads the reason that you write here."),
            ]
        case violations.Ending.BANNED:
            return [
                gettext("%(company)s has already left: no money moves.")
                % {"company": application.company_name},
                gettext("It is banned for good: by credit code, Taobao account and Alipay account."),
            ]
    return [gettext("The violation is recorded, and the company reads the reason that you write here.")]


def _at_stake(application: Application) -> list[str]:
    deposit: Deposit | None = getattr(application, "deposit", None)
    if deposit is None:
        return []
    lines = [
        gettext("Of its deposit, CNY %(amount)s is forfeited.") % {"amount": f"{deposit.available:,.2f}"}
    ]
    if deposit.frozen:
        lines.append(
            gettext("CNY %(amount)s stays frozen until its case is decided.")
            % {"amount": f"{deposit.frozen:,.2f}"}
        )
    return lines


def _may_take_up(user: User, violation: Violation) -> bool:
    return permissions.may_take_up(user, violation, violation.application)


def _is_investigator(user: User, violation: Violation) -> bool:
    return permissions.may_handle(user) and user.pk == violation.investigator_id


def _may_verify(user: User, violation: Violation) -> bool:
    is_proposed = violation.proposed_at is not None
    return is_proposed and permissions.may_verify(user, violation, violation.application)


STEPS: tuple[Step[Violation], ...] = (
    Step(
        name="take_up",
        title=_("Take up"),
        consequences=plainly(
            _("You investigate this violation and propose a finding; somebody else will have to verify it.")
        ),
        done=_("The investigation is yours."),
        may=_may_take_up,
        is_open=_leads_on("take_up"),
        run=lambda pk, user, form: violations.take_up(pk, actor=user, seen=form.cleaned_data["seen"]),
        one_click=True,
        variant="primary",
        icon="front_hand",
    ),
    Step(
        name="propose",
        title=_("Propose a finding"),
        consequences=plainly(
            _("The others of operations are asked to verify it. Until then you can propose another.")
        ),
        done=_("The finding waits for a second person."),
        may=_is_investigator,
        is_open=_leads_on("propose"),
        run=lambda pk, user, form: violations.propose(
            pk,
            actor=user,
            severity=form.cleaned_data["severity"],
            finding=form.cleaned_data["finding"],
            seen=form.cleaned_data["seen"],
        ),
        form=ProposeForm,
        variant="primary",
        icon="edit_note",
    ),
    Step(
        name="verify",
        title=pgettext_lazy("violation", "Verify"),
        consequences=_of_verification,
        done=_("The violation is verified."),
        may=_may_verify,
        is_open=_leads_on("verify"),
        run=lambda pk, user, form: violations.verify(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=VerifyForm,
        variant="danger",
        icon="gavel",
    ),
    Step(
        name="dismiss",
        title=_("Dismiss"),
        consequences=plainly(_("The violation ends here, without any consequence for the company.")),
        done=_("The violation is dismissed."),
        may=_may_take_up,
        is_open=_leads_on("dismiss"),
        run=lambda pk, user, form: violations.dismiss(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=DismissForm,
        icon="cancel",
    ),
)
