"""What the rules of cases, exits and ratings mean (tmall_sp.core.rulebook)."""

from django.utils.translation import gettext_lazy as _

from compliance.complaints import lifecycle as complaints
from compliance.models import Complaint, ExitRequest, Violation
from compliance.ratings import rule as rating_rule
from compliance.violations import lifecycle as violations
from tmall_sp.core.rulebook.catalogue import Chapter, Keeper, Rule, describe
from tmall_sp.core.rulebook.shapes import Moments, Structure, Table, Unit, Whole, Words


def _open_complaints() -> int:
    return Complaint.objects.filter(state__in=complaints.OPEN).count()


def _open_violations() -> int:
    return Violation.objects.filter(state__in=violations.UNRESOLVED).count()


def _open_exits() -> int:
    return ExitRequest.objects.filter(closed_at__isnull=True).count()


COMPLAINTS = (Keeper(_("open complaints"), _open_complaints),)
VIOLATIONS = (Keeper(_("open violations"), _open_violations),)
OF_ITS_FILING = _("Each complaint keeps the version of the moment at which it was filed.")
OF_ITS_REPORT = _("Each violation keeps the version of the moment at which it was reported.")


def _hours(code: str, title: Words, meaning: Words) -> Rule:
    shape = Whole(Unit.HOURS, most=24 * 90)
    return Rule(code, Chapter.CASES, title, meaning, OF_ITS_FILING, shape, COMPLAINTS)


def _number(name: str, label: Words, unit: Unit, most: int) -> Whole:
    return Whole(unit, most=most, name=name, label=label)


describe(
    Rule(
        "exit.notice_days",
        Chapter.MEMBERSHIP,
        _("Notice period of an exit"),
        _("So long an exit is published before it can be completed."),
        _("Each exit keeps the number of the moment at which it was requested or required."),
        Whole(Unit.DAYS, least=0, most=365),
        (Keeper(_("open exits"), _open_exits),),
        needs_notice=True,
    ),
    Rule(
        "served_shop.invitation_days",
        Chapter.MEMBERSHIP,
        _("Validity of an invitation"),
        _("So long a shop's owner may accept a provider's invitation."),
        _("Counted from the invitation, by the number in force then."),
        Whole(Unit.DAYS, most=365),
    ),
    _hours(
        "complaint.response_hours",
        _("Response to a complaint"),
        _("In this time the provider responds, or the complaint is decided against it."),
    ),
    _hours(
        "complaint.evidence_hours",
        _("Evidence about a complaint"),
        _("In this time both sides hand in their evidence."),
    ),
    _hours(
        "complaint.decision_hours",
        _("Decision of a complaint"),
        _("In this time operations decide, first and on appeal."),
    ),
    _hours(
        "complaint.appeal_hours",
        _("Appeal against a decision"),
        _("In this time either side may appeal against the decision of a complaint."),
    ),
    Rule(
        "complaint.reminder_hours",
        Chapter.CASES,
        _("Reminders to respond"),
        _("So many hours before the end of its time a provider is reminded to respond."),
        OF_ITS_FILING,
        Moments(Unit.HOURS, most=24 * 90),
        COMPLAINTS,
    ),
    Rule(
        "complaint.filed_a_day",
        Chapter.HOUSEKEEPING,
        _("Complaints of one person in a day"),
        _("So many complaints one person may file in a calendar day."),
        _("Asked at each filing."),
        Whole(Unit.TIMES, most=100),
        public=False,
    ),
    Rule(
        "violation.points",
        Chapter.CASES,
        _("Points of violations"),
        _(
            "A violation counts its points; general ones that reach the sum of a calendar year count as severe."
        ),
        OF_ITS_REPORT,
        Table(
            (
                _number("general", _("General violation"), Unit.POINTS, 100),
                _number("severe", _("Severe violation"), Unit.POINTS, 100),
                _number("year", _("Sum of a year"), Unit.POINTS, 1000),
            )
        ),
        VIOLATIONS,
        needs_notice=True,
    ),
    Rule(
        "violation.appeal_days",
        Chapter.CASES,
        _("Appeal against a violation"),
        _("In this time the provider may appeal against a verified violation."),
        OF_ITS_REPORT,
        Whole(Unit.DAYS, most=90),
        VIOLATIONS,
    ),
    Rule(
        "violation.reports_per_day",
        Chapter.HOUSEKEEPING,
        _("Reports of one merchant in a day"),
        _("So many violations one merchant may report in a calendar day."),
        _("Asked at each report."),
        Whole(Unit.TIMES, most=100),
        public=False,
    ),
    Rule(
        "violation.automatic",
        Chapter.CASES,
        _("When the system reports a violation"),
        _(
            "From so many upheld or unanswered complaints within so many days on, the system reports a violation."
        ),
        _("Asked with each complaint that is upheld or left unanswered."),
        Table(
            (
                _number("complaints", _("Upheld complaints"), Unit.TIMES, 1000),
                _number("complaint_days", _("within"), Unit.DAYS, 3650),
                _number("silences", _("Unanswered complaints"), Unit.TIMES, 1000),
                _number("silence_days", _("within"), Unit.DAYS, 3650),
            )
        ),
    ),
    Rule(
        "ban.ordinary_months",
        Chapter.CASES,
        _("Ban without forfeiture"),
        _("So long a company that was expelled without forfeiture of its deposit can't come back."),
        OF_ITS_REPORT,
        Whole(Unit.MONTHS, most=1200),
        VIOLATIONS,
        needs_notice=True,
    ),
    Rule(
        "rating.rule",
        Chapter.RATING,
        _("Formula of the star rating"),
        _("Weights, scales, deductions and the gates of the levels by which providers are scored."),
        _("Each published period keeps the version of its quarter."),
        Structure(rating_rule.check),
        needs_notice=True,
    ),
    Rule(
        "rating.dispute_days",
        Chapter.RATING,
        _("Dispute of a rating"),
        _("So long after its publication a provider may dispute an input of its score."),
        _("Counted from the publication, by the number in force then."),
        Whole(Unit.DAYS, most=90),
    ),
    Rule(
        "review.days_after_end",
        Chapter.RATING,
        _("Review after the end"),
        _("So long after the end of their relation a merchant can still review a provider."),
        _("Counted from the end, by the number in force then."),
        Whole(Unit.DAYS, most=365),
    ),
)
