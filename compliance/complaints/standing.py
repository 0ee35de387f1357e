"""Where a complaint stands for one of its sides: in plain words, whose turn it is, until when, and what then.

What a side is offered here, services check again.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from compliance.complaints import deadlines, permissions
from compliance.complaints.lifecycle import OPEN, UNDECIDED, ComplaintState
from compliance.models import Complaint, Side
from tmall_sp.accounts.models import User

S = ComplaintState


class Turn(Enum):
    """Whom the complaint waits for."""

    YOU = "you"
    OTHER = "other"
    MAY_APPEAL = "may_appeal"
    OPERATIONS = "operations"
    SYSTEM = "system"
    NOBODY = "nobody"


TURNS: dict[Turn, str | Promise] = {
    Turn.YOU: _("Your turn"),
    Turn.OTHER: _("The other side's turn"),
    Turn.MAY_APPEAL: _("You can appeal"),
    Turn.OPERATIONS: _("The platform's turn"),
    Turn.SYSTEM: _("Goes on by itself"),
    Turn.NOBODY: _("Closed"),
}


@dataclass(frozen=True)
class Standing:
    """`text` says what is going on; `then` what happens at `due_at`. `late`: that instant has passed."""

    turn: Turn
    text: str | Promise
    due_at: dt.datetime | None = None
    then: str | Promise = ""
    late: bool = False

    @property
    def turn_words(self) -> str | Promise:
        return TURNS[self.turn]

    @property
    def tone(self) -> str:
        """The colour of whose turn it is (portal.css)."""
        return {Turn.YOU: "warning", Turn.MAY_APPEAL: "warning", Turn.NOBODY: "secondary"}.get(
            self.turn, "primary"
        )


@dataclass(frozen=True)
class Offers:
    """What a person can do now for the side; `admit` is for the main account alone."""

    admit: bool = False
    contest: bool = False
    add_evidence: bool = False
    appeal: bool = False
    withdraw: bool = False
    name_payee: bool = False


def offers(complaint: Complaint, user: User, side: Side, *, money_to_come: bool = False) -> Offers:
    """`money_to_come`: compensation of a closed case waits for its payee, or is still owed."""
    if permissions.side_of(user, complaint) is not side:
        return Offers()
    in_time = not deadlines.is_over(complaint)
    state = complaint.state
    responds = side is Side.PROVIDER and state == S.AWAITING_RESPONSE and in_time
    complains = side is Side.COMPLAINANT
    return Offers(
        admit=responds and permissions.may_admit(user, complaint),
        contest=responds,
        add_evidence=state == S.EVIDENCE and in_time and done_at(complaint, side) is None,
        appeal=state == S.DECIDED and in_time and permissions.has_something_to_gain(side, complaint),
        withdraw=complains and state in UNDECIDED,
        name_payee=complains and (state in OPEN or money_to_come),
    )


def done_at(complaint: Complaint, side: Side) -> dt.datetime | None:
    """When the side said that nothing more would come."""
    return complaint.complainant_done_at if side is Side.COMPLAINANT else complaint.provider_done_at


def standing(complaint: Complaint, side: Side) -> Standing:
    """For the complainant or the provider."""
    state = ComplaintState(complaint.state)
    if deadlines.is_over(complaint) and state in (S.AWAITING_RESPONSE, S.EVIDENCE, S.DECIDED):
        return Standing(
            Turn.SYSTEM,
            _("The deadline has passed. The next step follows by itself within minutes."),
            complaint.due_at,
            late=True,
        )
    return _STANDINGS[state](complaint, side)


def _awaiting_response(complaint: Complaint, side: Side) -> Standing:
    if side is Side.COMPLAINANT:
        return Standing(
            Turn.OTHER,
            _("The provider has been told. It admits the complaint, or contests it with evidence."),
            complaint.due_at,
            _("If the provider says nothing until then, the complaint is decided in your favour."),
        )
    return Standing(
        Turn.YOU,
        _("Admit the complaint, or contest it with evidence."),
        complaint.due_at,
        _("If you say nothing until then, it is decided against you, over the whole amount that is claimed."),
    )


def _evidence(complaint: Complaint, side: Side) -> Standing:
    then = _("Then the evidence is closed, and the platform decides on what is there.")
    if done_at(complaint, side):
        text = _("You have said that nothing more will come. The other side can still hand in evidence.")
        return Standing(Turn.OTHER, text, complaint.due_at, then)
    text = _("The provider contests the complaint. Both sides can hand in evidence.")
    return Standing(Turn.YOU, text, complaint.due_at, then)


def _awaiting_decision(complaint: Complaint, side: Side) -> Standing:
    return Standing(
        Turn.OPERATIONS,
        _("The evidence is closed. The platform weighs both sides and decides."),
        complaint.due_at,
        _("By then the platform decides.")
        if not deadlines.is_over(complaint)
        else _("The decision is overdue; the people who owe it have been reminded."),
        late=deadlines.is_over(complaint),
    )


def _decided(complaint: Complaint, side: Side) -> Standing:
    then = _("If nobody appeals until then, the decision is final, and the money moves.")
    if permissions.has_something_to_gain(side, complaint):
        text = _("Decided. If you don't agree, appeal: another person decides the case anew, for good.")
        return Standing(Turn.MAY_APPEAL, text, complaint.due_at, then)
    return Standing(
        Turn.OTHER,
        _("Decided. You have nothing to appeal against; the other side can still appeal."),
        complaint.due_at,
        then,
    )


def _appealed(complaint: Complaint, side: Side) -> Standing:
    mine = complaint.appealed_side == side
    return Standing(
        Turn.OPERATIONS,
        _("You have appealed. Another person decides the case anew; that decision is final.")
        if mine
        else _("The other side has appealed. Another person decides the case anew; that decision is final."),
        complaint.due_at,
        _("By then the appeal is decided.")
        if not deadlines.is_over(complaint)
        else _("The decision is overdue; the people who owe it have been reminded."),
        late=deadlines.is_over(complaint),
    )


def _final(complaint: Complaint, side: Side) -> Standing:
    return Standing(Turn.NOBODY, _("The decision is final. The case is closed."))


def _withdrawn(complaint: Complaint, side: Side) -> Standing:
    text = (
        _("You have withdrawn the complaint. The case is closed.")
        if side is Side.COMPLAINANT
        else _("The complaint has been withdrawn. What was frozen for it is free again.")
    )
    return Standing(Turn.NOBODY, text)


_STANDINGS: dict[ComplaintState, Callable[[Complaint, Side], Standing]] = {
    S.AWAITING_RESPONSE: _awaiting_response,
    S.EVIDENCE: _evidence,
    S.AWAITING_DECISION: _awaiting_decision,
    S.DECIDED: _decided,
    S.APPEALED: _appealed,
    S.FINAL: _final,
    S.WITHDRAWN: _withdrawn,
}
