"""What the rules of admission and membership mean (tmall_sp.core.rulebook)."""

from decimal import Decimal

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from applications.lifecycle import DRAFT, State
from applications.models import Application, Suspension
from applications.shop_rules import EXPECTED, SCORES, title
from tmall_sp.core.rulebook.catalogue import Chapter, Keeper, Rule, describe
from tmall_sp.core.rulebook.shapes import Choices, Figure, Moments, Table, Unit, Whole


def _in_states(*states: str) -> int:
    return Application.objects.filter(state__in=states).count()


def _suspensions_with_a_cure() -> int:
    return Suspension.objects.filter(lifted_at__isnull=True, exit_due_at__isnull=False).count()


def _score(name: str) -> Figure:
    return Figure(1, Decimal("0.0"), Decimal("5.0"), name=name, label=_title(name))


_title = lazy(title, str)


describe(
    Rule(
        "shop_check.tenure_months",
        Chapter.ADMISSION,
        _("Service time of the shop"),
        _("For so long a shop must have been in service before its company can join."),
        _("Each shop check goes by the number in force when it runs."),
        Whole(Unit.MONTHS, least=0, most=60),
    ),
    Rule(
        "shop_check.score_floor",
        Chapter.ADMISSION,
        _("Lowest scores of the shop"),
        _("A shop's three scores at Taobao must each reach its figure."),
        _("Each shop check goes by the figures in force when it runs."),
        Table([_score(name) for name in SCORES]),
    ),
    Rule(
        "shop_check.required",
        Chapter.ADMISSION,
        _("What a shop check requires"),
        _("Which findings refuse a shop by themselves; others are only shown to the reviewer."),
        _("Each shop check goes by the list in force when it runs."),
        Choices([(name, _title(name)) for name in EXPECTED]),
        public=False,
    ),
    Rule(
        "shop_check.retry_days",
        Chapter.ADMISSION,
        _("Next shop check by itself"),
        _(
            "So long after a check that was not passed the shop is checked again, where no earlier date is known."
        ),
        _("Counted from the check, by the number in force then."),
        Whole(Unit.DAYS, most=90),
    ),
    Rule(
        "shop_check.manual_per_hour",
        Chapter.HOUSEKEEPING,
        _("Shop checks on request"),
        _("So often in an hour a merchant can have its shop checked again."),
        _("Asked at each request."),
        Whole(Unit.TIMES, most=60),
        public=False,
    ),
    Rule(
        "application.idle_days",
        Chapter.ADMISSION,
        _("Unfinished application"),
        _("An application that nobody goes on with lapses after this time."),
        _("Counted from the beginning of its state, by the number in force then."),
        Whole(Unit.DAYS, most=730),
        (Keeper(_("unfinished applications"), lambda: _in_states(*DRAFT)),),
    ),
    Rule(
        "application.changes_days",
        Chapter.ADMISSION,
        _("Time to answer a reviewer's request"),
        _("An application that isn't handed in again in this time lapses."),
        _("Counted from the request, by the number in force then."),
        Whole(Unit.DAYS, most=90),
        (Keeper(_("applications with a request"), lambda: _in_states(State.CHANGES_REQUESTED)),),
    ),
    Rule(
        "review.working_days",
        Chapter.ADMISSION,
        _("Time for a review"),
        _("In this time a reviewer answers an application that was handed in."),
        _("Counted from the handing in, by the number in force then."),
        Whole(Unit.WORKING_DAYS, most=60),
        (Keeper(_("applications under review"), lambda: _in_states(State.UNDER_REVIEW)),),
    ),
    Rule(
        "application.payment_days",
        Chapter.ADMISSION,
        _("Time to pay the deposit"),
        _("An approved application whose deposit isn't paid in this time lapses."),
        _("Counted from the approval, by the number in force then."),
        Whole(Unit.DAYS, most=90),
        (Keeper(_("approved applications"), lambda: _in_states(State.APPROVED)),),
    ),
    Rule(
        "suspension.exit_days",
        Chapter.MEMBERSHIP,
        _("Time to cure a suspension"),
        _("A member that leaves a suspension with a cure as it is for so long has to exit."),
        _("Counted from the suspension, by the number in force then."),
        Whole(Unit.DAYS, most=365),
        (Keeper(_("open suspensions with a cure"), _suspensions_with_a_cure),),
        needs_notice=True,
    ),
    Rule(
        "licence.reminder_days",
        Chapter.MEMBERSHIP,
        _("Reminders of the licence's last day"),
        _("So many days before its business licence expires a member is reminded of it."),
        _("Asked each day until the licence's last."),
        Moments(),
    ),
)
