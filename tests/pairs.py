"""Certificates for tests, made when they are needed: self-signed, so that each is its own authority."""

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HERE = ("localhost", "127.0.0.1")
_NOW = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate is of its day


@dataclass(frozen=True)
class Made:
    """Where a certificate and its key lie; its serial number tells it from others."""

    cert: Path
    key: Path
    serial: int

    @property
    def flags(self) -> tuple[str, str, str, str]:
        return "--tls-cert", str(self.cert), "--tls-key", str(self.key)


def make(
    folder: Path,
    names: tuple[str, ...] = HERE,
    days: tuple[float, float] = (-1, 90),
    kind: Literal["ec", "rsa", "weak"] = "ec",
    password: bytes = b"",
) -> Made:
    """A pair in `cert.pem` and `key.pem` of a folder, valid from and until so many days from now."""
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ec"
        else rsa.generate_private_key(65537, 2048 if kind == "rsa" else 1024)
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clavero test")])
    serial = x509.random_serial_number()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(_NOW + dt.timedelta(days=days[0]))
        .not_valid_after(_NOW + dt.timedelta(days=days[1]))
        .add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    made = Made(folder / "cert.pem", folder / "key.pem", serial)
    made.cert.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.key.touch(0o600)
    how = BestAvailableEncryption(password) if password else NoEncryption()
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how))
    return made


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
