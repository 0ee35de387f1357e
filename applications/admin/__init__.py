"""The reviewers' desk. State is never a field here: every step asks services.py."""

from applications.admin import application, records

__all__ = ["application", "records"]
