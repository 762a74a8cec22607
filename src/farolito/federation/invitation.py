"""The one-time code with which an agency joins, and what is said under its secret.

The code is told from person to person. It names where the inviting node is, whose key it will
show, and a secret of 160 bits; nothing of it but the number travels when it is used: both sides
authenticate what they say by it (HMAC-SHA256, RFC 2104).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from datetime import datetime
from hashlib import sha256
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from farolito.identity import AgencyKey, fingerprint
from farolito.model import AgencyId, BusCard, Invalid, Refused
from farolito.model.joining import SignedCard

PREFIX = "farolito-"
SECRET_BYTES = 20
CODE_CHARS_MAX = 1_000
OFFER_BYTES_MAX = 2**18

T = TypeVar("T")

_JOINS, _JOINED = b"farolito/joins/v1\n", b"farolito/joined/v1\n"


class Code(msgspec.Struct, frozen=True, rename={"invitation_id": "n", "fingerprint": "k"}):
    """What the printed code holds. `address`: of the inviting node's web; `fingerprint`: of its
    key, as people compare it, without spaces."""

    invitation_id: UUID
    agency: AgencyId
    address: str
    fingerprint: str
    secret: bytes

    def __repr__(self) -> str:
        return f"Code({self.invitation_id})"

    def written(self) -> str:
        return PREFIX + urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Code:
        """Raises Invalid. Spaces and line ends that a mail put in do not matter."""
        bare = "".join(text.split()).removeprefix(PREFIX)
        padded = bare + "=" * (-len(bare) % 4)
        try:
            if len(bare) > CODE_CHARS_MAX:
                raise ValueError("too long")
            code = msgspec.json.decode(urlsafe_b64decode(padded), type=cls)
        except (Base64Error, msgspec.DecodeError, ValueError) as error:
            raise Invalid("this is no code of an invitation", "copy all of it") from error
        if len(code.secret) != SECRET_BYTES:
            raise Invalid("this code is cut off", "copy all of it")
        check_web_address(code.address)
        return code

    def is_of(self, key: str) -> bool:
        return hmac.compare_digest(plain(fingerprint(key)), self.fingerprint)


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the joining node says."""

    invitation_id: UUID
    at: datetime
    card: SignedCard
    bus: BusCard


class Welcome(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the inviting node answers. `receipt`: of its ledger's entry about it."""

    card: SignedCard
    bus: BusCard
    receipt: str


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of both on its way: JSON text, and who knows the code said it (hexadecimal)."""

    said: str
    mac: str


def secret_of(invitation_id: UUID, key: AgencyKey) -> bytes:
    """An invitation's secret, which is kept nowhere: Ed25519 signs the same thing the same way."""
    return sha256(key.sign("invitation", invitation_id.bytes)).digest()[:SECRET_BYTES]


def offer_sealed(offer: Offer, secret: bytes) -> bytes:
    return _sealed(offer, secret, _JOINS)


def offer_read(raw: bytes) -> tuple[Offer, Sealed]:
    """What it says; who says it is not known yet. Raises Refused."""
    if len(raw) > OFFER_BYTES_MAX:
        raise Refused("malformed", "an offer that is too long", "tell the land in fewer points")
    sealed = _decoded(raw, Sealed)
    return _decoded(sealed.said.encode(), Offer), sealed


def is_right(sealed: Sealed, secret: bytes) -> bool:
    """Whether an offer was made by somebody who knows the secret."""
    return hmac.compare_digest(_mac(secret, _JOINS, sealed.said.encode()), sealed.mac)


def welcome_sealed(welcome: Welcome, to: Sealed, secret: bytes) -> bytes:
    """The answer to just this offer."""
    return _sealed(welcome, secret, _JOINED + sha256(to.said.encode()).digest())


def welcome_opened(raw: bytes, offered: bytes, secret: bytes) -> Welcome:
    """The inviting node's answer to just what was offered. Raises Refused."""
    sealed, to = _decoded(raw, Sealed), _decoded(offered, Sealed)
    kind = _JOINED + sha256(to.said.encode()).digest()
    if not hmac.compare_digest(_mac(secret, kind, sealed.said.encode()), sealed.mac):
        raise Refused(
            "not_the_inviter",
            "who answered does not know the code",
            "ask for another, by telephone",
        )
    return _decoded(sealed.said.encode(), Welcome)


def check_web_address(address: str) -> None:
    """Raises Invalid where it is no place to send an offer to."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise Invalid(f"web address {address[:80]!r}", "write https://rtcc.example.gov")


def plain(said: str) -> str:
    """A fingerprint as it is compared: spaces and capitals do not matter."""
    return "".join(said.split()).lower()


def _sealed(said: Offer | Welcome, secret: bytes, kind: bytes) -> bytes:
    content = msgspec.json.encode(said)
    return msgspec.json.encode(Sealed(content.decode(), _mac(secret, kind, content)))


def _mac(secret: bytes, kind: bytes, content: bytes) -> str:
    return hmac.new(secret, kind + content, sha256).hexdigest()


def _decoded(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, Invalid, ValueError) as error:
        raise Refused("malformed", f"what came is not understood: {error}", "try again") from error
