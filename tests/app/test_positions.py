"""Where units are believed to be: the newest wins, and the impossible is doubted, not shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from farolito.app.positions import AGREE_MIN, UNITS_MAX, Positions
from farolito.model import AgencyId, Doubt, Point, UnitId, UnitPosition
from farolito.store import Database, Records

AGENCY = AgencyId("city-pd")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE = Point(35.0844, -106.6504)
KM_NORTH = 0.009  # degrees of latitude


def said(
    seconds: float,
    north_km: float = 0,
    *,
    unit: str = "2A14",
    source: str = "avl",
    late_s: float = 0,
    **more: float,
) -> UnitPosition:
    """A position said `seconds` after noon, so many kilometres north of the start."""
    at = NOON + timedelta(seconds=seconds)
    position = UnitPosition(
        unit=UnitId(unit),
        agency=AGENCY,
        place=Point(HERE.lat + north_km * KM_NORTH, HERE.lon),
        at=at,
        received_at=at + timedelta(seconds=late_s),
        source=source,
    )
    return msgspec.structs.replace(position, **more)


@pytest.fixture
def positions(database: Database) -> Positions:
    return Positions(database, AGENCY, lambda: NOON)


def known(positions: Positions, unit: str = "2A14") -> tuple[float, Doubt | None]:
    """How many kilometres north the unit is believed to be, and the doubt."""
    found = positions.get(UnitId(unit))
    assert found is not None
    assert found.place is not None
    return round((found.place.lat - HERE.lat) / KM_NORTH, 3), found.doubt


async def test_the_newest_position_of_a_unit_is_believed(positions: Positions) -> None:
    await positions.hear([said(0), said(1, 0.01), said(2, 0.02, speed_mps=10, heading_deg=0)])
    assert known(positions) == (0.02, None)
    await positions.hear([said(1.5, 0.015)])
    assert known(positions) == (0.02, None)
    assert positions.counts["out_of_order"] == 1


async def test_an_impossible_speed_is_doubted_and_the_old_place_kept(positions: Positions) -> None:
    await positions.hear([said(0), said(1, 5)])
    assert known(positions) == (0, Doubt.IMPOSSIBLE_SPEED)
    await positions.hear([said(2, 0.01)])
    assert known(positions) == (0.01, None)


async def test_a_place_that_several_positions_agree_on_is_believed(positions: Positions) -> None:
    """A unit that was off the air and went on elsewhere is not doubted for ever."""
    await positions.hear([said(0)])
    for n in range(AGREE_MIN):
        await positions.hear([said(1 + n, 5 + n * 0.01)])
    assert known(positions) == (5 + (AGREE_MIN - 1) * 0.01, None)


async def test_a_unit_in_two_places_is_doubted(positions: Positions) -> None:
    await positions.hear([said(0), said(1, 3, source="phone")])
    assert known(positions) == (0, Doubt.TWO_PLACES)


async def test_a_second_source_takes_over_where_the_first_falls_silent(
    positions: Positions,
) -> None:
    await positions.hear([said(0), said(5, 0.05, source="phone")])
    assert known(positions) == (0, None)
    await positions.hear([said(30, 0.3, source="phone")])
    assert known(positions) == (0.3, None)


async def test_a_clock_an_hour_ahead_is_replaced_by_the_time_of_arrival(
    positions: Positions,
) -> None:
    await positions.hear([said(3600, late_s=-3600)])
    found = positions.get(UnitId("2A14"))
    assert found is not None
    assert found.heard_at == NOON
    assert found.doubt is Doubt.CLOCK_SKEW


async def test_a_clock_steadily_an_hour_behind_is_told_from_a_late_message(
    positions: Positions,
) -> None:
    await positions.hear([said(-3600, late_s=3600)])
    late = positions.get(UnitId("2A14"))
    assert late is not None
    assert late.heard_at == NOON - timedelta(hours=1)  # one late word is just old
    await positions.hear([said(-3599, 0.01, late_s=3600)])
    steady = positions.get(UnitId("2A14"))
    assert steady is not None
    assert steady.heard_at == NOON + timedelta(seconds=1)
    assert steady.doubt is Doubt.CLOCK_SKEW


async def test_screens_get_only_what_changed(positions: Positions) -> None:
    await positions.hear([said(0), said(0, unit="3B07")])
    seen = positions.revision
    await positions.hear([said(1, 0.01)])
    assert [row[0] for row in positions.rows(seen)] == ["2A14"]
    assert {row[0] for row in positions.rows(0)} == {"2A14", "3B07"}


async def test_what_was_believed_is_stored_and_found_again(
    database: Database, positions: Positions
) -> None:
    await positions.hear([said(0), said(1, 0.01, accuracy_m=5)])
    await positions.save()
    async with database.transaction(AGENCY) as connection:
        assert await Records(connection, AGENCY).units.mute(UnitId("2A14"), True)
    again = Positions(database, AGENCY, lambda: NOON)
    await again.load()
    found = again.get(UnitId("2A14"))
    assert found is not None
    assert found.accuracy_m == 5
    assert found.muted
    await again.hear([said(2, 0.02)])
    assert (again.get(UnitId("2A14")) or found).muted


async def test_a_source_that_invents_units_is_bounded(positions: Positions) -> None:
    await positions.hear([said(0, unit=f"X{n}") for n in range(UNITS_MAX + 5)])
    assert len(positions.all()) == UNITS_MAX
    assert positions.counts["too_many_units"] == 5
