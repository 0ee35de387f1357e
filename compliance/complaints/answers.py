"""What the two sides do: the provider admits or contests; both hand in evidence and may appeal."""

from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from compliance.complaints import announcements, deadlines, door, endings, files, findings, permissions
from compliance.complaints.files import Uploads
from compliance.complaints.lifecycle import ComplaintState
from compliance.locks import lock_complaint
from compliance.models import Complaint, ComplaintStatement, ComplaintStep, Liability, Side
from deposits.books.ledger import CENT
from deposits.models import ZERO
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted

BOTH = (Side.COMPLAINANT, Side.PROVIDER)


def admit(
    pk: int, *, actor: User, amount: Decimal, text: str, uploads: Uploads = (), seen: int | None = None
) -> Complaint:
    """The provider accepts liability for an amount up to the claim; never a sub-account, as with a payment.

    The complainant may appeal for more. Where all that is claimed is admitted, nobody has anything to gain
    by an appeal: it is final at once, and paid.
    """
    door.refuse_empty(text)

    def guard(complaint: Complaint) -> None:
        if not permissions.may_admit(actor, complaint):
            raise NotPermitted("not_permitted", _("The main Taobao account admits; a sub-account can't."))
        deadlines.refuse_late(complaint)
        if not ZERO < amount <= complaint.claimed or amount != amount.quantize(CENT):
            raise DomainError(
                "amount", _("Admit an amount above zero, and at most what is claimed."), field="amount"
            )
        complaint.responded_at = clock.now()
        liability = Liability.LIABLE if amount == complaint.claimed else Liability.SHARED
        findings.find(complaint, liability, amount, text, decided_by=None)

    with transaction.atomic():
        complaint = _say(pk, "admit", actor, (Side.PROVIDER,), guard, text, uploads, seen)
        if complaint.award == complaint.claimed:
            complaint = endings.finalise(pk)
    return complaint


def contest(pk: int, *, actor: User, text: str, uploads: Uploads = (), seen: int | None = None) -> Complaint:
    """The provider disputes the claim; both sides may now hand in evidence."""
    door.refuse_empty(text)

    def guard(complaint: Complaint) -> None:
        deadlines.refuse_late(complaint)
        complaint.responded_at = clock.now()

    return _say(pk, "contest", actor, (Side.PROVIDER,), guard, text, uploads, seen)


def add_evidence(pk: int, *, actor: User, text: str, uploads: Uploads = ()) -> Complaint:
    """Say or show more, while the evidence is open. DomainError `said_already` for what a second press repeats."""
    door.refuse_empty(text)
    with transaction.atomic():
        complaint = lock_complaint(pk)
        side = door.speaker(actor, complaint, *BOTH)
        _refuse_unless_open(complaint, side)
        _refuse_repeated(complaint, side, text, uploads)
        step = door.record(complaint, "add_evidence", actor=actor, side=side, note=text)
        _keep(complaint, step, text, uploads, actor)
        announcements.announce(complaint, step)
    return complaint


def finish_evidence(pk: int, *, actor: User) -> Complaint:
    """Nothing more from this side. Once both have said so, the case waits for its decision at once."""
    with transaction.atomic():
        complaint = lock_complaint(pk)
        side = door.speaker(actor, complaint, *BOTH)
        _refuse_unless_open(complaint, side)
        field = "complainant_done_at" if side is Side.COMPLAINANT else "provider_done_at"
        setattr(complaint, field, clock.now())
        complaint.save(update_fields=[field])
        door.record(complaint, "finish_evidence", actor=actor, side=side)
        if complaint.complainant_done_at and complaint.provider_done_at:
            complaint = door.move(pk, "close_evidence", actor=None)
    return complaint


def appeal(pk: int, *, actor: User, text: str, uploads: Uploads = (), seen: int | None = None) -> Complaint:
    """The one appeal of the case, by either side that has something to gain; another person decides it.

    DomainError `nothing_to_gain` for the side that has got all it wanted, or has admitted it.
    """
    door.refuse_empty(text)

    def guard(complaint: Complaint) -> None:
        deadlines.refuse_late(complaint)
        side = door.speaker(actor, complaint, *BOTH)
        if not permissions.has_something_to_gain(side, complaint):
            raise DomainError("nothing_to_gain", _("There is nothing to appeal against for you."))
        complaint.appealed_side = side
        complaint.appealed_at = clock.now()
        complaint.appeal_text = text.strip()
        complaint.claimed_by = None  # whoever decided can't decide again: back to the queue

    return _say(pk, "appeal", actor, BOTH, guard, text, uploads, seen)


def withdraw(pk: int, *, actor: User, reason: str = "", seen: int | None = None) -> Complaint:
    """The complainant, or operations for one without an account, takes it back: what was frozen is released."""
    return door.move(
        pk,
        "withdraw",
        actor=actor,
        sides=(Side.COMPLAINANT,),
        follow=endings.set_free,
        note=reason,
        seen=seen,
    )


def _say(
    pk: int,
    name: str,
    actor: User,
    sides: tuple[Side, ...],
    guard: door.Guard,
    text: str,
    uploads: Uploads,
    seen: int | None,
) -> Complaint:
    """A step of one side, with what it says."""

    def follow(complaint: Complaint, step: ComplaintStep) -> None:
        _keep(complaint, step, text, uploads, actor)

    return door.move(pk, name, actor=actor, sides=sides, guard=guard, follow=follow, note=text, seen=seen)


def _keep(complaint: Complaint, step: ComplaintStep, text: str, uploads: Uploads, actor: User) -> None:
    side = Side(step.side)
    ComplaintStatement.objects.create(
        complaint=complaint, side=side, text=text.strip(), by=actor, at=clock.now()
    )
    files.add(complaint, uploads, side=side, actor=actor)


def _refuse_repeated(complaint: Complaint, side: Side, text: str, uploads: Uploads) -> None:
    """The same words again, with no file that is not there yet. Hold the lock."""
    said = complaint.statements.filter(side=side, text=text.strip()).exists()
    if said and {file.sha256 for file in uploads} <= set(
        complaint.files.filter(side=side).values_list("sha256", flat=True)
    ):
        raise DomainError("said_already", _("You have handed this in already."))


def _refuse_unless_open(complaint: Complaint, side: Side) -> None:
    if complaint.state != ComplaintState.EVIDENCE:
        raise DomainError("wrong_state", _("Evidence can't be handed in (any more)."))
    deadlines.refuse_late(complaint)
    done = complaint.complainant_done_at if side is Side.COMPLAINANT else complaint.provider_done_at
    if done:
        raise DomainError("done", _("You said that nothing more would come."))
