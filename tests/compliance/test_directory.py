"""The public directory: who stands in it, what it tells, how it is searched and paged."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from applications import services as applications
from applications import suspensions
from applications.models import Application
from compliance import directory
from compliance.models import ProviderProfile, Violation
from tests.database import owner_role
from tests.people import COMPANY_DATA
from tmall_sp.accounts.models import Company, User
from tmall_sp.core import clock

URL = "/providers/"

NAMES = ["杭州云栖客服有限公司", "深圳前海数据科技有限公司", "上海浦东商贸有限公司"]


def stand(merchant: User, count: int) -> list[Application]:
    """Providers that stand in the pool, each a day older than the one before, loaded as the owner may."""
    now = clock.now()
    with owner_role():
        rows = Application.objects.bulk_create(
            Application(
                applicant=merchant,
                taobao_user_id=f"9{number:08}",
                taobao_nick=f"店{number}",
                state="active",
                company=Company.objects.create(credit_code=f"91{number:016}", name=f"公司{number}"),
                company_name=NAMES[number] if number < 3 else f"第{number}号服务有限公司",
                region="33",
                categories=["after_sales"],
            )
            for number in range(count)
        )
    ProviderProfile.objects.bulk_create(
        ProviderProfile(application=row, member_since=now - dt.timedelta(days=place))
        for place, row in enumerate(rows)
    )
    return rows


def names(client: Client, **query: str) -> list[str]:
    return [row.company_name for row in client.get(URL, query).context["page"].rows]


def test_an_active_provider_is_shown_to_anybody(active: Application, client: Client) -> None:
    listed = client.get(URL).content.decode()
    own_page = client.get(reverse("compliance:provider", args=[active.number])).content.decode()

    for page in (listed, own_page):
        assert active.company_name in page
        assert "浙江省" in page


def test_the_public_reads_no_contact_and_no_full_credit_code(active: Application, client: Client) -> None:
    pages = [URL, reverse("compliance:provider", args=[active.number])]
    secret = [
        "contact_name", "contact_phone", "contact_email", "credit_code", "alipay_account_id",
        "legal_representative", "address",
    ]  # fmt: skip

    for page in pages:
        text = client.get(page).content.decode()
        for name in secret:
            assert COMPANY_DATA[name] not in text, name
        assert active.taobao_user_id not in text
        assert "13800138000" not in text
    assert "9133**********058B" in text


@pytest.mark.parametrize("leaving", ["suspend", "request_exit"])
def test_who_is_not_active_is_not_in_it(
    active: Application, client: Client, merchant: User, leaving: str
) -> None:
    if leaving == "suspend":
        suspensions.suspend(active.pk, cause="licence_expired", reason="营业执照已过期")
    else:
        applications.request_exit(active.pk, actor=merchant)

    assert names(client) == []
    assert client.get(reverse("compliance:provider", args=[active.number])).status_code == 404


def test_an_expelled_provider_is_gone_at_once(
    active: Application, verified_violation: Violation, client: Client
) -> None:
    assert names(client) == []
    assert client.get(reverse("compliance:provider", args=[active.number])).status_code == 404


def test_an_applicant_is_not_in_it(approved: Application, client: Client) -> None:
    assert names(client) == []
    assert client.get(reverse("compliance:provider", args=[approved.number])).status_code == 404


@pytest.mark.parametrize(
    ("part", "found"), [("云栖", NAMES[0]), ("前海数据", NAMES[1]), ("商贸有限", NAMES[2])]
)
def test_part_of_a_name_finds_the_company(merchant: User, client: Client, part: str, found: str) -> None:
    stand(merchant, 3)

    assert names(client, q=part) == [found]


def test_region_category_and_stars_narrow_it(merchant: User, client: Client) -> None:
    [operations, after_sales] = stand(merchant, 2)
    Application.objects.filter(pk=operations.pk).update(region="44", categories=["operations", "after_sales"])
    ProviderProfile.objects.filter(application=after_sales).update(stars=5)

    assert names(client, region="44") == [operations.company_name]
    assert names(client, category="operations") == [operations.company_name]
    assert len(names(client, category="after_sales")) == 2
    assert names(client, stars="5") == [after_sales.company_name]
    assert names(client, stars="unrated") == [operations.company_name]
    assert names(client, region="44", stars="5") == []


def test_what_cannot_be_a_filter_is_left_out(active: Application, client: Client) -> None:
    assert names(client, region="99", stars="x", category="' OR 1=1") == [active.company_name]


def test_empty_lists_say_what_to_do(db: None, client: Client) -> None:
    assert client.get(URL).context["narrowed"] is False
    assert client.get(URL, {"q": "没有"}).context["narrowed"] is True


def test_pages_follow_one_another_without_gap_or_repetition(merchant: User, client: Client) -> None:
    everybody = [row.company_name for row in stand(merchant, 45)]

    seen, cursor, pages = [], "", 0
    while True:
        page = client.get(URL, {"cursor": cursor}).context["page"]
        seen += [row.company_name for row in page.rows]
        pages += 1
        if not page.next:
            break
        cursor = page.next

    assert (seen, pages) == (everybody, 3)
    back = client.get(URL, {"cursor": page.previous}).context["page"]
    assert [row.company_name for row in back.rows] == everybody[20:40]
    first = client.get(URL, {"cursor": back.previous}).context["page"]
    assert [row.company_name for row in first.rows] == everybody[:20]
    assert first.previous == ""


def test_who_joins_meanwhile_shifts_no_page(merchant: User, client: Client, active: Application) -> None:
    everybody = [row.company_name for row in stand(merchant, 30)]
    ProviderProfile.objects.filter(application=active).update(
        member_since=clock.now() - dt.timedelta(days=99)
    )
    page = client.get(URL).context["page"]

    ProviderProfile.objects.filter(application=active).update(member_since=clock.now())

    following = client.get(URL, {"cursor": page.next}).context["page"]
    assert [row.company_name for row in following.rows] == everybody[20:]


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WyJhZnRlciIsIngiLDFd", "WyJhZnRlciIsMSwxXQ", "é"])
def test_a_cursor_that_is_none_shows_the_first_page(active: Application, client: Client, cursor: str) -> None:
    response = client.get(URL, {"cursor": cursor})

    assert response.status_code == 200
    assert len(response.context["page"].rows) == 1


def test_the_number_of_queries_does_not_grow_with_the_list(
    merchant: User, client: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    stand(merchant, 30)

    with django_assert_num_queries(1):
        client.get(URL)


def test_a_credit_code_is_masked() -> None:
    assert directory.masked_credit_code("91330100799655058B") == "9133**********058B"
    assert directory.masked_credit_code("") == ""
