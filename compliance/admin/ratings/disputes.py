"""Disputes of inputs: a queue, a page for each with the value and what it was counted from, two decisions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from compliance.admin.ratings.scores import lines
from compliance.admin.ratings.steps import DISPUTE_STEPS
from compliance.models import DisputeState, ScoreDispute
from compliance.ratings.inputs import INPUTS
from deposits.admin.base import moment, two_lines
from tmall_sp.core.step_pages import StepPages

STATE_COLOURS: dict[str, str] = {
    DisputeState.OPEN: "warning",
    DisputeState.UPHELD: "success",
    DisputeState.REJECTED: "",
}


@admin.register(ScoreDispute)
class ScoreDisputeAdmin(StepPages[ScoreDispute]):
    steps = DISPUTE_STEPS
    head_template = "admin/compliance/ratings/_dispute_head.html"
    page_template = "admin/compliance/ratings/dispute.html"
    step_template = "admin/compliance/ratings/dispute_step.html"
    list_display = ["provider", "quarter", "input_title", "state_label", "filed"]
    list_filter = ["state", "score__run"]
    list_select_related = ["score__application", "score__run"]
    search_fields = ["score__application__number", "score__application__company_name"]
    ordering = ["at", "pk"]
    list_per_page = 50

    @admin.display(description=_("provider"), ordering="score__application__company_name")
    def provider(self, dispute: ScoreDispute) -> SafeString:
        application = dispute.score.application
        return two_lines(application.company_name, application.number)

    @admin.display(description=_("quarter"), ordering="score__run__period")
    def quarter(self, dispute: ScoreDispute) -> str:
        return dispute.score.run.period

    @admin.display(description=_("input"), ordering="input")
    def input_title(self, dispute: ScoreDispute) -> str:
        return str(INPUTS[dispute.input].title)

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, dispute: ScoreDispute) -> tuple[str, str]:
        return dispute.state, dispute.get_state_display()

    @admin.display(description=_("time"), ordering="at")
    def filed(self, dispute: ScoreDispute) -> str:
        return moment(dispute.at)

    def objects(self, request: HttpRequest) -> QuerySet[ScoreDispute]:
        return ScoreDispute.objects.select_related(
            "score__application", "score__run", "by", "decided_by"
        ).prefetch_related("score__corrections", "corrections")

    def object_context(self, request: HttpRequest, obj: ScoreDispute) -> dict[str, Any]:
        item = INPUTS[obj.input]
        return {
            "dispute": obj,
            "score": obj.score,
            "application": obj.score.application,
            "item": item,
            "its_line": [line for line in lines(obj.score) if line["code"] == obj.input],
            "title": f"{obj.score.run.period} {item.title}",
            "state_colour": STATE_COLOURS[obj.state],
        }
