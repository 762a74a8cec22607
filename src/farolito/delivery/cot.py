"""Things as Cursor on Target markers for ATAK and WinTAK: plain functions, no clock.

Only neutral spots, waypoints, sensors and our own units are drawn: a hostile or suspect symbol
would be a claim about a person. Each thing keeps one uid, so a newer state moves the marker.
A CoT receiver reads `ce` as the radius the place lies in; what is not known is left unknown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from farolito.delivery.wording import Wording, instant
from farolito.geo.shot_place import within_m
from farolito.ingest.avl.cot import CotEvent, element
from farolito.model import (
    AgencyId,
    Alert,
    AlertState,
    Brief,
    CalledUnit,
    Device,
    Ellipse,
    Incident,
    IncidentState,
    Level,
    PartKind,
    Point,
    ShotAlert,
    Unit,
    UnitId,
    UnitStatus,
)

SPOT = "b-m-p-s-m"  # a coloured spot: says where, claims nothing about who
WAYPOINT = "b-m-p-w-GOTO"  # ATAK offers to navigate to it
SENSOR = "b-m-p-s-p-loc"  # a camera or reader
OWN_UNIT = "a-f-G-U-U-L-C"  # friendly, ground, law enforcement, civilian (MIL-STD-2525 UULC)
RTCC = "a-f-G-U-C"  # what ATAK lists as a contact one can write to
REMOVE = "t-x-d-d"
ELLIPSE = "u-d-c-e"  # a drawn ellipse, as ATAK's own drawing tool writes it

INCIDENT_STALE = timedelta(hours=1)  # renewed long before, so only a lost node lets it fade
UNIT_STALE = timedelta(minutes=2)  # after its last word, not after ours
DEVICE_STALE = timedelta(hours=12)
RTCC_STALE = timedelta(minutes=5)
REMARKS_CHARACTERS_MAX = 4_000  # a phone's screen holds far less; longer is cut with a mark
CALLSIGN_CHARACTERS_MAX = 64
PLACES_SHOWN_MAX = 4  # of one shot, the likeliest; `ce` holds the others as well

_ORANGE, _YELLOW, _RED, _WHITE = -35_072, -256, -65_536, -1  # ARGB, signed, as ATAK writes it
_RED_FAINT = 0x33FF0000
_COLOURS = {Level.P1: _RED, Level.P2: _ORANGE, Level.P3: _YELLOW, Level.P4: _WHITE}


def uid(agency: AgencyId, kind: str, name: object) -> str:
    """The same for the same thing, for ever: `farolito.<agency>.<kind>.<id>`."""
    return f"farolito.{agency}.{kind}.{name}"


def desk_uid(agency: AgencyId) -> str:
    return f"farolito-{agency}-desk"


def incident(
    what: Incident, now: datetime, wording: Wording, hidden: Collection[UnitId] = ()
) -> CotEvent | None:
    """A spot with kind, place and age; None where it is over or nobody knows where it is.

    Nothing in it that only a machine read: no plate, no part's label. `hidden`: muted units,
    whose being there is not told either.
    """
    if what.state is not IncidentState.OPEN or what.place is None:
        return None
    kind = what.kind_says or what.kind.value.replace("_", " ")
    lines = [
        f"P{int(what.level)} {kind}",
        _where(what.where, what.within_m),
        f"{wording['since']} {instant(what.opened_at)}, {wording['as_of']}"
        f" {instant(what.changed_at)}",
        f"{wording['source']}: {_sources(what, wording)}",
        _units(what.units, wording, hidden),
        wording["doubtful"] if what.doubtful else "",
    ]
    by_person = any(part.kind in {PartKind.CALL, PartKind.REPORT} for part in what.parts)
    return _marker(
        uid(what.agency, "incident", what.incident_id),
        SPOT,
        "h-e" if by_person else "m-f",
        (what.opened_at, now, now + INCIDENT_STALE),
        what.place,
        what.within_m,
        _contact(f"P{int(what.level)} {kind}") + _colour(_COLOURS[what.level]) + _remarks(lines),
    )


def alert(what: Alert, now: datetime, wording: Wording) -> CotEvent | None:
    """A listed car where it was seen last; None unless a person confirmed it and it stands.

    A restricted row is not drawn either: a marker can be forwarded with one touch.
    """
    place, row = what.newest.place, what.match.entry
    if what.state is not AlertState.CONFIRMED or row.restricted or place is None:
        return None
    plate = " ".join(part for part in (row.state, row.plate) if part)
    lines = [
        f"P{int(what.level)} {row.reason}",
        f"{plate}: {wording['plate_confirmed']}",
        f"{wording['seen']} {instant(what.newest.captured_at)}",
        f"{wording['source']}: {wording['reader']}, {row.source_agency};"
        f" {wording['confirm_with']} {row.confirm_with}",
    ]
    return _marker(
        uid(what.agency, "alert", what.alert_id),
        SPOT,
        "m-f",
        (what.newest.captured_at, now, now + INCIDENT_STALE),
        place,
        None,
        _contact(f"P{int(what.level)} {plate}") + _colour(_COLOURS[what.level]) + _remarks(lines),
    )


def shots(what: ShotAlert, now: datetime, wording: Wording) -> list[CotEvent]:
    """Where sensors heard gunfire: a spot and its ellipse for each place that it may have been.

    Empty unless a person heard gunfire in it and nobody has said yet what came of it. `ce` holds
    every place among which the sensors could not choose, so no receiver takes one of them as sure.
    """
    if not what.is_confirmed or what.state is not AlertState.CONFIRMED:
        return []
    shot = what.shot
    places = [(one.place, one.ellipse, one.share) for one in shot.modes[:PLACES_SHOWN_MAX]]
    made: list[CotEvent] = []
    for i, (place, ellipse, share) in enumerate(places or [(shot.place, shot.ellipse, None)]):
        name = uid(what.agency, "shot", what.alert_id) + (f".{i + 1}" if i else "")
        times = (fired_at(what), now, now + INCIDENT_STALE)
        of_all = "" if share is None else f", {share:.0%}"
        title = f"{wording['shots']}: {_count(what.rounds, wording)}{of_all}"
        ce = within_m(msgspec.structs.replace(shot, place=place))
        detail = _contact(title) + _colour(_RED) + _remarks(_shot_lines(what, share, wording))
        made.append(_marker(name, SPOT, "m-f", times, place, ce, detail))
        if ellipse is not None:
            area = f"{name}.area"
            detail = _ellipse(area, ellipse) + _contact(title) + element("archive", {})
            made.append(_marker(area, ELLIPSE, "m-f", times, place, ce, detail))
    return made


def brief(what: Brief, now: datetime, wording: Wording) -> CotEvent | None:
    """The place a unit is sent to, as a waypoint; None where it is over or has no place.

    The lines travel in the chat beside it: a marker can be forwarded with one touch.
    """
    if is_over(what) or what.place is None:
        return None
    title = f"{wording['brief']} {what.call or ''}".strip()
    lines = [
        f"{title} v{what.version}",
        what.lines[1].says,
        f"{wording['as_of']} {instant(what.composed_at)}",
        f"{wording['source']}: {what.lines[1].source}",
    ]
    if what.within_m is not None:
        lines.append(f"± {what.within_m:.0f} m")
    return _marker(
        uid(what.agency, "brief", what.brief_id),
        WAYPOINT,
        "h-e" if what.alert_id is None else "m-f",
        (what.composed_at, now, now + INCIDENT_STALE),
        what.place,
        what.within_m,
        _contact(title) + _remarks(lines),
    )


def unit(what: Unit, now: datetime, wording: Wording) -> CotEvent | None:
    """An own unit where it was last heard; None where muted, never heard or heard too long ago.

    Whoever is muted has no marker at all: not an old one, not a vague one.
    """
    if what.muted or what.place is None or what.heard_at is None:
        return None
    stale = what.heard_at + UNIT_STALE
    if stale <= now:
        return None
    track = ""
    if what.heading_deg is not None and what.speed_mps is not None:
        track = element(
            "track", {"course": f"{what.heading_deg:.1f}", "speed": f"{what.speed_mps:.1f}"}
        )
    lines = [
        f"{what.unit_id}, {wording['heard']} {instant(what.heard_at)}",
        wording["doubtful"] if what.doubt else "",
    ]
    return _marker(
        uid(what.agency, "unit", what.unit_id),
        OWN_UNIT,
        "m-g",
        (what.heard_at, what.heard_at, stale),
        what.place,
        what.accuracy_m,
        _contact(what.unit_id) + track + _remarks(lines),
    )


def device(what: Device, now: datetime, wording: Wording) -> CotEvent | None:
    """A camera or reader where it stands. No field of view is drawn: we do not know one."""
    if what.place is None:
        return None
    kind = wording["camera"] if what.kind == "camera" else wording["reader"]
    return _marker(
        uid(what.agency, "device", what.device_id),
        SENSOR,
        "h-e",
        (now, now, now + DEVICE_STALE),
        what.place,
        None,
        _contact(what.name) + element("sensor", {"hideFov": "true"}) + _remarks([kind, what.name]),
    )


def presence(uid_: str, callsign: str, now: datetime) -> CotEvent:
    """We ourselves as a contact, so that an officer can answer and a TAK server knows our name.

    The point is 0/0 with an unknown radius, as TAK writes "nowhere": a desk has no position.
    """
    detail = (
        element("takv", {"device": "node", "platform": "Farolito", "os": "", "version": "1"})
        + element("contact", {"callsign": callsign, "endpoint": "*:-1:stcp"})
        + element("__group", {"name": "Dark Blue", "role": "HQ"})
    )
    return CotEvent(
        uid=uid_, type=RTCC, how="m-g", time=now, start=now,
        stale=now + RTCC_STALE, lat=0.0, lon=0.0, hae=None, ce=None, le=None, detail=detail,
    )  # fmt: skip


def removal(of: str, now: datetime) -> CotEvent:
    """Take the marker `of` off the receiver's map."""
    return CotEvent(
        uid=f"{of}.removed", type=REMOVE, how="m-g", time=now, start=now,
        stale=now + UNIT_STALE, lat=0.0, lon=0.0, hae=None, ce=None, le=None,
        detail=element("link", {"uid": of, "relation": "none", "type": "none"})
        + element("__forcedelete", {}),
    )  # fmt: skip


def is_over(what: Brief) -> bool:
    """Recalled, answered with an outcome, or ended: nobody drives there for it any more."""
    return what.recalled or what.outcome is not None or what.ended_at is not None


def _marker(  # noqa: PLR0913 - one argument for each part of an event
    uid_: str,
    type_: str,
    how: str,
    times: tuple[datetime, datetime, datetime],
    place: Point,
    within_m: float | None,
    detail: str,
) -> CotEvent:
    start, time, stale = times
    return CotEvent(
        uid=uid_, type=type_, how=how, time=time.astimezone(UTC), start=start.astimezone(UTC),
        stale=stale.astimezone(UTC), lat=place.lat, lon=place.lon, hae=None, ce=within_m, le=None,
        detail=detail,
    )  # fmt: skip


def _contact(callsign: str) -> str:
    return element("contact", {"callsign": callsign[:CALLSIGN_CHARACTERS_MAX]})


def _colour(argb: int) -> str:
    icon = f"COT_MAPPING_SPOTMAP/{SPOT}/{argb}"
    return (
        element("color", {"argb": str(argb)})
        + element("usericon", {"iconsetpath": icon})
        + element("archive", {})
    )


def _remarks(lines: Iterable[str]) -> str:
    says = "\n".join(line for line in lines if line)
    if len(says) > REMARKS_CHARACTERS_MAX:
        says = says[: REMARKS_CHARACTERS_MAX - 1] + "…"
    return element("remarks", {}, text=says)


def _shot_lines(what: ShotAlert, share: float | None, wording: Wording) -> list[str]:
    shot = what.shot
    sure = wording["rough"]
    if share is not None:
        sure = f"{wording['one_of']} {share:.0%}"
    elif shot.ellipse is not None:
        ellipse = shot.ellipse
        sure = f"{wording['within']} {ellipse.semi_major_m:.0f} m ({ellipse.probability:.0%})"
    heard = f"{wording['sensors']} ({len(shot.heard)})" if shot.heard else str(shot.source)
    return [
        f"{_count(what.rounds, wording)} {instant(fired_at(what))}: {wording['reviewed']}",
        sure,
        wording["outside_net"] if shot.outside_net else "",
        f"{wording['source']}: {heard}, {wording['as_of']} {instant(shot.located_at)}",
    ]


def fired_at(what: ShotAlert) -> datetime:
    """The first discharge."""
    return min(shot.discharged_at for shot in what.shots)


def _count(rounds: int, wording: Wording) -> str:
    return f"{rounds} {wording['round' if rounds == 1 else 'rounds']}"


def _ellipse(name: str, of: Ellipse) -> str:
    """Half-axes in metres, and the long one's bearing; iTAK draws none without the style."""
    shape = element(
        "ellipse",
        {
            "major": f"{of.semi_major_m:.1f}",
            "minor": f"{of.semi_minor_m:.1f}",
            "angle": f"{of.bearing_deg:.1f}",
        },
    )
    line = element("color", {}, text="ff0000ff") + element("width", {}, text="3.0")
    style = element("LineStyle", {}, line)
    style += element("PolyStyle", {}, element("color", {}, text="330000ff"))
    link = element(
        "link",
        {"uid": f"{name}.Style", "type": "b-x-KmlStyle", "relation": "p-c"},
        element("Style", {}, style),
    )
    stroke = element("strokeColor", {"value": str(_RED)}) + element("strokeWeight", {"value": "3"})
    fill = element("fillColor", {"value": str(_RED_FAINT)})
    return element("shape", {}, shape + link) + stroke + fill


def _where(where: str, within_m: float | None) -> str:
    return where if within_m is None else f"{where}, ± {within_m:.0f} m"


def _sources(what: Incident, wording: Wording) -> str:
    """Kinds of part, with the numbers of calls: an alert's label is its plate, so it stays away."""
    said: list[str] = []
    for part in what.parts:
        if part.kind is PartKind.CALL:
            said.append(f"{wording['call']} {part.label}")
        elif part.kind is PartKind.REPORT:
            said.append(wording["report"])
        elif part.kind is PartKind.SHOT and part.is_confirmed:
            said.append(wording["shots_heard"])
    return ", ".join(dict.fromkeys(said)) or wording["confirmed_alert"]


def _units(units: Iterable[CalledUnit], wording: Wording, hidden: Collection[UnitId]) -> str:
    return ", ".join(
        f"{one.unit} {wording[one.status.value]}"
        for one in units
        if one.status is not UnitStatus.CLEARED and one.unit not in hidden
    )
