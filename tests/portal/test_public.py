"""Pages for everybody: the programme, its rules, the log-in, the language, and what says that something is wrong."""

import datetime as dt

import pytest
from django.test import Client, RequestFactory, override_settings

from tests.portal.conftest import Browser
from tmall_sp.accounts.models import User
from tmall_sp.core import clock, rules, views
from tmall_sp.core.rulebook import changes


def test_the_first_page_tells_how_to_join_with_the_numbers_in_force(anybody: Browser) -> None:
    page = anybody.get("/")

    assert page.status == 200
    assert f"{rules.amount('deposit.required'):,.2f}" in page.text
    assert "资质对应店铺校验为不合格" in page.text
    assert {"/login/", "/rules/", "/providers/"} <= set(page.links)


def test_the_first_page_leads_a_merchant_to_the_console(shop: Browser) -> None:
    assert "/console/" in shop.get("/").links


def test_the_rules_say_version_and_date(anybody: Browser) -> None:
    page = anybody.get("/rules/")

    assert "天猫服务商管理规则" in page.text
    assert "Version 1" in page.text
    assert "2020-01-01" in page.text


def test_the_rules_name_the_numbers_in_force_and_what_is_coming(
    anybody: Browser, ops: User, second_ops: User
) -> None:
    day = clock.day_start(clock.today() + dt.timedelta(days=40))
    change = changes.propose("deposit.required", actor=ops, value="120000.00", reason="调整", valid_from=day)
    assert "¥120,000.00" not in anybody.get("/rules/").text
    changes.accept(change.pk, actor=second_ops)

    page = anybody.get("/rules/")

    assert page.problems() == []
    assert "Deposit of a provider ¥100,000.00" in page.text
    assert f"From {day:%Y-%m-%d}: ¥120,000.00" in page.text
    assert "Largest single transfer" not in page.text


def test_the_log_in_goes_by_post_to_taobao_and_keeps_where_the_person_wanted_to_go(anybody: Browser) -> None:
    page = anybody.get("/login/?next=/console/notices/")

    form = next(form for form in page.all("form") if form["action"] == "/accounts/taobao/login/")
    assert form["method"] == "post"
    assert page.form_values()["process"] == "login"
    next_values = [field["value"] for field in page.all("input") if field.get("name") == "next"]
    assert next_values[-1] == "/console/notices/"


def test_the_log_in_sends_nobody_to_another_site(anybody: Browser, shop: Browser) -> None:
    page = anybody.get("/login/?next=https://evil.example/")

    assert page.all("input")[-1]["value"] == "/console/"
    assert shop.get("/login/?next=https://evil.example/").location == "/console/"


@pytest.mark.parametrize(("outcome", "told"), [("cancelled", "You cancelled"), ("failed", "did not succeed")])
def test_the_log_in_says_how_the_attempt_ended(anybody: Browser, outcome: str, told: str) -> None:
    assert told in anybody.get(f"/login/?taobao={outcome}").text


def test_the_language_is_kept_for_the_pages_and_for_the_persons_notices(
    shop: Browser, merchant: User
) -> None:
    page = shop.post("/language/", {"language": "en", "next": "/console/"})

    assert page.location == "/console/"
    merchant.refresh_from_db()
    assert merchant.language == "en"
    shop.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN"
    assert '<html lang="en">' in shop.get("/").html


def test_an_unknown_language_changes_nothing(shop: Browser, merchant: User) -> None:
    shop.post("/language/", {"language": "xx", "next": "https://evil.example/"})

    merchant.refresh_from_db()
    assert merchant.language == "zh-hans"


def test_chinese_is_the_language_of_a_browser_that_names_none(db: None) -> None:
    assert b'<html lang="zh-hans">' in Client().get("/").content


def test_a_page_that_is_not_there_says_so(anybody: Browser) -> None:
    page = anybody.get("/nowhere/")

    assert page.status == 404
    assert "There is no such page" in page.text


def test_a_form_without_its_token_is_told_in_plain_words(merchant: User) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    client.force_login(merchant)

    response = client.post("/console/notices/read/")

    assert response.status_code == 403
    assert "Please send it again" in response.content.decode()


def test_a_failure_of_ours_is_told_without_database_or_session() -> None:
    response = views.server_error(RequestFactory().get("/"))

    assert response.status_code == 500
    assert "portal/portal.css" in response.content.decode()


@override_settings(
    STORAGES={
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
)
def test_a_failure_of_ours_is_told_even_where_static_files_were_never_collected() -> None:
    response = views.server_error(RequestFactory().get("/"))

    assert response.status_code == 500
    assert "stylesheet" not in response.content.decode()
