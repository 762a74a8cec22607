"""Reads, rows and lists with the parts that a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from farolito.model import (
    AgencyId,
    Candidate,
    DeviceId,
    EntryId,
    HotList,
    HotListEntry,
    ListedVehicle,
    ListId,
    Match,
    PlateRead,
    ReadId,
    Seen,
    SeenVehicle,
)
from farolito.model.alert import Check, CheckName

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
AGENCY = AgencyId("sandoval-pd")
CITY = HotList(
    list_id=ListId("city"),
    agency=AGENCY,
    name="city",
    stale_after=timedelta(hours=24),
    dead_after=timedelta(hours=48),
    imported_at=NOW - timedelta(hours=2),
)
FLOCK = HotList(
    list_id=ListId("flock"),
    agency=AGENCY,
    name="flock",
    stale_after=timedelta(hours=24),
    dead_after=timedelta(hours=48),
    imported_at=NOW - timedelta(hours=2),
    folded=True,
)
LISTS = {CITY.list_id: CITY, FLOCK.list_id: FLOCK}


def row(
    plate: str,
    state: str | None = "NM",
    *,
    number: int = 1,
    hot_list: HotList = CITY,
    vehicle: ListedVehicle | None = None,
    entered_at: datetime = NOW - timedelta(days=2),
    expires_at: datetime | None = None,
    recalled_at: datetime | None = None,
) -> HotListEntry:
    return HotListEntry(
        entry_id=EntryId(UUID(int=number)),
        list_id=hot_list.list_id,
        agency=AGENCY,
        plate=plate,
        state=state,
        reason="stolen vehicle",
        category="stolen_vehicle",
        source_agency="NM0010000",
        entered_at=entered_at,
        expires_at=expires_at,
        confirm_with="terminal",
        vehicle=vehicle,
        recalled_at=recalled_at,
    )


def read(
    plate: str,
    *,
    characters: Sequence[float] | None = None,
    confidence: float | None = None,
    candidates: Sequence[Candidate] = (),
    state: str | None = "NM",
    state_confidence: float | None = 0.95,
    vehicle: SeenVehicle | None = None,
    captured_at: datetime = NOW,
    folded: bool = False,
) -> PlateRead:
    return PlateRead(
        read_id=ReadId(UUID(int=7)),
        agency=AGENCY,
        reader=DeviceId("central-at-4th-eb"),
        captured_at=captured_at,
        received_at=captured_at,
        text=plate,
        plate=plate,
        source="farolito",
        event="1",
        confidence=confidence,
        characters=None if characters is None else tuple(characters),
        candidates=tuple(candidates),
        state=state,
        state_confidence=state_confidence if state else None,
        vehicle=vehicle,
        folded="O0" if folded else None,
    )


def car(
    *,
    make: str | None = None,
    colour: str | None = None,
    kind: str | None = None,
    sure: float = 0.95,
) -> SeenVehicle:
    def seen(value: str | None) -> Seen | None:
        return None if value is None else Seen(value, sure)

    return SeenVehicle(make=seen(make), colour=seen(colour), kind=seen(kind))


def check(match: Match, name: CheckName) -> Check:
    (found,) = (c for c in match.checks if c.name is name)
    return found
