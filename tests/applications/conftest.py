"""A member, made through the same services as in life."""

import pytest

from applications import services
from applications.lifecycle import State
from applications.models import Application


@pytest.fixture
def active(approved: Application) -> Application:
    services.record_deposit(approved.pk)
    services.activate_if_ready(approved.pk)
    member = Application.objects.get(pk=approved.pk)
    assert member.state == State.ACTIVE
    return member
