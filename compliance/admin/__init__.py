"""Operations' desk for violations and exits. State is never a field here: every step asks violations.py."""

from compliance.admin import panels, records, violation

__all__ = ["panels", "records", "violation"]
