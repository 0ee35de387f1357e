"""Pages for everybody: the programme, its rules, the log-in, the language."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/", "/login/", "/rules/"])
def test_public_pages_need_no_log_in(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200
