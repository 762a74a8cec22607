"""The key by which push services know this node (VAPID, RFC 8292). Made once, never leaves."""

from __future__ import annotations

import base64
import os
import stat
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02  # type: ignore[import-untyped]

from farolito.model import Invalid

TOKEN_VALID = timedelta(hours=12)  # RFC 8292 allows 24; a service's clock may be off


class VapidKey:
    """`contact` is a mailto: or https: address where a push service finds a human of the agency."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._vapid = Vapid02(key)
        self._contact = contact
        self.public = _base64url(
            key.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
            )
        )

    def authorization(self, endpoint: str, now: datetime) -> str:
        """The header for one push service, which cannot use it at another."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int((now + TOKEN_VALID).timestamp()),
            "sub": self._contact,
        }
        return str(self._vapid.sign(claims)["Authorization"])


def load_or_create(path: Path, contact: str) -> VapidKey:
    """The key in `path`, made on the first start (mode 0600). Raises Invalid.

    A file that others may read is refused: whoever reads it can wake our officers' phones.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        _create(path)
        mode = 0o600
    if mode & 0o077:
        raise Invalid(f"the push key in {path} can be read by others", f"chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise Invalid(f"{path} holds no key", "restore it, or remove it for a new one") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise Invalid(f"{path} holds no P-256 key", "restore it, or remove it for a new one")
    return VapidKey(key, contact)


def _create(path: Path) -> None:
    """Written beside and linked into place: a crash leaves the whole file or none.

    A new key makes every browser's subscription void, so an existing one is never replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    half = path.with_name(f"{path.name}.new")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    os.link(half, path)
    half.unlink()


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
