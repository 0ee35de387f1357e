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
