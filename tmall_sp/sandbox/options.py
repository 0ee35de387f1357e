"""Adjustable behaviours, their defaults and their reading."""

from __future__ import annotations

from typing import Any

from .models import Option

DEFAULTS: dict[str, Any] = {
    # Alipay
    "refund_window_days": 365,
    "transfer_limit_corporate_fen": 10_000_000,
    "transfer_limit_private_fen": 5_000_000,
    "transfer_daily_limit_fen": 100_000_000,
    "transfer_mode": "success",  # success, dealing or fail
    "transfer_settle_seconds": 0,  # a dealing transfer succeeds after this; 0: only by /control/transfers
    "open_id_only": False,
    "fee_basis_points": 0,
    "request_window_minutes": 15,
    "bill_ready_hour": 10,
    "bill_url_seconds": 30,
    "notify_gap_scale": 1 / 240,  # 4 minutes become 1 second
    "notify_timeout_seconds": 5.0,
    # Taobao
    "legacy_shop_get_granted": True,
    "token_seconds": 365 * 86400,
    "code_seconds": 600,
    # Authenticator: login → Base32 secret, on top of SANDBOX_TOTP_SECRETS
    "totp_secrets": {},
}


def get(name: str) -> Any:
    """The value in force. KeyError for an unknown name."""
    default = DEFAULTS[name]
    row = Option.objects.filter(name=name).first()
    return default if row is None else row.value


def all_values() -> dict[str, Any]:
    return DEFAULTS | {row.name: row.value for row in Option.objects.all()}


def change(values: dict[str, Any]) -> None:
    """Set options. ValueError for an unknown name or a value of another type, and then nothing is changed."""
    for name, value in values.items():
        if name not in DEFAULTS:
            raise ValueError(f"unknown option {name!r}")
        if not _same_type(DEFAULTS[name], value):
            raise ValueError(f"option {name} takes a {type(DEFAULTS[name]).__name__}")
    for name, value in values.items():
        Option.objects.update_or_create(name=name, defaults={"value": value})


def _same_type(default: Any, value: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(default))
