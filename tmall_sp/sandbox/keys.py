"""Keys and certificates of the demo: the application's, Alipay's, and the root that issued both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from django.conf import settings

VALIDITY = timedelta(days=3650)


@dataclass(frozen=True)
class KeyRing:
    """What the Alipay side of the sandbox signs and verifies with."""

    alipay_key: rsa.RSAPrivateKey
    app_public_key: rsa.RSAPublicKey
    app_cert_sn: str
    alipay_cert_sn: str
    root_cert_sn: str


def make_if_absent() -> bool:
    """Make keys and certificates where one of the five files is missing; True when they were made."""
    folder: Path = settings.ALIPAY_KEY_DIR
    files = [
        folder / name
        for name in ("app_private_key.pem", "app_cert.pem", "alipay_cert.pem", "alipay_root_cert.pem")
    ]
    if all(path.exists() for path in (*files, settings.ALIPAY_PRIVATE_KEY)):
        return False
    folder.mkdir(parents=True, exist_ok=True)
    root_key, app_key, alipay_key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    root_name = _name("Sandbox Root CA")
    root = _certificate(root_name, root_name, root_key.public_key(), root_key, authority=True)
    app = _certificate(_name("Tmall SP Portal"), root_name, app_key.public_key(), root_key)
    alipay = _certificate(_name("Sandbox Alipay"), root_name, alipay_key.public_key(), root_key)
    _write(settings.ALIPAY_PRIVATE_KEY, _private_pem(alipay_key), 0o600)
    for path, content, mode in (
        (files[0], _private_pem(app_key), 0o600),
        (files[1], app.public_bytes(Encoding.PEM), 0o644),
        (files[2], alipay.public_bytes(Encoding.PEM), 0o644),
        (files[3], root.public_bytes(Encoding.PEM), 0o644),
    ):
        _write(path, content, mode)
    return True


@lru_cache(maxsize=1)
def ring() -> KeyRing:
    """The key ring of this process. The files must exist (see `make_if_absent`)."""
    folder: Path = settings.ALIPAY_KEY_DIR
    alipay_key = load_pem_private_key(settings.ALIPAY_PRIVATE_KEY.read_bytes(), None)
    app, alipay, root = (
        x509.load_pem_x509_certificate((folder / name).read_bytes())
        for name in ("app_cert.pem", "alipay_cert.pem", "alipay_root_cert.pem")
    )
    app_public_key = app.public_key()
    if not isinstance(alipay_key, rsa.RSAPrivateKey) or not isinstance(app_public_key, rsa.RSAPublicKey):
        raise TypeError("the sandbox signs with RSA only")
    return KeyRing(alipay_key, app_public_key, cert_sn(app), cert_sn(alipay), cert_sn(root))


def cert_sn(certificate: x509.Certificate) -> str:
    """Alipay's serial of a certificate: MD5 of the issuer's name in fixed order, then its decimal number."""
    issuer = certificate.issuer
    parts = (
        ("CN", NameOID.COMMON_NAME),
        ("OU", NameOID.ORGANIZATIONAL_UNIT_NAME),
        ("O", NameOID.ORGANIZATION_NAME),
        ("C", NameOID.COUNTRY_NAME),
    )
    name = ",".join(f"{short}={issuer.get_attributes_for_oid(oid)[0].value!s}" for short, oid in parts)
    return hashlib.md5(f"{name}{certificate.serial_number}".encode(), usedforsecurity=False).hexdigest()


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sandbox"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: rsa.RSAPublicKey,
    issuer_key: rsa.RSAPrivateKey,
    *,
    authority: bool = False,
) -> x509.Certificate:
    today = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + VALIDITY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return builder.sign(issuer_key, SHA256())


def _private_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _write(path: Path, content: bytes, mode: int) -> None:
    temporary = path.with_suffix(".new")
    temporary.touch(mode=mode)
    temporary.write_bytes(content)
    temporary.replace(path)
