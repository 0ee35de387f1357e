"""Changes of bound accounts: the queue, one page for each with its evidence, and a page for each decision."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from csp.decorators import csp
from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import FileResponse, HttpRequest
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from applications import selectors as applications
from applications import served_files
from applications.admin.application import STATE_COLOURS
from applications.door import clock_text
from applications.models import DocumentKind
from deposits import permissions
from deposits.admin.base import MoneyAdmin, person
from deposits.admin.tabs import Tab, TabFilter
from deposits.bound_account import changes as account_changes
from deposits.bound_account.news import cooling_days
from deposits.bound_account.progress import stages
from deposits.models import AccountChange
from deposits.states import CHANGE_OPEN, ChangeState
from tmall_sp.accounts.models import User
from tmall_sp.accounts.roles import Role, has_role
from tmall_sp.core import clock
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.step_pages import SeenStateForm, Step, StepPages, plainly

# Each state needs an entry: unfold shows the stored value of one without.
CHANGE_COLOURS: dict[str, str] = {
    ChangeState.REQUESTED: "warning",
    ChangeState.CHECKED: "warning",
    ChangeState.COOLING: "info",
    ChangeState.DONE: "success",
    ChangeState.REFUSED: "danger",
    ChangeState.CANCELLED: "secondary",
}


# The decisions -------------------------------------------------------------------------------------


def _box(label: Any) -> forms.BooleanField:
    return forms.BooleanField(
        label=label,
        error_messages={"required": _("Tick that you have looked at this.")},
        widget=UnfoldBooleanWidget,
    )


class _LookedForm(SeenStateForm):
    """Boxes only: each must be ticked."""

    boxes_title = _("I have looked at this:")

    def boxes(self) -> list[forms.BoundField]:
        return list(self.visible_fields())


class CheckForm(_LookedForm):
    name = _box(_("The evidence shows the company's name exactly as on the business licence."))
    account = _box(_("It shows the number of the new account, and that this is an enterprise account."))
    genuine = _box(_("Nothing in it looks altered, and the reason given is plausible."))


class ConfirmForm(_LookedForm):
    evidence = _box(_("I have compared evidence and business licence myself."))


class RefuseForm(SeenStateForm):
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("The company reads it."),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _what_confirming_does(change: AccountChange) -> Sequence[str]:
    effect = clock.now() + dt.timedelta(days=cooling_days(change))
    return [
        gettext("Payments of %(company)s count until %(at)s from the old account %(old)s.")
        % {
            "company": change.application.company_name,
            "at": clock_text(effect),
            "old": change.old_account_id,
        },
        gettext(
            "From then on they count from %(new)s only. What was paid before still goes back the way it came."
        )
        % {"new": change.new_account_id},
        gettext("If the outcome of a payment or of a payout is unknown then, the change waits for it."),
        gettext("Until it takes effect, the company can cancel it and staff can refuse it."),
        gettext("The company and its contact are told at once."),
    ]


STEPS: tuple[Step[AccountChange], ...] = (
    Step(
        name="check",
        title=_("Evidence is in order"),
        consequences=plainly(
            _("A second person, of finance, decides next. The company and its contact are told.")
        ),
        done=_("Checked. Finance has been asked for the second decision."),
        may=permissions.may_judge_account,
        is_open=lambda change: bool(change.state == ChangeState.REQUESTED),
        run=lambda pk, user, form: account_changes.check(pk, actor=user, seen=form.cleaned_data["seen"]),
        form=CheckForm,
        variant="primary",
        icon="fact_check",
    ),
    Step(
        name="confirm",
        title=_("Confirm the change"),
        consequences=_what_confirming_does,
        done=_("Confirmed. The cooling-off has begun."),
        may=permissions.may_confirm_account,
        is_open=lambda change: bool(change.state == ChangeState.CHECKED),
        run=lambda pk, user, form: account_changes.confirm(pk, actor=user, seen=form.cleaned_data["seen"]),
        form=ConfirmForm,
        variant="primary",
        icon="check_circle",
    ),
    Step(
        name="refuse",
        title=_("Refuse the change"),
        consequences=lambda change: [
            gettext("The account %(old)s stays bound. The company is told, and reads the reason.")
            % {"old": change.old_account_id},
            gettext("It can ask again with other evidence."),
        ],
        done=_("Refused. The company has been told the reason."),
        may=permissions.may_judge_account,
        is_open=lambda change: change.closed_at is None,
        run=lambda pk, user, form: account_changes.refuse(
            pk, actor=user, reason=form.cleaned_data["reason"], seen=form.cleaned_data["seen"]
        ),
        form=RefuseForm,
        variant="danger",
        icon="cancel",
    ),
)


# What waits ----------------------------------------------------------------------------------------


def waiting_for(user: User) -> Q:
    """What this person is asked to decide."""
    if not has_role(user, Role.FINANCE, Role.OPS):
        return Q(pk__in=[])
    waiting = Q(state=ChangeState.REQUESTED)
    if permissions.may_handle_money(user):
        waiting |= Q(state=ChangeState.CHECKED) & ~Q(checked_by=user)
    return waiting


class ChangeTabs(TabFilter):
    @classmethod
    def tabs_of(cls, request: HttpRequest) -> Sequence[Tab]:
        late = Q(state=ChangeState.COOLING, effective_at__lte=clock.now())
        return (
            Tab("for_me", _("Waiting for me"), waiting_for(person(request)), urgent=True),
            Tab("undecided", _("Not decided yet"), Q(state__in=[ChangeState.REQUESTED, ChangeState.CHECKED])),
            Tab("cooling", _("Cooling off"), Q(state=ChangeState.COOLING) & ~late),
            Tab("late", _("Waiting for an outcome"), late, urgent=True),
            Tab("closed", _("Closed"), ~CHANGE_OPEN),
        )


@tasks_from
def account_tasks(request: HttpRequest) -> list[Task]:
    user = request.user
    if not isinstance(user, User) or not has_role(user, Role.FINANCE, Role.OPS):
        return []
    count = AccountChange.objects.filter(waiting_for(user)).count()
    url = reverse("admin:deposits_accountchange_changelist") + "?tab=for_me"
    return [Task(_("Changes of bound accounts to decide"), count, url)]


# The pages -----------------------------------------------------------------------------------------


@admin.register(AccountChange)
class AccountChangeAdmin(StepPages[AccountChange], MoneyAdmin):
    steps = STEPS
    head_template = "admin/deposits/_account_change_head.html"
    page_template = "admin/deposits/account_change.html"
    step_template = "admin/deposits/account_change_step.html"
    list_display = [
        "number",
        "company",
        "old_account_id",
        "new_account_id",
        "state_label",
        "requested_at",
        "effective_at",
    ]
    list_select_related = ["application"]
    list_filter = [ChangeTabs, "state"]
    list_before_template = "admin/deposits/list_head.html"
    search_fields = [
        "application__number",
        "application__company_name",
        "old_account_id",
        "new_account_id",
    ]
    search_help_text = _("Number, company, or one of the accounts.")

    def list_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        return {"tabs": ChangeTabs.shown(request, AccountChange.objects.all(), summed=False)}

    @admin.display(description=_("number"), ordering="application__number")
    def number(self, change: AccountChange) -> str:
        return change.application.number

    @admin.display(description=_("company"), ordering="application__company_name")
    def company(self, change: AccountChange) -> str:
        return change.application.company_name

    @display(description=_("state"), ordering="state", label=CHANGE_COLOURS)
    def state_label(self, change: AccountChange) -> tuple[str, str]:
        return change.state, change.get_state_display()

    def objects(self, request: HttpRequest) -> QuerySet[AccountChange]:
        rows: QuerySet[AccountChange] = self.get_queryset(request)
        return rows.select_related(
            "application__deposit", "requested_by", "checked_by", "confirmed_by", "closed_by"
        )

    def object_context(self, request: HttpRequest, obj: AccountChange) -> dict[str, Any]:
        application = obj.application
        may_see = request.user.has_perm("applications.view_document")
        licence = applications.documents_of(application).filter(kind=DocumentKind.LICENCE).first()
        return {
            "change": obj,
            "application": application,
            "title": f"{application.number} · {application.company_name}",
            "change_colour": CHANGE_COLOURS[obj.state],
            "state_colour": STATE_COLOURS[application.state],
            "licence": licence if may_see else None,
        }

    def page_context(self, request: HttpRequest, obj: AccountChange) -> dict[str, Any]:
        is_due = account_changes.due(clock.now()).filter(pk=obj.pk).exists()
        return {
            "stages": stages(obj),
            "waits_for": account_changes.unknown_outcome(obj.application) if is_due else None,
            "others": obj.application.account_changes.exclude(pk=obj.pk),
        }

    def other_urls(self) -> list[URLPattern]:
        return [self.url("<int:pk>/evidence/", self.evidence, "evidence")]

    @method_decorator([xframe_options_sameorigin, require_safe])
    @method_decorator(csp({"default-src": "'none'", "frame-ancestors": "'self'"}))
    def evidence(self, request: HttpRequest, pk: int) -> FileResponse:
        """The file that was handed in, shown in the browser where that is safe."""
        change = self.load(request, pk)
        return served_files.for_staff(
            change.evidence, name=change.evidence_name, content_type=change.evidence_type
        )
