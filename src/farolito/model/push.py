"""Where a browser wants to be woken, and with which keys (W3C Push API, RFC 8291)."""

from __future__ import annotations

import base64
import binascii
import re

import msgspec

from farolito.model.errors import Invalid

ENDPOINT_CHARACTERS_MAX = 2_048
_POINT_BYTES = 65  # an uncompressed point on P-256
_SECRET_BYTES = 16
_ADDRESS = re.compile(r"https?://[^/\s]+(/\S*)?")


class PushSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """One browser on one device. The keys are the browser's own, base64url without padding."""

    endpoint: str
    p256dh: str
    auth: str

    def __post_init__(self) -> None:
        if len(self.endpoint) > ENDPOINT_CHARACTERS_MAX:
            raise Invalid("the push address is too long", "subscribe again")
        if not _ADDRESS.fullmatch(self.endpoint):
            raise Invalid("the push address is no web address", "subscribe again")
        point, secret = _bytes_of(self.p256dh), _bytes_of(self.auth)
        if len(point) != _POINT_BYTES or point[0] != 4 or len(secret) != _SECRET_BYTES:
            raise Invalid("the push keys have the wrong length", "subscribe again")


def _bytes_of(key: str) -> bytes:
    try:
        return base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("a push key is no base64url", "subscribe again") from error
