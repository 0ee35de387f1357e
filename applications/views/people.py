"""Who asks."""

from django.http import HttpRequest

from tmall_sp.accounts.models import User


def person(request: HttpRequest) -> User:
    """The person who is logged in; access.py lets nobody else reach the views that ask."""
    assert isinstance(request.user, User)
    return request.user
