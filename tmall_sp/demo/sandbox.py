"""What the demo orders at the sandbox: sellers, accounts, log-ins and payments, over its control API."""

import datetime as dt
from typing import Any

import httpx
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import settings

from applications import shop_checks
from tmall_sp.accounts.models import User
from tmall_sp.accounts.taobao import oauth
from tmall_sp.core import clock
from tmall_sp.demo.companies import DemoCompany

REDIRECT_PATH = "/accounts/taobao/login/callback/"


def open_accounts(company: DemoCompany, *, opened: dt.date, **shop: Any) -> None:
    """A Taobao seller and an enterprise Alipay account with money enough for deposits."""
    _post(
        "sellers",
        taobao_user_id=company.taobao_user_id,
        nick=company.nick,
        opened_at=opened.isoformat(),
        **shop,
    )
    _post(
        "alipay-accounts",
        user_id=company.alipay_account_id,
        name=company.data["company_name"],
        kind="CORPORATE",
        balance="300000.00",
    )


def log_in(company: DemoCompany) -> User:
    """The company's Taobao account logs in at the portal: a person with a live session."""
    return _log_in(company.taobao_user_id)


def log_in_customer(taobao_user_id: int, nick: str, alipay_account_id: str) -> User:
    """Somebody with a Taobao account and a private one at Alipay, who is no provider."""
    opened = clock.today() - dt.timedelta(days=1500)
    _post("sellers", taobao_user_id=taobao_user_id, nick=nick, opened_at=opened.isoformat())
    _post("alipay-accounts", user_id=alipay_account_id, name=nick, kind="PRIVATE", balance="0.00")
    return _log_in(taobao_user_id)


def _log_in(taobao_user_id: int) -> User:
    redirect = settings.SITE_URL + REDIRECT_PATH
    code = _post("authorize", taobao_user_id=taobao_user_id, redirect_uri=redirect)["code"]
    token = oauth.exchange_code(code, redirect)
    user, _ = User.objects.get_or_create(
        username=f"taobao-{token.taobao_user_id}",
        defaults={"taobao_user_id": token.taobao_user_id, "taobao_nick": token.nick},
    )
    account, _ = SocialAccount.objects.get_or_create(
        provider="taobao",
        uid=token.taobao_user_id,
        defaults={
            "user": user,
            "extra_data": {"taobao_user_id": token.taobao_user_id, "taobao_user_nick": token.nick},
        },
    )
    SocialToken.objects.update_or_create(
        account=account, defaults={"token": token.access_token, "expires_at": token.expires_at}
    )
    shop_checks.resume_after_login(user)
    return user


def pay(cashier_url: str, out_trade_no: str, buyer: str) -> None:
    """Open the cashier and pay. No notification comes: whoever tells the story settles the order itself."""
    httpx.get(cashier_url, timeout=30, trust_env=False, follow_redirects=True).raise_for_status()
    _post("pay", out_trade_no=out_trade_no, buyer=buyer, lose_notification=True)


def _post(path: str, **content: Any) -> dict[str, Any]:
    answer = httpx.post(f"{settings.SANDBOX_URL}/control/{path}", json=content, timeout=30, trust_env=False)
    answer.raise_for_status()
    result: dict[str, Any] = answer.json()
    return result
