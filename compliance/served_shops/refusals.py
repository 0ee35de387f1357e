"""A refusal of a service, shown in the form that asked for it."""

from django import forms
from django.core.exceptions import PermissionDenied

from tmall_sp.core.errors import DomainError, NotPermitted

AskedAndShown = tuple[forms.Form | None, forms.Form | None]


def show(form: forms.Form, error: DomainError) -> None:
    """Beside the field that it belongs to, or above the form; not permitted is 403."""
    if isinstance(error, NotPermitted):
        raise PermissionDenied(str(error.message)) from error
    form.add_error(error.field if error.field in form.fields else None, str(error.message))


def without_place(*pairs: AskedAndShown) -> list[str]:
    """Of each form that was sent and is not on the page any more, why it was refused."""
    gone = [sent for sent, shown in pairs if sent is not None and shown is None]
    return [str(error) for form in gone for errors in form.errors.values() for error in errors]
