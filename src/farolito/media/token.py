"""The right to look, as a small signed thing: one person, one camera, minutes, once.

Only the gate mints it, after the ledger has the entry. Whoever holds pictures checks it before
the first byte is asked of a camera.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256

import msgspec

from farolito.model import CameraId, FarolitoError, PersonId

OPENS_WITHIN_S = 60  # from its making; later it opens nothing
_MAC_BYTES = 32
_encode = msgspec.msgpack.Encoder().encode


class Grant(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """`permit`: the ledger entry. `made_us`, `until_us`: µs since 1970; the viewing ends then
    unless a newer grant for the same person and camera is shown."""

    permit: int
    person: PersonId
    camera_id: CameraId
    made_us: int
    until_us: int


_grant = msgspec.msgpack.Decoder(Grant).decode


class NoToken(FarolitoError):
    """What was shown opens nothing: forged, damaged or too old."""


def mint(secret: bytes, grant: Grant) -> str:
    body = _encode(grant)
    return base64.urlsafe_b64encode(body + _mac(secret, body)).decode()


def read(secret: bytes, token: str, now_us: int) -> Grant:
    """Raises NoToken. Whether it was used before is for the reader to remember."""
    try:
        raw = base64.urlsafe_b64decode(token.encode())
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, _mac(secret, body)):
            raise ValueError
        grant = _grant(body)
    except (ValueError, msgspec.DecodeError) as error:
        raise NoToken("forged", "open the camera again") from error
    if not grant.made_us - 1_000_000 <= now_us <= grant.until_us:
        raise NoToken("expired", "open the camera again")
    return grant


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, body, sha256)
