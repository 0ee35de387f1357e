"""The company's one appeal. None of those who had a part in the first decision decides it.

One person decides where the violation cost a warning, points, a penalty or a suspension; where it expelled,
banned, or made another violation do so, one proposes and another decides the same.
"""

from collections.abc import Sequence

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from applications.models import Application
from compliance.models import AppealState, Measure, Sanction, Violation, ViolationAppeal, ViolationStep
from compliance.violations import announcements, deadlines, files, permissions, points, reversal
from compliance.violations.door import Guard, move, note_step, refuse_empty
from compliance.violations.lifecycle import ViolationState
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

MAX_FILES = 10


def can_be_appealed(violation: Violation) -> bool:
    """Verified, not appealed before, and still in time. Who may: permissions.may_appeal."""
    return (
        violation.state == ViolationState.VERIFIED
        and not deadlines.is_over(violation)
        and not ViolationAppeal.objects.filter(violation=violation).exists()
    )


def needs_two(violation: Violation) -> bool:
    """Whether two people have to decide its appeal: it keeps, by itself or through its points, the company out."""
    concerned = [violation, *points.severe_only_with(violation)]
    return Sanction.objects.filter(
        violation__in=concerned, measure__in=[Measure.EXPULSION, Measure.BAN], taken_back_at__isnull=True
    ).exists()


def file_appeal(
    pk: int, *, actor: User, text: str, uploads: Sequence[UploadedFile] = (), seen: int | None = None
) -> Violation:
    """The company appeals, within the rule's days of the verification; the last instant itself is in time.

    NotPermitted for strangers and sub-accounts; DomainError `empty`, `too_late`, `appealed_before`,
    `wrong_state`, `too_many_files`, and what the files' check refuses (field `files`).
    """
    refuse_empty(text, "text", _("Write what you have to say."))
    checked = files.checked(uploads, at_most=MAX_FILES)

    def guard(application: Application, violation: Violation) -> None:
        if ViolationAppeal.objects.filter(violation=violation).exists():
            raise DomainError("appealed_before", _("Your appeal has been decided: the decision is final."))
        deadlines.refuse_late(violation)

    def follow(application: Application, violation: Violation, step: ViolationStep) -> None:
        appeal = ViolationAppeal.objects.create(
            violation=violation, text=text.strip(), by=actor, at=clock.now()
        )
        files.add_to_appeal(appeal, checked, actor=actor)
        announcements.appealed(application, violation, step)

    return move(
        pk,
        "appeal",
        actor=actor,
        may=lambda application, violation: permissions.may_appeal(actor, application),
        guard=guard,
        follow=follow,
        note=text,
        seen=seen,
    )


def propose_appeal_decision(
    pk: int, *, actor: User, uphold: bool, reason: str, seen: int | None = None
) -> Violation:
    """The first of two people: what the other then decides, or gives back."""
    refuse_empty(reason, "reason", _("Give the reason that the company reads."))

    def guard(application: Application, violation: Violation) -> None:
        _refuse_involved(actor, application, violation)
        appeal = _appeal(violation)
        if appeal.state != AppealState.OPEN:
            raise DomainError("proposed", _("Somebody has proposed a decision already."))
        appeal.state = AppealState.PROPOSED
        appeal.proposer = actor
        appeal.proposed_uphold = uphold
        appeal.proposal = reason.strip()
        appeal.save()

    return note_step(
        pk,
        "propose_appeal",
        actor=actor,
        states=[ViolationState.APPEALED],
        guard=guard,
        follow=lambda application, violation, step: announcements.appeal_proposed(violation, step, actor),
        note=reason,
        seen=seen,
    )


def return_appeal(pk: int, *, actor: User, reason: str, seen: int | None = None) -> Violation:
    """The second person does not agree, or the first thinks again: somebody proposes anew."""
    refuse_empty(reason, "reason", _("Give the reason."))
    proposers: list[User | None] = []

    def guard(application: Application, violation: Violation) -> None:
        _refuse_involved(actor, application, violation)
        appeal = _appeal(violation)
        if appeal.state != AppealState.PROPOSED:
            raise DomainError("not_proposed", _("Nobody has proposed a decision yet."))
        proposers.append(appeal.proposer if appeal.proposer_id != actor.pk else None)
        appeal.state = AppealState.OPEN
        appeal.proposer = None
        appeal.proposed_uphold = None
        appeal.proposal = ""
        appeal.save()

    return note_step(
        pk,
        "return_appeal",
        actor=actor,
        states=[ViolationState.APPEALED],
        guard=guard,
        follow=lambda application, violation, step: announcements.appeal_returned(
            violation, step, proposers[0]
        ),
        note=reason,
        seen=seen,
    )


def decide_appeal(pk: int, *, actor: User, uphold: bool, reason: str, seen: int | None = None) -> Violation:
    """Final. Upheld, everything that followed from the violation is taken back in the same transaction (reversal.py).

    DomainError `two_people` where another has to propose first, `same_person` for the proposer, `differs`
    where the proposal says otherwise (give it back instead), `not_impartial`.
    """
    refuse_empty(reason, "reason", _("Give the reason that the company reads."))

    def follow(application: Application, violation: Violation, step: ViolationStep) -> None:
        if uphold:
            announcements.overturned(application, violation, step, reason)
            reversal.take_back(application, violation, _appeal(violation))
        else:
            announcements.appeal_rejected(application, violation, step, reason)

    return move(
        pk,
        "uphold_appeal" if uphold else "reject_appeal",
        actor=actor,
        guard=_decides(actor, uphold, reason.strip()),
        follow=follow,
        note=reason,
        seen=seen,
    )


def _decides(actor: User, uphold: bool, reason: str) -> Guard:
    def guard(application: Application, violation: Violation) -> None:
        _refuse_involved(actor, application, violation)
        appeal = _appeal(violation)
        if appeal.state == AppealState.PROPOSED:
            _refuse_one_sided(appeal, actor, uphold)
        elif needs_two(violation):
            raise DomainError(
                "two_people", _("Two people decide this appeal: somebody has to propose first.")
            )
        appeal.state = AppealState.UPHELD if uphold else AppealState.REJECTED
        appeal.decider = actor
        appeal.decided_at = clock.now()
        appeal.reason = reason
        appeal.save()

    return guard


def _refuse_one_sided(appeal: ViolationAppeal, actor: User, uphold: bool) -> None:
    if appeal.proposer_id == actor.pk:
        raise DomainError("same_person", _("A second person must verify this."))
    if appeal.proposer is None or not permissions.may_handle(appeal.proposer):
        raise DomainError(
            "proposer_gone", _("Who proposed this may no longer decide: give the proposal back.")
        )
    if appeal.proposed_uphold != uphold:
        raise DomainError(
            "differs",
            _("The first person proposed otherwise. If you don't agree, give the proposal back."),
            field="uphold",
        )


def _refuse_involved(actor: User, application: Application, violation: Violation) -> None:
    if not permissions.may_decide_appeal(actor, violation, application):
        raise DomainError(
            "not_impartial",
            _(
                "Who reported, investigated or verified the violation, or admitted the company, can't decide on it."
            ),
        )


def _appeal(violation: Violation) -> ViolationAppeal:
    return (
        ViolationAppeal.objects.select_for_update(of=("self",))
        .select_related("proposer")
        .get(violation=violation)
    )
