"""Gunshot sensors: what they sign with, how far their messages have come, what they last told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from farolito.model import AgencyId, DeviceId, GunshotSensor, SensorMark, SensorReport
from farolito.store.devices import SELECTED, device_of

_SENSORS = (
    f"{SELECTED}, s.public_key, s.boot, s.sequence, s.heard_at, s.report, s.set_aside,"
    " s.set_aside_at from sensors s join devices d using (agency, device_id)"
    " where d.agency = $1 and d.removed_at is null"
)
_encode = msgspec.json.Encoder().encode
_report = msgspec.json.Decoder(SensorReport).decode


class Sensors:
    """Bound to a connection, or to the pool where each query stands alone."""

    def __init__(self, connection: Any, agency: AgencyId) -> None:
        self._connection = connection
        self._agency = agency

    async def keep(self, sensor: DeviceId, public_key: bytes) -> None:
        """What this device, which must be registered, signs with. With another key than before
        its messages count anew: nobody can replay what the old key signed."""
        await self._connection.execute(
            "insert into sensors as s (agency, device_id, public_key) values ($1, $2, $3)"
            " on conflict (agency, device_id) do update set public_key = excluded.public_key,"
            " boot = case when s.public_key = excluded.public_key then s.boot else 0 end,"
            " sequence = case when s.public_key = excluded.public_key then s.sequence else 0 end",
            self._agency,
            sensor,
            public_key,
        )

    async def find(self, sensor: DeviceId) -> GunshotSensor | None:
        row = await self._connection.fetchrow(
            f"{_SENSORS} and s.device_id = $2", self._agency, sensor
        )
        return None if row is None else _sensor(row)

    async def all(self) -> list[GunshotSensor]:
        rows = await self._connection.fetch(f"{_SENSORS} order by s.device_id", self._agency)
        return [_sensor(row) for row in rows]

    async def heard(self, marks: Sequence[SensorMark]) -> None:
        """Keep the newest mark and report of each sensor; what comes late changes nothing back."""
        newest: dict[DeviceId, SensorMark] = {}
        for mark in marks:
            before = newest.get(mark.sensor)
            newest[mark.sensor] = mark if before is None else _later(before, mark)
        of_each = list(newest.values())
        await self._connection.execute(
            "update sensors s set"
            " boot = case when (n.boot, n.sequence) > (s.boot, s.sequence)"
            " then n.boot else s.boot end,"
            " sequence = case when (n.boot, n.sequence) > (s.boot, s.sequence)"
            " then n.sequence else s.sequence end,"
            " heard_at = greatest(s.heard_at, n.heard_at),"
            " report = coalesce(n.report::jsonb, s.report)"
            " from unnest($2::text[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[])"
            " as n (device_id, boot, sequence, heard_at, report)"
            " where s.agency = $1 and s.device_id = n.device_id",
            self._agency,
            [mark.sensor for mark in of_each],
            [mark.boot for mark in of_each],
            [mark.sequence for mark in of_each],
            [mark.heard_at for mark in of_each],
            [None if mark.report is None else _encode(mark.report).decode() for mark in of_each],
        )

    async def set_aside(self, sensor: DeviceId, why: str | None, at: datetime) -> bool:
        """It is not believed, because of this, or believed again (None). False: as it was."""
        done: str = await self._connection.execute(
            "update sensors set set_aside = $3, set_aside_at = $4"
            " where agency = $1 and device_id = $2 and set_aside is distinct from $3",
            self._agency,
            sensor,
            why,
            None if why is None else at,
        )
        return done == "UPDATE 1"


def _later(before: SensorMark, mark: SensorMark) -> SensorMark:
    """Both as one: the farther number, the newer moment, the newer report."""
    far = max(before, mark, key=lambda one: (one.boot, one.sequence))
    reports = [one.report for one in (before, mark) if one.report is not None]
    return msgspec.structs.replace(
        far,
        heard_at=max(before.heard_at, mark.heard_at),
        report=max(reports, key=lambda one: one.received_at, default=None),
    )


def _sensor(row: Any) -> GunshotSensor:
    return GunshotSensor(
        device=device_of(row),
        public_key=row["public_key"],
        boot=row["boot"],
        sequence=row["sequence"],
        heard_at=row["heard_at"],
        report=None if row["report"] is None else _report(row["report"]),
        set_aside=row["set_aside"],
        set_aside_at=row["set_aside_at"],
    )
