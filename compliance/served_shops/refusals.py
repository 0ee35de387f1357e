"""A refusal of a service, shown in the form that asked for it."""

from django import forms
from django.core.exceptions import PermissionDenied

from tmall_sp.core.errors import DomainError, NotPermitted


def show(form: forms.Form, error: DomainError) -> None:
    """Beside the field that it belongs to, or above the form; not permitted is 403."""
    if isinstance(error, NotPermitted):
        raise PermissionDenied(str(error.message)) from error
    form.add_error(error.field if error.field in form.fields else None, str(error.message))
