"""The named figures that a rating is made from: a closed catalogue.

What each is worth stands in the rule `rating.rule` (rule.py); where it comes from, in facts.py.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


class Dimension(models.TextChoices):
    """What the programme rates (seed article: 硬件能力, 运营能力, 服务质量)."""

    HARDWARE = "hardware", _("hardware capability")
    OPERATING = "operating", _("operating capability")
    SERVICE = "service", _("service quality")


class Kind(models.TextChoices):
    """Who says so."""

    # The provider, with evidence that operations verified.
    DECLARED = "declared", _("declared and verified")
    # Follows from the shops that it serves.
    SERVED = "served", _("from the served shops")
    # The portal's own records.
    MEASURED = "measured", _("measured by the platform")


@dataclass(frozen=True)
class Input:
    """One figure. `dimension` is None for what is deducted from the score instead of adding to it."""

    code: str
    title: "StrPromise"
    unit: "StrPromise"
    dimension: Dimension | None
    kind: Kind
    # Whether more of it is better; a scale of the rule has to go the same way.
    more_is_better: bool = True
    is_whole: bool = False
    # Above this it would be no value of this figure.
    most: int | None = None


GMV = "gmv"

INPUTS: dict[str, Input] = {
    item.code: item
    for item in (
        Input(
            "warehouses",
            _("warehouses"),
            pgettext_lazy("unit", "warehouses"),
            Dimension.HARDWARE,
            Kind.DECLARED,
            is_whole=True,
        ),
        Input(
            "warehouse_area",
            _("area of the warehouses"),
            pgettext_lazy("unit", "m²"),
            Dimension.HARDWARE,
            Kind.DECLARED,
        ),
        Input(
            "seats",
            _("customer service seats"),
            pgettext_lazy("unit", "seats"),
            Dimension.HARDWARE,
            Kind.DECLARED,
            is_whole=True,
        ),
        Input(
            "staff",
            _("staff of the company"),
            pgettext_lazy("unit", "people"),
            Dimension.HARDWARE,
            Kind.DECLARED,
            is_whole=True,
        ),
        Input(
            "systems",
            _("systems of its own or licensed (ERP, WMS, …)"),
            pgettext_lazy("unit", "systems"),
            Dimension.HARDWARE,
            Kind.DECLARED,
            is_whole=True,
        ),
        # Declared for each shop and quarter, and verified like the others; counted over twelve months.
        Input(
            GMV,
            _("GMV of the served shops in 12 months"),
            pgettext_lazy("unit", "CNY"),
            Dimension.OPERATING,
            Kind.SERVED,
        ),
        Input(
            "shops",
            _("shops served in the quarter"),
            pgettext_lazy("unit", "shops"),
            Dimension.OPERATING,
            Kind.SERVED,
            is_whole=True,
        ),
        Input(
            "retention",
            _("shops kept through the quarter"),
            pgettext_lazy("unit", "%"),
            Dimension.OPERATING,
            Kind.SERVED,
            most=100,
        ),
        Input(
            "complaint_rate",
            _("complaints per 100 served shops"),
            pgettext_lazy("unit", "per 100 shops"),
            Dimension.SERVICE,
            Kind.MEASURED,
            more_is_better=False,
        ),
        Input(
            "response_time",
            _("mean time to respond to a complaint"),
            pgettext_lazy("unit", "hours"),
            Dimension.SERVICE,
            Kind.MEASURED,
            more_is_better=False,
        ),
        Input(
            "review_mean",
            _("mean mark of the reviews"),
            pgettext_lazy("unit", "of 5"),
            Dimension.SERVICE,
            Kind.MEASURED,
            most=5,
        ),
        Input(
            "violation_points",
            _("points for violations that stand in the calendar year"),
            pgettext_lazy("unit", "points"),
            None,
            Kind.MEASURED,
            more_is_better=False,
            is_whole=True,
        ),
        Input(
            "upheld_complaints",
            _("complaints decided against the provider"),
            pgettext_lazy("unit", "complaints"),
            None,
            Kind.MEASURED,
            more_is_better=False,
            is_whole=True,
        ),
    )
}

# Figures of the company as a whole; GMV is declared too, but for one shop and one quarter (Declaration).
DECLARED = tuple(code for code, item in INPUTS.items() if item.kind is Kind.DECLARED)
SCORED = tuple(code for code, item in INPUTS.items() if item.dimension is not None)
DEDUCTED = tuple(code for code, item in INPUTS.items() if item.dimension is None)
