"""The agency's own certificate authority, and the certificate of its line to partners.

A partner trusts this authority for this agency's line only, and knows the line's key besides, so
another authority that writes our name gains nothing by it. The line's key stays when its
certificate is renewed: partners need hear nothing of that.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from farolito.model import AgencyId, Invalid

AUTHORITY_LASTS = timedelta(days=3_650)
LINE_LASTS = timedelta(days=7)
RENEWED_BEFORE = timedelta(days=3)  # its end; a node that is off for longer renews as it starts
CLOCKS_APART_MAX = timedelta(hours=1)  # a partner's clock may be so far behind ours

_KEY_BITS_USES = ("content_commitment", "data_encipherment", "key_agreement", "key_encipherment",
                  "encipher_only", "decipher_only")  # fmt: skip


class Authority:
    """Keys in `folder` (mode 0600), made at the first start: `authority.key`, `authority.pem`,
    `line.key`, `line.pem`. Both are ECDSA on P-256."""

    def __init__(self, folder: Path, agency: AgencyId, now: datetime) -> None:
        self._agency = agency
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._key = _key(folder / "authority.key")
        pem = folder / "authority.pem"
        if not pem.exists():
            _write(pem, self._own_certificate(now))
        self.ca_pem = pem.read_text()
        self._line = _key(folder / "line.key")
        self.line_certificate = folder / "line.pem"
        self.line_key = folder / "line.key"
        self.pin = pin_of(self._line.public_key())

    def renew(self, names: Iterable[str], now: datetime) -> bool:
        """Write the line's certificate anew where it ends soon or lacks one of `names` (hosts or
        addresses by which partners reach this node). Whether it did."""
        wanted = {self._agency, *(name for name in names if name)}
        if self.line_certificate.exists():
            kept = x509.load_pem_x509_certificate(self.line_certificate.read_bytes())
            is_ours = pin_of(kept.public_key()) == self.pin
            if is_ours and names_of(kept) == wanted and now < renewed_at(kept):
                return False
        _write(self.line_certificate, self._line_certificate(wanted, now))
        return True

    def _own_certificate(self, now: datetime) -> bytes:
        name = _named(f"{self._agency} authority")
        return (
            _begun(name, name, self._key.public_key(), now, AUTHORITY_LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(_identifier(self._key), critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )

    def _line_certificate(self, names: set[str], now: datetime) -> bytes:
        issuer = x509.load_pem_x509_certificate(self.ca_pem.encode()).subject
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            _begun(_named(self._agency), issuer, self._line.public_key(), now, LINE_LASTS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
            .add_extension(x509.SubjectAlternativeName(sorted(map(_general, names), key=str)),
                           critical=False)
            .add_extension(_identifier(self._line), critical=False)
            .add_extension(authority, critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )  # fmt: skip


def authority_of(pem: str) -> str:
    """A partner's authority as one clean certificate. Raises Invalid where it is none."""
    do = "let the partner write its card again"
    try:
        found = x509.load_pem_x509_certificates(pem.encode())
    except ValueError as error:
        raise Invalid("a card without a certificate that can be read", do) from error
    if len(found) != 1:
        raise Invalid("a card with more than one certificate", do)
    try:
        constraints = found[0].extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound as error:
        raise Invalid("a card whose certificate is no authority", do) from error
    if not constraints.value.ca:
        raise Invalid("a card whose certificate is no authority", do)
    return found[0].public_bytes(Encoding.PEM).decode()


def pin_of(key: object) -> str:
    """SHA-256 (hexadecimal) of a public key's SubjectPublicKeyInfo: what partners pin."""
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def renewed_at(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc - RENEWED_BEFORE


def names_of(certificate: x509.Certificate) -> set[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return {str(name.value) for name in extension.value}


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: datetime,
    lasts: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCKS_APART_MAX)
        .not_valid_after(now + lasts)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        **dict.fromkeys(_KEY_BITS_USES, False),
    )


def _identifier(key: ec.EllipticCurvePrivateKey) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        return x509.DNSName(name)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        _write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), path
    return key


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, readable by this account alone."""
    beside = path.with_name(path.name + ".new")
    with open(beside, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)
