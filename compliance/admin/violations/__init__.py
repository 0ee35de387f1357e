"""Operations' desk for violations: the queue, one case, its steps, and its sanctions and appeals to be read."""

from compliance.admin.violations import desk, records, work

__all__ = ["desk", "records", "work"]
