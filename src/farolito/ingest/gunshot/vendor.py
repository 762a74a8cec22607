"""A vendor's alerts of shots: JSON, by itself or as a CloudEvent's data, into VendorAlert values.

One alert or an array of them. What the vendor does not tell is not guessed: no accuracy is no
ellipse, a class that nobody knows is refused by name. What its classes are worth stands here, and
in `because` for whoever reads the alert: audits of cities that count outcomes found evidence of a
shooting after 8 to 20 of 100 such alerts, so a class alone is never taken for certain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from farolito.ingest.dates import DateReader
from farolito.ingest.gunshot.decoded import RejectedPart, Told, VendorAlert, part
from farolito.ingest.gunshot.json_text import json_value
from farolito.ingest.gunshot.spelling import CANCELS, KNOWN, Spelling, VendorClass, plain
from farolito.model import (
    Device,
    Ellipse,
    Invalid,
    Point,
    Rejected,
    Round,
    Shot,
    ShotId,
    SoundKind,
    digest_id,
)

NAME: Final = "vendor"
BODY_BYTES_MAX = 256 * 1024
ALERTS_MAX = 100  # a message; one with more is refused whole
ROUNDS_MAX = 500
ACCURACY_M_MAX = 5_000.0
AHEAD_MAX = timedelta(minutes=5)
AGE_MAX = timedelta(days=7)  # an update of an older alert is no news to anybody
TEXT_CHARACTERS_MAX = 200
# What a vendor's own kind is worth where it tells no confidence.
NAMED, PROBABLE = 0.9, 0.6
GUNSHOT_LEAST = 0.5  # what is called a gunshot is looked at as one, however unsure its vendor is
RARELY_MORE, RARELY_LESS = 0.98, 0.02  # no vendor is believed beyond these
_OTHERS: Mapping[SoundKind, float] = {  # how the rest is shared among the kinds it is not
    SoundKind.GUNSHOT: 0.4,
    SoundKind.FIREWORK: 0.4,
    SoundKind.VEHICLE: 0.1,
    SoundKind.CONSTRUCTION: 0.05,
    SoundKind.OTHER: 0.05,
}
_FORMATS = (
    "iso", "MM/DD/YYYY h:mm:ss am", "MM/DD/YYYY h:mm am", "MM/DD/YYYY hh:mm:ss",
    "MM/DD/YYYY hh:mm", "MM/DD/YY h:mm", "epoch",
)  # fmt: skip
_ELLIPSE_SHARE = 0.95
_ACCURACY_SHARE = 0.68  # of an accuracy that comes without one, as of a GPS receiver's
_LEVELS = ("location", "place", "position")  # one level in, where some put the coordinates
_JSON_TYPES = ("", "application/json", "text/json")

_RAW = msgspec.json.Decoder(msgspec.Raw)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def decode(
    body: bytes,
    content_type: str,
    device: Device,
    received_at: datetime,
    spelling: Spelling = KNOWN,
) -> Told:
    """Raises Rejected, and nothing else whatever the bytes. A bad alert takes only itself."""
    bare = content_type.partition(";")[0].strip().lower()
    if bare not in _JSON_TYPES and not bare.endswith("+json"):
        says = "this format does not come in that content type"
        raise Rejected("wrong_content_type", says, "send application/json", 415)
    if len(body) > BODY_BYTES_MAX:
        says = f"a message of more than {BODY_BYTES_MAX // 1024} KiB"
        raise Rejected("too_large", says, "send fewer alerts at once", 413)
    reader = _Reader(device, received_at, spelling)
    alerts: list[VendorAlert] = []
    errors: list[tuple[RejectedPart, Rejected]] = []
    records = _records(body.removeprefix(b"\xef\xbb\xbf"))
    for item, raw in enumerate(records):
        try:
            alerts.append(reader.alert(raw))
        except Rejected as why:
            errors.append((part(f"alert {item}", why), why))
    if errors and len(records) == 1:
        raise errors[0][1]
    return Told(alerts=tuple(alerts), rejected=tuple(one for one, _ in errors))


def _records(body: bytes) -> Sequence[msgspec.Raw]:
    whole = json_value(_RAW, body)
    if not bytes(whole).lstrip().startswith(b"["):
        event: dict[str, Any] = json_value(_OBJECT, whole)
        if "specversion" not in event or "data" not in event:
            return [whole]
        whole = msgspec.Raw(msgspec.json.encode(event["data"]))
        if not bytes(whole).startswith(b"["):
            return [whole]
    found = json_value(_RAWS, whole)
    if len(found) > ALERTS_MAX:
        do = f"send at most {ALERTS_MAX} at once"
        raise Rejected("too_many", f"{len(found)} alerts in a message", do, 413)
    return found


class _Reader:
    """Reads the alerts of one message."""

    def __init__(self, device: Device, received_at: datetime, spelling: Spelling) -> None:
        self.device = device
        self.received_at = received_at
        self.spelling = spelling

    def alert(self, raw: msgspec.Raw) -> VendorAlert:
        """Raises Rejected."""
        record: dict[str, Any] = json_value(_OBJECT, raw)
        told = self._fields(record)
        name = _name(told)
        updated = told.get("updated_at")
        told_at = self.received_at if updated is None else self._time(updated, "updated_at")
        status = plain(_text(told.get("status")))
        cancelled = told.get("cancelled") is True or status in CANCELS
        is_whole = {"lat", "lon", "class"} <= told.keys() and ("time" in told or "date" in told)
        body = bytes(raw)
        return VendorAlert(
            track=f"vendor:{self.device.device_id}:{name}",
            device=self.device.device_id,
            told_at=told_at,
            shot=None if cancelled and not is_whole else self._shot(told, name, told_at),
            mark="message:" + sha256(body).hexdigest(),
            body=body,
            cancelled=cancelled,
            reviewed=told.get("reviewed") is True,
            address=_text(told.get("address")),
            beat=_text(told.get("beat")),
            note=_text(told.get("note")),
        )

    def _fields(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """By our words; what is null is not told."""
        flat = {plain(key): value for key, value in record.items()}
        for level in _LEVELS:
            inner = flat.get(level)
            if isinstance(inner, dict):
                flat = {plain(key): value for key, value in inner.items()} | flat
        told: dict[str, Any] = {}
        for ours, theirs in self.spelling.fields.items():
            value = next((flat[key] for key in theirs if flat.get(key) is not None), None)
            if value is not None:
                told[ours] = value
        return told

    def _shot(self, told: Mapping[str, Any], name: str, told_at: datetime) -> Shot:
        discharged_at = self._discharged(told)
        class_ = self._class(told.get("class"))
        share = _number(told, "confidence", 0, 1)
        count, counted = _rounds(told, class_)
        ellipse, how_sure = _ellipse(told)
        return Shot(
            shot_id=ShotId(
                digest_id(0, "vendor shot", self.device.agency, self.device.device_id, name)
            ),
            agency=self.device.agency,
            revision=_revision(told, discharged_at, told_at),
            source=self.device.device_id,
            discharged_at=discharged_at,
            located_at=told_at,
            place=_place(told),
            rounds=tuple(Round(at=discharged_at, sensors=0) for _ in range(count)),
            probability=1.0,
            kinds=_kinds(class_, share),
            ellipse=ellipse,
            rounds_low=count,
            rounds_high=count if "rounds" in told else None,
            because=(_says(class_, share, told), counted, how_sure),
        )

    def _discharged(self, told: Mapping[str, Any]) -> datetime:
        time, date = told.get("time"), told.get("date")
        if date is not None:
            time = f"{date} {time}" if time is not None else date
        if time is None:
            raise Rejected("no_time", "an alert without a time", "send when it was heard")
        at = self._time(time, "time")
        if at < self.received_at - AGE_MAX:
            raise Rejected("too_old", f"an alert of more than {AGE_MAX.days} days ago")
        return at

    def _time(self, told: object, name: str) -> datetime:
        """UTC; without an offset in the device's zone. Raises Rejected."""
        do = "send ISO 8601 with an offset, or in the zone that the device is registered with"
        text = str(told).strip() if isinstance(told, str | int) else ""
        read = _dates(self.device.zone)(text[:TEXT_CHARACTERS_MAX])
        if read is None or read[1]:
            raise Rejected("bad_time", f"a {name} that is none", do)
        if read[0] > self.received_at + AHEAD_MAX:
            raise Rejected("future_time", f"a {name} that has not come yet", do)
        return read[0]

    def _class(self, told: object) -> VendorClass:
        class_ = self.spelling.classes.get(plain(_text(told)))
        if class_ is None:
            do = "name it under classes in [[gunshot_vendor]]"
            says = (
                f"a class {_text(told)!r} that nobody knows" if told else "an alert without class"
            )
            raise Rejected("unknown_class", says, do)
        return class_


@lru_cache(maxsize=64)
def _dates(zone: str) -> DateReader:
    return DateReader(_FORMATS, ZoneInfo(zone))


def _name(told: Mapping[str, Any]) -> str:
    given = told.get("id")
    name = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    if not name or not name.isprintable():
        raise Rejected("no_id", "an alert without an id", "send the id that its updates have too")
    if len(name) > TEXT_CHARACTERS_MAX:
        return sha256(name.encode()).hexdigest()
    return name


def _text(told: object) -> str:
    if not isinstance(told, str):
        return ""
    return "".join(c for c in told if c.isprintable()).strip()[:TEXT_CHARACTERS_MAX]


def _number(told: Mapping[str, Any], name: str, least: float, most: float) -> float | None:
    """None where it is not told. Raises Rejected `bad_<name>`."""
    value = told.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        value = "nothing of a number"
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not least <= number <= most:
        says = f"a {name.replace('_', ' ')} that cannot be"
        raise Rejected(f"bad_{name}", says, f"send a number from {least:g} to {most:g}")
    return number


def _place(told: Mapping[str, Any]) -> Point:
    lat, lon = _number(told, "lat", -90, 90), _number(told, "lon", -180, 180)
    if lat is None or lon is None:
        raise Rejected("no_place", "an alert without a place", "send lat and lon, WGS 84")
    try:
        return Point(lat, lon)
    except Invalid as error:
        raise Rejected("not_on_earth", error.says, error.do) from error


def _rounds(told: Mapping[str, Any], class_: VendorClass) -> tuple[int, str]:
    count = _number(told, "rounds", 0, ROUNDS_MAX)
    if count:
        rounds = max(1, round(count))
        counted = "1 round" if rounds == 1 else f"{rounds} rounds"
        return rounds, f"the vendor counts {counted} and does not say when each was fired"
    least = 2 if class_ is VendorClass.MULTIPLE else 1
    return least, "the vendor does not say how many rounds"


def _ellipse(told: Mapping[str, Any]) -> tuple[Ellipse | None, str]:
    """A circle: of a circular normal error, the share within r is 1 − exp(−r²/2σ²)."""
    accuracy_m = _number(told, "accuracy_m", 0, ACCURACY_M_MAX)
    if not accuracy_m:
        return None, "the vendor does not say how exact the place is"
    share = _number(told, "accuracy_share", 0.01, 0.999)
    of = _ACCURACY_SHARE if share is None else share
    radius_m = accuracy_m * math.sqrt(math.log(1 - _ELLIPSE_SHARE) / math.log(1 - of))
    taken = "" if share is not None else ", which is taken as"
    says = (
        f"the vendor puts the place within {accuracy_m:.0f} m{taken} in {100 * of:.0f} of 100 cases"
    )
    ellipse = Ellipse(
        semi_major_m=radius_m, semi_minor_m=radius_m, bearing_deg=0.0, probability=_ELLIPSE_SHARE
    )
    return ellipse, says


def _kinds(class_: VendorClass, share: float | None) -> dict[SoundKind, float]:
    """Sums to 1."""
    own = share if share is not None else PROBABLE if class_ is VendorClass.PROBABLE else NAMED
    if class_.says_gunshot:
        own = max(own, GUNSHOT_LEAST)
    own = min(max(own, RARELY_LESS), RARELY_MORE)
    rest = sum(weight for kind, weight in _OTHERS.items() if kind is not class_.kind)
    return {
        kind: own if kind is class_.kind else (1 - own) * weight / rest
        for kind, weight in _OTHERS.items()
    }


def _says(class_: VendorClass, share: float | None, told: Mapping[str, Any]) -> str:
    sure = "" if share is None else f", {100 * share:.0f} % sure"
    told_reviewed = told.get("reviewed")
    reviewed = ""
    if told_reviewed is True:
        reviewed = ", after its people listened"
    elif told_reviewed is False:
        reviewed = ", before its people listened"
    return f"the vendor says {class_}{sure}{reviewed}"


def _revision(told: Mapping[str, Any], discharged_at: datetime, told_at: datetime) -> int:
    """As the vendor counts; else by the time that it took, so that each telling is a later one."""
    given = told.get("revision")
    if isinstance(given, int) and not isinstance(given, bool) and 0 < given < 2**31:
        return given
    return max(1, math.ceil((told_at - discharged_at).total_seconds()))
