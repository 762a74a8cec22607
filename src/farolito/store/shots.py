"""Shot alerts with every version they had, their tracks and evidence, and the known misses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from farolito.model import (
    AgencyId,
    AlertState,
    Level,
    PersonId,
    Point,
    ShotAlert,
    ShotAlertId,
    ShotId,
    ShotMiss,
    ShotOutcome,
    SoundKind,
)
from farolito.store.alerts import HistoryLine

OPEN_SHOWN_MAX = 500
DECIDED_SHOWN_MAX = 50
QUIET_SHOWN_MAX = 50
NEAR_MAX = 50  # the newest; more than this near one place is no neighbourhood
VERSIONS_SHOWN_MAX = 500  # the newest of one alert
MISSES_SHOWN_MAX = 1_000  # the newest; a longer period is asked for in pieces

_UNDECIDED = (AlertState.WAITING, AlertState.TAKEN)
_DEGREE_M = 111_320.0  # of latitude; of longitude near enough for a box that only preselects
_LON_STRETCH = 1.6  # to 51 degrees of latitude; the exact distance is the desk's to take

_encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(ShotAlert).decode
_miss = msgspec.json.Decoder(ShotMiss).decode


class Track(NamedTuple):
    """Which shot a track is, and the newest revision that was told under it."""

    track: str
    shot_id: ShotId
    alert_id: ShotAlertId
    revision: int


class ShotVersion(NamedTuple):
    version: int
    at: datetime
    alert: ShotAlert


class ShotCase(NamedTuple):
    """What the figures need of an alert."""

    discharged_at: datetime
    zone: str
    level: Level
    reviewed_as: SoundKind | None
    outcome: ShotOutcome | None


class Shots:
    """Queries on one connection, in the transaction of one agency."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def hold(self) -> None:
        """Take the lock of those who raise or revise, until the transaction ends.

        Two solutions of one shot at one moment come one after the other, so that the second
        finds the first. It is taken before any alert's row, and those before the feed's lock.
        """
        await self._connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('shots:' || $1, 0))", self._agency
        )

    async def add(self, alert: ShotAlert) -> None:
        """Store a new alert as its first version."""
        await self._connection.execute(
            "insert into shot_alerts (alert_id, version, level, state, is_queued, changed_at,"
            " discharged_at, lat, lon, zone, reviewed_as, outcome, body, agency, raised_at)"
            " values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)",
            *_columns(alert),
            self._agency,
            alert.raised_at,
        )
        await self._keep_version(alert)

    async def save(self, alert: ShotAlert) -> None:
        """The alert's next version; the ones before stay."""
        await self._connection.execute(
            "update shot_alerts set version = $2, level = $3, state = $4, is_queued = $5,"
            " changed_at = $6, discharged_at = $7, lat = $8, lon = $9, zone = $10,"
            " reviewed_as = $11, outcome = $12, body = $13 where alert_id = $1",
            *_columns(alert),
        )
        await self._keep_version(alert)

    async def get(self, alert_id: ShotAlertId, *, lock: bool = False) -> ShotAlert | None:
        body = await self._connection.fetchval(
            "select body from shot_alerts where alert_id = $1"  # noqa: S608 - two fixed texts
            + (" for no key update" if lock else ""),
            alert_id,
        )
        return None if body is None else _alert(body)

    async def version(self, alert_id: ShotAlertId, version: int) -> ShotAlert | None:
        body = await self._connection.fetchval(
            "select body from shot_versions where alert_id = $1 and version = $2",
            alert_id,
            version,
        )
        return None if body is None else _alert(body)

    async def versions(self, alert_id: ShotAlertId) -> list[ShotVersion]:
        """Every one, the oldest first."""
        rows = await self._connection.fetch(
            "select version, at, body from shot_versions where alert_id = $1"
            " order by version desc limit $2",
            alert_id,
            VERSIONS_SHOWN_MAX,
        )
        return [ShotVersion(r["version"], r["at"], _alert(r["body"])) for r in reversed(rows)]

    async def near(
        self, place: Point, within_m: float, since: datetime, until: datetime
    ) -> list[ShotAlert]:
        """Alerts in a box around a place that began in between, the newest first, in any state."""
        box = within_m / _DEGREE_M
        rows = await self._connection.fetch(
            "select body from shot_alerts where discharged_at >= $1 and discharged_at <= $2"
            " and lat >= $3 and lat <= $4 and lon >= $5 and lon <= $6"
            " order by discharged_at desc limit $7",
            since,
            until,
            place.lat - box,
            place.lat + box,
            place.lon - box * _LON_STRETCH,
            place.lon + box * _LON_STRETCH,
            NEAR_MAX,
        )
        return [_alert(row["body"]) for row in rows]

    async def track(self, track: str) -> Track | None:
        row = await self._connection.fetchrow(
            "select track, shot_id, alert_id, revision from shot_tracks"
            " where agency = $1 and track = $2",
            self._agency,
            track,
        )
        return None if row is None else Track(*row)

    async def tracks_of(self, alerts: Sequence[ShotAlertId]) -> list[Track]:
        rows = await self._connection.fetch(
            "select track, shot_id, alert_id, revision from shot_tracks"
            " where alert_id = any($1) order by at, track",
            list(alerts),
        )
        return [Track(*row) for row in rows]

    async def remember(
        self, track: str, shot_id: ShotId, alert_id: ShotAlertId, revision: int, at: datetime
    ) -> None:
        """The shot stands for this track to this revision, in the transaction that kept it."""
        await self._connection.execute(
            "insert into shot_tracks (agency, track, shot_id, alert_id, revision, at)"
            " values ($1,$2,$3,$4,$5,$6)"
            " on conflict (agency, track) do update set revision = excluded.revision,"
            " at = excluded.at",
            self._agency,
            track,
            shot_id,
            alert_id,
            revision,
            at,
        )

    async def keep_evidence(
        self, shot_id: ShotId, alert_id: ShotAlertId, pulses: bytes, at: datetime
    ) -> None:
        """The pulses of the newest solution, in the place of those of the one before."""
        await self._connection.execute(
            "insert into shot_evidence (shot_id, alert_id, agency, at, pulses)"
            " values ($1,$2,$3,$4,$5) on conflict (shot_id) do update"
            " set at = excluded.at, pulses = excluded.pulses",
            shot_id,
            alert_id,
            self._agency,
            at,
            pulses,
        )

    async def evidence(self, shot_id: ShotId) -> bytes | None:
        found = await self._connection.fetchval(
            "select pulses from shot_evidence where shot_id = $1", shot_id
        )
        return None if found is None else bytes(found)

    async def queue(self) -> list[ShotAlert]:
        """What waits for a person, and the last that was decided on, each the newest first."""
        rows = await self._connection.fetch(
            "(select body from shot_alerts where is_queued and state = any($1)"
            " order by raised_at desc limit $2)"
            " union all (select body from shot_alerts where not state = any($1)"
            " order by changed_at desc limit $3)",
            list(_UNDECIDED),
            OPEN_SHOWN_MAX,
            DECIDED_SHOWN_MAX,
        )
        return [_alert(row["body"]) for row in rows]

    async def quiet(self) -> list[ShotAlert]:
        """Heard, not worth a person's time by itself, and decided on by nobody."""
        rows = await self._connection.fetch(
            "select body from shot_alerts where not is_queued and state = any($1)"
            " order by raised_at desc limit $2",
            list(_UNDECIDED),
            QUIET_SHOWN_MAX,
        )
        return [_alert(row["body"]) for row in rows]

    async def overdue(self, before: datetime) -> list[ShotAlert]:
        """P1 alerts nobody has taken since `before`, and nobody was told of as late; locked."""
        rows = await self._connection.fetch(
            "select body from shot_alerts where state = 'waiting' and level = 1 and is_queued"
            " and raised_at < $1 and body->>'escalated_at' is null for no key update skip locked",
            before,
        )
        return [_alert(row["body"]) for row in rows]

    async def note(
        self, alert: ShotAlert, says: str, who: PersonId | None, permit: int | None
    ) -> None:
        """A line of the alert's history, at its present version."""
        await self._connection.execute(
            "insert into shot_history (alert_id, agency, at, version, says, who, permit)"
            " values ($1,$2,$3,$4,$5,$6,$7)",
            alert.alert_id,
            self._agency,
            alert.changed_at,
            alert.version,
            says,
            who,
            permit,
        )

    async def history(self, alert_id: ShotAlertId) -> list[HistoryLine]:
        rows = await self._connection.fetch(
            "select h.at, h.version, h.says, h.who, p.name, h.permit from shot_history h"
            " left join people p on p.person_id = h.who where h.alert_id = $1 order by h.line",
            alert_id,
        )
        return [HistoryLine(**dict(row)) for row in rows]

    async def keep_miss(self, miss: ShotMiss) -> None:
        await self._connection.execute(
            "insert into shot_misses (miss_id, agency, at, said_at, zone, body)"
            " values ($1,$2,$3,$4,$5,$6)",
            miss.miss_id,
            self._agency,
            miss.at,
            miss.said_at,
            miss.zone,
            _encode(miss).decode(),
        )

    async def misses(self, since: datetime, until: datetime) -> list[ShotMiss]:
        """Shootings of that time that had no alert, the newest first."""
        rows = await self._connection.fetch(
            "select body from shot_misses where at >= $1 and at < $2 order by at desc limit $3",
            since,
            until,
            MISSES_SHOWN_MAX,
        )
        return [_miss(row["body"]) for row in rows]

    async def missed(self, since: datetime, until: datetime) -> list[tuple[datetime, str]]:
        """When and in which zone, of every miss of that time: what the figures need."""
        rows = await self._connection.fetch(
            "select at, zone from shot_misses where at >= $1 and at < $2 order by at",
            since,
            until,
        )
        return [(row["at"], row["zone"]) for row in rows]

    async def cases(self, since: datetime, until: datetime) -> list[ShotCase]:
        """What came of every alert of a shot in that time, those that nobody was told of too."""
        rows = await self._connection.fetch(
            "select discharged_at, zone, level, reviewed_as, outcome from shot_alerts"
            " where discharged_at >= $1 and discharged_at < $2 order by discharged_at",
            since,
            until,
        )
        return [
            ShotCase(
                discharged_at=row["discharged_at"],
                zone=row["zone"],
                level=Level(row["level"]),
                reviewed_as=None if row["reviewed_as"] is None else SoundKind(row["reviewed_as"]),
                outcome=None if row["outcome"] is None else ShotOutcome(row["outcome"]),
            )
            for row in rows
        ]

    async def end_before(self, day: date) -> int:
        """End the keeping of alerts with all that came of them, and of misses."""
        query = self._connection.execute
        gone = [
            await query("delete from shot_alerts where changed_at < $1::date", day),
            await query("delete from shot_misses where said_at < $1::date", day),
        ]
        return sum(int(tag.split()[-1]) for tag in gone)

    async def _keep_version(self, alert: ShotAlert) -> None:
        await self._connection.execute(
            "insert into shot_versions (alert_id, version, agency, at, body)"
            " values ($1,$2,$3,$4,$5)",
            alert.alert_id,
            alert.version,
            self._agency,
            alert.changed_at,
            _encode(alert).decode(),
        )


def _columns(alert: ShotAlert) -> tuple[UUID | int | str | bool | float | datetime | None, ...]:
    place = alert.shot.place
    return (
        alert.alert_id,
        alert.version,
        int(alert.level),
        alert.state,
        alert.is_queued,
        alert.changed_at,
        alert.shots[0].discharged_at,
        place.lat,
        place.lon,
        alert.zone,
        alert.review.kind if alert.review else None,
        alert.outcome.outcome if alert.outcome else None,
        _encode(alert).decode(),
    )
