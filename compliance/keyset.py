"""Pages of a long list by key instead of OFFSET: the last page costs what the first does.

A cursor names the row after (or before) which a page begins: the value that the list is sorted by, and the
primary key, which settles ties. Rows that come or go meanwhile shift no page.
"""

import base64
import binascii
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet

M = TypeVar("M", bound=Model)

Direction = Literal["after", "before"]


@dataclass(frozen=True)
class Page(Generic[M]):
    """Some rows in order, and the cursors of the neighbours; an empty cursor: there is none."""

    rows: list[M]
    previous: str
    next: str


def page(queryset: QuerySet[M], *, order: str, size: int, cursor: str = "") -> Page[M]:
    """The page that a cursor names, or the first for an empty cursor or one that is none.

    `order` is a text, date or time field that is never null, or a path to one, with `-` for descending;
    rows with the same value follow the primary key in the same direction.
    """
    position = _decode(cursor)
    if position is None:
        return _read(queryset, order, size, None, "after")
    direction, value, pk = position
    try:
        return _read(queryset, order, size, (value, pk), direction)
    except (ValidationError, ValueError):  # not a value of this field: another list's cursor
        return _read(queryset, order, size, None, "after")


def _read(
    queryset: QuerySet[M], order: str, size: int, start: tuple[Any, int] | None, direction: Direction
) -> Page[M]:
    field, descending = order.lstrip("-"), order.startswith("-")
    backwards = direction == "before"
    if start is not None:
        queryset = queryset.filter(_beyond(field, *start, less=descending != backwards))
    sign = "-" if descending != backwards else ""
    rows = list(queryset.order_by(f"{sign}{field}", f"{sign}pk")[: size + 1])
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    behind, ahead = (more, True) if backwards else (start is not None, more)
    return Page(
        rows,
        previous=_encode("before", rows[0], field) if rows and behind else "",
        next=_encode("after", rows[-1], field) if rows and ahead else "",
    )


def _beyond(field: str, value: Any, pk: int, *, less: bool) -> Q:
    """(field, pk) < (value, pk), or >. The first, wider condition is the one that an index answers."""
    beyond = "lt" if less else "gt"
    return Q(**{f"{field}__{beyond}e": value}) & (
        Q(**{f"{field}__{beyond}": value}) | Q(**{f"pk__{beyond}": pk})
    )


def _encode(direction: Direction, row: Model, field: str) -> str:
    value: Any = row
    for name in field.split("__"):
        value = getattr(value, name)
    plain = value.isoformat() if isinstance(value, dt.datetime | dt.date) else value
    content = json.dumps([direction, plain, row.pk], ensure_ascii=False)
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[Direction, Any, int] | None:
    try:
        content = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    match content:
        case ["after" | "before" as direction, str() as value, int() as pk] if 0 < pk < 2**63:
            return direction, value, pk
    return None
