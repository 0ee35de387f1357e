"""The rules of the shop check, as a pure function of what was read: no database, no clock, no network."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from django.utils.translation import gettext as _

from tmall_sp.core.clock import SHANGHAI, add_months

Outcome = Literal["pass", "fail", "not_available"]
SCORES = ("item_score", "service_score", "delivery_score")


@dataclass(frozen=True)
class Reading:
    """What Taobao (and, for `bound_on`, our own books) said about a shop. None: not given."""

    shop_id: str | None = None
    shop_title: str | None = None
    status: str | None = None
    promoted_type: str | None = None
    has_shop: bool | None = None
    seller_type: str | None = None
    scores: Mapping[str, Decimal | None] = field(default_factory=dict)
    shop_created_on: dt.date | None = None
    first_order_on: dt.date | None = None
    bound_on: dt.date | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            name: _plain(value) for name, value in vars(self).items() if value is not None and value != {}
        }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value if isinstance(value, bool | None) else str(value)


@dataclass(frozen=True)
class Verdict:
    """The outcome of one rule, with what its explanation needs."""

    rule: str
    outcome: Outcome
    value: str = ""
    limit: str = ""


@dataclass(frozen=True)
class Assessment:
    verdicts: Sequence[Verdict]
    tenure_begins: dt.date | None
    tenure_source: str
    eligible_on: dt.date | None

    @property
    def passed(self) -> bool:
        return not any(verdict.outcome == "fail" for verdict in self.verdicts)


def assess(
    reading: Reading,
    *,
    today: dt.date,
    tenure_months: int,
    score_floor: Mapping[str, str],
    required: Sequence[str],
) -> Assessment:
    """Every rule's verdict. What Taobao does not give is 'not available': no failure (design §2)."""
    begins, source = _tenure(reading)
    eligible_on = add_months(begins, tenure_months) if begins else None
    verdicts = [_tenure_verdict(eligible_on, begins, today)]
    verdicts += [_expected(reading, name) for name in required]
    verdicts += [_score(reading, name, Decimal(score_floor[name])) for name in SCORES if name in score_floor]
    failed_tenure = eligible_on is not None and today < eligible_on
    return Assessment(verdicts, begins, source, eligible_on if failed_tenure else None)


def _tenure(reading: Reading) -> tuple[dt.date | None, str]:
    """The shop's opening where Taobao gives it; else the earliest day that anything proves.

    An order may be a renewal, so an older binding counts before it.
    """
    if reading.shop_created_on:
        return reading.shop_created_on, "shop_created_on"
    proofs = [(day, name) for name in ("first_order_on", "bound_on") if (day := getattr(reading, name))]
    return min(proofs, default=(None, ""))


def _tenure_verdict(eligible_on: dt.date | None, begins: dt.date | None, today: dt.date) -> Verdict:
    """Passed from 00:00 (Asia/Shanghai) of the eligible date."""
    if eligible_on is None or begins is None:
        return Verdict("tenure", "not_available")
    outcome: Outcome = "pass" if today >= eligible_on else "fail"
    return Verdict("tenure", outcome, value=begins.isoformat(), limit=eligible_on.isoformat())


EXPECTED = {"status": "normal", "promoted_type": "authentication", "has_shop": True}


def _expected(reading: Reading, name: str) -> Verdict:
    value = getattr(reading, name)
    if value is None:
        return Verdict(name, "not_available")
    return Verdict(name, "pass" if value == EXPECTED[name] else "fail", value=str(value))


def _score(reading: Reading, name: str, floor: Decimal) -> Verdict:
    score = reading.scores.get(name)
    if score is None:
        return Verdict(name, "not_available", limit=str(floor))
    return Verdict(name, "pass" if score >= floor else "fail", value=str(score), limit=str(floor))


def explain(verdict: Mapping[str, str]) -> str:
    """A stored verdict in plain words, in the reader's language."""
    if verdict["outcome"] == "not_available":
        return _("Taobao does not give this value; the reviewer will look at it.")
    values = {"value": verdict["value"], "limit": verdict["limit"]}
    match verdict["rule"], verdict["outcome"]:
        case "tenure", "pass":
            return _("In service since %(value)s.") % values
        case "tenure", _outcome:
            return _("In service since %(value)s; half a year is reached on %(limit)s.") % values
        case "status", "fail":
            return _("The Taobao account is not in the state “normal” (%(value)s).") % values
        case "promoted_type", "fail":
            return _("The Taobao account has not passed real-name authentication.")
        case "has_shop", "fail":
            return _("This Taobao account has no open shop.")
        case (("item_score" | "service_score" | "delivery_score"), "fail"):
            return _("The score is %(value)s; at least %(limit)s is needed.") % values
        case (("item_score" | "service_score" | "delivery_score"), _outcome):
            return _("The score is %(value)s (at least %(limit)s).") % values
    return _("As required.")


def title(rule: str) -> str:
    """The name of a rule, in the reader's language."""
    return {
        "tenure": _("Time in service"),
        "status": _("State of the Taobao account"),
        "promoted_type": _("Real-name authentication"),
        "has_shop": _("Open shop"),
        "item_score": _("Score: goods as described"),
        "service_score": _("Score: service"),
        "delivery_score": _("Score: delivery"),
    }.get(rule, rule)


def shanghai_date(moment: dt.datetime | None) -> dt.date | None:
    return moment.astimezone(SHANGHAI).date() if moment else None
