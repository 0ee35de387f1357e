"""How staff get in: password and second factor, never Taobao; and how they set one up."""

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from applications.models import Application
from tests.admin.pages import state, take
from tests.staff_login import PASSWORD, SECRET, code, enrol, log_in
from tmall_sp.accounts.models import User

INDEX = reverse("admin:index")


@pytest.fixture
def browser() -> Client:
    return Client()


def test_from_the_password_to_an_approval(browser: Client, reviewer: User, claimed: Application) -> None:
    """End to end by HTTP: nothing in the session that a browser would not have got."""
    enrol(reviewer)
    log_in(browser, "lishen")

    response = take(browser, claimed, "approve", internal_note="合同已核对")

    assert response.status_code == 302
    assert state(claimed) == "approved"


def test_a_password_alone_opens_nothing(browser: Client, reviewer: User) -> None:
    enrol(reviewer)

    response = browser.post(reverse("account_login"), {"login": "lishen", "password": PASSWORD})

    assert response["Location"] == reverse("mfa_authenticate")
    assert browser.get(INDEX)["Location"].startswith(reverse("account_login"))


def test_a_wrong_code_opens_nothing(browser: Client, reviewer: User) -> None:
    enrol(reviewer)
    browser.post(reverse("account_login"), {"login": "lishen", "password": PASSWORD})

    wrong = f"{(int(code()) + 1) % 1_000_000:06}"
    response = browser.post(reverse("mfa_authenticate"), {"code": wrong})

    assert response.status_code == 200
    assert browser.get(INDEX)["Location"].startswith(reverse("account_login"))


def test_a_code_opens_once(browser: Client, reviewer: User) -> None:
    """Somebody who looks over the shoulder is too late."""
    enrol(reviewer)
    shown = code()
    log_in(browser, "lishen")
    other = Client()
    other.post(reverse("account_login"), {"login": "lishen", "password": PASSWORD})

    assert other.post(reverse("mfa_authenticate"), {"code": shown}).status_code == 200
    assert other.get(INDEX).status_code == 302


def test_the_log_in_leads_to_where_one_wanted_to_go(browser: Client, reviewer: User) -> None:
    enrol(reviewer)
    wanted = reverse("admin:applications_application_changelist") + "?review=mine"
    log_in_page = browser.get(wanted)["Location"]

    browser.post(log_in_page, {"login": "lishen", "password": PASSWORD, "next": wanted})
    response = browser.post(reverse("mfa_authenticate"), {"code": code()})

    assert response["Location"] == wanted


@pytest.mark.django_db(transaction=True)
def test_the_first_log_in_sets_a_second_factor_up(browser: Client, reviewer: User) -> None:
    """The desk sends there; the password is asked once more; after the code the desk is open."""
    browser.post(reverse("account_login"), {"login": "lishen", "password": PASSWORD})
    set_up = browser.get(INDEX)["Location"]
    assert set_up == reverse("mfa_activate_totp")
    again = browser.get(set_up)["Location"]
    assert again.startswith(reverse("account_reauthenticate"))
    browser.post(again, {"password": PASSWORD})

    secret = browser.get(set_up).context["form"].secret
    response = browser.post(set_up, {"code": code(secret)})

    assert response["Location"] == reverse("mfa_view_recovery_codes")
    assert INDEX in browser.get(response["Location"]).content.decode()
    assert browser.get(INDEX).status_code == 200
    assert Authenticator.objects.filter(user=reviewer, type="totp").count() == 1


def test_a_second_factor_cannot_be_taken_off(browser: Client, reviewer: User) -> None:
    enrol(reviewer)
    log_in(browser, "lishen")

    assert browser.post("/accounts/2fa/totp/deactivate/").status_code == 404
    assert Authenticator.objects.filter(user=reviewer, type="totp").exists()


@pytest.mark.parametrize("path", ["signup/", "password/reset/", "email/", "3rdparty/"])
def test_there_is_no_other_way_to_an_account(path: str, browser: Client, db: None) -> None:
    assert browser.get(f"/accounts/{path}").status_code == 404


def test_the_log_in_page_offers_no_dead_ends(browser: Client, db: None) -> None:
    page = browser.get(reverse("account_login")).content.decode()

    for url in ("account_reset_password", "account_signup"):
        assert reverse(url) not in page


class TestTaobaoAndStaff:
    def test_the_database_keeps_them_apart(self, merchant: User) -> None:
        for rights in ({"is_staff": True}, {"is_superuser": True}):
            with pytest.raises(IntegrityError), transaction.atomic():
                User.objects.filter(pk=merchant.pk).update(**rights)

    def test_a_merchant_has_no_password_to_log_in_with(self, browser: Client, merchant: User) -> None:
        for password in ("", PASSWORD):
            response = browser.post(
                reverse("account_login"), {"login": merchant.username, "password": password}
            )
            assert response.status_code == 200
        assert "_auth_user_id" not in browser.session


def test_the_secret_of_the_tests_is_a_real_one() -> None:
    assert len(SECRET) == 32
