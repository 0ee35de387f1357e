"""Hundreds of companies at once, loaded by the owner role as histories are. Runs inside the stack: see stage.py."""

import datetime as dt
import random
import time
from collections.abc import Sequence
from decimal import Decimal

import httpx
from django.conf import settings
from django.db import transaction
from django.urls import reverse

from applications import selectors
from applications.lifecycle import State
from applications.models import AgreementAcceptance, Application
from compliance.models import ExitRequest, ProviderProfile
from deposits.books.accounts import ENTRIES, Kind
from deposits.incoming import payments
from deposits.models import Deposit, LedgerTransfer, PaymentOrder, Purpose
from deposits.states import OrderState
from tmall_sp.accounts.models import Company, CompanyRole, Membership, User
from tmall_sp.core import clock
from tmall_sp.demo.companies import DemoCompany, company

REQUIRED = Decimal("100000.00")
NOTICE = dt.timedelta(days=30)
# What a member once paid, and how many days ago: by turns, these ten.
PAID: tuple[Sequence[tuple[str, int]], ...] = (
    *[[("100000.00", 10)]] * 5,
    [("60000.00", 20), ("40000.00", 10)],
    *[[("100000.00", 40)]] * 2,
    *[[("60000.00", 40), ("40000.00", 10)]] * 2,
)


def load_approved(count: int) -> None:
    """Companies that were approved just now, each with an enterprise Alipay account of its own."""
    companies = [company(number) for number in range(count)]
    now = clock.now()
    with transaction.atomic():
        applications = _load_applications(
            companies, state=State.APPROVED, deadline_at=now + dt.timedelta(days=15)
        )
        Deposit.objects.bulk_create(Deposit(application=one, required=REQUIRED) for one in applications)
    _load_at_sandbox(accounts=[_account(one, balance="100000.00") for one in companies])


def load_leaving(count: int, seconds_between: float) -> None:
    """Members that have asked to leave, whose notice ends one after the other, beginning in an hour."""
    companies = [company(number) for number in range(count)]
    now = clock.now()
    with transaction.atomic():
        applications = _load_applications(companies, state=State.EXITING, exit_origin=State.ACTIVE)
        ProviderProfile.objects.bulk_create(
            ProviderProfile(application=one, member_since=now - dt.timedelta(days=40)) for one in applications
        )
        first = now + dt.timedelta(hours=1)
        ends = [first + number * dt.timedelta(seconds=seconds_between) for number in range(count)]
        ExitRequest.objects.bulk_create(
            ExitRequest(
                application=one, requested_by=one.applicant, requested_at=end - NOTICE, notice_ends_at=end
            )
            for one, end in zip(applications, ends, strict=True)
        )
        deposits = Deposit.objects.bulk_create(
            Deposit(application=one, required=REQUIRED, available=REQUIRED) for one in applications
        )
        orders = [order for number, one in enumerate(deposits) for order in _paid_orders(number, one)]
        PaymentOrder.objects.bulk_create(orders)
        LedgerTransfer.objects.bulk_create(_received(order) for order in orders)
    _load_at_sandbox(
        accounts=[_account(one, balance="0") for one in companies], trades=[_trade(order) for order in orders]
    )


def pay_one_after_the_other(seconds: float, seed: str) -> None:
    """Every approved company opens its order, goes to the cashier and pays, in about so much time for all."""
    dice = random.Random(seed)
    approved = list(Application.objects.filter(state=State.APPROVED).select_related("applicant"))
    dice.shuffle(approved)
    pause = seconds / len(approved)
    began = time.monotonic()
    with httpx.Client(timeout=60, trust_env=False, follow_redirects=True) as browser:
        for number, application in enumerate(approved):
            cashier = payments.open_cashier(application.pk, actor=application.applicant)
            browser.get(cashier).raise_for_status()
            [order] = application.deposit.orders.all()
            paid = browser.post(
                f"{settings.SANDBOX_URL}/control/pay",
                json={"out_trade_no": order.out_trade_no, "buyer": application.alipay_account_id},
            )
            paid.raise_for_status()
            time.sleep(max(0.0, began + number * pause - time.monotonic()))


# The portal's rows ---------------------------------------------------------------------------------


def _load_applications(companies: list[DemoCompany], **values: object) -> list[Application]:
    now, agreement = clock.now(), selectors.current_agreement()
    people = User.objects.bulk_create(
        User(
            username=f"taobao-{one.taobao_user_id}",
            taobao_user_id=str(one.taobao_user_id),
            taobao_nick=one.nick,
        )
        for one in companies
    )
    known = Company.objects.bulk_create(
        Company(credit_code=one.data["credit_code"], name=one.data["company_name"]) for one in companies
    )
    Membership.objects.bulk_create(
        Membership(company=one, user=person, role=CompanyRole.OWNER)
        for one, person in zip(known, people, strict=True)
    )
    applications = Application.objects.bulk_create(
        Application(
            applicant=person,
            company=company,
            taobao_user_id=person.taobao_user_id,
            taobao_nick=person.taobao_nick,
            categories=["after_sales"],
            contact_email_verified_at=now,
            state_since=now,
            **one.data,
            **values,
        )
        for one, company, person in zip(companies, known, people, strict=True)
    )
    AgreementAcceptance.objects.bulk_create(
        AgreementAcceptance(application=one, agreement=agreement, user=one.applicant) for one in applications
    )
    return applications


def _paid_orders(number: int, deposit: Deposit) -> list[PaymentOrder]:
    application = deposit.application
    orders = []
    for turn, (amount, days_ago) in enumerate(PAID[number % len(PAID)]):
        paid_at = (clock.now() - dt.timedelta(days=days_ago)).replace(microsecond=0)
        orders.append(
            PaymentOrder(
                deposit=deposit,
                purpose=Purpose.TOP_UP if turn else Purpose.INITIAL,
                amount=Decimal(amount),
                paid_amount=Decimal(amount),
                time_expire=paid_at + dt.timedelta(days=1),
                created_by=application.applicant,
                created_at=paid_at,
                state=OrderState.PAID,
                trade_no=f"2200{number:020d}{turn:04d}",
                paid_at=paid_at,
                closed_at=paid_at,
                buyer_user_id=application.alipay_account_id,
                buyer_user_type=payments.CORPORATE,
                buyer_name=application.company_name,
            )
        )
    return orders


def _received(order: PaymentOrder) -> LedgerTransfer:
    assert order.paid_at is not None
    kind = Kind.TOP_UP if order.purpose == Purpose.TOP_UP else Kind.PAYMENT
    debit, credit = ENTRIES[kind]
    return LedgerTransfer(
        kind=kind,
        debit=debit,
        credit=credit,
        amount=order.amount,
        at=order.paid_at,
        key=f"order:{order.pk}:received",
        deposit=order.deposit,
        order=order,
        note=order.trade_no,
    )


# Alipay's books ------------------------------------------------------------------------------------


def _account(one: DemoCompany, balance: str) -> dict[str, object]:
    return {"user_id": one.alipay_account_id, "name": one.data["company_name"], "balance": balance}


def _trade(order: PaymentOrder) -> dict[str, object]:
    assert order.paid_at is not None
    return {
        "out_trade_no": order.out_trade_no,
        "trade_no": order.trade_no,
        "amount": str(order.amount),
        "buyer": order.buyer_user_id,
        "paid_at": order.paid_at.isoformat(),
        "notify_url": settings.SITE_URL + reverse("alipay_notify"),
    }


def _load_at_sandbox(**groups: list[dict[str, object]]) -> None:
    answer = httpx.post(f"{settings.SANDBOX_URL}/control/load", json=groups, timeout=60, trust_env=False)
    answer.raise_for_status()
    assert answer.json() | {kind: len(items) for kind, items in groups.items()} == answer.json()
