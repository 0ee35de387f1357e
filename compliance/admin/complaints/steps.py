"""What operations can do with a complaint: one table.

`may` and the lifecycle decide what is offered; whether it happens, complaints/services.py decides under the lock.
"""

from collections.abc import Callable

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import can_proceed

from compliance.admin.complaints.decisions import as_seen, cny
from compliance.admin.complaints.forms import (
    AppealDecisionForm,
    DecisionForm,
    PayeeForm,
    SpeakForm,
    WithdrawForm,
)
from compliance.complaints import deadlines, permissions, services
from compliance.complaints.lifecycle import CLAIMABLE, OPEN, ComplaintState
from compliance.models import Complaint, Side
from deposits.models import Obligation
from deposits.outgoing import compensations
from deposits.states import ObligationState
from tmall_sp.accounts.models import User
from tmall_sp.core.step_pages import Step, plainly

# Whoever speaks for a side can't judge it.
SPEAKING = _("You speak for the complainant by this, and can't decide the case any more.")
DECISION_DUE = (ComplaintState.AWAITING_DECISION, ComplaintState.APPEALED)


def _leads_on(name: str) -> Callable[[Complaint], bool]:
    """Whether the lifecycle has this step from where the complaint is."""
    return lambda complaint: can_proceed(getattr(complaint, name))


def _is_free(complaint: Complaint) -> bool:
    """What is overdue may be taken over from whoever claimed it."""
    is_overdue = complaint.state in DECISION_DUE and deadlines.is_over(complaint)
    return complaint.state in CLAIMABLE and (complaint.claimed_by_id is None or is_overdue)


def _may_take(user: User, complaint: Complaint) -> bool:
    """Whoever could decide it as it stands, and doesn't have it already."""
    if complaint.claimed_by_id == user.pk:
        return False
    if complaint.state == ComplaintState.APPEALED:
        return permissions.may_decide_appeal(user, complaint)
    return permissions.may_decide(user, complaint)


def _is_nobody_elses(user: User, complaint: Complaint) -> bool:
    return complaint.claimed_by_id in (None, user.pk)


def _may_decide(user: User, complaint: Complaint) -> bool:
    return _is_nobody_elses(user, complaint) and permissions.may_decide(user, complaint)


def _may_decide_appeal(user: User, complaint: Complaint) -> bool:
    return _is_nobody_elses(user, complaint) and permissions.may_decide_appeal(user, complaint)


def _is_claimer(user: User, complaint: Complaint) -> bool:
    return permissions.may_handle(user) and complaint.claimed_by_id == user.pk


def _speaks_for(user: User, complaint: Complaint) -> bool:
    """For somebody without an account, operations do what others do for themselves; not who handles the case."""
    return permissions.may_handle(user) and permissions.side_of(user, complaint) is Side.COMPLAINANT


def _wants_payee(complaint: Complaint) -> bool:
    """As payees.name_payee: as long as money may come."""
    if complaint.state in OPEN:
        return True
    owed = Obligation.objects.filter(case=complaint.case, state=ObligationState.OPEN)
    return bool(compensations.waiting_of(complaint.case)) or owed.exists()


def _takes_evidence(complaint: Complaint) -> bool:
    is_open = complaint.state == ComplaintState.EVIDENCE and not deadlines.is_over(complaint)
    return is_open and complaint.complainant_done_at is None


def _may_be_appealed(complaint: Complaint) -> bool:
    in_time = complaint.state == ComplaintState.DECIDED and not deadlines.is_over(complaint)
    return in_time and permissions.has_something_to_gain(Side.COMPLAINANT, complaint)


def _of_decision(complaint: Complaint) -> list[str]:
    return [
        gettext(
            "%(amount)s are claimed. The next page says in money what your decision does;"
            " it counts once you have confirmed that."
        )
        % {"amount": cny(complaint.claimed)}
    ]


STEPS: tuple[Step[Complaint], ...] = (
    Step(
        name="claim",
        title=_("Claim"),
        consequences=plainly(_("The case is yours: nobody else decides it until you release it.")),
        done=_("The case is yours."),
        may=_may_take,
        is_open=_is_free,
        run=lambda pk, user, form: services.claim(pk, actor=user, seen=form.cleaned_data["seen"]),
        one_click=True,
        variant="primary",
        icon="front_hand",
    ),
    Step(
        name="decide",
        title=pgettext_lazy("complaint", "Decide"),
        consequences=_of_decision,
        done=_("Decided. It becomes final unless somebody appeals."),
        may=_may_decide,
        is_open=_leads_on("decide"),
        run=as_seen(services.decide),
        form=DecisionForm,
        variant="primary",
        icon="gavel",
    ),
    Step(
        name="decide_appeal",
        title=_("Decide the appeal"),
        consequences=_of_decision,
        done=_("Decided. The decision is final."),
        may=_may_decide_appeal,
        is_open=_leads_on("decide_appeal"),
        run=as_seen(services.decide_appeal),
        form=AppealDecisionForm,
        variant="primary",
        icon="gavel",
    ),
    Step(
        name="name_payee",
        title=_("Name the payee"),
        consequences=lambda complaint: [
            gettext("Compensation goes to this account once it is due: what already waits is sent at once."),
            gettext("Alipay refuses it if the account does not belong to the name."),
            str(SPEAKING),
        ],
        done=_("The payee is named."),
        may=_speaks_for,
        is_open=_wants_payee,
        run=lambda pk, user, form: services.name_payee(pk, actor=user, payee=form.payee()),
        form=PayeeForm,
        icon="person_add",
    ),
    Step(
        name="add_evidence",
        title=_("Add evidence for the complainant"),
        consequences=plainly(_("The provider is told, and reads it."), SPEAKING),
        done=_("It stands with the evidence."),
        may=_speaks_for,
        is_open=_takes_evidence,
        run=lambda pk, user, form: services.add_evidence(pk, actor=user, text=form.cleaned_data["text"]),
        form=SpeakForm,
        icon="note_add",
    ),
    Step(
        name="appeal",
        title=_("Appeal for the complainant"),
        consequences=plainly(
            _("Another person decides the case anew; that decision is final. There is one appeal."), SPEAKING
        ),
        done=_("The appeal waits for another person."),
        may=_speaks_for,
        is_open=_may_be_appealed,
        run=lambda pk, user, form: services.appeal(
            pk, actor=user, text=form.cleaned_data["text"], seen=form.cleaned_data["seen"]
        ),
        form=SpeakForm,
        icon="balance",
    ),
    Step(
        name="withdraw",
        title=_("Withdraw it for the complainant"),
        consequences=plainly(
            _("The complaint ends here, and what it froze is free again."),
            _("The same order can be claimed for again."),
            SPEAKING,
        ),
        done=_("The complaint is withdrawn."),
        may=_speaks_for,
        is_open=_leads_on("withdraw"),
        run=lambda pk, user, form: services.withdraw(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=WithdrawForm,
        variant="danger",
        icon="undo",
    ),
    Step(
        name="release",
        title=_("Release"),
        consequences=plainly(_("The case goes back to the queue.")),
        done=_("The case is back in the queue."),
        may=_is_claimer,
        is_open=lambda complaint: complaint.claimed_by_id is not None and complaint.state in OPEN,
        run=lambda pk, user, form: services.release(pk, actor=user, seen=form.cleaned_data["seen"]),
        one_click=True,
        icon="undo",
    ),
)
