"""Staff in tests: a session with a second factor, made directly or through the log-in pages."""

import time

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from tmall_sp.accounts.models import User

PASSWORD = "long enough to be one"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def staff_client(person: User, *, second_factor: bool = True) -> Client:
    """A browser in which the person is logged in; by default with a second factor."""
    client = Client()
    client.force_login(person)
    if second_factor:
        request = HttpRequest()
        request.session = client.session
        record_authentication(request, person, "mfa", type="totp")
        request.session.save()
    return client


def enrol(person: User, secret: str = SECRET) -> None:
    """Give the person an authenticator app with this Base32 secret."""
    TOTP.activate(person, secret)


def code(secret: str = SECRET) -> str:
    """What the authenticator app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def log_in(client: Client, login: str, *, password: str = PASSWORD, secret: str = SECRET) -> None:
    """Through the log-in pages, as in a browser: password, then code."""
    response = client.post(reverse("account_login"), {"login": login, "password": password})
    assert response.headers.get("Location") == reverse("mfa_authenticate"), response.status_code
    response = client.post(response["Location"], {"code": code(secret)})
    assert response.status_code == 302, response.context["form"].errors
