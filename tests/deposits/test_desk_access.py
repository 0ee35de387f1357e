"""Who reads the desk's pages of money, and who acts there."""

import re

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from applications.models import Application
from deposits.models import (
    AlipayNotification,
    Compensation,
    Deposit,
    LedgerTransfer,
    Obligation,
    PaymentOrder,
    Payout,
    Proposal,
    Refund,
    ReturnedPayment,
    TopUpDemand,
)
from tests.deposits.conftest import deposit_of
from tests.staff_login import staff_client
from tmall_sp.accounts.models import User

FINANCES = [
    AlipayNotification,
    Compensation,
    LedgerTransfer,
    PaymentOrder,
    Payout,
    ReturnedPayment,
]
OPERATIONS_TOO = [Deposit, Obligation, Proposal, Refund, TopUpDemand]


def url(model: type[Model], view: str, *args: object) -> str:
    return reverse(f"admin:deposits_{model._meta.model_name}_{view}", args=args)


@pytest.mark.parametrize("model", [*FINANCES, *OPERATIONS_TOO])
@pytest.mark.parametrize("person", ["finance", "auditor"])
def test_finance_and_the_auditor_read_every_list(
    person: str, model: type[Model], request: pytest.FixtureRequest, exited: Application
) -> None:
    client = staff_client(request.getfixturevalue(person))

    assert client.get(url(model, "changelist")).status_code == 200


@pytest.mark.parametrize("model", [Deposit, LedgerTransfer, PaymentOrder, Payout, Refund])
def test_finance_opens_a_row(exited: Application, finance: User, model: type[Model]) -> None:
    pk = model._default_manager.values_list("pk", flat=True).first()

    assert staff_client(finance).get(url(model, "change", pk)).status_code == 200


@pytest.mark.parametrize("model", OPERATIONS_TOO)
def test_operations_read_what_concerns_a_case(model: type[Model], ops: User) -> None:
    assert staff_client(ops).get(url(model, "changelist")).status_code == 200


@pytest.mark.parametrize("model", FINANCES)
def test_operations_read_nothing_else(model: type[Model], ops: User) -> None:
    assert staff_client(ops).get(url(model, "changelist")).status_code == 403


@pytest.mark.parametrize("model", [*FINANCES, *OPERATIONS_TOO])
def test_a_reviewer_reads_no_money(model: type[Model], reviewer: User) -> None:
    assert staff_client(reviewer).get(url(model, "changelist")).status_code == 403


def test_a_reviewer_opens_no_page_of_money(exited: Application, reviewer: User) -> None:
    client = staff_client(reviewer)
    deposit = deposit_of(exited)
    addresses = [
        url(Deposit, "change", deposit.pk),
        url(Deposit, "statement", deposit.pk),
        url(Deposit, "statement_file", deposit.pk, "csv"),
        url(Refund, "change", Refund.objects.get().pk),
        url(Payout, "change", Payout.objects.get().pk),
        url(LedgerTransfer, "totals"),
        url(LedgerTransfer, "printed_totals"),
        url(LedgerTransfer, "totals_file", "csv"),
    ]

    assert {client.get(address).status_code for address in addresses} == {403}


def test_operations_see_of_a_deposit_what_is_not_finances(exited: Application, ops: User) -> None:
    deposit = deposit_of(exited)
    client = staff_client(ops)

    dossier = client.get(url(Deposit, "change", deposit.pk)).context["dossier"]

    assert (dossier.orders, dossier.latest, dossier.compensations) == (None, None, None)
    assert dossier.refunds is not None and dossier.obligations is not None
    assert client.get(url(Deposit, "statement", deposit.pk)).status_code == 403


def test_operations_are_led_to_no_page_that_refuses_them(exited: Application, ops: User) -> None:
    client = staff_client(ops)
    pages = [url(Deposit, "change", deposit_of(exited).pk), url(Refund, "change", Refund.objects.get().pk)]

    for page in pages:
        for link in set(re.findall(r'href="(/admin/deposits/[^"]+)"', client.get(page).content.decode())):
            assert client.get(link).status_code == 200, link


def test_a_superuser_reads_and_acts_nowhere(exited: Application, superuser: User) -> None:
    client = staff_client(superuser)
    refund = Refund.objects.get()

    page = client.get(url(Refund, "change", refund.pk))

    assert page.status_code == 200
    assert page.context["steps"] == []


def steps(client: Client, model: type[Model], pk: int | None) -> list[str]:
    return [step.name for step in client.get(url(model, "change", pk)).context["steps"]]


def test_the_auditor_is_offered_nothing(exited: Application, auditor: User) -> None:
    client = staff_client(auditor)
    for model in (Deposit, Refund, Payout, LedgerTransfer):
        pk = model._default_manager.values_list("pk", flat=True).first()
        assert steps(client, model, pk) == []
