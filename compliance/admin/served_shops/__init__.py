"""Operations' desk for served shops: what there is, and the figures that wait to be verified."""

from compliance.admin.served_shops import declarations, shops

__all__ = ["declarations", "shops"]
