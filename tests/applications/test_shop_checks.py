"""The shop check as a job, against the sandbox over real HTTP."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken

from applications import services, shop_checks, tasks
from applications.lifecycle import State
from applications.models import Application, CheckState, ShopBinding, ShopCheck, ShopEvidence
from tests.people import begin, make_merchant
from tests.sandbox_client import SandboxClient
from tmall_sp.accounts.models import User
from tmall_sp.accounts.taobao import oauth
from tmall_sp.core import clock
from tmall_sp.core.errors import DomainError

GOOD, YOUNG, LOW_SCORES, SUPERVISED, NO_SHOP, NO_LEGACY, BARE_LEGACY = (
    2200606100001,
    2200606100004,
    2200606100005,
    2200606100006,
    2200606100007,
    2200606100008,
    2200606100009,
)
REDIRECT = "http://127.0.0.1:8000/accounts/taobao/login/callback/"


def log_in(sandbox: SandboxClient, taobao_user_id: int) -> User:
    """A merchant with a live session at the sandbox, as after a log-in."""
    user = User.objects.filter(taobao_user_id=taobao_user_id).first() or make_merchant(
        f"seller-{taobao_user_id}", str(taobao_user_id)
    )
    token = oauth.exchange_code(sandbox.authorize(taobao_user_id, REDIRECT), REDIRECT)
    account, _ = SocialAccount.objects.get_or_create(user=user, provider="taobao", uid=token.taobao_user_id)
    SocialToken.objects.update_or_create(
        account=account, defaults={"token": token.access_token, "expires_at": token.expires_at}
    )
    shop_checks.resume_after_login(user)
    return user


def applied(sandbox: SandboxClient, taobao_user_id: int) -> Application:
    return begin(log_in(sandbox, taobao_user_id))


def run_due() -> None:
    tasks.sweep_shop_checks()


def failing(evidence: ShopEvidence) -> set[str]:
    return {verdict["rule"] for verdict in evidence.verdicts if verdict["outcome"] == "fail"}


def test_a_good_shop_is_verified_with_evidence(db: None, sandbox: SandboxClient) -> None:
    application = applied(sandbox, GOOD)

    run_due()

    application = Application.objects.get(pk=application.pk)
    evidence = application.shop_evidence.get()
    assert application.state == State.SHOP_VERIFIED
    assert evidence.passed
    assert evidence.read["status"] == "normal"
    assert evidence.tenure_source == "shop_created_on"
    assert [step.name for step in application.transitions.all()] == ["create", "pass_shop_check"]


@pytest.mark.parametrize(
    ("seller", "rules"),
    [
        (YOUNG, {"tenure"}),
        (LOW_SCORES, {"item_score", "service_score", "delivery_score"}),
        (SUPERVISED, {"status"}),
    ],
)
def test_a_failing_shop_is_told_which_rules(
    db: None, sandbox: SandboxClient, seller: int, rules: set[str]
) -> None:
    application = applied(sandbox, seller)

    run_due()

    application = Application.objects.get(pk=application.pk)
    assert application.state == State.SHOP_UNQUALIFIED
    assert failing(application.shop_evidence.get()) == rules


def test_an_account_without_a_shop_fails(db: None, sandbox: SandboxClient) -> None:
    application = applied(sandbox, NO_SHOP)

    run_due()

    assert "has_shop" in failing(Application.objects.get(pk=application.pk).shop_evidence.get())


def test_a_shop_that_is_too_young_is_checked_again_on_its_day(
    db: None, sandbox: SandboxClient, move_clock: Callable[..., None]
) -> None:
    application = applied(sandbox, YOUNG)
    run_due()
    evidence = application.shop_evidence.get()
    scheduled = application.shop_checks.get(state=CheckState.QUEUED)
    assert evidence.eligible_on is not None
    assert scheduled.due_at == clock.day_start(evidence.eligible_on)

    move_clock(seconds=(scheduled.due_at - clock.now()).total_seconds())
    log_in(sandbox, YOUNG)
    run_due()

    assert Application.objects.get(pk=application.pk).state == State.SHOP_VERIFIED


def test_a_rule_without_a_date_is_checked_again_weekly(db: None, sandbox: SandboxClient) -> None:
    application = applied(sandbox, LOW_SCORES)
    run_due()

    scheduled = application.shop_checks.get(state=CheckState.QUEUED)
    assert abs(scheduled.due_at - clock.now() - dt.timedelta(days=7)) < dt.timedelta(minutes=1)


@pytest.mark.parametrize("seller", [NO_LEGACY, BARE_LEGACY])
def test_what_taobao_withholds_is_an_item_for_the_reviewer(
    db: None, sandbox: SandboxClient, seller: int
) -> None:
    ShopBinding.objects.create(taobao_user_id=str(seller), bound_at=clock.now() - dt.timedelta(days=400))
    application = applied(sandbox, seller)

    run_due()

    evidence = application.shop_evidence.get()
    withheld = {v["rule"] for v in evidence.verdicts if v["outcome"] == "not_available"}
    assert evidence.passed
    assert withheld == {"item_score", "service_score", "delivery_score"}
    assert evidence.tenure_source in {"bound_on", "first_order_on"}


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("http_502", {}),
        ("garbage", {}),
        ("drop", {}),
        ("top_error", {"code": 15, "sub_code": "isp.remote-service-error"}),
        ("top_error", {"code": 7, "sub_code": "isv.app-call-limited"}),
    ],
)
def test_a_gateway_in_trouble_is_no_verdict(
    db: None,
    sandbox: SandboxClient,
    move_clock: Callable[..., None],
    kind: str,
    params: dict[str, Any],
) -> None:
    application = applied(sandbox, GOOD)
    sandbox.fault("taobao.user.seller.get", kind, times=-1, **params)

    run_due()

    check = application.shop_checks.get()
    assert Application.objects.get(pk=application.pk).state == State.CREATED
    assert check.state == CheckState.WAITING
    assert check.due_at > clock.now()
    assert not application.shop_evidence.exists()

    sandbox.clear_faults()
    move_clock(seconds=15)
    run_due()
    assert Application.objects.get(pk=application.pk).state == State.SHOP_VERIFIED


def test_the_pause_grows_with_each_failure(
    db: None, sandbox: SandboxClient, move_clock: Callable[..., None]
) -> None:
    application = applied(sandbox, GOOD)
    sandbox.fault("taobao.user.seller.get", "http_502", times=-1)
    pauses = []
    for _ in range(3):
        run_due()
        check = application.shop_checks.get()
        pauses.append((check.due_at - clock.now()).total_seconds())
        move_clock(seconds=pauses[-1] + 1)
    assert pauses == sorted(pauses)
    assert pauses[-1] > 3 * pauses[0]


def test_an_expired_session_waits_for_the_merchant_and_goes_on_after_the_log_in(
    db: None, sandbox: SandboxClient
) -> None:
    application = applied(sandbox, GOOD)
    sandbox.expire_session(GOOD)

    run_due()

    assert application.shop_checks.get().state == CheckState.REAUTHORISE
    assert Application.objects.get(pk=application.pk).state == State.CREATED
    assert application.applicant.notices.filter(subject__contains="again").exists() or (
        application.applicant.notices.filter(key__contains="reauthorise").exists()
    )

    log_in(sandbox, GOOD)
    run_due()
    assert Application.objects.get(pk=application.pk).state == State.SHOP_VERIFIED


def test_a_check_left_by_a_dead_worker_is_finished_once(
    db: None, sandbox: SandboxClient, move_clock: Callable[..., None]
) -> None:
    application = applied(sandbox, GOOD)
    dead = shop_checks._claim(application.shop_checks.get().pk)
    assert dead is not None
    run_due()
    assert application.shop_checks.get().state == CheckState.RUNNING

    move_clock(minutes=2)
    run_due()
    shop_checks._record(dead, shop_checks.Reading(has_shop=False))  # it was not dead after all

    assert application.shop_evidence.get().passed
    assert Application.objects.get(pk=application.pk).state == State.SHOP_VERIFIED


def test_a_verdict_for_an_application_that_was_withdrawn_is_dropped(db: None, sandbox: SandboxClient) -> None:
    application = applied(sandbox, GOOD)
    services.withdraw(application.pk, actor=application.applicant)

    run_due()

    assert Application.objects.get(pk=application.pk).state == State.WITHDRAWN
    assert not application.shop_evidence.exists()
    assert not ShopCheck.objects.exclude(state=CheckState.DONE).exists()


def test_the_button_is_limited_while_taobao_is_down_too(db: None, sandbox: SandboxClient) -> None:
    application = applied(sandbox, GOOD)
    sandbox.fault("taobao.user.seller.get", "http_502", times=-1)
    run_due()
    shop_checks.request_again(application.pk, actor=application.applicant)
    run_due()

    with pytest.raises(DomainError, match="too_often"):
        shop_checks.request_again(application.pk, actor=application.applicant)


def test_the_merchants_button_checks_now_and_is_limited(db: None, sandbox: SandboxClient) -> None:
    application = applied(sandbox, LOW_SCORES)
    run_due()
    for _ in range(3):
        shop_checks.request_again(application.pk, actor=application.applicant)
        run_due()

    assert application.shop_evidence.count() == 4
    with pytest.raises(DomainError, match="too_often"):
        shop_checks.request_again(application.pk, actor=application.applicant)
