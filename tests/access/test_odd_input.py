"""What no browser sends: answered, and never by an error of ours."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.staff_login import enrol, staff_client
from tmall_sp.accounts.models import User


@pytest.mark.parametrize("path", ["/providers/%00/", "/console/applications/%00/", "/console/exit/%00/"])
def test_a_nul_in_an_address_is_not_found(client: Client, merchant: User, path: str) -> None:
    client.force_login(merchant)
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("notify_id=%00", "application/x-www-form-urlencoded"),
        ("a=" + "b" * 100_000, "application/x-www-form-urlencoded"),
        ("{}", "application/json"),
    ],
)
def test_what_cannot_be_a_notification_is_not_stored(
    db: None, client: Client, body: str, content_type: str
) -> None:
    answer = client.generic("POST", "/alipay/notify/", body, content_type=content_type)
    assert (answer.status_code, answer.content) == (200, b"failure")


@pytest.mark.parametrize("language", ["en-x-very-long", "de", "\0"])
def test_only_our_languages_are_kept(client: Client, merchant: User, language: str) -> None:
    client.force_login(merchant)
    assert client.post("/language/", {"language": language}).status_code == 302
    merchant.refresh_from_db()
    assert merchant.language == "zh-hans"


def test_a_session_from_before_the_second_factor_prints_no_recovery_codes(reviewer: User) -> None:
    enrol(reviewer)
    browser = staff_client(reviewer, second_factor=False)

    for name in ("mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes"):
        for answer in (browser.get(reverse(name)), browser.post(reverse(name))):
            assert answer.status_code == 302
            assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
