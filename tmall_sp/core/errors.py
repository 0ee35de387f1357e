"""Refusals that a person reads."""

from django.utils.functional import Promise


class DomainError(Exception):
    """A rule says no. `code` is for programs and tests, `message` for the person who asked.

    `field` names the form field that the message belongs to, if one does.
    """

    def __init__(self, code: str, message: str | Promise, *, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class NotPermitted(DomainError):
    """The person may not do this, whatever the state."""


class StaleVersion(DomainError):
    """The page that the person acted on is out of date: nothing was changed."""
