"""What the rules of money mean (tmall_sp.core.rulebook)."""

from django.utils.translation import gettext_lazy as _

from applications.lifecycle import State
from applications.models import Application
from deposits.models import AccountChange, DemandCause, TopUpDemand
from deposits.states import CHANGE_OPEN, DEMAND_OPEN
from tmall_sp.core.rulebook.catalogue import Chapter, Keeper, Rule, describe
from tmall_sp.core.rulebook.shapes import Moments, Unit, Whole, amount


def _approved() -> int:
    return Application.objects.filter(state=State.APPROVED).count()


def _demands(cause: DemandCause) -> int:
    return TopUpDemand.objects.filter(DEMAND_OPEN, cause=cause, lapsed_at__isnull=True).count()


def _account_changes() -> int:
    return AccountChange.objects.filter(CHANGE_OPEN).count()


describe(
    Rule(
        "deposit.required",
        Chapter.DEPOSIT,
        _("Deposit of a provider"),
        _("What every provider pays when it is admitted, and keeps filled up while it is a member."),
        _(
            "An application that is approved already pays the amount of its approval. Members follow the new"
            " amount from its day, and have the time below to fill their deposit up."
        ),
        amount(),
        (Keeper(_("approved applications"), _approved),),
        needs_notice=True,
    ),
    Rule(
        "deposit.raise_days",
        Chapter.DEPOSIT,
        _("Time to fill up after a raise"),
        _("When the required deposit is raised, members have this time to fill theirs up."),
        _("Counted from the day of the raise, by the number in force then."),
        Whole(Unit.DAYS, most=365),
        (Keeper(_("open demands after a raise"), lambda: _demands(DemandCause.RAISED)),),
        needs_notice=True,
    ),
    Rule(
        "deposit.topup_days",
        Chapter.DEPOSIT,
        _("Time to top up"),
        _("A member whose deposit was reduced has this time to fill it up, or is suspended."),
        _("Counted from the deduction, by the number in force then."),
        Whole(Unit.DAYS, most=365),
        (Keeper(_("open demands after a deduction"), lambda: _demands(DemandCause.DEDUCTION)),),
        needs_notice=True,
    ),
    Rule(
        "deposit.reminder_days",
        Chapter.DEPOSIT,
        _("Reminders to top up"),
        _("So many days before the date of a top-up the member is reminded of it."),
        _("Each demand keeps the days of the moment at which it was made."),
        Moments(),
    ),
    Rule(
        "deposit.payment_reminder_days",
        Chapter.DEPOSIT,
        _("Reminders to pay the deposit"),
        _("So many days before an approved application lapses its company is reminded to pay."),
        _("Each application keeps the days of its approval."),
        Moments(),
    ),
    Rule(
        "account_change.cooling_days",
        Chapter.DEPOSIT,
        _("Cooling-off of another account"),
        _("So long after two people confirmed it another enterprise account is bound."),
        _("Each change keeps the number of the moment at which it was asked for."),
        Whole(Unit.DAYS, most=90),
        (Keeper(_("open changes of account"), _account_changes),),
    ),
    Rule(
        "payout.transfer_limit",
        Chapter.HOUSEKEEPING,
        _("Largest single transfer"),
        _("What one transfer to an enterprise account may be at most; more is split."),
        _("Alipay's own limit: it counts for each payout when it is divided."),
        amount("1.00"),
        public=False,
    ),
    Rule(
        "payout.watch_days",
        Chapter.HOUSEKEEPING,
        _("Watch over a transfer"),
        _("So long after a transfer succeeded a bank may still return it, and we ask."),
        _("Counted from the transfer, by the number in force then."),
        Whole(Unit.DAYS, most=90),
        public=False,
    ),
)
