"""Governments that run a node, and the devices they own."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

from farolito.model.errors import Invalid
from farolito.model.ids import SLUG, AgencyId, DeviceId
from farolito.model.place import Point

Government = Literal["city", "county", "state", "tribal", "federal", "other"]


class Agency(msgspec.Struct, frozen=True, kw_only=True):
    """A police department, sheriff's office or tribal nation. `law` names its state pack."""

    agency_id: AgencyId
    name: str
    ori: str  # the nine-character Originating Agency Identifier of NCIC
    law: str = "us-nm"
    government: Government = "city"
    keep_reads: timedelta = timedelta(days=14)
    keep_hits: timedelta = timedelta(days=365)
    keep_calls: timedelta = timedelta(days=365)  # with the incidents they became
    keep_ledger: timedelta = timedelta(days=5 * 365)

    def __post_init__(self) -> None:
        if not SLUG.fullmatch(self.agency_id):
            raise Invalid(f"agency id {self.agency_id!r}", "use lower case letters, digits, -")


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A plate reader, camera or sensor: where it stands and which wire format it speaks."""

    device_id: DeviceId
    agency: AgencyId
    kind: Literal["plate_reader", "camera", "gunshot_sensor", "positions", "cad"]
    name: str  # as people say it: "Central @ 4th, eastbound"
    format: str  # the adapter's word: "hikvision", "openalpr", "farolito"
    place: Point | None = None
    heading_deg: float | None = None  # where the traffic it watches goes, degrees from north
    zone: str = "UTC"  # IANA zone of times that its format sends without one
    clock_trusted: bool = True
    is_recording: bool = False  # replays kept messages and says when each arrived at first
    speaks_for: frozenset[DeviceId] = frozenset()  # a gateway: readers whose reads its key may send

    def __post_init__(self) -> None:
        if not SLUG.fullmatch(self.device_id):
            raise Invalid(f"device id {self.device_id!r}", "use lower case letters, digits, -")
