"""Registered devices, and the hashes of the keys they show at the door."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from farolito.model import AgencyId, Device, DeviceId, Point

SELECTED = (  # of a table `devices d`, for `device_of`
    "select d.agency, d.device_id, d.kind, d.name, d.format, d.lat, d.lon, d.heading_deg, d.zone,"
    " d.clock_trusted, d.is_recording, d.speaks_for"
)
_DEVICES = f"{SELECTED} from devices d"


class Devices:
    """Bound to a connection, or to the pool where each query stands alone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def keep(self, device: Device) -> None:
        """Write or rewrite a device; one that was removed is back."""
        place = device.place
        await self._connection.execute(
            "insert into devices (agency, device_id, kind, name, format, lat, lon, heading_deg,"
            " zone, clock_trusted, is_recording,"
            " speaks_for) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)"
            " on conflict (agency, device_id) do update set kind = excluded.kind,"
            " name = excluded.name, format = excluded.format, lat = excluded.lat,"
            " lon = excluded.lon, heading_deg = excluded.heading_deg, zone = excluded.zone,"
            " clock_trusted = excluded.clock_trusted, is_recording = excluded.is_recording,"
            " speaks_for = excluded.speaks_for, removed_at = null",
            device.agency, device.device_id, device.kind, device.name, device.format,
            place.lat if place else None, place.lon if place else None, device.heading_deg,
            device.zone, device.clock_trusted, device.is_recording,
            sorted(device.speaks_for),
        )  # fmt: skip

    async def all(self, agency: AgencyId) -> list[Device]:
        rows = await self._connection.fetch(
            f"{_DEVICES} where d.agency = $1 and d.removed_at is null order by d.device_id",
            agency,
        )
        return [device_of(row) for row in rows]

    async def find(self, agency: AgencyId, device_id: DeviceId) -> Device | None:
        row = await self._connection.fetchrow(
            f"{_DEVICES} where d.agency = $1 and d.device_id = $2 and d.removed_at is null",
            agency,
            device_id,
        )
        return device_of(row) if row else None

    async def remove(self, agency: AgencyId, device_id: DeviceId, at: datetime) -> bool:
        """Out of use: its reads stay, its keys end."""
        await self.revoke(agency, device_id, at)
        gone = await self._connection.fetchval(
            "update devices set removed_at = $3"
            " where agency = $1 and device_id = $2 and removed_at is null returning 1",
            agency,
            device_id,
            at,
        )
        return gone is not None

    async def add_key(
        self, key_hash: bytes, agency: AgencyId, device_id: DeviceId, at: datetime
    ) -> None:
        await self._connection.execute(
            "insert into device_keys (key_hash, agency, device_id, made_at) values ($1,$2,$3,$4)",
            key_hash,
            agency,
            device_id,
            at,
        )

    async def of_key(self, key_hash: bytes) -> Device | None:
        row = await self._connection.fetchrow(
            f"{_DEVICES} join device_keys k using (agency, device_id)"
            " where k.key_hash = $1 and k.revoked_at is null and d.removed_at is null",
            key_hash,
        )
        return device_of(row) if row else None

    async def revoke(self, agency: AgencyId, device_id: DeviceId, at: datetime) -> int:
        """End all keys of a device. Returns how many were in force."""
        done: str = await self._connection.execute(
            "update device_keys set revoked_at = $3"
            " where agency = $1 and device_id = $2 and revoked_at is null",
            agency,
            device_id,
            at,
        )
        return int(done.rpartition(" ")[2])


def device_of(row: Any) -> Device:
    known = row["lat"] is not None and row["lon"] is not None
    return Device(
        agency=AgencyId(row["agency"]),
        device_id=DeviceId(row["device_id"]),
        kind=row["kind"],
        name=row["name"],
        format=row["format"],
        place=Point(row["lat"], row["lon"]) if known else None,
        heading_deg=row["heading_deg"],
        zone=row["zone"],
        clock_trusted=row["clock_trusted"],
        is_recording=row["is_recording"],
        speaks_for=frozenset(DeviceId(name) for name in row["speaks_for"]),
    )
