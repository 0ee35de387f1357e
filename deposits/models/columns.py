"""What the tables of money share: columns of CNY, numbers for Alipay, triggers on states and fixed columns."""

import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pgtrigger
from django.db import models

from tmall_sp.core import clock

ZERO = Decimal("0.00")


def money(name: Any, **options: Any) -> models.DecimalField:
    """A column of CNY."""
    return models.DecimalField(name, max_digits=12, decimal_places=2, **options)


def new_number(prefix: str) -> str:
    """A number for Alipay: letters and digits, unique and not to be guessed."""
    return f"{prefix}{clock.now():%Y%m%d%H%M%S}{secrets.token_hex(6).upper()}"


def new_order_number() -> str:
    return new_number("D")


def new_payout_number() -> str:
    return new_number("R")


def lawful(edges: Sequence[tuple[str, str]]) -> pgtrigger.FSM:
    return pgtrigger.FSM(
        name="lawful_edges", field="state", transitions=sorted((str(a), str(b)) for a, b in edges)
    )


def fixed(*fields: str) -> pgtrigger.ReadOnly:
    """What never changes once it is written."""
    return pgtrigger.ReadOnly(name="fixed", fields=list(fields))


def refuses(
    name: str,
    operation: pgtrigger.Operation,
    condition: str,
    message: str,
    *,
    when: pgtrigger.Condition | None = None,
    deferred: bool = False,
) -> pgtrigger.Trigger:
    """Refuses a row for which the SQL `condition` holds; deferred: at commit."""
    return pgtrigger.Trigger(
        name=name,
        operation=operation,
        when=pgtrigger.After if deferred else pgtrigger.Before,
        timing=pgtrigger.Deferred if deferred else None,
        condition=when,
        func=f"""
            IF {condition} THEN
                RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation';
            END IF;
            RETURN {"NULL" if deferred else "NEW"};
        """,
    )


def follows_its_legs(column: str) -> list[pgtrigger.Trigger]:
    """Of money that goes out in payouts: done with the last of them, and reopened only by a bank's return."""
    legs = f"SELECT 1 FROM deposits_payout p WHERE p.{column} = NEW.id AND p.state"  # noqa: S608 -- our own words
    return [
        refuses(
            "done_with_its_legs",
            pgtrigger.Update,
            f"""NEW.state = 'done' AND OLD.state <> 'done' AND (
                EXISTS ({legs} NOT IN ('done', 'replaced')) OR NOT EXISTS ({legs} = 'done')
            )""",
            "it is done once all of its payouts are",
        ),
        refuses(
            "reopened_by_a_return",
            pgtrigger.Update,
            f"OLD.state = 'done' AND NEW.state <> 'done' AND NOT EXISTS ({legs} = 'returned')",
            "what is done is reopened only when a bank returns it",
        ),
    ]
