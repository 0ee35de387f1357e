"""Rules, their changes, and mails."""

from tmall_sp.core.admin import mails, rule_changes, rules

__all__ = ["mails", "rule_changes", "rules"]
