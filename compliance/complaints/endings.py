"""What the end of a complaint does to the provider's deposit, in the transaction of the step that ends it."""

from compliance.complaints import door, payees
from compliance.models import Complaint, ComplaintStep
from deposits.duties import cases


def finalise(pk: int) -> Complaint:
    """Nobody appealed in time, or nobody has anything to gain by it: the decision is final and is paid."""
    return door.move(pk, "finalise", actor=None, follow=settle)


def settle(complaint: Complaint, step: ComplaintStep) -> None:
    """The decision is final: the award is paid out of what was frozen, and the rest is free again."""
    if not complaint.award:
        set_free(complaint, step)
        return
    cases.settle_case(
        complaint.application_id,
        case=complaint.case,
        award=complaint.award,
        payee=payees.payee_to_pay(complaint),
        reason=str(complaint.question),
        actor=complaint.appeal_decided_by or complaint.decided_by,
    )


def set_free(complaint: Complaint, step: ComplaintStep) -> None:
    """The case came to nothing."""
    cases.release(complaint.application_id, case=complaint.case)
