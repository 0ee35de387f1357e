"""RSA keys and certificates for the loopback Alipay, and its signature."""

import base64
import datetime as dt
import hashlib
import json
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class KeyRing:
    app_key: rsa.RSAPrivateKey
    app_private_pem: str
    app_cert: str
    alipay_key: rsa.RSAPrivateKey
    alipay_cert: str
    root_cert: str

    def signed(self, root: str, inner: str, *, cert_sn: str | None = None) -> str:
        """An answer as the gateway sends it: `inner` is signed byte by byte as it stands."""
        sn = f'"alipay_cert_sn":"{cert_sn}",' if cert_sn else ""
        return f'{{"{root}":{inner},{sn}"sign":"{sign(self.alipay_key, inner)}"}}'


def sign(key: rsa.RSAPrivateKey, text: str) -> str:
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()


def is_signed(key: rsa.RSAPublicKey, text: str, signature: str) -> bool:
    key.verify(base64.b64decode(signature, validate=True), text.encode(), padding.PKCS1v15(), SHA256())
    return True


def inner(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def cert_sn(pem: str) -> str:
    """Alipay's number of a certificate, computed here a second time."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    text = certificate.issuer.rfc4514_string() + str(certificate.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def make() -> KeyRing:
    root_key, app_key, alipay_key = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    root_name = _name("Test Root")
    return KeyRing(
        app_key=app_key,
        app_private_pem=app_key.private_bytes(
            Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        ).decode(),
        app_cert=_certificate(_name("Test App"), root_name, app_key, root_key),
        alipay_key=alipay_key,
        alipay_cert=_certificate(_name("Test Alipay"), root_name, alipay_key, root_key),
        root_cert=_certificate(root_name, root_name, root_key, root_key),
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Certification"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, issuer_key: rsa.RSAPrivateKey
) -> str:
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .sign(issuer_key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()
