"""Whose message a webhook is: Standard Webhooks (standardwebhooks.com), HMAC-SHA256 over id, time
and body. For dispatch systems and for vendors of gunshot alerts; the secret is never sent.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

from farolito.model import Device, DeviceId, Invalid, Rejected

SECRET_BYTES_MIN = 24  # as the specification asks
ID_CHARACTERS_MAX = 128  # a longer webhook-id is kept as a digest
_PREFIX = "whsec_"


class Signer(msgspec.Struct, frozen=True):
    """A device that signs what it sends, and the secret that it signs with."""

    device: Device
    secret: str

    def __repr__(self) -> str:
        return f"Signer({self.device.device_id})"  # the secret stays out


SignerFor = Callable[[DeviceId], Awaitable[Signer | None]]


def check_secret(secret: str) -> None:
    """Raises Invalid for one that is no `whsec_…`, or too short."""
    do = "make one with `openssl rand -base64 32` and write whsec_ before it"
    if not secret.startswith(_PREFIX):
        raise Invalid("a webhook secret without whsec_", do)
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("a webhook secret that is no base64", do) from None
    if len(key) < SECRET_BYTES_MIN:
        raise Invalid(f"a webhook secret of {len(key)} bytes, too few", do)


def verified(signer: Signer | None, body: bytes, headers: Mapping[str, str]) -> str:
    """The mark of a message that is signed rightly: the same message told again has the same.

    Raises Rejected `wrong_signature` or `not_now` (outside five minutes), both 401.
    """
    wanted = {
        name: headers.get(name, "")
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    }
    if signer is None or not all(wanted.values()):
        raise _wrong("a message without a right signature")
    try:
        Webhook(signer.secret).verify(body, wanted, json_parse=False)
    except WebhookVerificationError as error:
        if "timestamp" in str(error):
            do = "set the sender's clock, and sign each try anew"
            raise Rejected("not_now", "a signature from another time", do, 401) from error
        raise _wrong("a message without a right signature") from error
    except ValueError as error:  # a header or body that is no text, or no base64
        raise _wrong("a signature that cannot be read") from error
    name = wanted["webhook-id"]
    if len(name) > ID_CHARACTERS_MAX or not name.isprintable():
        name = sha256(name.encode("utf-8", "replace")).hexdigest()
    return f"webhook:{name}"


def _wrong(says: str) -> Rejected:
    do = "sign with this device's secret, per standardwebhooks.com, and name it in ?device="
    return Rejected("wrong_signature", says, do, 401)
