"""Verbs that move an application. All go through `door.move`; those of suspensions, required exits and of decisions
taken back have modules of their own (suspensions.py, required_exits.py, reversals.py).

Every verb takes the primary key, locks the row, and either does the whole step (state, timeline row,
notices, what other apps write in their receivers) or raises and changes nothing. `seen` is the version
of the page that the person acted on; an older one raises StaleVersion.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from applications import completeness, permissions, selectors
from applications.door import clock_text, enter, move, refuse_stale
from applications.guards import refuse_empty, refuse_one_sided
from applications.lifecycle import State
from applications.locks import lock_application
from applications.models import (
    AgreementAcceptance,
    Application,
    Ban,
    ReviewItem,
    ReviewRequest,
    Transition,
)
from tmall_sp.accounts.models import Company, CompanyRole, Membership, User
from tmall_sp.core import clock, rules
from tmall_sp.core.errors import DomainError, NotPermitted
from tmall_sp.core.workdays import add_working_days

# The shop check (system) ---------------------------------------------------------------------------


def pass_shop_check(pk: int) -> Application:
    return move(pk, "pass_shop_check", actor=None)


def fail_shop_check(pk: int, *, reason: str) -> Application:
    return move(pk, "fail_shop_check", actor=None, reason=reason)


# The merchant --------------------------------------------------------------------------------------


def submit(pk: int, *, actor: User, agreement_version: int, seen: int | None = None) -> Application:
    """Hand the application in. Records that the rules of `agreement_version` were accepted.

    Refused when something is missing, the rules have changed since they were shown, a ban stands, or
    the company already has an application under review or a membership (naming nobody).
    """

    def guard(application: Application) -> None:
        _refuse_incomplete(application)
        _accept_agreement(application, actor, agreement_version)
        application.company, _new = Company.objects.get_or_create(
            credit_code=application.credit_code, defaults={"name": application.company_name}
        )
        _enter_review(application)

    return _one_per_company(
        lambda: move(
            pk, "submit", actor=actor, may=lambda a: permissions.may_edit(actor, a), guard=guard, seen=seen
        )
    )


def resubmit(pk: int, *, actor: User, answers: dict[int, str], seen: int | None = None) -> Application:
    """Hand the changed application in again; `answers` by ReviewItem id. It returns to its reviewer."""

    def guard(application: Application) -> None:
        refuse_late(application)
        _refuse_incomplete(application)
        application.company, _new = Company.objects.get_or_create(
            credit_code=application.credit_code, defaults={"name": application.company_name}
        )
        _answer_request(application, answers)
        _enter_review(application)

    return _one_per_company(
        lambda: move(
            pk, "resubmit", actor=actor, may=lambda a: permissions.may_edit(actor, a), guard=guard, seen=seen
        )
    )


def withdraw(pk: int, *, actor: User, reason: str = "", seen: int | None = None) -> Application:
    return move(
        pk, "withdraw", actor=actor, may=lambda a: permissions.may_leave(actor, a), reason=reason, seen=seen
    )


def request_exit(pk: int, *, actor: User, reason: str = "", seen: int | None = None) -> Application:
    def guard(application: Application) -> None:
        application.exit_origin = application.state

    return move(
        pk,
        "request_exit",
        actor=actor,
        may=lambda a: permissions.may_leave(actor, a),
        guard=guard,
        reason=reason,
        seen=seen,
    )


def cancel_exit(pk: int, *, actor: User, seen: int | None = None) -> Application:
    """Stay after all: active again, or suspended while a suspension is open, whichever it was before.

    DomainError `exit_required` if the programme required the exit.
    """

    def guard(application: Application) -> None:
        if application.exit_required:
            raise DomainError("exit_required", _("The programme required this exit: it can't be cancelled."))
        if application.exit_origin != State.DEPOSIT_PAID:
            suspended = selectors.open_suspensions(application).exists()
            application.exit_origin = State.SUSPENDED if suspended else State.ACTIVE

    return move(
        pk,
        "cancel_exit",
        actor=actor,
        may=lambda a: permissions.may_leave(actor, a),
        guard=guard,
        seen=seen,
    )


def accept_agreement(pk: int, *, actor: User, agreement_version: int) -> None:
    """Accept a newer version of the rules during a membership; becomes active if that was missing."""
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.may_edit(actor, application):
            raise NotPermitted("not_permitted", _("You may not do this."))
        _accept_agreement(application, actor, agreement_version)
    activate_if_ready(pk)


# The reviewer --------------------------------------------------------------------------------------


def claim(pk: int, *, actor: User, seen: int | None = None) -> Application:
    """Take an unclaimed review. One of many who press at once gets it; the others are told who."""
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.may_review(actor, application):
            raise NotPermitted("not_permitted", _("You may not review this application."))
        _refuse_unless_under_review(application)
        if application.reviewer_id is not None:
            raise DomainError(
                "already_claimed",
                _("%(name)s has already claimed this application.") % {"name": application.reviewer},
            )
        refuse_stale(application, seen)
        return _assign(application, actor, actor=actor, step="claim")


def release(pk: int, *, actor: User, seen: int | None = None) -> Application:
    """Give a claimed review back to the queue."""
    with transaction.atomic():
        application = lock_application(pk)
        if application.reviewer_id != actor.pk:
            raise NotPermitted("not_yours", _("Only the reviewer who claimed it can release it."))
        refuse_stale(application, seen)
        _refuse_unless_under_review(application)
        return _assign(application, None, actor=actor, step="release")


def reassign(pk: int, *, actor: User, reviewer: User, seen: int | None = None) -> Application:
    """Operations give a review to somebody else."""
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.may_reassign(actor):
            raise NotPermitted("not_permitted", _("You may not do this."))
        refuse_stale(application, seen)
        if not permissions.may_review(reviewer, application):
            raise DomainError(
                "not_a_reviewer", _("This person may not review this application."), field="reviewer"
            )
        _refuse_unless_under_review(application)
        return _assign(application, reviewer, actor=actor, step="reassign")


def approve(pk: int, *, actor: User, internal_note: str = "", seen: int | None = None) -> Application:
    """Admit the company: it may now pay its deposit, and its applicant becomes the company's owner."""

    def guard(application: Application) -> None:
        _refuse_banned(application)
        assert application.company is not None  # open_case_has_company
        application.approved_by = actor
        Company.objects.filter(pk=application.company.pk).update(name=application.company_name)
        # Whoever acted for it in an earlier application does so no more.
        Membership.objects.filter(company=application.company).exclude(
            user__taobao_user_id=application.taobao_user_id
        ).delete()
        Membership.objects.get_or_create(
            company=application.company,
            user=application.applicant,
            defaults={"role": _first_role(application)},
        )

    return move(
        pk,
        "approve",
        actor=actor,
        may=lambda a: permissions.is_claimed_by(actor, a),
        guard=guard,
        internal_note=internal_note,
        seen=seen,
    )


def reject(
    pk: int, *, actor: User, reason: str, internal_note: str = "", seen: int | None = None
) -> Application:
    refuse_empty(reason)
    return move(
        pk,
        "reject",
        actor=actor,
        may=lambda a: permissions.is_claimed_by(actor, a),
        reason=reason,
        internal_note=internal_note,
        seen=seen,
    )


@dataclass(frozen=True)
class Change:
    """One named change that a reviewer asks for: the field or document concerned, and what to do."""

    subject: str
    text: str


def request_changes(
    pk: int,
    *,
    actor: User,
    changes: Sequence[Change],
    message: str = "",
    internal_note: str = "",
    seen: int | None = None,
) -> Application:
    """Send the application back with at least one named change; the merchant has until the deadline."""
    if not changes:
        raise DomainError("no_changes", _("Name at least one change."), field="changes")

    def guard(application: Application) -> None:
        now = clock.now()
        request = ReviewRequest.objects.create(
            application=application,
            message=message,
            requested_by=actor,
            created_at=now,
            due_at=now + rules.days("application.changes_days", now),
        )
        ReviewItem.objects.bulk_create(
            ReviewItem(request=request, subject=change.subject, text=change.text) for change in changes
        )

    return move(
        pk,
        "request_changes",
        actor=actor,
        may=lambda a: permissions.is_claimed_by(actor, a),
        guard=guard,
        reason="\n".join([*([message] if message else []), *(f"• {change.text}" for change in changes)]),
        internal_note=internal_note,
        seen=seen,
    )


# The system and operations -------------------------------------------------------------------------


def lapse(pk: int) -> Application:
    """End what passed its deadline. The instant itself is still in time."""

    def guard(application: Application) -> None:
        if application.deadline_at is None or clock.now() <= application.deadline_at:
            raise DomainError("not_due", "The deadline has not passed.")

    return move(pk, "lapse", actor=None, guard=guard)


def record_deposit(pk: int, *, alipay_open_id: str = "", reason: str = "") -> Application:
    """The deposit was paid by the bound corporate account; called by `deposits` in its transaction."""

    def guard(application: Application) -> None:
        if alipay_open_id:
            application.alipay_open_id = alipay_open_id

    return move(pk, "record_deposit", actor=None, guard=guard, reason=reason)


def activate_if_ready(pk: int) -> bool:
    """Make a paid member active once every activation check holds. True if it became active now."""
    with transaction.atomic():
        application = lock_application(pk)
        if application.state != State.DEPOSIT_PAID or completeness.missing_for_activation(application):
            return False
        move(pk, "activate", actor=None)
        return True


def complete_exit(pk: int) -> Application:
    """The clearance is complete; called by `compliance`, which holds the reasons."""
    return move(pk, "complete_exit", actor=None)


def expel(
    pk: int,
    *,
    investigator: User,
    verifier: User,
    reporter: User | None,
    reason: str,
    ban_ends_at: dt.datetime | None = None,
) -> Application:
    """Remove a member from the pool at once and ban it (for good unless `ban_ends_at`).

    Two different people of operations decide; neither reported it nor admitted the company. Nobody,
    a superuser included, can decide alone. Its deposit is dealt with by `deposits` in the same step.
    """

    def guard(application: Application) -> None:
        refuse_one_sided(application, investigator, verifier, involved=_outsiders(application, reporter))
        _ban(application, reason, ban_ends_at)

    return move(
        pk,
        "expel",
        actor=verifier,
        may=lambda a: permissions.are_operations(investigator, verifier),
        guard=guard,
        reason=reason,
        proposed_by=investigator,
        reported_by=reporter,
    )


def ban_former_member(
    pk: int,
    *,
    investigator: User,
    verifier: User,
    reporter: User | None,
    reason: str,
    ban_ends_at: dt.datetime | None = None,
) -> Application:
    """Keep out a company whose severe violation was found after its exit (for good unless `ban_ends_at`): no money
    moves.

    The same two people are needed as for `expel`.
    """
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.are_operations(investigator, verifier):
            raise NotPermitted("not_permitted", _("You may not do this."))
        if application.state != State.EXITED:
            raise DomainError("wrong_state", _("This company has not left."))
        refuse_one_sided(application, investigator, verifier, involved=_outsiders(application, reporter))
        _ban(application, reason, ban_ends_at)
        enter(
            application,
            "ban",
            actor=verifier,
            reason=reason,
            proposed_by=investigator,
            reported_by=reporter,
        )
    return application


def _outsiders(application: Application, reporter: User | None) -> Iterable[int | None]:
    """Who reported the violation, and who admitted the company."""
    return application.approved_by_id, reporter.pk if reporter else None


# Guards --------------------------------------------------------------------------------------------


def refuse_late(application: Application) -> None:
    """A late answer is refused even before the sweep ran; the instant itself is in time."""
    if application.deadline_at is not None and clock.now() > application.deadline_at:
        raise DomainError(
            "too_late", _("The deadline was %(at)s.") % {"at": clock_text(application.deadline_at)}
        )


def _refuse_incomplete(application: Application) -> None:
    gaps = completeness.missing_for_submission(application)
    if gaps:
        names = _(", ").join(str(gap.message) for gap in gaps)
        raise DomainError("incomplete", _("Still missing: %(names)s") % {"names": names})
    _refuse_banned(application)
    if selectors.company_is_taken(application):
        raise _company_taken()


def _refuse_banned(application: Application) -> None:
    if completeness.is_banned(application):
        raise DomainError("banned", _("The company may not join at present. Please contact operations."))


def _refuse_unless_under_review(application: Application) -> None:
    if application.state != State.UNDER_REVIEW:
        raise DomainError("wrong_state", _("This application is not under review."))


def _company_taken() -> DomainError:
    return DomainError(
        "company_taken",
        _("An application for this credit code is already under review or admitted."),
        field="credit_code",
    )


def _one_per_company(step: Callable[[], Application]) -> Application:
    """Two drafts of one company may be handed in at the same moment: the constraint picks one."""
    try:
        return step()
    except IntegrityError as error:
        if "one_open_application_per_company" in str(error):
            raise _company_taken() from error
        raise


# Parts of steps ------------------------------------------------------------------------------------


def _accept_agreement(application: Application, actor: User, version: int) -> None:
    agreement = selectors.current_agreement()
    if agreement.version != version:
        raise DomainError("agreement_changed", _("The rules have changed. Please read the new version."))
    AgreementAcceptance.objects.get_or_create(
        application=application, agreement=agreement, defaults={"user": actor, "at": clock.now()}
    )


def _enter_review(application: Application) -> None:
    now = clock.now()
    application.review_due_at = add_working_days(now, rules.value("review.working_days", now))


def _answer_request(application: Application, answers: dict[int, str]) -> None:
    request = application.review_requests.get(closed_at__isnull=True)
    for item in request.items.all():
        item.answer = answers.get(item.pk, "").strip()
        if not item.answer:
            raise DomainError("unanswered", _("Say for each change what you did."), field=f"answer_{item.pk}")
        item.save(update_fields=["answer"])
    request.closed_at = clock.now()
    request.save(update_fields=["closed_at"])


def _ban(application: Application, reason: str, ends_at: dt.datetime | None) -> None:
    Ban.objects.create(
        application=application,
        credit_code=application.credit_code,
        taobao_user_id=application.taobao_user_id,
        alipay_account_id=application.alipay_account_id,
        reason=reason,
        begins_at=clock.now(),
        ends_at=ends_at,
    )


def _assign(application: Application, reviewer: User | None, *, actor: User, step: str) -> Application:
    application.reviewer = reviewer
    application.claimed_at = clock.now() if reviewer else None
    application.version += 1
    application.save(update_fields=["reviewer", "claimed_at", "version"])
    Transition.objects.create(
        application=application,
        name=step,
        from_state=application.state,
        to_state=application.state,
        actor=actor,
        internal_note=str(reviewer or ""),
        public=False,
    )
    return application


def _first_role(application: Application) -> CompanyRole:
    return CompanyRole.EDITOR if application.applicant.is_sub_account else CompanyRole.OWNER
