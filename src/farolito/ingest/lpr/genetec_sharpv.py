"""Genetec AutoVu SharpV: XML over HTTP with base64 pictures (techdocs.genetec.com).

`UTCDate` is yyyy:MM:dd, `ConfidenceScore` 0…100, `Guid` the car's key. In privacy mode the camera
sends the plate as `****`: that is a named rejection, not a plate.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from farolito.ingest import xml
from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment, vehicle
from farolito.ingest.lpr.decoded import Decoded
from farolito.ingest.lpr.number import number, share, whole
from farolito.ingest.lpr.pictures import Album
from farolito.ingest.lpr.report import Report, plate_read
from farolito.model import Device, Rejected

NAME: Final = "genetec_sharpv"

_MOVEMENTS: dict[str, Literal["approaching", "receding"]] = {
    "closer": "approaching",
    "approaching": "approaching",
    "away": "receding",
    "receding": "receding",
}


def _captured_at(root: xml.Element, device: Device) -> datetime:
    day, time = root.told("UTCDate"), root.told("UTCTime")
    if day is None or time is None:
        raise Rejected("bad_time", "no UTCDate and UTCTime in the message")
    return moment.from_iso(f"{day.replace(':', '-')}T{time}+00:00", device)


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    envelope.media_type(content_type, envelope.XML_TYPES)
    root = xml.parse(body)
    if root.name != "AutoVu":
        raise Rejected("not_a_plate_read", "XML that is no AutoVu message")
    at = _captured_at(root, device)
    percent = number(root.told("ConfidenceScore"), "ConfidenceScore")
    motion = root.told("RelativeMotion") or root.told("Relative_Motion") or ""
    album = Album()
    report = Report(
        text=root.told("Plate"),
        captured_at=at,
        event=root.told("Guid") or f"{root.told('SourceName')}-{at.isoformat()}",
        confidence=share(percent),
        state=root.told("State"),
        lat=number(root.told("LatitudeY"), "LatitudeY"),
        lon=number(root.told("LongitudeX"), "LongitudeX"),
        movement=_MOVEMENTS.get(motion.lower()),
        lane=whole(root.told("Lane")),
        vehicle=vehicle.vehicle(
            make=vehicle.seen(vehicle.plain(root.told("VehicleMake"))),
            colour=vehicle.seen(vehicle.colour(root.told("VehicleColor"))),
            kind=vehicle.seen(vehicle.kind(root.told("VehicleType"))),
        ),
        pictures=album.add_base64(root.told("PlateImage"), "plate")
        + album.add_base64(root.told("ContextImage"), "scene"),
    )
    read = plate_read(report, NAME, device, received_at)
    return Decoded((read,), album.contents, dropped=tuple(album.dropped))
