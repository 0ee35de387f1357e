"""Clients that speak both protocols on `cryptography` and httpx alone, and verify every byte.

Written from protocols A2 and B2–B4, without the sandbox's own code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

APP_KEY, APP_SECRET = "12345678", "sandbox-secret"
APP_ID, SELLER = "2021000000000001", "2088000000000001"
BEIJING = ZoneInfo("Asia/Shanghai")


def http_client(base_url: str = "") -> httpx.Client:
    """For plain HTTP on this machine; no certificate authorities are loaded."""
    return httpx.Client(base_url=base_url, trust_env=False, verify=False, timeout=20)  # noqa: S501


def beijing_now(offset: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + offset).astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


class Alipay:
    """Signs as the application, and takes an answer only with Alipay's signature over its raw bytes."""

    def __init__(self, url: str, keys: Path) -> None:
        self.url = f"{url}/gateway.do"
        key = load_pem_private_key((keys / "app_private_key.pem").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._alipay = x509.load_pem_x509_certificate((keys / "alipay_cert.pem").read_bytes())
        self._app_sn, self.alipay_sn = (_cert_sn(keys / name) for name in ("app_cert.pem", "alipay_cert.pem"))
        self._root_sn = _cert_sn(keys / "alipay_root_cert.pem")
        self.http = http_client()
        self.offset = timedelta()

    def params(self, method: str, biz: dict[str, Any], **more: str) -> dict[str, str]:
        params = {
            "app_id": APP_ID,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": beijing_now(self.offset),
            "version": "1.0",
            "app_cert_sn": self._app_sn,
            "alipay_root_cert_sn": self._root_sn,
            "biz_content": json.dumps(biz, ensure_ascii=False),
            **more,
        }
        return self.signed({name: value for name, value in params.items() if value})

    def signed(self, params: dict[str, str]) -> dict[str, str]:
        text = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return {**params, "sign": base64.b64encode(signature).decode()}

    def call(self, method: str, **biz: Any) -> dict[str, Any]:
        """The verified answer of a POST."""
        return self.verified(self.http.post(self.url, data=self.params(method, biz)), method)

    def verified(self, response: httpx.Response, method: str) -> dict[str, Any]:
        assert response.status_code == 200
        root = method.replace(".", "_") + "_response"
        match = re.fullmatch(
            rf'\{{"{root}":(\{{.*\}})(?:,"alipay_cert_sn":"(\w+)")?,"sign":"([^"]+)"\}}', response.text
        )
        assert match, f"no signed answer: {response.text}"
        assert match[2] in (None, self.alipay_sn)
        assert self.is_signed_by_alipay(match[1], match[3])
        answer: dict[str, Any] = json.loads(match[1])
        return answer

    def is_signed_by_alipay(self, text: str, signature: str) -> bool:
        key = self._alipay.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        try:
            key.verify(base64.b64decode(signature), text.encode(), padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def is_true_notification(self, fields: dict[str, str]) -> bool:
        """V1 rule: all but sign and sign_type, empty ones kept."""
        rest = sorted((k, v) for k, v in fields.items() if k not in ("sign", "sign_type"))
        return self.is_signed_by_alipay("&".join(f"{k}={v}" for k, v in rest), fields["sign"])

    def open_cashier(self, number: str, amount: str = "100000.00", **more: Any) -> httpx.Response:
        """What the browser sees after it was sent to alipay.trade.page.pay."""
        urls = {name: more.pop(name, "") for name in ("notify_url", "return_url")}
        biz = {
            "out_trade_no": number,
            "total_amount": amount,
            "subject": "天猫服务商保证金",
            "product_code": "FAST_INSTANT_TRADE_PAY",
            **more,
        }
        query = self.params("alipay.trade.page.pay", biz, **urls)
        return self.http.get(self.url, params=query, follow_redirects=True)


class Top:
    """Signs TOP calls: system parameters in the query, business parameters in the body."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/router/rest"
        self.http = http_client()

    def call(self, method: str, *, session: str = "", sign_method: str = "hmac-sha256", **given: str) -> Any:
        system = {
            "method": method,
            "app_key": given.pop("app_key", APP_KEY),
            "timestamp": given.pop("timestamp", beijing_now()),
            "format": given.pop("format", "json"),
            "v": given.pop("v", "2.0"),
            "sign_method": sign_method,
            "session": session,
            "simplify": given.pop("simplify", ""),
        }
        system = {name: value for name, value in system.items() if value}
        system["sign"] = given.pop("sign", "") or top_sign({**system, **given}, APP_SECRET, sign_method)
        response = self.http.post(self.url, params=system, data=given)
        return response.json() if system.get("format") == "json" else response.text


def top_sign(params: dict[str, str], secret: str, sign_method: str) -> str:
    text = "".join(k + v for k, v in sorted(params.items()) if k and v)
    if sign_method == "md5":
        return hashlib.md5((secret + text + secret).encode()).hexdigest().upper()  # noqa: S324
    digest = "md5" if sign_method == "hmac" else "sha256"
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest().upper()


def _cert_sn(path: Path) -> str:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    names = {a.rfc4514_attribute_name: str(a.value) for a in certificate.issuer}
    issuer = f"CN={names['CN']},OU={names['OU']},O={names['O']},C={names['C']}"
    return hashlib.md5(f"{issuer}{certificate.serial_number}".encode()).hexdigest()  # noqa: S324
