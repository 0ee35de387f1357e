"""python-alipay-sdk 3.4.0, mended: what it does wrong (protocols B10) is put right here and nowhere else.

Importing the SDK runs its module `alipay.loggers`, which calls `logging.config.dictConfig` and thereby
closes every handler that was configured before. A stand-in with the one name that the SDK wants from that
module takes its place, so that the original never runs. Only this module imports `alipay`.
"""

import base64
import hashlib
import json
import logging
import re
import sys
import types
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from tmall_sp.core import clock
from tmall_sp.core.gateway import BUDGET, GatewayError, Kind, json_object, malformed, plain_code, send

_loggers = types.ModuleType("alipay.loggers")
_loggers.logger = logging.getLogger("python-alipay-sdk")  # type: ignore[attr-defined]
sys.modules.setdefault("alipay.loggers", _loggers)

from alipay import DCAliPay  # noqa: E402

RSA_SIGNATURES = "1.2.840.113549.1.1."
PEM_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_decoder = json.JSONDecoder()


class MendedAliPay(DCAliPay):
    """The SDK's certificate-mode client with its defects mended; the numbers are those of B10."""

    def __init__(
        self,
        *,
        app_id: str,
        gateway_url: str,
        app_private_key: str,
        app_cert: str,
        alipay_cert: str,
        alipay_root_cert: str,
        budget: float = BUDGET,
    ) -> None:
        super().__init__(
            appid=app_id,
            app_private_key_string=app_private_key,
            app_public_key_cert_string=app_cert,
            alipay_public_key_cert_string=alipay_cert,
            alipay_root_cert_string=alipay_root_cert,
            sign_type="RSA2",
        )
        self._gateway = gateway_url
        self._budget = budget
        self.alipay_cert_sn = self.get_cert_sn(alipay_cert)
        # The SDK would find out at the first call.
        if not self.app_cert_sn or not self.alipay_root_cert_sn:
            raise ValueError("no certificate to name in a request")

    def build_body(
        self, method: str, biz_content: dict[str, Any] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """3: the time is Beijing's, whatever the zone of the process."""
        stamp = clock.now().astimezone(clock.SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
        body: dict[str, Any] = super().build_body(
            method, biz_content, format="JSON", **{"timestamp": stamp, **kwargs}
        )
        return body

    def verified_sync_response(self, data: dict[str, Any], response_type: str) -> dict[str, Any]:
        """POST instead of GET, so that no payee's name stands in an access log; no proxy, one time budget.

        Returns the inner object if its signature holds. Raises GatewayError, UNKNOWN for every answer that
        can't be believed: an unsigned refusal may come from anybody on the way, and to believe it could
        send the same money twice.
        """
        items = [(key, value) for key, value in self._ordered_data(dict(data)) if value != ""]
        text = "&".join(f"{key}={value}" for key, value in items)
        form = {**dict(items), "sign": self._sign(text)}
        answer = send("POST", self._gateway, form=form, query={"charset": "utf-8"}, budget=self._budget)
        if answer.status != 200:
            raise GatewayError("http_status", f"HTTP {answer.status}", kind=Kind.UNKNOWN)
        try:
            raw = answer.body.decode()
        except UnicodeDecodeError:
            raise malformed("the answer is not UTF-8") from None
        return self._believed(raw, response_type)

    def verify(self, data: Mapping[str, str], signature: str) -> bool:
        """The V1 rule of B4. 4: never raises, and leaves `data` as it is."""
        if data.get("sign_type", "RSA2") != "RSA2":
            return False
        signed = {key: value for key, value in data.items() if key not in {"sign", "sign_type"}}
        if self._verify(_joined(signed), signature):
            return True
        # In certificate mode other clients leave the certificate's number out of the text as well. It
        # carries no statement, so both readings are taken.
        return "alipay_cert_sn" in signed and self._verify(
            _joined({key: value for key, value in signed.items() if key != "alipay_cert_sn"}), signature
        )

    def _verify(self, raw_content: str, signature: str) -> bool:
        """4: what is no Base64, or no text that UTF-8 has, is a wrong signature and no crash."""
        try:
            base64.b64decode(signature, validate=True)
            return bool(super()._verify(raw_content, signature))
        except (ValueError, TypeError, AttributeError):
            return False

    def _believed(self, raw: str, response_type: str) -> dict[str, Any]:
        members = top_level_members(raw)
        root = next((name for name in (response_type, "error_response") if name in members), None)
        if root is None:
            raise malformed(f"the answer has no {response_type}")
        text = members[root]
        if "sign" not in members:
            claimed = json_object(text)
            code = plain_code(claimed.get("sub_code") or claimed.get("code"))
            raise GatewayError("unsigned", f"an unsigned answer claims {code}", kind=Kind.UNKNOWN)
        cert_sn = _string(members.get("alipay_cert_sn"))
        if cert_sn and cert_sn != self.alipay_cert_sn:
            raise GatewayError(
                "cert_changed",
                f"Alipay signs with certificate {plain_code(cert_sn)}; ours is {self.alipay_cert_sn}: "
                "put the new one into ALIPAY_KEY_DIR",
                kind=Kind.UNKNOWN,
            )
        signature = _string(members["sign"]) or ""
        # Some of Alipay's servers sign the text before they escape its slashes (B3).
        if not self._verify(text, signature) and not self._verify(text.replace("\\/", "/"), signature):
            raise GatewayError("bad_signature", "the answer's signature is wrong", kind=Kind.UNKNOWN)
        return json_object(text)

    def load_alipay_public_key_string(self) -> str:
        """7: without pyOpenSSL's deprecated calls."""
        certificate = x509.load_pem_x509_certificate(self._alipay_public_key_cert_string.encode())
        key = certificate.public_key()
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @staticmethod
    def get_cert_sn(cert: str) -> str:
        """Alipay's number of a certificate. 7: without pyOpenSSL's deprecated calls."""
        return _cert_sn(x509.load_pem_x509_certificate(cert.encode()))

    @staticmethod
    def get_root_cert_sn(rootCert: str) -> str:
        """The numbers of all RSA certificates in the root file, joined with `_`; others (SM2) don't count."""
        numbers = []
        for pem in PEM_CERTIFICATE.findall(rootCert):
            try:
                certificate = x509.load_pem_x509_certificate(pem.encode())
            except ValueError:
                continue
            if certificate.signature_algorithm_oid.dotted_string.startswith(RSA_SIGNATURES):
                numbers.append(_cert_sn(certificate))
        return "_".join(numbers)


def top_level_members(raw: str) -> dict[str, str]:
    """The members of a JSON object, each value as the exact text that arrived: what a signature covers.

    1: a JSON reader finds the end of a value, so braces and quotes inside strings don't mislead it.
    Raises GatewayError (UNKNOWN) for anything but one object with distinct names.
    """
    members: dict[str, str] = {}
    at = _skip(raw, 0)
    try:
        if raw[at] != "{":
            raise ValueError
        at = _skip(raw, at + 1)
        while raw[at] != "}":
            name, at = _decoder.raw_decode(raw, at)
            at = _skip(raw, at)
            if not isinstance(name, str) or name in members or raw[at] != ":":
                raise ValueError
            start = _skip(raw, at + 1)
            _, at = _decoder.raw_decode(raw, start)
            members[name] = raw[start:at]
            at = _skip(raw, at)
            if raw[at] == ",":
                at = _skip(raw, at + 1)
                if raw[at] == "}":
                    raise ValueError
            elif raw[at] != "}":
                raise ValueError
        if _skip(raw, at + 1) != len(raw):
            raise ValueError
    except (ValueError, IndexError, RecursionError):
        raise malformed("the answer is not one JSON object") from None
    return members


def _skip(raw: str, at: int) -> int:
    while at < len(raw) and raw[at] in " \t\r\n":
        at += 1
    return at


def _string(text: str | None) -> str | None:
    value = json.loads(text) if text is not None else None
    return value if isinstance(value, str) else None


def _joined(params: Mapping[str, str]) -> str:
    return "&".join(f"{key}={value}" for key, value in sorted(params.items()))


def _cert_sn(certificate: x509.Certificate) -> str:
    issuer = certificate.issuer
    parts = []
    for short, oid in (
        ("CN", NameOID.COMMON_NAME),
        ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
        ("O", NameOID.ORGANIZATION_NAME),
        ("C", NameOID.COUNTRY_NAME),
    ):
        values = issuer.get_attributes_for_oid(oid)
        parts.append(f"{short}={values[-1].value if values else None!s}")
    text = ",".join(parts) + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
