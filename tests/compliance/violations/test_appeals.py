"""The company's one appeal: who files it and until when, who decides it, and that it brings everything back."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import Error, connection, transaction
from PIL import Image

from applications import services as applications
from applications import suspensions
from applications.lifecycle import State
from applications.models import Application, Ban
from applications.selectors import ban_in_force
from compliance import directory
from compliance.models import Measure, ProviderProfile, Violation
from compliance.violations import permissions, points, restitution
from compliance.violations import services as violations
from compliance.violations.lifecycle import ViolationState
from deposits import proposals
from deposits.books import ledger
from deposits.books.accounts import Account, Kind
from deposits.duties import cases
from deposits.models import LedgerTransfer, Obligation, Proposal, ProposalKind
from deposits.outgoing import clean_record
from deposits.states import ObligationState, ProposalState
from tests.compliance.conftest import PAID, REASON, investigate, report
from tests.compliance.violations.conftest import (
    APPEAL,
    Verify,
    again,
    books_agree,
    deposit_of,
    fresh,
    measures,
)
from tests.people import CREDIT_CODE, make_merchant, make_staff
from tests.rules import set_rule
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, grant
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError, NotPermitted, StaleVersion
from tmall_sp.core.models import Notice

Act = Callable[[Violation], Violation]
Move = Callable[..., None]


def refused(code: str, call: Callable[[], object]) -> None:
    with pytest.raises(DomainError) as refusal:
        call()
    assert refusal.value.code == code


# Filing --------------------------------------------------------------------------------------------


def test_the_owner_appeals_with_evidence(
    verify: Verify, active: Application, merchant: User, fourth_ops: User, third_ops: User
) -> None:
    violation = verify(active)
    picture = BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    evidence = SimpleUploadedFile("聊天.png", picture.getvalue())

    appealed = violations.file_appeal(violation.pk, actor=merchant, text=APPEAL, uploads=[evidence])

    assert appealed.state == ViolationState.APPEALED
    case = appealed.appeal_case
    assert (case.text, case.by, case.state) == (APPEAL, merchant, "open")
    assert case.files.get().content_type == "image/png"
    step = appealed.steps.last()
    assert step is not None and (step.name, step.actor, step.note) == ("appeal", merchant, APPEAL)
    waiting = Notice.objects.filter(key=f"violation:{violation.pk}:{step.pk}")
    told = set(waiting.values_list("recipient__username", flat=True))
    assert fourth_ops.username in told
    assert third_ops.username not in told
    assert active.transitions.filter(name="violation_appealed").exists()


def test_the_last_instant_of_the_appeal_is_in_time(
    verify: Verify, active: Application, appeal: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    violation = verify(active)
    end = violations.appeal_until(violation)
    assert violation.decided_at is not None and end - violation.decided_at == dt.timedelta(days=7)
    monkeypatch.setattr(clock, "now", lambda: end)

    assert appeal(violation).state == ViolationState.APPEALED


def test_a_late_appeal_is_refused(
    verify: Verify, active: Application, appeal: Act, monkeypatch: pytest.MonkeyPatch
) -> None:
    violation = verify(active)
    end = violations.appeal_until(violation)
    monkeypatch.setattr(clock, "now", lambda: end + dt.timedelta(microseconds=1))

    refused("too_late", lambda: appeal(violation))

    assert not violations.can_be_appealed(violation)
    assert fresh(violation).state == ViolationState.VERIFIED


def test_the_time_to_appeal_is_that_of_the_report(
    verify: Verify, active: Application, appeal: Act, move_clock: Move
) -> None:
    violation = verify(active)
    set_rule("violation.appeal_days", 1)
    move_clock(days=3)

    assert appeal(violation).state == ViolationState.APPEALED


@pytest.mark.parametrize("who", ["sub_account", "stranger", "reader", "fourth_ops", "superuser"])
def test_nobody_else_appeals(
    verify: Verify, active: Application, who: str, request: pytest.FixtureRequest
) -> None:
    violation = verify(active)
    if who == "reader":
        person = make_merchant("小店丁", "706366666")
        assert active.company is not None
        active.company.memberships.create(user=person, role="reader")
    else:
        person = request.getfixturevalue(who)

    with pytest.raises(NotPermitted):
        violations.file_appeal(violation.pk, actor=person, text=APPEAL)

    assert not permissions.may_appeal(person, active)
    assert fresh(violation).state == ViolationState.VERIFIED


def test_the_owner_of_an_expelled_company_appeals(
    verified_violation: Violation, active: Application, appeal: Act
) -> None:
    assert again(active).state == State.EXPELLED

    assert appeal(verified_violation).state == ViolationState.APPEALED


def test_there_is_one_appeal(verify: Verify, active: Application, appeal: Act, fourth_ops: User) -> None:
    violation = appeal(verify(active))
    refused("wrong_state", lambda: appeal(violation))
    violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=False, reason="证据不足")

    refused("appealed_before", lambda: appeal(violation))

    assert not violations.can_be_appealed(fresh(violation))


@pytest.mark.parametrize("state", ["reported", "investigating", "dismissed"])
def test_only_what_was_verified_is_appealed(
    active: Application, ops: User, second_ops: User, appeal: Act, state: str
) -> None:
    violation = report(active, ops)
    if state != "reported":
        violation = investigate(violation, second_ops)
    if state == "dismissed":
        violation = violations.dismiss(violation.pk, actor=second_ops, reason="证据不足")
    assert violation.state == state

    refused("wrong_state", lambda: appeal(violation))


def test_an_appeal_says_something(verify: Verify, active: Application, merchant: User) -> None:
    violation = verify(active)

    refused("empty", lambda: violations.file_appeal(violation.pk, actor=merchant, text=" \n"))


@pytest.mark.parametrize(
    ("uploads", "code"),
    [
        ([SimpleUploadedFile("a.exe", b"MZ")], "not_a_picture"),
        ([SimpleUploadedFile(f"{n}.pdf", b"%PDF-1.4") for n in range(11)], "too_many_files"),
    ],
)
def test_files_that_are_no_evidence_are_refused_and_nothing_is_filed(
    verify: Verify, active: Application, merchant: User, uploads: list[SimpleUploadedFile], code: str
) -> None:
    violation = verify(active)

    with pytest.raises(DomainError) as refusal:
        violations.file_appeal(violation.pk, actor=merchant, text=APPEAL, uploads=uploads)

    assert (refusal.value.code, refusal.value.field) == (code, "files")
    assert fresh(violation).state == ViolationState.VERIFIED


def test_who_appeals_on_an_old_page_is_told(verify: Verify, active: Application, merchant: User) -> None:
    violation = verify(active)

    with pytest.raises(StaleVersion):
        violations.file_appeal(violation.pk, actor=merchant, text=APPEAL, seen=violation.version - 1)


# Deciding: who -------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ops", "second_ops", "third_ops", "reviewer"])
@pytest.mark.parametrize("act", ["propose", "decide", "return"])
def test_nobody_who_had_a_part_decides_the_appeal(
    verified_violation: Violation,
    appeal: Act,
    fourth_ops: User,
    who: str,
    act: str,
    request: pytest.FixtureRequest,
) -> None:
    violation = appeal(verified_violation)
    person: User = request.getfixturevalue(who)
    grant(person, Role.OPS)
    person = User.objects.get(pk=person.pk)
    if act != "propose":
        violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason="成立")

    refused("not_impartial", lambda: _act(act, violation, person))


@pytest.mark.parametrize("act", ["propose", "decide", "return"])
def test_a_superuser_has_no_way_round(
    verified_violation: Violation, appeal: Act, fourth_ops: User, superuser: User, act: str
) -> None:
    violation = appeal(verified_violation)
    if act != "propose":
        violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason="成立")

    with pytest.raises(NotPermitted):
        _act(act, violation, superuser)

    assert fresh(violation).state == ViolationState.APPEALED


def _act(act: str, violation: Violation, person: User) -> Violation:
    match act:
        case "propose":
            return violations.propose_appeal_decision(violation.pk, actor=person, uphold=True, reason="成立")
        case "return":
            return violations.return_appeal(violation.pk, actor=person, reason="再看")
    return violations.decide_appeal(violation.pk, actor=person, uphold=True, reason="成立")


def test_one_person_decides_what_did_not_expel(
    verify: Verify, active: Application, appeal: Act, fourth_ops: User
) -> None:
    violation = appeal(verify(active, penalty=Decimal("500.00"), suspension_days=5))
    assert not violations.needs_two(violation)

    decided = violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=True, reason="成立")

    assert decided.state == ViolationState.OVERTURNED


@pytest.mark.parametrize("uphold", [True, False])
def test_two_people_decide_an_expulsion(
    verified_violation: Violation, appeal: Act, fourth_ops: User, fifth_ops: User, uphold: bool
) -> None:
    violation = appeal(verified_violation)
    assert violations.needs_two(violation)

    refused(
        "two_people",
        lambda: violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=uphold, reason="理由"),
    )
    violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=uphold, reason="理由")
    refused(
        "same_person",
        lambda: violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=uphold, reason="理由"),
    )
    decided = violations.decide_appeal(violation.pk, actor=fifth_ops, uphold=uphold, reason="理由")

    case = decided.appeal_case
    assert (case.proposer, case.decider) == (fourth_ops, fifth_ops)
    assert decided.state == (ViolationState.OVERTURNED if uphold else ViolationState.VERIFIED)


def test_the_second_person_decides_the_same_or_gives_it_back(
    verified_violation: Violation, appeal: Act, fourth_ops: User, fifth_ops: User
) -> None:
    violation = appeal(verified_violation)
    violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason="成立")
    refused(
        "differs",
        lambda: violations.decide_appeal(violation.pk, actor=fifth_ops, uphold=False, reason="不成立"),
    )

    violations.return_appeal(violation.pk, actor=fifth_ops, reason="公证书与本案无关")
    assert Notice.objects.filter(recipient=fourth_ops, key__startswith="violation:").exists()
    violations.propose_appeal_decision(violation.pk, actor=fifth_ops, uphold=False, reason="不成立")
    violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=False, reason="不成立")

    assert fresh(violation).state == ViolationState.VERIFIED


def test_a_proposer_who_left_operations_is_no_second_person(
    verified_violation: Violation, appeal: Act, fourth_ops: User, fifth_ops: User
) -> None:
    violation = appeal(verified_violation)
    violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=False, reason="不成立")
    fourth_ops.groups.clear()

    refused(
        "proposer_gone",
        lambda: violations.decide_appeal(violation.pk, actor=fifth_ops, uphold=False, reason="不成立"),
    )


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.FINANCE, Role.AUDITOR])
def test_only_operations_decide(verify: Verify, active: Application, appeal: Act, role: Role) -> None:
    violation = appeal(verify(active))
    person = make_staff("somebody", "某人", role)

    refused("not_permitted", lambda: _act("decide", violation, person))


def test_the_database_asks_for_other_people_too(
    verified_violation: Violation,
    appeal: Act,
    ops: User,
    second_ops: User,
    third_ops: User,
    reviewer: User,
    fourth_ops: User,
    fifth_ops: User,
) -> None:
    case = appeal(verified_violation).appeal_case

    def takes(proposer: User | None, decider: User) -> bool:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE compliance_violationappeal SET state = 'upheld', proposer_id = %s, decider_id = %s,"
                    " decided_at = now(), reason = 'x' WHERE id = %s",
                    [proposer.pk if proposer else None, decider.pk, case.pk],
                )
                transaction.set_rollback(True)
        except Error:
            return False
        return True

    assert takes(fourth_ops, fifth_ops)
    assert not takes(None, fifth_ops), "an expulsion needs two"
    assert not takes(fifth_ops, fifth_ops)
    for involved in (ops, second_ops, third_ops, reviewer):
        assert not takes(fourth_ops, involved)
        assert not takes(involved, fourth_ops)


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_decision_needs_its_reason(
    verify: Verify, active: Application, appeal: Act, fourth_ops: User, text: str
) -> None:
    violation = appeal(verify(active))

    refused(
        "empty", lambda: violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=True, reason=text)
    )
    refused(
        "empty",
        lambda: violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason=text),
    )


# Rejected ------------------------------------------------------------------------------------------


def test_a_rejected_appeal_leaves_everything(
    verify: Verify, active: Application, appeal: Act, fourth_ops: User, merchant: User
) -> None:
    violation = appeal(verify(active, penalty=Decimal("500.00"), suspension_days=5))
    before = ledger.totals()

    violations.decide_appeal(violation.pk, actor=fourth_ops, uphold=False, reason="证据不足")

    assert fresh(violation).state == ViolationState.VERIFIED
    assert all(measures(violation).values())
    assert ledger.totals() == before
    assert again(active).state == State.SUSPENDED
    assert not Proposal.objects.exists()
    assert "证据不足" in Notice.objects.filter(recipient=merchant).order_by("-pk")[0].body


# Upheld --------------------------------------------------------------------------------------------


def figures(application: Application) -> dict[str, object]:
    """All that an appeal has to bring back."""
    deposit = deposit_of(application)
    profile = ProviderProfile.objects.get(application=application)
    return {
        "available": deposit.available,
        "frozen": deposit.frozen,
        "owed": deposit.owed,
        "shortfall": deposit.shortfall,
        "penalties": ledger.totals()[Account.PENALTY_INCOME],
        "forfeited": ledger.totals()[Account.FORFEITURE_INCOME],
        "points": points.in_year(application.pk, clock.now()),
        "in the directory": directory.providers().filter(pk=application.pk).exists(),
        "stars": profile.stars,
        "rated in": profile.rated_period,
        "member since": profile.member_since,
        "state": again(application).state,
        "banned": ban_in_force(credit_code=CREDIT_CODE),
        "blemishes": clean_record.blemishes(again(application)),
    }


@pytest.fixture
def starred(active: Application) -> Application:
    """A provider of four stars."""
    ProviderProfile.objects.filter(application=active).update(stars=4, rated_period="2026Q3")
    return active


def finance_accepts(finance: User) -> None:
    for proposal in Proposal.objects.filter(state=ProposalState.OPEN):
        proposals.accept(proposal.pk, actor=finance)


def test_an_upheld_appeal_brings_back_points_money_and_state(
    verify: Verify, starred: Application, appeal: Act, uphold: Act, finance: User
) -> None:
    before = figures(starred)
    violation = appeal(verify(starred, penalty=Decimal("3000.00"), suspension_days=5))
    assert figures(starred) != before

    assert uphold(violation).state == ViolationState.OVERTURNED

    assert measures(violation) == {
        "points": False,
        "warning": False,
        "penalty": False,
        "suspension": False,
    }
    proposal = Proposal.objects.get()
    assert (proposal.kind, proposal.state) == (ProposalKind.CORRECT_ENTRY, ProposalState.OPEN)
    assert proposal.entry is not None and proposal.entry.kind == Kind.PENALTY
    money = {"available": None, "penalties": None, "shortfall": None, "blemishes": None}
    assert figures(starred) | money == before | money, "all but the money, which finance gives back"
    finance_accepts(finance)
    assert figures(starred) == before
    assert books_agree()


def test_damages_for_breach_come_back_like_a_penalty(
    verify: Verify, starred: Application, appeal: Act, uphold: Act, finance: User
) -> None:
    before = figures(starred)
    violation = appeal(verify(starred, penalty=PAID + Decimal("500.00"), ground="agreement"))
    assert measures(violation) == {"points": True, "warning": True, "breach": True}
    assert totals_of_breach() == PAID

    uphold(violation)
    proposals.accept(Proposal.objects.get(kind=ProposalKind.WAIVE_OBLIGATION).pk, actor=finance)
    finance_accepts(finance)

    assert totals_of_breach() == 0
    assert figures(starred) == before
    assert books_agree()


def totals_of_breach() -> Decimal:
    return ledger.totals()[Account.BREACH_INCOME]


def test_an_upheld_appeal_takes_back_what_was_still_owed(
    verify: Verify, starred: Application, appeal: Act, uphold: Act, finance: User
) -> None:
    before = figures(starred)
    violation = appeal(verify(starred, penalty=PAID + Decimal("500.00")))

    uphold(violation)

    kinds = set(Proposal.objects.values_list("kind", flat=True))
    assert kinds == {ProposalKind.CORRECT_ENTRY, ProposalKind.WAIVE_OBLIGATION}
    # Waived first: what comes back would else pay it, and be proposed once more.
    proposals.accept(Proposal.objects.get(kind=ProposalKind.WAIVE_OBLIGATION).pk, actor=finance)
    finance_accepts(finance)
    assert Obligation.objects.get().state == ObligationState.WAIVED
    assert figures(starred) == before
    assert books_agree()


def test_what_pays_the_obligation_before_it_was_waived_is_proposed_later(
    verify: Verify, starred: Application, appeal: Act, uphold: Act, finance: User
) -> None:
    before = figures(starred)
    violation = appeal(verify(starred, penalty=PAID + Decimal("500.00")))
    uphold(violation)

    # The entry comes back first: 500 of it pay what is owed, which then can't be waived any more.
    proposals.accept(Proposal.objects.get(kind=ProposalKind.CORRECT_ENTRY).pk, actor=finance)
    assert Obligation.objects.get().state == ObligationState.SETTLED
    assert list(restitution.left_over()) == [violation]
    restitution.propose_left_over(violation.pk)
    restitution.propose_left_over(violation.pk)
    assert not restitution.left_over().exists()

    waive = Proposal.objects.get(kind=ProposalKind.WAIVE_OBLIGATION)
    refused("not_open", lambda: proposals.accept(waive.pk, actor=finance))
    proposals.accept(
        Proposal.objects.get(kind=ProposalKind.CORRECT_ENTRY, state=ProposalState.OPEN).pk, actor=finance
    )
    assert figures(starred) == before
    assert books_agree()


def test_finance_is_told_where_the_decider_may_not_propose_any_more(
    verify: Verify, active: Application, appeal: Act, uphold: Act, finance: User, fourth_ops: User
) -> None:
    violation = appeal(verify(active, penalty=PAID + Decimal("500.00")))
    uphold(violation)
    proposals.accept(Proposal.objects.get(kind=ProposalKind.CORRECT_ENTRY).pk, actor=finance)
    fourth_ops.groups.clear()

    for _minute in range(2):
        restitution.propose_left_over(violation.pk)

    assert Notice.objects.filter(recipient=finance, key__endswith=":left-over").count() == 1


def test_what_finance_refused_to_give_back_is_not_proposed_for_ever(
    verify: Verify, active: Application, appeal: Act, uphold: Act, finance: User
) -> None:
    violation = appeal(verify(active, penalty=Decimal("500.00")))
    uphold(violation)

    proposals.refuse(Proposal.objects.get().pk, actor=finance, reason="另有协议")

    assert not restitution.left_over().exists()


def test_an_entry_that_finance_corrected_meanwhile_is_left_alone(
    verify: Verify, active: Application, appeal: Act, uphold: Act, finance: User, second_finance: User
) -> None:
    violation = appeal(verify(active, penalty=Decimal("500.00")))
    entry = LedgerTransfer.objects.get(kind=Kind.PENALTY)
    corrected = proposals.propose(ProposalKind.CORRECT_ENTRY, actor=finance, reason="误扣", target=entry)
    proposals.accept(corrected.pk, actor=second_finance)

    assert uphold(violation).state == ViolationState.OVERTURNED

    assert Proposal.objects.count() == 1
    assert deposit_of(active).available == PAID


def test_the_decider_of_operations_moves_no_money_alone(
    verify: Verify, active: Application, appeal: Act, uphold: Act, fourth_ops: User
) -> None:
    uphold(appeal(verify(active, penalty=Decimal("500.00"))))
    proposal = Proposal.objects.get()
    assert proposal.proposed_by == fourth_ops

    with pytest.raises(NotPermitted):
        proposals.accept(proposal.pk, actor=fourth_ops)

    assert deposit_of(active).available == PAID - 500


def test_an_upheld_appeal_brings_an_expelled_company_back(
    verify: Verify, starred: Application, appeal: Act, uphold: Act, fourth_ops: User
) -> None:
    before = figures(starred)
    cases.freeze(starred.pk, case="complaint:TS1", claimed=Decimal("1000.00"))
    violation = appeal(verify(starred, "severe"))
    cases.release(starred.pk, case="complaint:TS1")
    assert again(starred).state == State.EXPELLED
    assert deposit_of(starred).available == 0

    uphold(violation)

    assert again(starred).state == State.SUSPENDED
    suspension = starred.suspensions.get()
    assert suspension.cause == "ops" and suspension.case.startswith("expulsion:")
    assert measures(violation) == {"points": False, "expulsion": False}
    suspensions.lift(starred.pk, cause="ops", case=suspension.case, actor=fourth_ops, reason="核查完毕")
    assert figures(starred) == before
    assert Ban.objects.get().lifted_at is not None
    assert books_agree()


def test_an_upheld_appeal_after_the_exit_lifts_the_ban(
    verify: Verify, active: Application, merchant: User, appeal: Act, uphold: Act
) -> None:
    applications.request_exit(active.pk, actor=merchant)
    applications.complete_exit(active.pk)
    violation = appeal(verify(active, "severe"))
    assert ban_in_force(credit_code=CREDIT_CODE)
    assert violations.needs_two(violation)

    uphold(violation)

    assert not ban_in_force(credit_code=CREDIT_CODE)
    assert again(active).state == State.EXITED
    assert active.transitions.filter(name="lift_ban").exists()


# One appeal and other violations -------------------------------------------------------------------


def test_a_later_one_is_general_again_when_the_first_falls(
    verify: Verify, starred: Application, appeal: Act, uphold: Act, merchant: User, third_ops: User
) -> None:
    first = verify(starred)
    second = verify(starred)
    assert again(starred).state == State.EXPELLED
    violation = appeal(first)
    assert violations.needs_two(violation), "its points expelled the company"

    uphold(violation)

    second = fresh(second)
    assert (second.state, second.counts_as_severe) == (ViolationState.VERIFIED, False)
    assert measures(second) == {"points": True, "warning": True, "expulsion": False}
    assert again(starred).state == State.SUSPENDED
    assert deposit_of(starred).available == PAID
    assert points.in_year(starred.pk, clock.now()) == 6
    step = second.steps.last()
    assert step is not None and step.name == "no_longer_severe"
    for person in (merchant, third_ops):
        assert Notice.objects.filter(recipient=person, key=f"violation:{second.pk}:{step.pk}").exists()
    assert books_agree()


def test_an_earlier_one_is_untouched_when_the_later_falls(
    verify: Verify, active: Application, appeal: Act, uphold: Act
) -> None:
    first, second = verify(active), verify(active)

    uphold(appeal(second))

    assert again(active).state == State.SUSPENDED
    assert fresh(first).state == ViolationState.VERIFIED
    assert measures(first) == {"points": True, "warning": True}


def test_a_third_one_still_counts_as_severe_when_one_of_three_falls(
    verify: Verify, active: Application, appeal: Act, uphold: Act
) -> None:
    set_rule("violation.points", {"general": 6, "severe": 12, "year": 18})
    first, _second = verify(active), verify(active)
    set_rule("violation.points", {"general": 6, "severe": 12, "year": 12})
    third = verify(active)
    assert third.counts_as_severe

    violation = appeal(first)
    assert not violations.needs_two(violation)
    uphold(violation)

    assert fresh(third).counts_as_severe
    assert again(active).state == State.EXPELLED


def test_another_severe_one_keeps_the_company_out(
    propose: Verify, active: Application, third_ops: User, appeal: Act, uphold: Act
) -> None:
    first, second = propose(active, "severe"), propose(active, "severe")
    for violation in (first, second):
        violations.verify(violation.pk, actor=third_ops, reason=REASON)
    assert measures(second) == {"points": True}

    uphold(appeal(first))

    assert again(active).state == State.EXPELLED
    assert Ban.objects.get().lifted_at is None
    assert measures(first) == {"points": False, "expulsion": False}
    assert measures(second) == {"points": True, "expulsion": True}
    assert deposit_of(active).available == 0

    violation = appeal(fresh(second))
    assert violations.needs_two(violation)
    uphold(violation)
    assert again(active).state == State.SUSPENDED
    assert deposit_of(active).available == PAID


def test_who_had_a_part_in_the_later_one_cannot_bring_the_company_back(
    verify: Verify,
    active: Application,
    appeal: Act,
    ops: User,
    third_ops: User,
    fourth_ops: User,
    fifth_ops: User,
) -> None:
    first = verify(active)
    second = report(active, ops, "general")
    violations.take_up(second.pk, actor=fourth_ops)
    violations.propose(second.pk, actor=fourth_ops, severity="general", finding="属实")
    violations.verify(second.pk, actor=third_ops, reason=REASON)
    violation = appeal(first)
    violations.propose_appeal_decision(violation.pk, actor=fourth_ops, uphold=True, reason="成立")

    refused(
        "not_impartial",
        lambda: violations.decide_appeal(violation.pk, actor=fifth_ops, uphold=True, reason="成立"),
    )

    assert again(active).state == State.EXPELLED
    assert fresh(first).state == ViolationState.APPEALED
    assert fresh(second).counts_as_severe


# Exit and record -----------------------------------------------------------------------------------


def test_an_exit_waits_for_an_open_appeal(
    verify: Verify, active: Application, merchant: User, appeal: Act, uphold: Act
) -> None:
    from compliance import exits, selectors

    violation = verify(active)
    applications.request_exit(active.pk, actor=merchant)
    active.exit_requests.update(notice_ends_at=clock.now())
    assert selectors.exits_that_may_be_cleared().exists()

    appeal(violation)

    assert not selectors.exits_that_may_be_cleared().exists()
    refused("not_cleared", lambda: exits.complete_exit(active.pk))
    uphold(violation)
    assert exits.complete_exit(active.pk).state == State.EXITED


@pytest.mark.parametrize(("end", "clean"), [("verified", False), ("appealed", False), ("overturned", True)])
def test_what_stands_is_a_blemish_and_what_was_overturned_is_none(
    verify: Verify, active: Application, appeal: Act, uphold: Act, end: str, clean: bool
) -> None:
    violation = verify(active)
    if end != "verified":
        appeal(violation)
    if end == "overturned":
        uphold(violation)

    assert (not clean_record.blemishes(active)) == clean


def test_no_sanction_is_taken_back_twice(
    verify: Verify, active: Application, appeal: Act, uphold: Act
) -> None:
    violation = uphold(appeal(verify(active)))

    with pytest.raises(Error), transaction.atomic():
        violation.sanctions.filter(measure=Measure.POINTS).update(taken_back_at=None)
