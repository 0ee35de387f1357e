"""退出公示: who is leaving, for everybody to read as long as the notice period runs."""

from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from applications import services as applications
from applications.models import Application
from compliance import exits
from tests.people import COMPANY_DATA
from tmall_sp.accounts.models import User

URL = "/providers/leaving/"


def announced(client: Client) -> list[str]:
    return [row.application.number for row in client.get(URL).context["page"].rows]


def test_a_provider_is_announced_from_its_request_to_its_exit(
    active: Application, merchant: User, client: Client, move_clock: Callable[..., None]
) -> None:
    assert announced(client) == []

    applications.request_exit(active.pk, actor=merchant)
    assert announced(client) == [active.number]

    move_clock(days=30)
    exits.complete_exit(active.pk)
    assert announced(client) == []


def test_whoever_stays_after_all_is_announced_no_more(
    exiting: Application, merchant: User, client: Client
) -> None:
    applications.cancel_exit(exiting.pk, actor=merchant)
    assert announced(client) == []


def test_whoever_never_stood_in_the_pool_is_not_announced(
    approved: Application, merchant: User, client: Client
) -> None:
    with transaction.atomic():
        applications.record_deposit(approved.pk)
    applications.request_exit(approved.pk, actor=merchant)

    assert announced(client) == []


def test_the_notice_says_until_when_and_leads_to_a_complaint(exiting: Application, client: Client) -> None:
    page = client.get(URL).content.decode()

    [request] = exiting.exit_requests.all()
    assert exiting.company_name in page
    assert f"{request.notice_ends_at.astimezone():%Y-%m-%d}" in page
    assert f"{reverse('complaints:new')}?provider={exiting.number}" in page
    for secret in ("contact_name", "contact_phone", "credit_code", "alipay_account_id"):
        assert COMPANY_DATA[secret] not in page


@pytest.mark.usefixtures("exiting")
def test_the_page_costs_one_query_for_all_rows(client: Client) -> None:
    client.get(URL)
    with CaptureQueriesContext(connection) as queries:
        client.get(URL)
    assert len(queries) == 1
