"""The keys that sign clips for C2PA: an authority of the agency, and a signer that it vouches for.

Both are made on the first start and kept 20 years, since a clip must be checkable when its case
comes to court; without a time-stamp authority on the network nothing else says when it was signed
but our own ledger. The authority's key signs nothing after that: it may be taken off the machine.
"""

from __future__ import annotations

import os
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from farolito.model import Agency, Invalid

KEPT = timedelta(days=20 * 365)
CA, SIGNER = "evidence-ca", "evidence-signer"

_NAME_CHARACTERS_MAX = 64  # of a part of a distinguished name, X.520
_PEM = serialization.Encoding.PEM


class EvidenceKeys(NamedTuple):
    """`chain`: the signer's certificate, then the authority's, PEM; `anchor`: the authority's."""

    key: ec.EllipticCurvePrivateKey
    chain: str
    anchor: str

    @property
    def signer_sha256(self) -> str:
        """Fingerprint of the signer's certificate."""
        certificate = x509.load_pem_x509_certificate(self.chain.encode())
        return certificate.fingerprint(hashes.SHA256()).hex()

    @property
    def anchor_sha256(self) -> str:
        certificate = x509.load_pem_x509_certificate(self.anchor.encode())
        return certificate.fingerprint(hashes.SHA256()).hex()

    def sign(self, message: bytes) -> bytes:
        """ES256 as COSE has it (RFC 9053, 2.1): r and s, 32 bytes each."""
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def load_or_make(folder: Path, agency: Agency, now: datetime) -> EvidenceKeys:
    """The keys in `folder`, made on the first start. Raises Invalid where one is not ours alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / f"{SIGNER}.pem").exists():
        _make(folder, agency, now)
    key = _private(folder / f"{SIGNER}.key")
    try:
        chain = (folder / f"{SIGNER}.pem").read_text("ascii")
        anchor = (folder / f"{CA}.pem").read_text("ascii")
        keys = EvidenceKeys(key, chain, anchor)
        certificate = x509.load_pem_x509_certificate(chain.encode())
    except (OSError, ValueError) as error:
        raise Invalid(
            f"the certificates of evidence in {folder} cannot be read", "restore the folder"
        ) from error
    if certificate.public_key() != key.public_key():
        raise Invalid(f"{SIGNER}.key in {folder} does not fit its certificate", "restore both")
    return keys


def _make(folder: Path, agency: Agency, now: datetime) -> None:
    """The signer's certificate is written last: it being there says that all is."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name(agency, "evidence authority")
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, now, is_ca=True)
    signer = _certificate(_name(agency, "evidence signer"), ca_name, key, ca_key, now, is_ca=False)
    _write(folder / f"{CA}.key", _key_text(ca_key), 0o600)
    _write(folder / f"{CA}.pem", ca.public_bytes(_PEM), 0o644)
    _write(folder / f"{SIGNER}.key", _key_text(key), 0o600)
    chain = signer.public_bytes(_PEM) + ca.public_bytes(_PEM)
    _write(folder / f"{SIGNER}.pem", chain, 0o644)


def _name(agency: Agency, what: str) -> x509.Name:
    parts = {
        NameOID.COUNTRY_NAME: "US",
        NameOID.ORGANIZATION_NAME: agency.name[:_NAME_CHARACTERS_MAX],
        NameOID.COMMON_NAME: f"{agency.ori} {what}"[:_NAME_CHARACTERS_MAX],
    }
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])


def _certificate(  # noqa: PLR0913 - what a certificate says
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    *,
    is_ca: bool,
) -> x509.Certificate:
    """As the C2PA specification asks of signers (14.5.1): not self-signed, both key identifiers,
    critical usage, one extended usage."""
    usage = x509.KeyUsage(
        digital_signature=not is_ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=is_ca, crl_sign=is_ca,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + KEPT)
        .add_extension(x509.BasicConstraints(is_ca, 0 if is_ca else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issued_by, critical=False)
    )
    if not is_ca:
        mail = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(mail, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_text(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _private(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise Invalid(f"{path} holds no key of evidence", "restore it from the backup") from error
    if mode & 0o077:
        raise Invalid(f"{path} can be read by others", f"chmod 600 {path}")
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise Invalid(f"{path} holds a key of another kind", "restore it from the backup")
    return key


def _write(path: Path, content: bytes, mode: int) -> None:
    half = path.with_name(f"{path.name}.new")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
