"""What a rating is made from, read for many providers at once: one query a kind of fact, however many they are.

Everything as of the quarter's end: what happened later doesn't count, so that a late run gives the same. What was
declared for the quarter or before counts if it had been verified when the quarter closed (Window.closes_at).
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import (
    Avg,
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from applications.lifecycle import State
from applications.models import Application, Transition
from compliance.complaints.lifecycle import ComplaintState
from compliance.models import (
    DIMENSIONS,
    PROVEN,
    Complaint,
    Declaration,
    DeclarationState,
    DeclarationStep,
    Liability,
    Measure,
    Review,
    Sanction,
    ServedShop,
)
from compliance.quarters import Quarter
from compliance.ratings.inputs import DECLARED, GMV, INPUTS
from compliance.ratings.scoring import ZERO, rounded

LEFT = (State.EXITED, State.EXPELLED)

# Code → {"value": …, "of": […]}, as Score.inputs keeps it.
ProviderInputs = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Window:
    """A quarter, and when what is declared about it has to be verified."""

    quarter: Quarter
    closes_at: dt.datetime

    @classmethod
    def of(cls, quarter: Quarter, closes_days: int) -> "Window":
        return cls(quarter, quarter.ends_at + dt.timedelta(days=closes_days))


def members(quarter: Quarter) -> QuerySet[Application]:
    """Who had been in the pool and had neither left nor been expelled when the quarter ended."""
    last_step = Transition.objects.filter(application=OuterRef("pk"), at__lt=quarter.ends_at)
    return (
        Application.objects.filter(profile__member_since__lt=quarter.ends_at)
        .annotate(state_then=Subquery(last_step.order_by("-at", "-pk").values("to_state")[:1]))
        .filter(Q(state_then__isnull=True) | ~Q(state_then__in=LEFT))
    )


def inputs_of(pks: Sequence[int], window: Window) -> dict[int, ProviderInputs]:
    """Every input of the catalogue for each of these applications; six queries."""
    found: dict[int, ProviderInputs] = {pk: {code: {"value": None} for code in INPUTS} for pk in pks}
    for source in (_declared, _gmv, _shops, _complaints, _points, _reviews):
        for pk, code, value, of in source(pks, window):
            found[pk][code] = {"value": str(rounded(value)), "of": of}
    for inputs in found.values():
        _relate_complaints_to_shops(inputs)
        _fill_in_zeros(inputs)
    return found


Fact = tuple[int, str, Decimal, list[Any]]


def _declared(pks: Sequence[int], window: Window) -> Iterator[Fact]:
    """The figures of the company itself: of each, what it declared last in or before the quarter."""
    rows = (
        _verified(window)
        .filter(
            application__in=pks,
            input__in=DECLARED,
            served_shop__isnull=True,
            uploaded_at__lt=window.quarter.ends_at,
        )
        .order_by("application", "input", "-uploaded_at", "-pk")
        .distinct("application", "input")
    )
    for application, code, value, pk in rows.values_list("application", "input", "value", "pk"):
        yield application, code, value, [pk]


def _gmv(pks: Sequence[int], window: Window) -> Iterator[Fact]:
    """Of the shops served in the quarter, over twelve months."""
    rows = _verified(window).filter(
        application__in=pks,
        input=GMV,
        quarter__in=window.quarter.twelve_months(),
        served_shop__in=_served(window),
    )
    for row in (
        rows.order_by().values("application").annotate(total=Sum("value"), of=ArrayAgg("pk", order_by="pk"))
    ):
        yield row["application"], GMV, row["total"], row["of"]


def _verified(window: Window) -> QuerySet[Declaration]:
    """Verified when the quarter closed; a refusal after that doesn't change what was counted."""
    verified_in_time = DeclarationStep.objects.filter(
        declaration=OuterRef("pk"), name="verify", at__lt=window.closes_at
    )
    return Declaration.objects.filter(
        Q(state=DeclarationState.VERIFIED, decided_at__lt=window.closes_at)
        | (Q(state=DeclarationState.REFUSED, decided_at__gte=window.closes_at) & Exists(verified_in_time))
    )


def _served(window: Window) -> QuerySet[ServedShop]:
    """For a day of the quarter at least, as it was known when it ended."""
    return ServedShop.objects.filter(
        Q(ends_on__isnull=True)
        | Q(ends_on__gte=window.quarter.first_day)
        | Q(closed_at__gte=window.quarter.ends_at),
        state__in=PROVEN,
        begins_on__lte=window.quarter.last_day,
    )


def _shops(pks: Sequence[int], window: Window) -> Iterator[Fact]:
    """How many it served, and the share of those of the first day that it still served on the last."""
    at_first = Q(begins_on__lte=window.quarter.first_day)
    at_last = (
        Q(ends_on__isnull=True)
        | Q(ends_on__gte=window.quarter.last_day)
        | Q(closed_at__gte=window.quarter.ends_at)
    )
    rows = (
        _served(window)
        .filter(application__in=pks)
        .order_by()
        .values("application")
        .annotate(
            shops=Count("pk"), began=Count("pk", filter=at_first), kept=Count("pk", filter=at_first & at_last)
        )
    )
    for row in rows:
        yield row["application"], "shops", Decimal(row["shops"]), []
        if row["began"]:
            yield row["application"], "retention", Decimal(100 * row["kept"]) / row["began"], []


def _complaints(pks: Sequence[int], window: Window) -> Iterator[Fact]:
    """How many were filed, how long an answer took, and which were finally decided against it."""
    begins, ends = window.quarter.begins_at, window.quarter.ends_at
    filed = Q(filed_at__gte=begins, filed_at__lt=ends) & ~Q(
        state=ComplaintState.WITHDRAWN, closed_at__lt=ends
    )
    # Silence was answered by the decision that followed from it.
    answered = Q(answered_at__gte=begins, answered_at__lt=ends)
    upheld = Q(
        state=ComplaintState.FINAL,
        closed_at__gte=begins,
        closed_at__lt=ends,
        liability__in=[Liability.LIABLE, Liability.SHARED],
    )
    took = ExpressionWrapper(F("answered_at") - F("filed_at"), output_field=DurationField())
    rows = (
        Complaint.objects.annotate(
            answered_at=Coalesce("responded_at", "decided_at", output_field=DateTimeField())
        )
        .filter(filed | answered | upheld, application__in=pks)
        .order_by()
        .values("application")
        .annotate(
            filed=Count("pk", filter=filed),
            took=Avg(took, filter=answered),
            upheld=ArrayAgg("number", filter=upheld, order_by="number", default=[]),
        )
    )
    for row in rows:
        yield row["application"], "complaint_rate", Decimal(row["filed"]), []
        if row["took"] is not None:
            hours = Decimal(row["took"] // dt.timedelta(seconds=1)) / 3600
            yield row["application"], "response_time", hours, []
        yield row["application"], "upheld_complaints", Decimal(len(row["upheld"])), row["upheld"]


def _points(pks: Sequence[int], window: Window) -> Iterator[Fact]:
    """Points of the calendar year that stood when the quarter ended; an appeal upheld later doesn't count yet."""
    ends = window.quarter.ends_at
    rows = (
        Sanction.objects.filter(
            Q(taken_back_at__isnull=True) | Q(taken_back_at__gte=ends),
            application__in=pks,
            measure=Measure.POINTS,
            imposed_at__gte=window.quarter.year_begins_at,
            imposed_at__lt=ends,
        )
        .order_by()
        .values("application")
        .annotate(total=Sum("points"), of=ArrayAgg("violation", order_by="violation"))
    )
    for row in rows:
        yield row["application"], "violation_points", Decimal(row["total"]), row["of"]


def _reviews(pks: Sequence[int], window: Window) -> Iterator[Fact]:
    """The mean mark of what was written in the quarter and shown when it ended."""
    ends = window.quarter.ends_at
    marks = sum((F(name) for name in DIMENSIONS[1:]), F(DIMENSIONS[0]))
    rows = (
        Review.objects.filter(
            Q(hidden_at__isnull=True) | Q(hidden_at__gte=ends),
            application__in=pks,
            written_at__gte=window.quarter.begins_at,
            written_at__lt=ends,
        )
        .order_by()
        .values("application")
        .annotate(marks=Sum(marks), count=Count("pk"))
    )
    for row in rows:
        yield row["application"], "review_mean", Decimal(row["marks"]) / (len(DIMENSIONS) * row["count"]), []


def _relate_complaints_to_shops(inputs: ProviderInputs) -> None:
    """From a number to a rate: unknown without a shop that was served."""
    filed = Decimal(inputs["complaint_rate"]["value"] or 0)
    shops = Decimal(inputs["shops"]["value"] or 0)
    rate = str(rounded(100 * filed / shops)) if shops else None
    inputs["complaint_rate"] = {"value": rate, "filed": int(filed)}


def _fill_in_zeros(inputs: ProviderInputs) -> None:
    """Where no row was counted, nothing happened: that is known."""
    for code in ("shops", GMV, "violation_points", "upheld_complaints"):
        if inputs[code]["value"] is None:
            inputs[code] = {"value": str(ZERO), "of": []}
