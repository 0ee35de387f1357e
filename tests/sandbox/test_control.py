"""The control API, mail, codes and pages."""

import json
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.process import ROOT, Sandbox
from tests.sandbox.wire import Alipay

COMPANY = "2088101000000101"


def _mail(subject: str, html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "portal@example.com", "shop@example.com", subject
    message.set_content("验证码 123456\n见 http://127.0.0.1:8000/console/")
    if html:
        message.add_alternative(html, subtype="html")
    return message


def test_mail_is_kept_and_shown_without_running_it(sandbox: Sandbox) -> None:
    with smtplib.SMTP("127.0.0.1", sandbox.smtp_port, timeout=5) as server:
        server.send_message(_mail("审核通过", "<p>您好</p><script>alert(1)</script>"))

    mail = sandbox.get("mail", to="SHOP@example.com")[0]
    page = sandbox.http.get(f"/mail/{mail['id']}/html")

    assert mail["subject"] == "审核通过"
    assert mail["links"] == ["http://127.0.0.1:8000/console/"]
    assert "验证码 123456" in sandbox.http.get(f"/mail/{mail['id']}/").text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "审核通过" in sandbox.http.get("/mail/").text


def test_the_authenticator_shows_the_code_of_the_standard(sandbox: Sandbox) -> None:
    """RFC 6238's secret; its six digits are computed here again."""
    import hmac
    import struct

    counter = int(time.time()) // 30
    codes = set()
    for step in (counter, counter + 1):
        digest = hmac.digest(b"12345678901234567890", struct.pack(">Q", step), "sha1")
        start = digest[-1] & 15
        codes.add(f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}")

    answer = sandbox.get("totp/li.shen")

    assert answer["code"] in codes
    assert "li.shen" in sandbox.http.get("/authenticator/").text


def test_a_secret_can_be_made_known_later(sandbox: Sandbox) -> None:
    known = sandbox.post("totp/wang.yun", secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

    assert known["code"] == sandbox.get("totp/li.shen")["code"]


@pytest.mark.parametrize("as_lines", [False, True])
def test_many_rows_are_loaded_at_once_and_only_once(sandbox: Sandbox, alipay: Alipay, as_lines: bool) -> None:
    accounts = [
        {"user_id": f"20887{n:011d}", "name": f"第{n}公司", "type": "CORPORATE", "balance": "10.00"}
        for n in range(2000)
    ]
    trades = [
        {
            "out_trade_no": f"S{n}",
            "amount": "100000.00",
            "buyer": f"20887{n:011d}",
            "paid_at": "2026-03-01T10:00:00",
        }
        for n in range(2000)
    ]
    sellers = [
        {"taobao_user_id": 2300000000000 + n, "nick": f"商家{n}", "opened_at": "2020-01-01"}
        for n in range(2000)
    ]
    groups: dict[str, list[dict[str, Any]]] = {"accounts": accounts, "trades": trades, "sellers": sellers}
    lines = [{"kind": name.rstrip("s"), **row} for name, rows in groups.items() for row in rows]
    body = "\n".join(json.dumps(line) for line in lines) if as_lines else json.dumps(groups)
    headers = {"Content-Type": "application/x-ndjson" if as_lines else "application/json"}

    begun = time.monotonic()
    first = sandbox.http.post("/control/load", content=body, headers=headers).json()
    seconds = time.monotonic() - begun
    second = sandbox.http.post("/control/load", content=body, headers=headers).json()

    assert (first["accounts"], first["trades"], first["sellers"]) == (2000, 2000, 2000)
    assert set(second.values()) == {0}
    assert seconds < 10
    books = sandbox.get("books")
    assert books["balanced"]
    assert books["seller_balance"] == "200500000.00"
    refund = alipay.call(
        "alipay.trade.refund", out_trade_no="S7", refund_amount="100000.00", out_request_no="R7"
    )
    assert refund["fund_change"] == "Y"


def test_old_refunds_can_be_loaded(sandbox: Sandbox, alipay: Alipay) -> None:
    sandbox.post(
        "load",
        trades=[{"out_trade_no": "S1", "amount": "100.00", "buyer": COMPANY, "paid_at": "2026-03-01"}],
        refunds=[
            {"out_trade_no": "S1", "out_request_no": "R1", "amount": "100.00", "executed_at": "2026-04-01"}
        ],
    )

    answer = alipay.call("alipay.trade.fastpay.refund.query", out_trade_no="S1", out_request_no="R1")

    assert answer["refund_status"] == "REFUND_SUCCESS"
    assert sandbox.get("books")["balanced"]


def test_control_takes_json_only(sandbox: Sandbox) -> None:
    assert sandbox.http.post("/control/pay", data={"out_trade_no": "D1"}).status_code == 415
    assert sandbox.http.get("/control/pay").status_code == 405
    assert sandbox.http.get("/control/health", headers={"Host": "evil.example.com"}).status_code == 400


@pytest.mark.parametrize(
    "wrong", [{"no_such_option": 1}, {"refund_window_days": "many"}, {"open_id_only": 1}]
)
def test_a_wrong_option_is_refused(sandbox: Sandbox, wrong: dict[str, object]) -> None:
    assert sandbox.http.post("/control/settings", json=wrong).status_code == 400


def test_a_seller_is_changed_in_place(sandbox: Sandbox) -> None:
    changed = sandbox.post(
        "sellers", taobao_user_id=2200606100001, status="supervise", opened_at="2026-10-01"
    )

    assert changed["created"] is False
    assert changed["status"] == "supervise"
    assert changed["nick"] == "杭州云栖电商服务"


@pytest.mark.parametrize(
    "path", ["/", "/people/", "/books/", "/mail/", "/authenticator/", "/static/sandbox/sandbox.css"]
)
def test_every_page_answers(sandbox: Sandbox, alipay: Alipay, path: str) -> None:
    alipay.open_cashier("D1")
    sandbox.post("pay", out_trade_no="D1", buyer=COMPANY)

    assert sandbox.http.get(path).status_code == 200


@pytest.mark.parametrize("environment", ["production", ""])
def test_production_refuses_the_sandbox(tmp_path: Path, environment: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tmall_sp.sandbox", "keys"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "RUN_DIR": str(tmp_path), "TMALL_SP_ENV": environment or "production"},
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert answer.returncode != 0
    assert "demo or test" in answer.stderr
    assert not any(tmp_path.iterdir())


def test_a_taken_port_is_named(sandbox: Sandbox) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "tmall_sp.sandbox", "serve"],
        cwd=ROOT,
        env=sandbox.environment,
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert answer.returncode != 0
    assert str(httpx.URL(sandbox.url).port) in answer.stderr
