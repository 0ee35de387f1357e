"""Operations' desk for cases and exits. State is never a field here: every step asks the case's services."""

from compliance.admin import complaint, panels, question_code, records, violation, violation_records

__all__ = ["complaint", "panels", "question_code", "records", "violation", "violation_records"]
