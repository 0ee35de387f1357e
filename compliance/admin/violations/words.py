"""What a decision on a violation brings about, in words and money, as the person reads it before deciding."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from applications import selectors as applications
from applications.lifecycle import MEMBER, State
from applications.services import clock_text
from compliance.models import Measure, Violation
from compliance.violations import outlook
from compliance.violations import services as violations
from compliance.violations.outlook import Outlook
from compliance.violations.services import Consequences, Ending
from tmall_sp.core import rules

CHARGED = {
    Measure.PENALTY: gettext_lazy("A penalty of %(amount)s: %(taken)s is taken from the deposit at once."),
    Measure.BREACH: gettext_lazy(
        "Damages for breach of %(amount)s: %(taken)s is taken from the deposit at once."
    ),
}


def of_verification(violation: Violation) -> list[str]:
    plan = violations.consequences(violation)
    return [
        *_points(plan),
        *_ending(violation, plan),
        *_measures(violation, plan),
        *_told(violation, plan),
    ]


def _points(plan: Consequences) -> Iterator[str]:
    yield ngettext(
        "%(points)s point: %(total)s of %(limit)s in this calendar year.",
        "%(points)s points: %(total)s of %(limit)s in this calendar year.",
        plan.points,
    ) % {"points": plan.points, "total": plan.points_total, "limit": plan.points_limit}
    if plan.counts_as_severe:
        yield _("The year's points are full: this general violation counts as severe.")


def _ending(violation: Violation, plan: Consequences) -> Iterator[str]:
    company = {"company": violation.application.company_name}
    match plan.ending:
        case Ending.EXPELLED:
            yield _("%(company)s is expelled at once.") % company
            yield _("Of its deposit, %(amount)s is forfeited.") % {"amount": _cny(plan.forfeited)}
            if plan.stays_frozen:
                yield _("%(amount)s stays frozen until its case is decided.") % {
                    "amount": _cny(plan.stays_frozen)
                }
            yield _("It is banned for good: by credit code, Taobao account and Alipay account.")
            yield _("It is gone from the directory, and stands in the public notices of punishment.")
        case Ending.BANNED:
            yield _("%(company)s has already left: no money moves.") % company
            assert plan.ban_ends_at is not None
            yield _("It is banned until %(at)s: by credit code, Taobao account and Alipay account.") % {
                "at": clock_text(plan.ban_ends_at)
            }
        case Ending.GOES_ON if violation.application.state not in MEMBER:
            yield (
                _("%(company)s is no member any more: this is recorded, and nothing else happens.") % company
            )


def _measures(violation: Violation, plan: Consequences) -> Iterator[str]:
    if plan.ending is Ending.GOES_ON and plan.warning:
        yield _("A formal warning.")
    if plan.penalty:
        yield CHARGED[violation.charge] % {
            "amount": _cny(plan.penalty),
            "taken": _cny(plan.penalty_taken),
        }
    if plan.penalty_owed:
        yield _("The rest, %(amount)s, becomes an obligation: it is paid first from the next top-up.") % {
            "amount": _cny(plan.penalty_owed)
        }
    if plan.rectify_by is not None:
        yield _(
            "The membership is suspended, with time to put it right until %(at)s. Only operations lift that."
        ) % {"at": clock_text(plan.rectify_by)}
    if (violation.proposed_penalty and not plan.penalty) or (
        violation.proposed_suspension_days and not plan.suspends
    ):
        yield _("What the proposal names besides (penalty or suspension) falls away.")


def _told(violation: Violation, plan: Consequences) -> Iterator[str]:
    days = rules.value("violation.appeal_days", violation.reported_at)
    yield ngettext(
        "The company reads the title and the reason that you write here, by notice and by mail, and can appeal"
        " once within %(days)s day.",
        "The company reads the title and the reason that you write here, by notice and by mail, and can appeal"
        " once within %(days)s days.",
        days,
    ) % {"days": days}
    if violation.reported_by is not None:
        yield _("Who reported it is told that it was verified.")


def of_upholding(violation: Violation) -> list[str]:
    """What comes back."""
    back = outlook.of(violation)
    return [
        _("The decision and its sanctions don't stand any more. This is final."),
        *_points_back(back),
        *_membership_back(violation, back),
        *_money_back(back),
        _("The company reads the reason that you write here, by notice and by mail."),
    ]


def _points_back(back: Outlook) -> Iterator[str]:
    if back.points_now != back.points_left:
        yield _("Points of this calendar year: %(left)s of %(limit)s, instead of %(now)s.") % {
            "left": back.points_left,
            "limit": back.points_limit,
            "now": back.points_now,
        }
    for other in back.eased:
        yield _("“%(title)s” doesn't count as severe any more.") % {"title": other.title}


def _membership_back(violation: Violation, back: Outlook) -> Iterator[str]:
    company = {"company": violation.application.company_name}
    if back.stays_out:
        yield _("%(company)s stays out all the same: another violation of it is severe.") % company
    elif back.kept_out_by == Measure.EXPULSION:
        yield _("The expulsion of %(company)s is overturned, and its ban ends.") % company
        yield _("It is suspended until operations lift that, and gone from the public notices of punishment.")
    elif back.kept_out_by == Measure.BAN:
        yield _("The ban of %(company)s ends.") % company
    if back.suspension is not None:
        yield _ending_of_suspension(violation)


def _money_back(back: Outlook) -> Iterator[str]:
    if back.forfeiture_back:
        yield _("%(amount)s of what was forfeited is in its deposit again at once.") % {
            "amount": _cny(back.forfeiture_back)
        }
    if back.penalty_back:
        yield _("Finance is asked to give %(amount)s back to the deposit.") % {
            "amount": _cny(back.penalty_back)
        }
    if back.penalty_waived:
        yield _("Finance is asked to waive %(amount)s that is still owed.") % {
            "amount": _cny(back.penalty_waived)
        }


def of_rejecting(violation: Violation) -> list[str]:
    return [
        _("The decision and its sanctions stand. This is final: there is no second appeal."),
        _("The company reads the reason that you write here, by notice and by mail."),
    ]


def of_proposing(lines: list[str]) -> list[str]:
    """Of a decision that another person has to take."""
    return [_("Nothing happens yet. Once another person decides the same:"), *lines]


def of_lifting(violation: Violation) -> list[str]:
    return [
        _ending_of_suspension(violation),
        _("The company reads the reason that you write here, by notice and by mail."),
    ]


def _ending_of_suspension(violation: Violation) -> str:
    application = violation.application
    others = applications.open_suspensions(application).exclude(case=violation.case).count()
    if others:
        return ngettext(
            "The suspension for it ends; for %(count)s other reason the company stays suspended.",
            "The suspension for it ends; for %(count)s other reasons the company stays suspended.",
            others,
        ) % {"count": others}
    if application.state == State.SUSPENDED:
        return _("The suspension for it ends, and the company is active and in the directory again.")
    return _("The suspension for it ends.")


def _cny(amount: object) -> str:
    return f"¥{amount:,.2f}"
