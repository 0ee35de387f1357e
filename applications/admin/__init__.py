"""The reviewers' desk. State is never a field here: every step asks services.py."""

from applications.admin import application, decisions, licence_renewals, records

__all__ = ["application", "decisions", "licence_renewals", "records"]
