"""One message from one agency to one other: signed over its exact bytes.

On the line it is the signature (base64) on a line of its own, then the JSON that was signed.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from farolito.identity import AgencyKey, signed_by
from farolito.model import AgencyId, EnvelopeId, Refused

ENVELOPE_BYTES_MAX = 7 * 2**20  # a read with its pictures; a line carries 8 MiB
OLD_MAX = timedelta(minutes=5)  # and as far ahead: an older message is refused, replayed or not

KINDS = frozenset(
    {
        "hello",  # are you there, and the newest card
        "confirm",  # a person compared the fingerprints
        "agree",  # an agreement was signed, revoked, replaced
        "ask",  # a question to the owner of data
        "share",  # what an agreement lets flow
        "purge",  # delete what you had of us; the answer is the receipt
        "witness",  # a checkpoint to cosign
        "alarm",  # a ledger that was rewritten
        "review",  # what was found of searches of the receiver's people
        "suspend",  # a person who may ask nothing any more
        "leave",  # the end of it
    }
)


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`answers` is set in an answer: the id of the message it answers."""

    envelope_id: EnvelopeId
    at: datetime
    sender: AgencyId
    receiver: AgencyId
    kind: str
    body: msgspec.Raw
    answers: EnvelopeId | None = None


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Envelope).decode


def sealed(envelope: Envelope, key: AgencyKey) -> bytes:
    content = _encode(envelope)
    return b64encode(key.sign("envelope", content)) + b"\n" + content


def opened(
    raw: bytes, line_of: AgencyId, keys: Mapping[AgencyId, str], own: AgencyId, now: datetime
) -> Envelope:
    """The envelope, when it is what it claims to be. Whether it came before is not known here.

    `line_of`: the partner whose line it came by; `keys`: the key of each confirmed partner. Raises
    Refused with the reason: malformed, forged_agency, not_a_partner, altered, not_for_us, stale.
    """
    signature, _, content = raw.partition(b"\n")
    if len(raw) > ENVELOPE_BYTES_MAX:
        raise Refused("malformed", "a message that is too long", "send less at a time")
    try:
        envelope = _decode(content)
        signed = b64decode(signature, validate=True)
    except (msgspec.DecodeError, Base64Error, ValueError) as error:
        raise Refused("malformed", "a message that is no envelope", "send one") from error
    if envelope.sender != line_of:
        raise Refused("forged_agency", "a message in another agency's name", "use your own")
    key = keys.get(envelope.sender)
    if key is None:
        raise Refused("not_a_partner", "no partner of ours", "join, and let people confirm it")
    if not signed_by(key, "envelope", content, signed):
        raise Refused("altered", "the signature is not that agency's over this", "send it again")
    if envelope.receiver != own or envelope.kind not in KINDS:
        raise Refused("not_for_us", "a message for somebody else", "send it to its receiver")
    if envelope.at.tzinfo is None or abs(now - envelope.at) > OLD_MAX:
        raise Refused("stale", "a message of another time", "set the clock, and send it anew")
    return envelope


def body_of(envelope: Envelope, kind: type[Any]) -> Any:
    """The body as `kind`. Raises Refused."""
    try:
        return msgspec.json.decode(envelope.body, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise Refused("malformed", f"the message's body: {error}", "send what is described") from (
            error
        )


def raw_of(body: Any) -> msgspec.Raw:
    return msgspec.Raw(_encode(body))
