"""Runs of the rating: how far they are, what they would change, and trials of a rule."""

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import DecimalField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Abs
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe
from unfold.decorators import display

from applications.views.people import person
from compliance.admin.ratings.forms import BeginForm, PreviewForm, readable
from compliance.admin.ratings.steps import RUN_STEPS
from compliance.models import RatingRun, RunState, Score
from compliance.quarters import Quarter
from compliance.ratings import permissions, publication, runs, selectors
from compliance.ratings.figures import with_standing
from compliance.ratings.inputs import INPUTS
from deposits.admin.base import moment
from tmall_sp.core.desk import Task, tasks_from
from tmall_sp.core.errors import DomainError
from tmall_sp.core.step_pages import StepPages

MOVERS_SHOWN = 20
# Each state needs an entry: unfold shows the stored value of one without.
STATE_COLOURS: dict[str, str] = {
    RunState.QUEUED: "info",
    RunState.RUNNING: "info",
    RunState.SCORED: "warning",
    RunState.PUBLISHED: "success",
    RunState.CANCELLED: "",
}
FINISHED = (RunState.SCORED, RunState.PUBLISHED)


@admin.register(RatingRun)
class RatingRunAdmin(StepPages[RatingRun]):
    steps = RUN_STEPS
    head_template = "admin/compliance/ratings/_run_head.html"
    page_template = "admin/compliance/ratings/run.html"
    list_display = ["name", "state_label", "progress", "rule_version", "begun", "published"]
    list_filter = ["state", "is_preview", "period"]
    list_before_template = "admin/compliance/ratings/list_head.html"
    list_per_page = 50

    # The list

    @admin.display(description=gettext_lazy("quarter"), ordering="period")
    def name(self, run: RatingRun) -> str:
        return _("%(quarter)s (trial)") % {"quarter": run.period} if run.is_preview else run.period

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, run: RatingRun) -> tuple[str, str]:
        return run.state, run.get_state_display()

    @admin.display(description=gettext_lazy("scored"))
    def progress(self, run: RatingRun) -> str:
        return f"{run.done:,} / {run.total:,}"

    @admin.display(description=gettext_lazy("begun"), ordering="created_at")
    def begun(self, run: RatingRun) -> str:
        return moment(run.created_at)

    @admin.display(description=gettext_lazy("published at"), ordering="published_at")
    def published(self, run: RatingRun) -> str:
        return moment(run.published_at)

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        context = {"may_rate": permissions.may_rate(person(request)), **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    # The page

    def objects(self, request: HttpRequest) -> QuerySet[RatingRun]:
        return RatingRun.objects.select_related("created_by", "published_by", "cancelled_by", "previous")

    def object_context(self, request: HttpRequest, obj: RatingRun) -> dict[str, Any]:
        return {
            "run": obj,
            "title": self.name(obj),
            "state_colour": STATE_COLOURS[obj.state],
            "percent": 100 * obj.done // obj.total if obj.total else 0,
            "is_going_on": obj.state in (RunState.QUEUED, RunState.RUNNING),
        }

    def page_context(self, request: HttpRequest, obj: RatingRun) -> dict[str, Any]:
        query = urlencode({"run__id__exact": obj.pk})
        return {
            "rule": readable(obj.rule),
            "outcome": publication.outcome(obj) if obj.state == RunState.SCORED else None,
            "movers": movers(obj) if obj.state == RunState.SCORED else [],
            "scores_url": f"{reverse('admin:compliance_score_changelist')}?{query}" if obj.done else "",
            "is_finished": obj.state in FINISHED,
        }

    # What is no step

    def other_urls(self) -> list[URLPattern]:
        return [
            self.url("begin/", self.begin, "begin"),
            self.url("preview/", self.preview, "preview"),
            self.url("<int:pk>/scores.csv", self.scores_csv, "csv"),
        ]

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def begin(self, request: HttpRequest) -> HttpResponse:
        """The rating of a quarter that has closed."""
        self._refuse_stranger(request)
        form = BeginForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                run = runs.begin(Quarter.named(form.cleaned_data["period"]), actor=person(request))
            except DomainError as error:
                form.add_error(error.field, str(error.message))
            else:
                messages.success(request, _("The rating has begun."))
                return redirect("admin:compliance_ratingrun_change", run.pk)
        return self._form(request, form, "begin.html", _("Begin a rating"))

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def preview(self, request: HttpRequest) -> HttpResponse:
        """A trial of a rule. What is no rule is shown again with every word typed, and the place named."""
        self._refuse_stranger(request)
        form = PreviewForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            quarter = Quarter.named(form.cleaned_data["period"])
            try:
                run = runs.preview(quarter, form.cleaned_data["value"], actor=person(request))
            except DomainError as error:
                form.add_error(error.field, str(error.message))
            else:
                messages.success(request, _("The trial has begun. Nobody is told of it."))
                return redirect("admin:compliance_ratingrun_change", run.pk)
        return self._form(request, form, "preview.html", _("Try a rule"))

    def _refuse_stranger(self, request: HttpRequest) -> None:
        if not permissions.may_rate(person(request)):
            raise PermissionDenied

    def _form(self, request: HttpRequest, form: Any, template: str, title: str) -> HttpResponse:
        context = {**self.site_context(request), "title": title, "form": form}
        status = 422 if form.errors else 200
        return TemplateResponse(request, f"admin/compliance/ratings/{template}", context, status=status)

    @method_decorator(require_safe)
    def scores_csv(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """Every score of a run with its inputs, as it stands now; read and sent in pieces."""
        run = self.load(request, pk)
        response = StreamingHttpResponse(_csv(run), content_type="text/csv; charset=utf-8")
        kind = "trial" if run.is_preview else "rating"
        response["Content-Disposition"] = f'attachment; filename="{kind}-{run.period}-{run.pk}.csv"'
        return response


def movers(run: RatingRun) -> list[Score]:
    """Whose level, and then whose average, is farthest from what the directory shows."""
    rows = publication.compared(run).filter(now__isnull=False).select_related("application")
    rows = rows.annotate(
        levels=Abs(_difference("standing_level", "now")),
        points=Abs(_difference("standing_average", "now_average")),
    ).order_by("-levels", F("points").desc(nulls_last=True), "pk")
    return list(rows.defer("inputs", "parts")[:MOVERS_SHOWN])


def _difference(one: str, other: str) -> Any:
    return ExpressionWrapper(F(one) - F(other), output_field=DecimalField(max_digits=6, decimal_places=2))


class _Line:
    """What the csv writer writes to: it hands each line back."""

    def write(self, text: str) -> str:
        return text


def _csv(run: RatingRun) -> Iterator[str]:
    # A spreadsheet takes UTF-8 without this mark for something else.
    yield "\ufeff"
    writer = csv.writer(_Line())
    dimensions = ("hardware", "operating", "service")
    yield writer.writerow(
        ["number", "company", "level", "average", "score", "deductions", "gmv", *dimensions, *INPUTS]
    )
    rows = with_standing(
        run.scores.all(), "level", "average", "score", "deductions", "gmv", "parts", "inputs"
    )
    fields = ["standing_level", "standing_average", "standing_score", "standing_deductions", "standing_gmv"]
    for number, company, parts, inputs, *figures in (
        rows.order_by("application")
        .values_list(
            "application__number", "application__company_name", "standing_parts", "standing_inputs", *fields
        )
        .iterator(chunk_size=1000)
    ):
        yield writer.writerow(
            [
                number,
                _harmless(company),
                *figures,
                *(parts["dimensions"][name] for name in dimensions),
                *(inputs[code]["value"] for code in INPUTS),
            ]
        )


def _harmless(text: str) -> str:
    """A name that a spreadsheet would take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


@tasks_from
def rating_tasks(request: HttpRequest) -> Iterator[Task]:
    """For operations: ratings that wait to be published, and disputes."""
    if not permissions.may_rate(person(request)):
        return
    to_publish = RatingRun.objects.filter(state=RunState.SCORED, is_preview=False).count()
    if to_publish:
        url = f"{reverse('admin:compliance_ratingrun_changelist')}?state__exact={RunState.SCORED}&is_preview__exact=0"
        yield Task(gettext_lazy("Ratings to publish"), to_publish, url)
    waiting = selectors.waiting_disputes().count()
    if waiting:
        url = f"{reverse('admin:compliance_scoredispute_changelist')}?state__exact=open"
        yield Task(gettext_lazy("Disputes of ratings to decide"), waiting, url)
