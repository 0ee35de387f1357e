"""Decisions taken back: two people of operations, other people than those who decided.

Nobody, a superuser included, can decide alone. What happens to the deposit, `deposits` does in the same step.
"""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from applications import permissions
from applications.door import enter, move, wrong_state
from applications.guards import refuse_empty, refuse_one_sided
from applications.lifecycle import State
from applications.locks import lock_application
from applications.models import Application, SuspensionCause, Transition
from applications.suspensions import open_row
from tmall_sp.accounts.models import User
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted


def overturn_expulsion(
    pk: int, *, proposer: User, decider: User, reason: str, seen: int | None = None
) -> Application:
    """The appeal is upheld: the ban ends, and the company is suspended until operations lift that too.

    Two different people of operations; neither investigated, verified or reported what it was expelled for, nor
    admitted it. DomainError `no_reason`, `same_person`, `not_impartial`, and `new_application` if the company
    began another one meanwhile, which has to end first. The suspension has the cause `ops` and the case
    `expulsion:<id of the transition>`.
    """
    refuse_empty(reason)

    def guard(application: Application) -> None:
        expulsion = application.transitions.filter(name="expel").last()
        involved = [application.approved_by_id, *_deciders(expulsion)]
        refuse_one_sided(application, proposer, decider, involved=involved)
        application.exit_required = False
        application.bans.filter(lifted_at__isnull=True).update(lifted_at=clock.now())
        open_row(
            application,
            cause=SuspensionCause.OPS,
            case=f"expulsion:{expulsion.pk if expulsion else ''}",
            reason=_(
                "The expulsion was overturned. Operations will look at the membership and lift the suspension."
            ),
            actor=decider,
        )

    try:
        return move(
            pk,
            "overturn_expulsion",
            actor=decider,
            proposed_by=proposer,
            may=lambda a: permissions.are_operations(proposer, decider),
            guard=guard,
            reason=reason,
            seen=seen,
        )
    except IntegrityError as error:
        if "one_open_application_per_" not in str(error):
            raise
        raise DomainError(
            "new_application",
            _("The company has another open application, which has to be withdrawn or rejected first."),
        ) from error


def lift_ban(pk: int, *, proposer: User, decider: User, reason: str) -> Application:
    """The appeal of a company that had left is upheld: it may come back. No money moves.

    Two people of operations, as for `overturn_expulsion`. DomainError `no_reason`, `same_person`,
    `not_impartial`, and `wrong_state` for a company that has not left.
    """
    refuse_empty(reason)
    with transaction.atomic():
        application = lock_application(pk)
        if not permissions.are_operations(proposer, decider):
            raise NotPermitted("not_permitted", _("You may not do this."))
        if application.state != State.EXITED:
            raise wrong_state(application)
        banned = application.transitions.filter(name="ban").last()
        involved = [application.approved_by_id, *_deciders(banned)]
        refuse_one_sided(application, proposer, decider, involved=involved)
        application.bans.filter(lifted_at__isnull=True).update(lifted_at=clock.now())
        enter(application, "lift_ban", actor=decider, reason=reason, proposed_by=proposer)
    return application


def revoke_approval(
    pk: int, *, proposer: User, decider: User, reason: str, seen: int | None = None
) -> Application:
    """Take an approval back while the deposit isn't paid; a payment that comes all the same is sent back.

    Two different people of operations, with no part in the company.
    """
    refuse_empty(reason)
    return move(
        pk,
        "revoke_approval",
        actor=decider,
        proposed_by=proposer,
        may=lambda a: permissions.are_operations(proposer, decider),
        guard=lambda a: refuse_one_sided(a, proposer, decider),
        reason=reason,
        seen=seen,
    )


def _deciders(step: Transition | None) -> list[int | None]:
    if step is None:
        return []
    return [step.actor_id, step.proposed_by_id, step.reported_by_id]
