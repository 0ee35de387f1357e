"""Verbs of complaints. `_move` is the one door: nothing else calls a transition or saves `state`.

Filing freezes the claimed sum in the provider's deposit; the final decision pays compensation out of it or
releases it (deposits/duties/cases.py), in the same transaction. `seen` is the version of the page that the person
acted on; an older one raises StaleVersion. A late answer is refused, whether the sweep has run or not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django_fsm import can_proceed

from applications.lifecycle import MEMBER
from applications.locks import lock_application
from applications.models import Application
from applications.uploads import CheckedFile
from compliance.complaints import announcements, deadlines, files, permissions
from compliance.complaints.lifecycle import OPEN, ComplaintState
from compliance.locks import lock_complaint
from compliance.models import (
    Channel,
    Complaint,
    ComplaintStatement,
    ComplaintStep,
    Liability,
    QuestionCode,
    Relation,
    ServedShop,
    ShopState,
    Side,
)
from deposits.duties import cases
from deposits.gateways.alipay import IdentityType
from deposits.models import ZERO
from deposits.outgoing import compensations
from deposits.outgoing.payees import Payee
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion

Guard = Callable[[Application, Complaint], None]
Follow = Callable[[Application, Complaint], None]
# Judged by `files.checked` before any lock is taken.
Uploads = Sequence[CheckedFile]


@dataclass(frozen=True)
class Claim:
    """What somebody complains about. Amounts are CNY; the claim is capped by the order's value."""

    channel: Channel
    order_number: str
    order_value: Decimal
    question: QuestionCode
    text: str
    claimed: Decimal
    payee: Payee | None = None


# Filing --------------------------------------------------------------------------------------------


def file(application_pk: int, *, actor: User, claim: Claim, uploads: Uploads = ()) -> Complaint:
    """File a complaint against a member, as a merchant that it served or else as a customer.

    Freezes what is claimed, as far as it is there; the provider has until the deadline to respond.
    DomainError with a field for what can't be: `own_company`, `claimed_already`, `over_the_order`, `not_a_member`.
    """
    return _open(application_pk, actor, claim, uploads, complainant=actor, name=str(actor))


def enter(
    application_pk: int, *, actor: User, claim: Claim, name: str, contact: str, uploads: Uploads = ()
) -> Complaint:
    """Operations enter a complaint for somebody who has no account here."""
    if not permissions.may_handle(actor):
        raise NotPermitted("not_permitted", _("You may not do this."))
    if not name.strip():
        raise DomainError("empty", _("Say who complains."), field="complainant_name")
    return _open(application_pk, actor, claim, uploads, complainant=None, name=name, contact=contact)


def _open(
    application_pk: int,
    actor: User,
    claim: Claim,
    uploads: Uploads,
    *,
    complainant: User | None,
    name: str,
    contact: str = "",
) -> Complaint:
    with transaction.atomic():
        application = lock_application(application_pk)
        _refuse_claim(application, claim, complainant)
        served = _served_shop(application, complainant)
        now = clock.now()
        complaint = Complaint(
            application=application,
            relation=_relation(complainant, served),
            complainant=complainant,
            complainant_name=name.strip(),
            complainant_contact=contact.strip(),
            entered_by=None if complainant else actor,
            served_shop=served,
            channel=claim.channel,
            order_number=claim.order_number.strip(),
            order_value=claim.order_value,
            question=claim.question,
            text=claim.text.strip(),
            claimed=claim.claimed,
            filed_at=now,
            state_since=now,
        )
        _set_payee(complaint, claim.payee)
        complaint.due_at = deadlines.due(complaint, now)
        _insert(complaint)
        side = Side.COMPLAINANT if complainant else Side.OPERATIONS
        files.add(complaint, uploads, side=side, actor=actor)
        _record(complaint, "file", before="", actor=actor, side=side)
        cases.freeze(
            application.pk, case=complaint.case, claimed=complaint.claimed, cap=complaint.order_value
        )
        announcements.announce(complaint, "file")
    return complaint


def _refuse_claim(application: Application, claim: Claim, complainant: User | None) -> None:
    if application.state not in MEMBER:
        raise DomainError(
            "not_a_member", _("This company is not in the programme (any more)."), field="provider"
        )
    if complainant and permissions.belongs_to_provider(complainant, application):
        raise DomainError("own_company", _("This is your own company."), field="provider")
    if claim.claimed <= 0 or claim.order_value <= 0:
        raise DomainError("no_amount", _("Give an amount above zero."), field="claimed")
    if claim.claimed > claim.order_value:
        raise DomainError(
            "over_the_order", _("A claim can't be higher than the value of its order."), field="claimed"
        )
    if not claim.text.strip():
        raise DomainError("empty", _("Write what happened."), field="text")
    if not claim.question.is_active:
        raise DomainError("question_gone", _("Choose another question."), field="question")
    if claim.payee is not None:
        claim.payee.check()


def _served_shop(application: Application, complainant: User | None) -> ServedShop | None:
    """The proof that the complainant was served: the newest relation that its owner authorised."""
    if complainant is None or not complainant.taobao_user_id:
        return None
    shops = application.served_shops.filter(
        owner_taobao_user_id=complainant.taobao_user_id, state__in=[ShopState.SERVING, ShopState.ENDED]
    )
    found: ServedShop | None = shops.order_by("-begins_on", "-pk").first()
    return found


def _relation(complainant: User | None, served: ServedShop | None) -> Relation:
    if complainant is None:
        return Relation.OPERATIONS
    return Relation.SERVED_MERCHANT if served else Relation.CUSTOMER


def _insert(complaint: Complaint) -> None:
    try:
        with transaction.atomic():
            complaint.save(force_insert=True)
    except IntegrityError as error:
        if "one_claim_per_order" not in str(error):
            raise
        raise DomainError(
            "claimed_already",
            _("There is already a complaint about this order."),
            field="order_number",
        ) from error


# The provider --------------------------------------------------------------------------------------


def admit(
    pk: int, *, actor: User, amount: Decimal, text: str, uploads: Uploads = (), seen: int | None = None
) -> Complaint:
    """The provider accepts liability for an amount up to the claim: decided, and open to an appeal."""

    def guard(application: Application, complaint: Complaint) -> None:
        deadlines.refuse_late(complaint)
        if not ZERO < amount <= complaint.claimed:
            raise DomainError(
                "amount", _("Admit an amount above zero, and at most what is claimed."), field="amount"
            )
        complaint.responded_at = clock.now()
        liability = Liability.LIABLE if amount == complaint.claimed else Liability.SHARED
        _find(complaint, liability, amount, text, decided_by=None)

    return _answer(pk, "admit", actor, Side.PROVIDER, guard, text, uploads, seen)


def contest(pk: int, *, actor: User, text: str, uploads: Uploads = (), seen: int | None = None) -> Complaint:
    """The provider disputes the claim; both sides may now hand in evidence."""

    def guard(application: Application, complaint: Complaint) -> None:
        deadlines.refuse_late(complaint)
        complaint.responded_at = clock.now()

    return _answer(pk, "contest", actor, Side.PROVIDER, guard, text, uploads, seen)


def _answer(
    pk: int,
    name: str,
    actor: User,
    side: Side,
    guard: Guard,
    text: str,
    uploads: Uploads,
    seen: int | None,
) -> Complaint:
    """A step of one side, with what it says."""
    _refuse_empty(text)

    def follow(application: Application, complaint: Complaint) -> None:
        _state(complaint, side, text, actor)
        files.add(complaint, uploads, side=side, actor=actor)

    return _move(pk, name, actor=actor, side=side, guard=guard, follow=follow, note=text, seen=seen)


# Both sides ----------------------------------------------------------------------------------------


def add_evidence(pk: int, *, actor: User, text: str, uploads: Uploads = ()) -> Complaint:
    """Say or show more, while the evidence is open."""
    _refuse_empty(text)
    with transaction.atomic():
        _application, complaint = lock_complaint(pk)
        side = _side(actor, complaint)
        _refuse_unless_open(complaint, side)
        _state(complaint, side, text, actor)
        files.add(complaint, uploads, side=side, actor=actor)
        _record(complaint, "add_evidence", before=complaint.state, actor=actor, side=side, note=text)
        announcements.announce(complaint, "add_evidence", by=side)
    return complaint


def finish_evidence(pk: int, *, actor: User) -> Complaint:
    """Nothing more from this side. Once both have said so, the case waits for its decision at once."""
    with transaction.atomic():
        _application, complaint = lock_complaint(pk)
        side = _side(actor, complaint)
        _refuse_unless_open(complaint, side)
        field = "complainant_done_at" if side is Side.COMPLAINANT else "provider_done_at"
        setattr(complaint, field, clock.now())
        complaint.save(update_fields=[field])
        _record(complaint, "finish_evidence", before=complaint.state, actor=actor, side=side)
        if complaint.complainant_done_at and complaint.provider_done_at:
            complaint = _move(pk, "close_evidence", actor=None)
    return complaint


def _refuse_unless_open(complaint: Complaint, side: Side) -> None:
    if complaint.state != ComplaintState.EVIDENCE:
        raise DomainError("wrong_state", _("Evidence can't be handed in (any more)."))
    deadlines.refuse_late(complaint)
    done = complaint.complainant_done_at if side is Side.COMPLAINANT else complaint.provider_done_at
    if done:
        raise DomainError("done", _("You said that nothing more would come."))


def appeal(pk: int, *, actor: User, text: str, uploads: Uploads = (), seen: int | None = None) -> Complaint:
    """The one appeal of the case, by either side; another person decides it."""
    _refuse_empty(text)

    def guard(application: Application, complaint: Complaint) -> None:
        deadlines.refuse_late(complaint)
        complaint.appealed_side = _side(actor, complaint)
        complaint.appealed_at = clock.now()
        complaint.appeal_text = text.strip()

    def follow(application: Application, complaint: Complaint) -> None:
        _state(complaint, Side(complaint.appealed_side), text, actor)
        files.add(complaint, uploads, side=Side(complaint.appealed_side), actor=actor)

    return _move(pk, "appeal", actor=actor, side=None, guard=guard, follow=follow, note=text, seen=seen)


def withdraw(pk: int, *, actor: User, reason: str = "", seen: int | None = None) -> Complaint:
    """The complainant, or operations for one without an account, takes it back: what was frozen is released."""

    def guard(application: Application, complaint: Complaint) -> None:
        for_somebody = complaint.complainant_id is None and permissions.may_handle(actor)
        if complaint.complainant_id != actor.pk and not for_somebody:
            raise NotPermitted("not_permitted", _("You may not do this."))

    def follow(application: Application, complaint: Complaint) -> None:
        cases.release(application.pk, case=complaint.case)

    return _move(
        pk, "withdraw", actor=actor, side=Side.COMPLAINANT, guard=guard, follow=follow, note=reason, seen=seen
    )


def name_payee(pk: int, *, actor: User, payee: Payee) -> Complaint:
    """Where the complainant's compensation goes; what already waits for it is sent."""
    payee.check()
    with transaction.atomic():
        _application, complaint = lock_complaint(pk)
        for_somebody = complaint.complainant_id is None and permissions.may_handle(actor)
        if complaint.complainant_id != actor.pk and not for_somebody:
            raise NotPermitted("not_permitted", _("You may not do this."))
        waiting = compensations.waiting_of(complaint.case)
        if complaint.state not in OPEN and not waiting:
            raise DomainError("nothing_due", _("Nothing is to be paid out."))
        _set_payee(complaint, payee)
        complaint.save(update_fields=["payee_identity", "payee_identity_type", "payee_name"])
        _record(complaint, "name_payee", before=complaint.state, actor=actor)
        for compensation in waiting:
            compensations.name_payee(compensation.pk, payee)
    return complaint


# Operations ----------------------------------------------------------------------------------------


def claim(pk: int, *, actor: User, seen: int | None = None) -> Complaint:
    """Take the case. One of many who press at once gets it; the others are told who."""
    with transaction.atomic():
        _application, complaint = lock_complaint(pk)
        if not permissions.may_decide(actor, complaint):
            raise _not_impartial()
        if complaint.state not in OPEN:
            raise DomainError("wrong_state", _("This case is closed."))
        if complaint.claimed_by_id not in (None, actor.pk):
            raise DomainError(
                "already_claimed",
                _("%(name)s has already claimed this case.") % {"name": complaint.claimed_by},
            )
        _refuse_stale(complaint, seen)
        _assign(complaint, actor, actor, "claim")
    return complaint


def release(pk: int, *, actor: User, seen: int | None = None) -> Complaint:
    """Give a claimed case back to the queue."""
    with transaction.atomic():
        _application, complaint = lock_complaint(pk)
        if complaint.claimed_by_id != actor.pk:
            raise NotPermitted("not_yours", _("Only the person who claimed it can release it."))
        _refuse_stale(complaint, seen)
        _assign(complaint, None, actor, "release")
    return complaint


def _assign(complaint: Complaint, person: User | None, actor: User, name: str) -> None:
    complaint.claimed_by = person
    complaint.version += 1
    complaint.save(update_fields=["claimed_by", "version"])
    _record(complaint, name, before=complaint.state, actor=actor, internal=str(person or ""))


def decide(
    pk: int,
    *,
    actor: User,
    liability: str,
    award: Decimal,
    reason: str,
    internal_note: str = "",
    seen: int | None = None,
) -> Complaint:
    """Operations find who is liable, and for how much; either side may appeal once."""

    def guard(application: Application, complaint: Complaint) -> None:
        if not permissions.may_decide(actor, complaint):
            raise _not_impartial()
        _find(complaint, Liability(liability), award, reason, decided_by=actor)

    return _move(pk, "decide", actor=actor, guard=guard, note=reason, internal=internal_note, seen=seen)


def decide_appeal(
    pk: int,
    *,
    actor: User,
    liability: str,
    award: Decimal,
    reason: str,
    internal_note: str = "",
    seen: int | None = None,
) -> Complaint:
    """Another person's decision, which is final: the money moves."""

    def guard(application: Application, complaint: Complaint) -> None:
        if not permissions.may_decide_appeal(actor, complaint):
            raise _not_impartial()
        refuse_finding(complaint, Liability(liability), award, reason)
        complaint.liability, complaint.award = Liability(liability), award
        complaint.appeal_decided_by = actor
        complaint.appeal_decided_at = clock.now()
        complaint.appeal_reason = reason.strip()

    return _move(
        pk,
        "decide_appeal",
        actor=actor,
        guard=guard,
        follow=_settle,
        note=reason,
        internal=internal_note,
        seen=seen,
    )


def _find(
    complaint: Complaint, liability: Liability, award: Decimal, reason: str, *, decided_by: User | None
) -> None:
    refuse_finding(complaint, liability, award, reason)
    complaint.liability = liability
    complaint.award = award
    complaint.decided_by = decided_by
    complaint.decided_at = clock.now()
    complaint.decision_reason = reason.strip()


def refuse_finding(complaint: Complaint, liability: Liability, award: Decimal, reason: str) -> None:
    """What no decision may say: DomainError beside its field. Pages ask it before anything is decided."""
    if not reason.strip():
        raise DomainError("empty", _("Give the reason that both sides read."), field="reason")
    if liability is Liability.NOT_LIABLE and award:
        raise DomainError("award", _("Who is not liable pays nothing."), field="award")
    if liability is not Liability.NOT_LIABLE and not ZERO < award <= complaint.claimed:
        raise DomainError(
            "award", _("Award an amount above zero, and at most what is claimed."), field="award"
        )


# Deadlines -----------------------------------------------------------------------------------------


def act_on_deadline(pk: int) -> bool:
    """Do what the end of the present state brings, if it has come. Repeats change nothing.

    Silence of the provider ends in a decision against it; closed evidence waits for the decision; a decision
    that nobody appealed is final. Of a decision that operations owe they are reminded, once.
    """
    with transaction.atomic():
        _application, complaint = lock_complaint(pk)
        if complaint.due_at is None or clock.now() <= complaint.due_at:
            return True
        match ComplaintState(complaint.state):
            case ComplaintState.AWAITING_RESPONSE:
                _move(pk, "default", actor=None, guard=_decide_against_silence)
            case ComplaintState.EVIDENCE:
                _move(pk, "close_evidence", actor=None)
            case ComplaintState.DECIDED:
                _move(pk, "finalise", actor=None, follow=_settle)
            case _:
                announcements.tell_overdue(complaint)
    return True


def _decide_against_silence(application: Application, complaint: Complaint) -> None:
    reason = _("The provider did not respond in time.")
    _find(complaint, Liability.LIABLE, complaint.claimed, reason, decided_by=None)


def _settle(application: Application, complaint: Complaint) -> None:
    """The decision is final: compensation, or everything released."""
    if not complaint.award:
        cases.release(application.pk, case=complaint.case)
        return
    cases.settle_case(
        application.pk,
        case=complaint.case,
        award=complaint.award,
        payee=payee_of(complaint),
        reason=str(complaint.question),
        actor=complaint.appeal_decided_by or complaint.decided_by,
    )


# The door ------------------------------------------------------------------------------------------


def _move(
    pk: int,
    name: str,
    *,
    actor: User | None,
    side: Side | None = None,
    guard: Guard = lambda application, complaint: None,
    follow: Follow = lambda application, complaint: None,
    note: str = "",
    internal: str = "",
    seen: int | None = None,
) -> Complaint:
    """Lock application, then complaint → side → page not out of date → lawful edge → guard → step → follow.

    `side` is who must speak here; `guard` may set fields and raises DomainError to refuse; `follow` does what
    the step brings about. `actor` None is the system.
    """
    with transaction.atomic():
        application, complaint = lock_complaint(pk)
        if side is Side.PROVIDER and (actor is None or _side(actor, complaint) is not side):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _refuse_stale(complaint, seen)
        step = getattr(complaint, name)
        if not can_proceed(step):
            raise DomainError(
                "wrong_state",
                _("This can't be done while the complaint is in state “%(state)s”.")
                % {"state": complaint.get_state_display()},
            )
        guard(application, complaint)
        before = complaint.state
        step()
        _stamp(complaint)
        complaint.save()
        _record(complaint, name, before=before, actor=actor, side=side, note=note, internal=internal)
        follow(application, complaint)
        announcements.announce(complaint, name)
    return complaint


def _stamp(complaint: Complaint) -> None:
    now = clock.now()
    complaint.state_since = now
    complaint.due_at = deadlines.due(complaint, now)
    if complaint.state not in OPEN:
        complaint.closed_at = now
    complaint.version += 1


def _record(
    complaint: Complaint,
    name: str,
    *,
    before: str,
    actor: User | None,
    side: Side | None = None,
    note: str = "",
    internal: str = "",
) -> None:
    ComplaintStep.objects.create(
        complaint=complaint,
        name=name,
        from_state=before,
        to_state=complaint.state,
        actor=actor,
        side=side or "",
        at=clock.now(),
        note=note.strip(),
        internal_note=internal.strip(),
    )


def _state(complaint: Complaint, side: Side, text: str, actor: User) -> None:
    ComplaintStatement.objects.create(
        complaint=complaint, side=side, text=text.strip(), by=actor, at=clock.now()
    )


def _side(actor: User, complaint: Complaint) -> Side:
    side = permissions.side_of(actor, complaint)
    if side is None:
        raise NotPermitted("not_permitted", _("You may not do this."))
    return side


def _set_payee(complaint: Complaint, payee: Payee | None) -> None:
    if payee is not None:
        complaint.payee_identity = payee.identity
        complaint.payee_identity_type = payee.identity_type.value
        complaint.payee_name = payee.name


def payee_of(complaint: Complaint) -> Payee | None:
    """Where the complainant wants the money; None as long as nobody said."""
    if not complaint.payee_identity:
        return None
    return Payee(complaint.payee_identity, IdentityType(complaint.payee_identity_type), complaint.payee_name)


def _refuse_stale(complaint: Complaint, seen: int | None) -> None:
    if seen is None or seen == complaint.version:
        return
    raise StaleVersion(
        "stale",
        _(
            "This page is out of date: the complaint changed meanwhile and is now “%(state)s”."
            " Nothing was changed. Look at it again, then decide."
        )
        % {"state": complaint.get_state_display()},
    )


def _refuse_empty(text: str) -> None:
    if not text.strip():
        raise DomainError("empty", _("Write what you have to say."), field="text")


def _not_impartial() -> NotPermitted:
    return NotPermitted(
        "not_impartial",
        _("Who entered the complaint, admitted the company or decided before can't decide on it."),
    )
