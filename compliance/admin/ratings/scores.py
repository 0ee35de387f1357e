"""Scores with all their inputs, to read."""

from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from compliance.models import Score
from compliance.models.rating import Figures
from compliance.ratings.figures import standing
from compliance.ratings.inputs import INPUTS, Input
from compliance.ratings.scoring import value_of
from compliance.ratings.words import level_name
from deposits.admin.base import amount, two_lines
from tmall_sp.core.step_pages import StepPages


@admin.register(Score)
class ScoreAdmin(StepPages[Score]):
    steps = ()
    head_template = "admin/compliance/ratings/_score_head.html"
    page_template = "admin/compliance/ratings/score.html"
    list_display = ["provider", "quarter", "level_label", "average", "score", "deductions", "gmv_amount"]
    list_display_links = ["provider"]
    list_filter = ["run", "level"]
    list_select_related = ["application", "run"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["application__number", "application__company_name"]
    ordering = ["-run", "-average", "pk"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Score]:
        rows: QuerySet[Score] = super().get_queryset(request)
        return rows.defer("inputs", "parts")

    @admin.display(description=_("provider"), ordering="application__company_name")
    def provider(self, score: Score) -> SafeString:
        return two_lines(score.application.company_name, score.application.number)

    @admin.display(description=_("quarter"), ordering="run")
    def quarter(self, score: Score) -> str:
        return _("%(quarter)s (trial)") % {"quarter": score.run} if score.run.is_preview else score.run.period

    @admin.display(description=_("level"), ordering="level")
    def level_label(self, score: Score) -> str:
        return str(level_name(score.level))

    @admin.display(description=_("GMV"), ordering="gmv")
    def gmv_amount(self, score: Score) -> SafeString:
        return amount(score.gmv)

    def objects(self, request: HttpRequest) -> QuerySet[Score]:
        return Score.objects.select_related("application", "run").prefetch_related("corrections", "disputes")

    def object_context(self, request: HttpRequest, obj: Score) -> dict[str, Any]:
        stands = standing(obj)
        return {
            "score": obj,
            "stands": stands,
            "is_corrected": stands is not obj,
            "title": f"{obj.run.period} {obj.application.company_name}",
            "lines": lines(stands),
        }


def lines(figures: Figures) -> list[dict[str, Any]]:
    """Each input with its value, what it was counted from, and its points or deduction."""
    points: dict[str, str] = {**figures.parts["points"], **figures.parts["deductions"]}
    return [
        {
            "code": code,
            "item": item,
            "value": value_of(figures.inputs, code),
            "points": Decimal(points[code]),
            "is_deduction": item.dimension is None,
            "links": _links(item, figures.inputs[code].get("of", [])),
            "is_corrected": "dispute" in figures.inputs[code],
        }
        for code, item in INPUTS.items()
    ]


def _links(item: Input, of: list[Any]) -> list[tuple[str, str]]:
    """To what a value was counted from, on the desk."""
    if item.code == "upheld_complaints":
        page = reverse("admin:compliance_complaint_changelist")
        return [(number, f"{page}?{urlencode({'q': number})}") for number in of]
    view = "violation" if item.code == "violation_points" else "declaration"
    return [(f"#{pk}", reverse(f"admin:compliance_{view}_change", args=[pk])) for pk in of]
