"""What the HTTP door does with calls: decode, hand over, and only then "accepted".

A call is acknowledged when its transaction has committed. A message told twice is answered as the
first time: `take` knows its mark. While the store is away the sender is told to come again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import parse_qs

import msgspec

from farolito.ingest.cad import FORMATS, cloudevents, eido
from farolito.ingest.cad.decoded import Decoded, RejectedRecord
from farolito.ingest.signature import Signer, SignerFor, verified
from farolito.model import CallUpdate, Device, DeviceId, Rejected

if TYPE_CHECKING:
    from farolito.ingest.cad.schema import EidoSchema

SIGNED_BYTES_MAX = 256 * 1024  # of a message that is read before its sender is known
DEVICE_CHARACTERS_MAX = 64  # of a device's name; a longer one names none

Take = Callable[[Device, Sequence[CallUpdate], str], Awaitable[bool]]
Alive = Callable[[str, datetime], None]

_document = msgspec.json.Decoder()


class Message(NamedTuple):
    """What came, in which format and when. `mark`: what tells it from others, once verified."""

    format: str
    content_type: str
    body: bytes
    at: datetime
    mark: str | None = None


class Watch(Protocol):
    """Where is told what happened; counting and keeping are the app's."""

    def heard(self, device: Device, format_: str, reads: int, at: datetime) -> None: ...

    def rejected(
        self, device: Device | None, format_: str, why: Rejected, body: bytes, at: datetime
    ) -> None: ...


async def _nobody(_: DeviceId) -> Signer | None:
    return None


class CadDoor:
    """`take` makes updates durable: True, or False where the mark was known already.

    `away`: what `take` raises while the store is not there. `alive` is told of every message in
    order. `signer_for` knows the CADs that sign. With `schema`, an EIDO that does not keep to it
    is taken in all the same, and its faults are named to its sender and kept.
    """

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        take: Take,
        watch: Watch,
        *,
        away: tuple[type[Exception], ...] = (),
        alive: Alive = lambda name, at: None,
        signer_for: SignerFor = _nobody,
        schema: EidoSchema | None = None,
    ) -> None:
        self._take = take
        self._watch = watch
        self._away = away
        self._alive = alive
        self._signer_for = signer_for
        self._schema = schema

    async def signed_by(
        self, query: bytes, headers: Mapping[str, str], body: bytes
    ) -> tuple[Device, str]:
        """Who signed this message, and its mark. Raises Rejected (401) for a wrong signature."""
        if len(body) > SIGNED_BYTES_MAX:
            says = f"a signed message of more than {SIGNED_BYTES_MAX // 1024} KiB"
            raise Rejected("too_large", says, "send fewer calls at once", 413)
        named = parse_qs(query.decode("latin-1")).get("device", [])
        name = named[0] if named else cloudevents.source_of(body).rpartition("/")[2]
        if not 0 < len(name) <= DEVICE_CHARACTERS_MAX:
            name = "-"
        signer = await self._signer_for(DeviceId(name))
        mark = verified(signer, body, headers)
        assert signer is not None, "a message is verified with somebody's secret"
        return signer.device, mark

    async def answer(self, device: Device, message: Message) -> tuple[int, dict[str, Any]]:
        """One message of a known device: decoded, durable, counted. HTTP status and answer."""
        format_, content_type, body, at, mark = message
        try:
            decoded = FORMATS[format_].decode(body, content_type, device, at)
        except Rejected as why:
            self._watch.rejected(device, format_, why, body, at)
            return why.status, {"error": why.reason, "says": why.says, "do": why.do}
        flaws = (*decoded.flaws, *self._flaws(format_, body))
        known = False
        if decoded.updates:
            try:
                mark = mark or "message:" + sha256(body).hexdigest()
                known = not await self._take(device, decoded.updates, mark)
            except self._away:
                says = "the records are away for a moment: nothing was taken in"
                return 503, {"error": "store_away", "says": says, "do": "send it again"}
        self._alive(device.device_id, at)
        self._watch.heard(device, format_, len(decoded.updates), at)
        for one in (*decoded.rejected, *flaws):
            self._watch.rejected(device, format_, Rejected(one.reason, one.says, one.do), body, at)
        return 202, _accepted(decoded, flaws, known)

    def _flaws(self, format_: str, body: bytes) -> tuple[RejectedRecord, ...]:
        if self._schema is None or format_ != eido.NAME:
            return ()
        faults = self._schema.faults(_document.decode(body.removeprefix(b"\xef\xbb\xbf")))
        do = "correct the document; it was taken in all the same"
        return tuple(RejectedRecord(0, "not_valid_eido", says, do) for says in faults)


def _accepted(decoded: Decoded, flaws: Sequence[RejectedRecord], known: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"accepted": len(decoded.updates)}
    if known:
        answer["known"] = True  # told before: nothing changed
    if decoded.rejected:
        answer["rejected"] = decoded.rejected
    if flaws:
        answer["flaws"] = flaws
    return answer
