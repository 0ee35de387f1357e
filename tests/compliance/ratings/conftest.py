"""Providers with what their rating is made from, loaded as the owner may: as of the quarter that closed last."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from applications.models import Application
from compliance.models import (
    Complaint,
    Declaration,
    DeclarationState,
    ProviderProfile,
    QuestionCode,
    RatingRun,
    Review,
    Sanction,
    ServedShop,
    ShopState,
    Violation,
)
from compliance.quarters import Quarter
from compliance.ratings import publication, runs
from tests.database import owner_role
from tmall_sp.accounts.models import Company, User
from tmall_sp.core import rules

DAY = dt.timedelta(days=1)


@pytest.fixture
def quarter() -> Quarter:
    """One that has closed, as has the quarter after it."""
    return Quarter.current().previous.previous.previous


@pytest.fixture
def rule_value(db: None) -> dict[str, Any]:
    """The rule that the migration loaded."""
    return rules.value("rating.rule")


@pytest.fixture
def stand(merchant: User, quarter: Quarter) -> Callable[[int], list[Application]]:
    """`stand(3)`: providers that were in the pool long before the quarter; the first is the merchant's own."""

    def load(count: int) -> list[Application]:
        with owner_role():
            companies = Company.objects.bulk_create(
                Company(credit_code=f"91{number:016}", name=f"第{number}号公司") for number in range(count)
            )
            rows = Application.objects.bulk_create(
                Application(
                    applicant=merchant,
                    taobao_user_id=f"9{number:08}" if number else merchant.taobao_user_id,
                    taobao_nick=f"店{number}",
                    state="active",
                    company=company,
                    company_name=company.name,
                    region="33",
                    categories=["operations"],
                )
                for number, company in enumerate(companies)
            )
        ProviderProfile.objects.bulk_create(
            ProviderProfile(application=row, member_since=quarter.begins_at - 400 * DAY) for row in rows
        )
        return rows

    return load


@pytest.fixture
def provider(stand: Callable[[int], list[Application]]) -> Application:
    return stand(1)[0]


@pytest.fixture
def serve(quarter: Quarter, merchant: User) -> Callable[..., ServedShop]:
    """`serve(provider, gmv="…")`: a shop served since before the quarter, with GMV of the quarter verified in it."""

    def load(application: Application, gmv: str = "", **shop: Any) -> ServedShop:
        number = ServedShop.objects.count()
        values = {
            "shop_name": f"旗舰店{number}",
            "state": ShopState.SERVING,
            "invited_by": merchant,
            "expires_at": quarter.begins_at,
            "owner": merchant,
            "owner_taobao_user_id": f"8{number:08}",
            "begins_on": quarter.first_day - 100 * DAY,
        }
        with owner_role():
            row = ServedShop.objects.create(application=application, **(values | shop))
        if gmv:
            declare_gmv(row, gmv, quarter)
        return row

    return load


def declare(application: Application, code: str, value: str, quarter: Quarter, /, **more: Any) -> Declaration:
    """A figure declared and verified ten days before the quarter's end."""
    person = application.applicant
    day = quarter.ends_at - 10 * DAY
    values: dict[str, Any] = {
        "application": application,
        "input": code,
        "value": Decimal(value),
        "state": DeclarationState.VERIFIED,
        "decided_by": person,
        "decided_at": day,
        "uploaded_by": person,
        "uploaded_at": day,
        "file": "cases/x.pdf",
        "original_name": "x.pdf",
        "content_type": "application/pdf",
        "size": 1,
        "sha256": "0" * 64,
    }
    with owner_role():
        return Declaration.objects.create(**(values | more))


def declare_gmv(shop: ServedShop, value: str, quarter: Quarter, **more: Any) -> Declaration:
    return declare(shop.application, "gmv", value, quarter, served_shop=shop, quarter=str(quarter), **more)


def complain(application: Application, at: dt.datetime, **more: Any) -> Complaint:
    """A complaint filed at an instant, in the state that `more` says."""
    values: dict[str, Any] = {
        "application": application,
        "relation": "customer",
        "complainant": application.applicant,
        "complainant_name": "买家",
        "channel": "online",
        "order_number": f"O{Complaint.objects.count()}",
        "order_value": Decimal("100.00"),
        "claimed": Decimal("100.00"),
        "question": QuestionCode.objects.first(),
        "text": "未按约定提供服务",
        "filed_at": at,
        "state": "awaiting_response",
    }
    with owner_role():
        row = Complaint(**(values | more))
        row.save(force_insert=True)
    return row


def final(application: Application, filed: dt.datetime, closed: dt.datetime, **more: Any) -> Complaint:
    """A complaint that was decided against the provider, for good."""
    return complain(
        application,
        filed,
        **(
            {
                "state": "final",
                "responded_at": filed + dt.timedelta(hours=12),
                "liability": "liable",
                "award": Decimal("100.00"),
                "decided_at": closed - DAY,
                "decision_reason": "属实",
                "closed_at": closed,
            }
            | more
        ),
    )


def punish(application: Application, at: dt.datetime, points: int = 6, **more: Any) -> Sanction:
    """Points for a violation, imposed at an instant."""
    with owner_role():
        violation = Violation(
            application=application,
            severity="general",
            title="延迟发货",
            facts="多次",
            state="reported",
            reported_at=at,
        )
        violation.save(force_insert=True)
        return Sanction.objects.create(
            violation=violation,
            application=application,
            measure="points",
            points=points,
            imposed_at=at,
            **more,
        )


def review(shop: ServedShop, quarter: Quarter, at: dt.datetime, marks: int = 5, **more: Any) -> Review:
    values: dict[str, Any] = dict.fromkeys(("attitude", "professionalism", "speed", "results"), marks)
    return Review.objects.create(
        application=shop.application,
        served_shop=shop,
        author=shop.application.applicant,
        quarter=str(quarter),
        written_at=at,
        **(values | more),
    )


def score_all(run: RatingRun, size: int = 1000) -> RatingRun:
    """As a worker does."""
    runs.work(run.pk, size=size, seconds=600)
    run.refresh_from_db()
    return run


@pytest.fixture
def rate(ops: User) -> Callable[[Quarter], RatingRun]:
    """`rate(quarter)`: a run of this quarter, scored."""
    return lambda quarter: score_all(runs.begin(quarter, actor=ops))


@pytest.fixture
def publish(rate: Callable[[Quarter], RatingRun], ops: User) -> Callable[[Quarter], RatingRun]:
    """`publish(quarter)`: scored and published by operations."""
    return lambda quarter: publication.publish(rate(quarter).pk, actor=ops)
