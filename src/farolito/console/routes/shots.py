"""Shots: the queue, one with its sound, what a person heard in it, what came of it, the figures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from farolito.console.routes.admin import admin_ask
from farolito.console.services import Services
from farolito.console.signed_in import OPEN, Asker
from farolito.console.waveform import waveform
from farolito.desk import NotFound
from farolito.desk.shot_record import csv_of
from farolito.desk.shot_steps import heard_at
from farolito.gate import Ask, PictureName, Records
from farolito.model import (
    DeviceId,
    Invalid,
    Point,
    Purpose,
    Role,
    ShotAlert,
    ShotAlertId,
    ShotOutcome,
    SoundClip,
    SoundKind,
    Thing,
)

NOTE_CHARACTERS_MAX = 300
LISTENED_MAX = 64
ROUNDS_MAX = 1000
USUAL_PERIOD = timedelta(days=365)
PERIOD_MAX = timedelta(days=366 * 5)
DAYS_MIN = 0.01
PUBLIC_KEPT_S = 60
LANGUAGES = ("en", "es")

_QUEUE = {Role.OPERATOR, Role.SUPERVISOR}

Note = Annotated[str, msgspec.Meta(max_length=NOTE_CHARACTERS_MAX)]


class Review(msgspec.Struct, frozen=True):
    """`listened`: the sensors whose clips were played to the person."""

    version: int
    kind: SoundKind
    listened: Annotated[tuple[str, ...], msgspec.Meta(max_length=LISTENED_MAX)] = ()
    note: Note = ""


class Outcome(msgspec.Struct, frozen=True):
    outcome: ShotOutcome
    note: Note = ""


class Miss(msgspec.Struct, frozen=True):
    """A shooting that is known otherwise and had no alert."""

    at: datetime
    lat: float
    lon: float
    known_by: ShotOutcome
    rounds: Annotated[int, msgspec.Meta(ge=1, le=ROUNDS_MAX)] | None = None
    note: Note = ""


def _ask(asker: Asker, query: str, thing: Thing = Thing.SHOT) -> Ask:
    """For the work on what is happening now, where the screen of an operator names no purpose."""
    usual = Purpose.IN_PROGRESS_CALL if asker.person.role in _QUEUE else None
    return asker.ask(thing, query, usual=usual)


@get("/api/shots")
async def shots(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    answer = await services.shots.all(_ask(asker, "shots"))
    return {
        "seq": answer.value.seq,
        "at": services.clock(),
        "permit": answer.permit,
        "shots": answer.value.shots,
        "quiet": answer.value.quiet,
    }


@get("/api/shots/{alert_id:uuid}")
async def one(
    alert_id: FromPath[UUID], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = _ask(asker, f"shot alert {alert_id}")
    answer = await services.shots.one(ask, ShotAlertId(alert_id))
    return {**answer.value, "permit": answer.permit}


@post("/api/shots/{alert_id:uuid}/take", status_code=200)
async def take(
    alert_id: FromPath[UUID], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = _ask(asker, f"take shot alert {alert_id}")
    answer = await services.shots.take(ask, ShotAlertId(alert_id))
    return {"shot": answer.value, "permit": answer.permit}


@post("/api/shots/{alert_id:uuid}/review", status_code=200)
async def review(
    alert_id: FromPath[UUID],
    data: JSONBody[Review],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"review shot alert {alert_id} as {data.kind.value}")
    listened = [DeviceId(sensor) for sensor in data.listened]
    answer = await services.shots.review(
        ask, ShotAlertId(alert_id), data.version, data.kind, listened, data.note.strip()
    )
    return {"shot": answer.value, "permit": answer.permit}


@post("/api/shots/{alert_id:uuid}/outcome", status_code=200)
async def outcome(
    alert_id: FromPath[UUID],
    data: JSONBody[Outcome],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"outcome of shot alert {alert_id}: {data.outcome.value}")
    answer = await services.shots.outcome(
        ask, ShotAlertId(alert_id), data.outcome, data.note.strip()
    )
    return {"shot": answer.value, "permit": answer.permit}


@get("/api/shots/{alert_id:uuid}/clip/{sensor:str}")
async def clip(
    alert_id: FromPath[UUID],
    sensor: FromPath[str],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> Response[bytes]:
    _, _, content, permit = await _sound(alert_id, sensor, asker, services)
    return Response(
        content,
        media_type="audio/wav",
        headers={"X-Farolito-Permit": str(permit), "Cache-Control": "private, no-store"},
    )


@get("/api/shots/{alert_id:uuid}/wave/{sensor:str}")
async def wave(
    alert_id: FromPath[UUID],
    sensor: FromPath[str],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """The same sound as a picture, with the onset of each round: nothing is left to decode."""
    alert, found, content, permit = await _sound(alert_id, sensor, asker, services)
    drawn = await asyncio.to_thread(waveform, content)
    onsets = [(at - found.starts_at).total_seconds() for at in heard_at(found.sensor, alert)]
    return {
        "permit": permit,
        "sensor": found.sensor,
        "starts_at": found.starts_at,
        "rate_hz": drawn.rate_hz,
        "seconds": drawn.seconds,
        "peaks": drawn.peaks,
        "onsets": [round(onset, 4) for onset in onsets if 0 <= onset <= drawn.seconds],
    }


async def _sound(
    alert_id: UUID, sensor: str, asker: Asker, services: Services
) -> tuple[ShotAlert, SoundClip, bytes, int]:
    """An alert, its clip of this sensor, the bytes, and the permit. Raises NotFound."""
    found: list[tuple[ShotAlert, SoundClip]] = []

    async def find(records: Records) -> PictureName | None:
        alert = await records.shots.get(ShotAlertId(alert_id))
        clips = [clip for clip in alert.clips if clip.sensor == sensor] if alert else []
        if alert is None or not clips:
            return None
        heard = next((one for one in alert.shot.heard if one.sensor == sensor), None)
        near = heard.onset_at if heard else alert.shot.discharged_at
        best = min(clips, key=lambda clip: abs(clip.starts_at - near))
        found.append((alert, best))
        return PictureName(best.starts_at.astimezone(UTC).date(), best.sha256)

    async def no_facts(records: Records) -> Mapping[str, str | int | bool]:
        return {}

    ask = _ask(asker, f"sound of {sensor} of shot alert {alert_id}", Thing.SOUND)
    answer = await services.gate.picture(ask, find, no_facts)
    if not found or answer.value is None:
        raise NotFound("no such sound was sent, or its keeping has ended")
    [(alert, best)] = found
    return alert, best, answer.value, answer.permit


@post("/api/shots/misses", status_code=200)
async def miss(
    data: JSONBody[Miss], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    ask = _ask(asker, f"a shooting without an alert, known by {data.known_by.value}")
    place = Point(data.lat, data.lon)
    answer = await services.shots.miss(
        ask, data.at, place, data.known_by, data.rounds, data.note.strip()
    )
    return {"miss": answer.value, "permit": answer.permit}


@get("/api/shots/record")
async def record(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> dict[str, Any]:
    """The figures; the misses one by one, with their places, only for those who work on shots."""
    start, end = _period(since, until, services.clock())
    ask = _ask(asker, f"figures of shots {start:%F} to {end:%F}", Thing.SHOT_FIGURE)
    answer = await services.shots.record(ask, start, end)
    misses: list[Any] = []
    if asker.person.role in _QUEUE:
        places = _ask(asker, f"missed shots {start:%F} to {end:%F}")
        misses = (await services.shots.misses(places, start, end)).value
    return {"record": answer.value, "misses": misses, "permit": answer.permit}


@get("/api/shots/record.csv")
async def record_csv(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    since: FromQuery[datetime | None] = None,
    until: FromQuery[datetime | None] = None,
) -> Response[str]:
    start, end = _period(since, until, services.clock())
    ask = _ask(asker, f"export figures of shots {start:%F} to {end:%F}", Thing.SHOT_FIGURE)
    answer = await services.shots.export_record(ask, start, end)
    return Response(
        csv_of(answer.value),
        media_type="text/csv; charset=utf-8",
        headers={
            "X-Farolito-Permit": str(answer.permit),
            "Content-Disposition": 'attachment; filename="shots.csv"',
            "Cache-Control": "private, no-store",
        },
    )


@get("/api/admin/shots/record")
async def admin_record(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    days: FromQuery[float] = 365.0,
) -> dict[str, Any]:
    """The figures, taken out by the command line."""
    end = services.clock()
    start = end - timedelta(days=max(DAYS_MIN, min(days, PERIOD_MAX.days)))
    query = f"export figures of shots {start:%F} to {end:%F}"
    ask = admin_ask(request, services, Thing.SHOT_FIGURE, query)
    answer = await services.shots.export_record(ask, start, end)
    return {"record": answer.value, "permit": answer.permit}


def _period(since: datetime | None, until: datetime | None, now: datetime) -> tuple[Any, Any]:
    """The last year where nothing is said. Raises Invalid for what is no period."""
    end = until or now
    if end.tzinfo is None or (since is not None and since.tzinfo is None):
        raise Invalid("a time without a zone", "send UTC or an offset")
    try:
        start = since or end - USUAL_PERIOD
    except OverflowError as why:
        raise Invalid("a time before all times", "send a later one") from why
    if not timedelta() < end - start <= PERIOD_MAX:
        raise Invalid("a period that ends before it begins, or is too long", "ask for 5 years")
    return start, end


@get("/api/sensors")
async def sensors(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> Mapping[str, Any]:
        return await services.sensors()

    answer = await services.gate.read(_ask(asker, "gunshot sensors", Thing.SENSOR), work)
    return {**answer.value, "permit": answer.permit}


@get("/api/sensors/coverage")
async def coverage(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> Mapping[str, Any]:
        return await services.coverage()

    ask = _ask(asker, "coverage of the gunshot sensors", Thing.SENSOR)
    answer = await services.gate.read(ask, work)
    return {**answer.value, "permit": answer.permit}


@get("/public/shots", opt=OPEN)
async def public_page(
    services: NamedDependency[Services], lang: FromQuery[str] = "en"
) -> Response[bytes]:
    """What everybody may know of how good the alerts are."""
    return await _public(services, lang if lang in LANGUAGES else "en")


@get("/public/shots.json", opt=OPEN)
async def public_json(services: NamedDependency[Services]) -> Response[bytes]:
    return await _public(services, "json")


async def _public(services: Services, which: str) -> Response[bytes]:
    media_type, content = await services.public_page(which)
    return Response(
        content,
        media_type=media_type,
        headers={"Cache-Control": f"public, max-age={PUBLIC_KEPT_S}"},
    )


ROUTES = [
    shots, one, take, review, outcome, clip, wave, miss, record, record_csv, admin_record, sensors,
    coverage, public_page, public_json,
]  # fmt: skip
