"""Changes of rules: the queue, and one page for each, on which the second person decides."""

import datetime as dt
import difflib
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from tmall_sp.core import clock, rules
from tmall_sp.core.admin.rule_forms import AcceptForm, MarkedForm, RefuseForm
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.models import RuleChange, RuleChangeState, RuleVersion
from tmall_sp.core.rulebook import catalogue, changes
from tmall_sp.core.step_pages import Person, Step, StepPages, Words, plainly

COLOURS: dict[str, str] = {
    RuleChangeState.OPEN: "warning",
    RuleChangeState.ACCEPTED: "success",
    RuleChangeState.REFUSED: "danger",
    RuleChangeState.WITHDRAWN: "",
}


def _is_open(change: RuleChange) -> bool:
    return bool(change.state == RuleChangeState.OPEN)


def consequences(change: RuleChange) -> Sequence[Words]:
    """Old and new, since when, and what keeps the old version."""
    rule = catalogue.rule(change.rule)
    begins = change.valid_from or clock.now()
    old = rules.in_force(change.rule, begins)
    old_text, new_text = rule.shape.text(old.value), rule.shape.text(change.value)
    lines: list[Words] = [
        _("%(rule)s changes as it is shown below.") % {"rule": rule.title}
        if rule.is_long
        else _("%(rule)s: %(old)s becomes %(new)s.") % {"rule": rule.title, "old": old_text, "new": new_text},
        _("It counts from %(at)s.") % {"at": _moment(change.valid_from)}
        if change.valid_from
        else _("It counts from the moment you accept it."),
        *_replaced(change, begins),
        _("What began before keeps the version of its own moment. %(where)s") % {"where": rule.used_in},
    ]
    lines += [
        _("Open cases that keep the present one: %(what)s (%(count)s).")
        % {"what": keeper.title, "count": keeper.count()}
        for keeper in rule.keepers
    ]
    if rule.public:
        lines.append(_("The public page of rules shows it at once, with its date."))
    return lines


def _replaced(change: RuleChange, begins: dt.datetime) -> list[Words]:
    """What was accepted, has not begun, and will never count."""
    rule = catalogue.rule(change.rule)
    coming = [period for period in rules.periods(change.rule) if period.since >= begins]
    return [
        _("It replaces version %(number)s (%(value)s), which was to begin on %(at)s.")
        % {
            "number": period.version.version,
            "value": Truncator(rule.shape.text(period.version.value)).chars(60),
            "at": _moment(period.since),
        }
        for period in coming
        if period.since > clock.now()
    ]


def _moment(at: dt.datetime | None) -> str:
    return f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M}" if at else ""


STEPS = (
    Step[RuleChange](
        name="accept",
        title=gettext_lazy("Accept"),
        consequences=consequences,
        done=gettext_lazy("Accepted. Operations have been told."),
        may=changes.may_decide,
        is_open=_is_open,
        run=lambda pk, user, form: changes.accept(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=AcceptForm,
        variant="primary",
        icon="check_circle",
    ),
    Step[RuleChange](
        name="refuse",
        title=gettext_lazy("Refuse"),
        consequences=plainly(
            gettext_lazy("The rule stays as it is. The person who proposed the change reads why.")
        ),
        done=gettext_lazy("Refused. The person who proposed it has been told."),
        may=changes.may_decide,
        is_open=_is_open,
        run=lambda pk, user, form: changes.refuse(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=RefuseForm,
        variant="danger",
        icon="cancel",
    ),
    Step[RuleChange](
        name="withdraw",
        title=gettext_lazy("Withdraw"),
        consequences=plainly(gettext_lazy("You take the proposal back; the rule stays as it is.")),
        done=gettext_lazy("Withdrawn."),
        may=lambda user, change: user.pk == change.proposed_by_id,
        is_open=_is_open,
        run=lambda pk, user, form: changes.withdraw(pk, actor=user),
        form=MarkedForm,
        icon="undo",
    ),
)


@admin.register(RuleChange)
class RuleChangeAdmin(StepPages[RuleChange]):
    steps = STEPS
    head_template = "admin/rules/_change_head.html"
    page_template = "admin/rules/change.html"
    step_template = "admin/rules/change_step.html"
    list_display = ["what", "new_value", "begins", "proposed_by", "proposed_at", "state_label", "decided_by"]
    list_display_links = ["what"]
    list_filter = ["state"]
    list_select_related = ["proposed_by", "decided_by"]
    search_fields = ["rule", "reason"]

    @admin.display(description=gettext_lazy("rule"), ordering="rule")
    def what(self, change: RuleChange) -> str:
        return str(catalogue.rule(change.rule).title)

    @admin.display(description=gettext_lazy("new value"))
    def new_value(self, change: RuleChange) -> str:
        return Truncator(catalogue.rule(change.rule).shape.text(change.value)).chars(60)

    @admin.display(description=gettext_lazy("valid from"), ordering="valid_from")
    def begins(self, change: RuleChange) -> SafeString | str:
        return _moment(change.valid_from) or _("with its acceptance")

    @display(description=gettext_lazy("state"), ordering="state", label=COLOURS)
    def state_label(self, change: RuleChange) -> tuple[str, str]:
        return change.state, change.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[RuleChange]:
        rows: QuerySet[RuleChange] = self.get_queryset(request)
        return rows.select_related("proposed_by", "decided_by", "made")

    def object_context(self, request: HttpRequest, obj: RuleChange) -> dict[str, Any]:
        rule = catalogue.rule(obj.rule)
        old_text, new_text = rule.shape.text(_old(obj).value), rule.shape.text(obj.value)
        return {
            "change": obj,
            "rule": rule,
            "title": rule.title,
            "state_colour": COLOURS[obj.state],
            "new_text": new_text,
            "old_text": old_text,
            "difference": _difference(old_text, new_text) if rule.is_long else "",
        }

    def page_context(self, request: HttpRequest, obj: RuleChange) -> dict[str, Any]:
        return {
            "consequences": consequences(obj) if _is_open(obj) else [],
            "is_mine": obj.proposed_by_id == request.user.pk,
            "may_decide": changes.may_decide(request.user, obj),
        }


def _difference(old: str, new: str) -> str:
    """The lines that go and come, with two around them."""
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), n=2, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def _old(change: RuleChange) -> RuleVersion:
    """What counted, or would count, just before the change."""
    if made := getattr(change, "made", None):
        before = made.valid_from - dt.timedelta(microseconds=1)
    else:
        before = change.decided_at or change.valid_from or clock.now()
    return rules.in_force(change.rule, before)


@tasks_from
def changes_waiting(request: HttpRequest) -> list[Task]:
    """Of others, for this person to decide."""
    person: Person = request.user
    if not changes.may_change_rules(person):
        return []
    waiting = RuleChange.objects.filter(state=RuleChangeState.OPEN).exclude(proposed_by=person).count()
    url = f"{reverse('admin:core_rulechange_changelist')}?state__exact={RuleChangeState.OPEN}"
    return [Task(gettext_lazy("Changes of rules to decide"), waiting, url)]
