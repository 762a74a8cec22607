"""Hikvision ISAPI ANPR events: XML alone, or multipart with pictures.

Names after the ISAPI traffic guide and public dumps. Seen in the field, and taken:
- three namespaces, or a prefix added by a recorder: names count without them;
- misspelt tags (`vehileSubLogoRecog`, `vehicelRect`) are the real names;
- `confidenceLevel` is 0…100; firmware that writes a fraction below 1 (`0.98`) means 0…1;
- `plateCharBelieve` holds 0…100 for each character;
- the plate may be `unknown`, and a picture an octet-stream;
- the same event is sent again (`activePostCount`, `isDataRetransmission`) under its UUID;
- `dateTime` has whole seconds and often a wrong zone, `absTime` the milliseconds;
- `country` and `CRIndex` number countries, not states: the state stays unknown.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from farolito.ingest import xml
from farolito.ingest.lpr import body as envelope
from farolito.ingest.lpr import moment, vehicle
from farolito.ingest.lpr.decoded import HEARTBEAT, Decoded
from farolito.ingest.lpr.number import number, share, whole
from farolito.ingest.lpr.pictures import PICTURES_MAX, Album, Shows
from farolito.ingest.lpr.report import Report, digest_key, plate_read
from farolito.model import Device, Picture, Rejected, SeenVehicle
from farolito.model.plates import PLATE_CHARACTERS_MAX

NAME: Final = "hikvision"

_MOVEMENTS: dict[str, Literal["approaching", "receding"]] = {
    "forward": "approaching",
    "reverse": "receding",
}
_SHOWS: dict[str, Shows] = {
    "licenseplatepicture": "plate",
    "vehiclepicture": "vehicle",
    "detectionpicture": "scene",
}
_NO_PLATE_WORDS = frozenset({"unknown", "noPlate", "noplate"})
_KPH_PER_MPS = 3.6


def _confidence(text: str | None) -> float | None:
    value = number(text, "confidenceLevel")
    if value is None or text is None:
        return None
    return value if "." in text and value <= 1 else share(value)


def _characters(text: str | None) -> list[float] | None:
    told = text.split(",") if text else []
    if not 0 < len(told) <= 2 * PLATE_CHARACTERS_MAX:
        return None
    try:
        return [round(float(one) / 100, 6) for one in told]
    except ValueError:  # "99,,98": without its place a confidence says nothing
        return None


def _captured_at(alert: xml.Element, anpr: xml.Element, device: Device) -> datetime:
    """`dateTime`, with the milliseconds of a picture's `absTime` that shows the same second."""
    text = alert.told("dateTime")
    at = moment.from_iso(text, device)
    pictures = anpr.find("pictureInfoList")
    first = pictures.find("pictureInfo") if pictures is not None else None
    digits = (first.told("absTime") if first is not None else None) or ""
    local = "".join(c for c in (text or "") if c.isdigit())[:14]
    if at.microsecond == 0 and len(digits) == 17 and digits.startswith(local):
        return at + timedelta(milliseconds=whole(digits[14:]) or 0)
    return at


def _degrees(gps: xml.Element | None, axis: str, sign_tag: str, negative: str) -> float | None:
    """Degrees, minutes and seconds as one number; west and south are negative."""
    told = gps.find(axis) if gps is not None else None
    if gps is None or told is None:
        return None
    degree, minute, sec = (
        number(told.told(part), part) or 0.0 for part in ("degree", "minute", "sec")
    )
    value = degree + minute / 60 + sec / 3600
    return -value if (gps.told(sign_tag) or "").upper() == negative else value


def _vehicle(anpr: xml.Element) -> SeenVehicle | None:
    """Makes and models come as numbers of a table that is not public: left out."""
    kind = vehicle.kind(anpr.told("vehicleType"))
    if anpr.told("twoWheelVehicle") == "yes":
        kind = "motorcycle"
    colour = vehicle.colour(anpr.told("vehicleInfo", "color"))
    return vehicle.vehicle(kind=vehicle.seen(kind), colour=vehicle.seen(colour))


def _pictures(album: Album, parts: list[envelope.Part]) -> tuple[Picture, ...]:
    made: tuple[Picture, ...] = ()
    for part in parts[:PICTURES_MAX]:
        name = part.name.rpartition("/")[2].partition(".")[0].lower()
        made += album.add(part.content, _SHOWS.get(name, "scene"))
    return made


def _opened(body: bytes, kind: str, content_type: str) -> tuple[bytes, list[envelope.Part]]:
    """The XML, which is the first part that looks like it, and the other parts."""
    if kind not in envelope.MULTIPART_TYPES:
        return body, []
    parts = envelope.parts(body, content_type)
    for part in parts:
        if part.name.lower().endswith(".xml") or part.content.lstrip()[:1] == b"<":
            return part.content, [other for other in parts if other is not part]
    raise Rejected("malformed_multipart", "a multipart message without its XML part")


def _event(alert: xml.Element, text: str | None, at: datetime) -> str:
    """The UUID; firmware without one repeats channel, time and plate."""
    return alert.told("UUID") or digest_key(alert.told("channelID"), at, text)


def _report(alert: xml.Element, anpr: xml.Element, device: Device) -> Report:
    at = _captured_at(alert, anpr, device)
    text, original = anpr.told("licensePlate"), anpr.told("originalLicensePlate")
    gps = alert.find("DeviceGPSInfo")
    kph = number(anpr.told("speed"), "speed")
    return Report(
        text=text,
        no_plate_words=_NO_PLATE_WORDS,
        captured_at=at,
        event=_event(alert, text, at),
        confidence=_confidence(anpr.told("confidenceLevel")),
        characters=_characters(anpr.told("plateCharBelieve")),
        candidates=[(original, None)] if original and original != text else [],
        lat=_degrees(gps, "Latitude", "latitudeType", "S"),
        lon=_degrees(gps, "Longitude", "longitudeType", "W"),
        movement=_MOVEMENTS.get((anpr.told("direction") or "").lower()),
        lane=whole(anpr.told("line")),
        # Without a radar the camera says 0: not measured, not standing.
        speed_mps=kph / _KPH_PER_MPS if kph else None,
        vehicle=_vehicle(anpr),
    )


def decode(body: bytes, content_type: str, device: Device, received_at: datetime) -> Decoded:
    """Raises Rejected."""
    accepted = envelope.XML_TYPES + envelope.MULTIPART_TYPES
    kind = envelope.media_type(content_type, accepted)
    text, others = _opened(body, kind, content_type)
    alert = xml.parse(text)
    if alert.name != "EventNotificationAlert":
        raise Rejected("not_a_plate_read", "XML that is no EventNotificationAlert")
    anpr = alert.find("ANPR")
    if anpr is None:
        if (alert.told("eventType") or "ANPR").upper() == "ANPR":
            raise Rejected("wrong_shape", "an ANPR event without its ANPR element")
        return HEARTBEAT  # cameras repeat an inactive videoloss event to say that they live
    report = _report(alert, anpr, device)
    album = Album()
    report.pictures = _pictures(album, others)
    read = plate_read(report, NAME, device, received_at)
    return Decoded((read,), album.contents, dropped=tuple(album.dropped))
