"""What is kept ends, and what an alert shows outlives the reads around it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from farolito.app.retention import Keeping
from farolito.audit import LedgerDown
from farolito.media import Pictures
from farolito.model import Agency, AgencyId
from farolito.policy import load_pack
from tests.ledger_away import ledger_away
from tests.running import RunningNode, read

CITY = Agency(agency_id=AgencyId("city-pd"), name="City", ori="NM9990100")


def test_a_shorter_limit_of_the_law_wins() -> None:
    assert Keeping.of(CITY, load_pack("us-va")).reads <= 21
    assert Keeping.of(CITY, load_pack("us-nm")).reads == 14


@pytest.mark.node
async def test_reads_past_their_time_are_deleted_and_the_ledger_says_how_many(
    node: RunningNode,
) -> None:
    key = await node.reader_key()
    old = (datetime.now(UTC) - timedelta(days=20)).isoformat()
    await node.send(key, [read("OLD111", captured_at=old), read("NEW111")])
    await node.recorded(2)
    size = node.node.ledger.status().size
    assert await node.node.retention.once() == 1
    async with node.node.database.system() as connection:
        plates = [row["plate"] for row in await connection.fetch("select plate from reads")]
    assert plates == ["NEW111"]
    said = await node.node.ledger.open_field(size, "query")
    assert said.startswith("retention: 1 reads before")


def test_a_held_picture_outlives_its_day_and_ends_with_the_hits(tmp_path: Path) -> None:
    pictures = Pictures(tmp_path / "pictures")
    day, later = datetime(2026, 1, 5, tzinfo=UTC).date(), datetime(2026, 2, 1, tzinfo=UTC).date()
    plain, held = b"\xff\xd8 passing", b"\xff\xd8 alert"
    names = [sha256(p).hexdigest() for p in (plain, held)]
    pictures.keep(day, dict(zip(names, (plain, held), strict=True)))
    pictures.hold(day, [names[1]])
    pictures.drop_before(later, day)
    assert pictures.get(day, names[0]) is None
    assert pictures.get(day, names[1]) == held
    pictures.drop_before(later, later)
    assert pictures.get(day, names[1]) is None


@pytest.mark.node
async def test_nothing_is_deleted_while_the_ledger_cannot_say_so(node: RunningNode) -> None:
    key = await node.reader_key()
    old = (datetime.now(UTC) - timedelta(days=20)).isoformat()
    await node.send(key, [read("OLD111", captured_at=old)])
    await node.recorded(1)
    async with ledger_away(node):
        with pytest.raises(LedgerDown):
            await node.node.retention.once()
    async with node.node.database.system() as connection:
        assert await connection.fetchval("select count(*) from reads") == 1
    assert await node.node.retention.once() == 1
