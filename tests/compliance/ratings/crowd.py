"""Very many providers with what a rating counts: one of each kind, which the database itself then copies."""

from collections.abc import Mapping
from pathlib import Path

from django.db import connection
from django.db.models import Model

from applications.models import Application
from compliance.models import ProviderProfile, ServedShop, Violation
from compliance.quarters import Quarter
from compliance.ratings import runs
from tests.compliance.ratings.conftest import DAY, declare, declare_gmv, final, punish, review
from tests.database import owner_role


def load(first: Application, shop: ServedShop, count: int, quarter: Quarter) -> None:
    """`count` more like `first`, each with a shop, GMV, three figures, a complaint, points and a review."""
    at = quarter.begins_at + 5 * DAY
    sanction = punish(first, at)
    rows: list[Model] = [
        shop,
        sanction.violation,
        declare_gmv(shop, "1234567.89", quarter),
        *(declare(first, code, "120", quarter) for code in ("seats", "staff", "warehouse_area")),
        final(first, at, at + 20 * DAY),
        sanction,
        review(shop, quarter, at, marks=4),
    ]
    with owner_role(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        company = first.company
        assert company is not None
        code = "'91' || lpad(g::text, 16, '0')"
        _copy(company, count, {"id": _after(company), "credit_code": code})
        # One open application per Taobao account, and per company.
        own = {"taobao_user_id": "'7' || g", "company_id": _after(company)}
        _copy(first, count, {"id": _after(first), "number": "'SP' || lpad(g::text, 10, '0')", **own})
        _copy(ProviderProfile.objects.get(application=first), count, {"application_id": _after(first)})
        for row in rows:
            _copy(row, count, _changed(row, first, shop))
        cursor.execute("ANALYZE")


def _changed(row: Model, first: Application, shop: ServedShop) -> dict[str, str]:
    """What has to differ from copy to copy."""
    columns = {"application_id": _after(first)}
    if row == shop:
        columns |= {"id": _after(shop), "token": "'t' || g"}
    elif getattr(row, "served_shop_id", None):
        columns["served_shop_id"] = _after(shop)
    names = {field.column for field in row._meta.concrete_fields}
    if "order_number" in names:
        columns |= {"number": "'TC' || lpad(g::text, 10, '0')", "order_number": "'O' || g"}
    if isinstance(row, Violation):
        columns["id"] = _after(row)
    if "violation_id" in names:
        columns["violation_id"] = "violation_id + g"
    return columns


def _after(row: Model) -> str:
    return f"{row.pk} + g"


def _copy(row: Model, count: int, changed: Mapping[str, str]) -> None:
    table = row._meta.db_table
    fields = row._meta.concrete_fields
    columns = [str(field.column) for field in fields if not field.primary_key or field.column in changed]
    values = ", ".join(changed.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) SELECT {values} FROM {table}, generate_series(1, %s) AS g WHERE id = %s",
            [count, row.pk],
        )


def resident_megabytes() -> float:
    """How much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def score(pk: int) -> list[float]:
    """Score a run batch by batch: the memory held after each."""
    claim = runs.take(pk)
    held = []
    while claim is not None:
        claim = runs.batch(pk, claim)
        held.append(resident_megabytes())
    return held
