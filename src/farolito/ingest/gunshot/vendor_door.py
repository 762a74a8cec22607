"""What the HTTP door does with a vendor's alerts: decode, hand over, and only then "accepted".

Whose they are, the device's key or a signature (Standard Webhooks) says, never the message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from farolito.ingest.gunshot import vendor
from farolito.ingest.gunshot.decoded import VendorAlert
from farolito.ingest.gunshot.door import Answer, Watch
from farolito.ingest.gunshot.spelling import KNOWN, Spelling
from farolito.ingest.signature import SignerFor, verified
from farolito.model import Device, DeviceId, Rejected

BODY_BYTES_MAX = vendor.BODY_BYTES_MAX
DEVICE_CHARACTERS_MAX = 64  # of a device's name; a longer one names none
MARKS_MAX = 1_000  # alerts remembered; one told again within them is answered and not handed on

Take = Callable[[Device, VendorAlert], Awaitable[Any]]


async def _nobody(_: DeviceId) -> None:
    return None


class VendorDoor:
    """`take` makes an alert durable. `away`: what it raises while the store is not there.
    `spellings`: of devices that write otherwise than FIELDS and CLASSES have it."""

    def __init__(
        self,
        take: Take,
        watch: Watch,
        *,
        away: tuple[type[Exception], ...] = (),
        signer_for: SignerFor = _nobody,
        spellings: Mapping[str, Spelling] | None = None,
    ) -> None:
        self._take = take
        self._watch = watch
        self._away = away
        self._signer_for = signer_for
        self._spellings = spellings or {}
        self._marks: dict[tuple[DeviceId, str], None] = {}

    async def signed_by(self, query: bytes, headers: Mapping[str, str], body: bytes) -> Device:
        """Raises Rejected (401) for a wrong signature, or one of another time."""
        named = parse_qs(query.decode("latin-1")).get("device", [])
        name = named[0] if named and len(named[0]) <= DEVICE_CHARACTERS_MAX else "-"
        signer = await self._signer_for(DeviceId(name))
        verified(signer, body, headers)
        assert signer is not None, "a message is verified with somebody's secret"
        return signer.device

    async def answer(self, device: Device, content_type: str, body: bytes, at: datetime) -> Answer:
        """One message of a known device. HTTP status and answer."""
        try:
            _of_a_vendor(device)
            spelling = self._spellings.get(device.device_id, KNOWN)
            told = vendor.decode(body, content_type, device, at, spelling)
        except Rejected as why:
            self._watch.rejected(device, vendor.NAME, why, body, at)
            return why.status, {"error": why.reason, "says": why.says, "do": why.do}
        known = 0
        for alert in told.alerts:
            if (device.device_id, alert.mark) in self._marks:
                known += 1
                continue
            try:
                await self._take(device, alert)
            except self._away:
                says = "the records are away for a moment: not all was taken in"
                return 503, {"error": "store_away", "says": says, "do": "send it again"}
            self._remember(device.device_id, alert.mark)
        self._watch.heard(device, vendor.NAME, len(told.alerts) - known, at)
        answer: dict[str, Any] = {"accepted": len(told.alerts) - known}
        if known:
            answer["known"] = known
        if told.rejected:
            answer["rejected"] = told.rejected
            for one in told.rejected:
                why_not = Rejected(one.reason, one.says, one.do)
                self._watch.rejected(device, vendor.NAME, why_not, body, at)
        return 202, answer

    def _remember(self, device: DeviceId, mark: str) -> None:
        if len(self._marks) >= MARKS_MAX:
            del self._marks[next(iter(self._marks))]
        self._marks[device, mark] = None


def _of_a_vendor(device: Device) -> None:
    """A sensor's key, should it have one, says nothing in a vendor's name."""
    if device.kind != "gunshot_sensor" or device.format != vendor.NAME:
        do = "register the service with --kind gunshot_sensor --format vendor, and use its key"
        raise Rejected("wrong_door", f"the key of a {device.kind} ({device.format})", do, 403)
