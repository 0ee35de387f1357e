"""Who may decide what about money. Each rule is one named function; the desk hides, services refuse."""

from applications.models import Application
from applications.permissions import belongs_to, company_role, may_pay
from deposits.books.accounts import Kind
from deposits.models import AccountChange, LedgerTransfer, Proposal, ProposalKind
from tmall_sp.accounts.models import CompanyRole, User
from tmall_sp.accounts.roles import Role, has_role

# Operations know the case behind these; the money is finance's all the same.
PROPOSED_BY_OPERATIONS_TOO = (ProposalKind.WAIVE_OBLIGATION, ProposalKind.HOLD_REFUND)
# What a case took, which an appeal may give back: operations propose to correct such an entry, and no other.
TAKEN_BY_A_CASE = (Kind.PENALTY, Kind.BREACH)


def may_handle_money(user: User) -> bool:
    """Propose and accept decisions about money, retry payouts, explain what reconciliation found."""
    return has_role(user, Role.FINANCE)


def may_propose(user: User, kind: ProposalKind, target: object = None) -> bool:
    """`target` is the row that it would be about, where that matters."""
    if may_handle_money(user):
        return True
    gives_back = (
        kind == ProposalKind.CORRECT_ENTRY
        and isinstance(target, LedgerTransfer)
        and target.kind in TAKEN_BY_A_CASE
    )
    return (gives_back or kind in PROPOSED_BY_OPERATIONS_TOO) and has_role(user, Role.OPS)


def may_decide(user: User, proposal: Proposal) -> bool:
    """The second person: of finance, and not the one who proposed it."""
    return may_handle_money(user) and user.pk != proposal.proposed_by_id


# The bound account ---------------------------------------------------------------------------------


def may_ask_for_account(user: User, application: Application) -> bool:
    """Ask that another account be bound: whoever may pay from it, so never a sub-account."""
    return may_pay(user, application)


def may_stop_account(user: User, application: Application) -> bool:
    """Cancel the change: everybody of the company who can do anything there, sub-accounts too.

    To stop it is always safe, and whoever took over the account that may ask can't keep the others from it.
    """
    return company_role(user, application) not in (None, CompanyRole.READER)


def may_judge_account(user: User, change: AccountChange) -> bool:
    """Check the evidence, or refuse: finance or operations, without a part in the company, now or before."""
    return has_role(user, Role.FINANCE, Role.OPS) and not belongs_to(user, change.application)


def may_confirm_account(user: User, change: AccountChange) -> bool:
    """The second person: of finance, and not the one who checked."""
    return (
        may_handle_money(user)
        and user.pk != change.checked_by_id
        and not belongs_to(user, change.application)
    )
