"""What the database refuses by itself, whatever the services would let through."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from applications.models import Application
from compliance.models import (
    Declaration,
    DeclarationState,
    DeclarationStep,
    ServedShop,
    ShopState,
)
from compliance.served_shops import declarations
from tests.compliance.served_shops.making import paper
from tmall_sp.accounts.models import User
from tmall_sp.core import clock


def refused(act: Callable[[], Any], error: type[DatabaseError] = DatabaseError) -> str:
    with pytest.raises(error) as caught, transaction.atomic():
        act()
    return str(caught.value)


def test_a_shop_is_served_once_by_a_provider(
    serving: ServedShop, active: Application, merchant: User, owner: User
) -> None:
    second = ServedShop.objects.create(
        application=active, shop_name="同一家店", invited_by=merchant, expires_at=clock.now()
    )
    update = ServedShop.objects.filter(pk=second.pk).update

    def authorised(taobao_user_id: str) -> int:
        return update(
            state=ShopState.SERVING,
            owner=owner,
            owner_taobao_user_id=taobao_user_id,
            begins_on=clock.today(),
        )

    assert "shop_served_once_by_a_provider" in refused(
        lambda: authorised(owner.taobao_user_id), IntegrityError
    )
    assert authorised("706000009") == 1


def test_nothing_is_served_without_its_owner(invited: ServedShop) -> None:
    update = ServedShop.objects.filter(pk=invited.pk).update

    assert "served_shop_authorised_by_its_owner" in refused(
        lambda: update(state=ShopState.SERVING), IntegrityError
    )


@pytest.mark.parametrize(
    "state", [ShopState.INVITED, ShopState.DECLINED, ShopState.EXPIRED, ShopState.REVOKED]
)
def test_a_relation_goes_nowhere_but_to_its_end(serving: ServedShop, state: str) -> None:
    refused(lambda: ServedShop.objects.filter(pk=serving.pk).update(state=state))


def test_gmv_of_a_quarter_stands_once(declared: Declaration, ops: User) -> None:
    def copy() -> None:
        row = Declaration.objects.get(pk=declared.pk)
        row.pk, row.state = None, DeclarationState.DECLARED
        row.decided_by, row.decided_at = None, None
        row.save(force_insert=True)

    assert "one_gmv_per_shop_and_quarter" in refused(copy, IntegrityError)
    declarations.refuse(declared.pk, actor=ops, reason="看不清")
    copy()


def test_one_figure_of_a_kind_waits(active: Application, merchant: User) -> None:
    row = declarations.declare_figure(
        active.pk, actor=merchant, figure="seats", value=declarations.LIMIT - 1, upload=paper()
    )

    def copy(figure: str) -> None:
        again = Declaration.objects.get(pk=row.pk)
        again.pk, again.input = None, figure
        again.save(force_insert=True)

    assert "one_figure_waits_per_input" in refused(lambda: copy("seats"), IntegrityError)
    copy("staff")


@pytest.mark.parametrize("change", [{"value": 1}, {"quarter": "2026Q1"}, {"input": "staff"}, {"sha256": "0"}])
def test_a_declared_figure_is_never_rewritten(declared: Declaration, change: dict[str, Any]) -> None:
    refused(lambda: Declaration.objects.filter(pk=declared.pk).update(**change))


def test_a_decision_needs_somebody(declared: Declaration) -> None:
    update = Declaration.objects.filter(pk=declared.pk).update

    assert "declaration_decided_by_somebody" in refused(
        lambda: update(state=DeclarationState.VERIFIED), IntegrityError
    )


def test_steps_are_only_written(declared: Declaration) -> None:
    refused(lambda: DeclarationStep.objects.filter(declaration=declared).update(note="x"))
    refused(lambda: DeclarationStep.objects.filter(declaration=declared).delete())
    refused(lambda: Declaration.objects.filter(pk=declared.pk).delete())
