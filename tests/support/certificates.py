"""A CA for tests, and certificates of it: made anew each time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in PEM files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    pem: Path
    key_pem: Path

    def fingerprint(self, algorithm: hashes.HashAlgorithm | None = None) -> str:
        """In hex; SHA-1, as nginx tells it, where no other is asked for."""
        return self.certificate.fingerprint(algorithm or hashes.SHA1()).hex()  # noqa: S303


def authority(folder: Path, name: str) -> Certificate:
    """A CA; its files are in *folder*."""
    return _made(folder, name, None, -1, 30)


def signed_by(ca: Certificate, name: str, *, first: int = -1, last: int = 30) -> Certificate:
    """A certificate that *ca* signed, good from day *first* to *last*, counted from today."""
    return _made(ca.pem.parent, name, ca, first, last)


def _made(folder: Path, name: str, ca: Certificate | None, first: int, last: int) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if ca is None else ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + first * _DAY)
        .not_valid_after(now + last * _DAY)
        .add_extension(x509.BasicConstraints(ca=ca is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key if ca is None else ca.key, hashes.SHA256())
    )
    pem, key_pem = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Certificate(made, key, pem, key_pem)
