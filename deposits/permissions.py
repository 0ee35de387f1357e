"""Who may decide what about money. Each rule is one named function; the desk hides, services refuse."""

from deposits.models import Proposal, ProposalKind
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role

# Operations know the case behind these; the money is finance's all the same.
PROPOSED_BY_OPERATIONS_TOO = (ProposalKind.WAIVE_OBLIGATION, ProposalKind.HOLD_REFUND)


def may_handle_money(user: User) -> bool:
    """Propose and accept decisions about money, retry payouts, explain what reconciliation found."""
    return has_role(user, Role.FINANCE)


def may_propose(user: User, kind: ProposalKind) -> bool:
    return may_handle_money(user) or (kind in PROPOSED_BY_OPERATIONS_TOO and has_role(user, Role.OPS))


def may_decide(user: User, proposal: Proposal) -> bool:
    """The second person: of finance, and not the one who proposed it."""
    return may_handle_money(user) and user.pk != proposal.proposed_by_id
