"""Signatures of both platforms (protocols A2, B2, B4)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256


def top_signature(params: Mapping[str, str], secret: bytes, sign_method: str, raw_body: bytes = b"") -> str:
    """TOP's signature, upper-case hex (A2). `sign` itself and empty names or values are left out.

    Raises ValueError for a sign_method other than md5, hmac, hmac-sha256.
    """
    pairs = sorted((k, v) for k, v in params.items() if k and v and k != "sign")
    text = "".join(k + v for k, v in pairs).encode() + raw_body
    if sign_method == "md5":
        digest = hashlib.md5(secret + text + secret, usedforsecurity=False).hexdigest()
    elif sign_method == "hmac":
        digest = hmac.new(secret, text, hashlib.md5).hexdigest()
    elif sign_method == "hmac-sha256":
        digest = hmac.new(secret, text, hashlib.sha256).hexdigest()
    else:
        raise ValueError(f"unknown sign_method {sign_method!r}")
    return digest.upper()


def request_text(params: Mapping[str, str]) -> str:
    """What an Alipay request signs (B2): all but `sign`, empty values left out, `sign_type` kept."""
    return "&".join(f"{k}={v}" for k, v in sorted(params.items()) if k != "sign" and v != "")


def notification_text(params: Mapping[str, str]) -> str:
    """What a notification and a return_url sign (B4, V1): all but `sign` and `sign_type`, empty ones kept."""
    return "&".join(f"{k}={v}" for k, v in sorted(params.items()) if k not in ("sign", "sign_type"))


def rsa2_sign(key: rsa.RSAPrivateKey, message: bytes) -> str:
    """SHA256withRSA, PKCS#1 v1.5, Base64."""
    return base64.b64encode(key.sign(message, padding.PKCS1v15(), SHA256())).decode()


def rsa2_verify(key: rsa.RSAPublicKey, message: bytes, signature: str) -> bool:
    """Whether the Base64 signature fits; False also for what is no Base64."""
    try:
        key.verify(base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True
