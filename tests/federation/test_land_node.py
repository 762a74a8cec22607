"""A whole node whose reader stands on a nation's land: its own pipeline passes the record by."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import pytest

from farolito.app.handing_over import HandingOver
from farolito.federation.land import LandBook
from farolito.model import AgencyCard, AgencyId, DeviceId, Partner, PartnerState, Point
from tests.federation.neighbours import LAND, START
from tests.running import READER, RunningNode, read

pytestmark = pytest.mark.node

PUEBLO = AgencyCard(
    agency_id=AgencyId("pueblo-pd"), name="Pueblo Police", ori="NM9990300", law="us-nm",
    government="tribal", key="00" * 32, ledger_key="", witness_key="", ca_pem="", land=(LAND,),
)  # fmt: skip
CITY = msgspec.structs.replace(
    PUEBLO, agency_id=AgencyId("city-pd"), name="City Police", government="city", land=()
)
ON_LAND = msgspec.structs.replace(
    READER, device_id=DeviceId("north-gate"), place=Point(35.25, -106.55)
)


def knows_the_pueblo(running: RunningNode) -> HandingOver:
    node = running.node
    pueblo = Partner(card=PUEBLO, state=PartnerState.CONFIRMED, since=START)
    land = LandBook(lambda: CITY, lambda: {PUEBLO.agency_id: pueblo}, lambda: (), lambda: START)
    land.changed()
    over = HandingOver(land, node.gate, node.system, lambda: START)
    node.pipeline.handing_over = over
    return over


async def test_a_listed_car_on_a_nations_land_raises_nothing_and_is_kept_nowhere_here(
    node: RunningNode,
) -> None:
    over = knows_the_pueblo(node)
    told: list[str] = []
    over.handed = told.append
    await node.list_plate("LND0001")
    crop = b"\xff\xd8\xff on the land"
    there, here = await node.reader_key(ON_LAND), await node.reader_key()
    await node.send(there, [read("LND0001", crop=b64encode(crop).decode())])
    await node.send(here, [read("LND0002")])
    await node.recorded(1)
    assert node.node.pipeline.raised == 0
    assert over.reads == 1
    assert told == [PUEBLO.agency_id]
    async with node.node.database.system() as connection:
        kept = await connection.fetch("select plate from reads")
        [waiting] = await connection.fetch("select partner, body from share_outbox")
        assert await connection.fetchval("select count(*) from alerts") == 0
        assert await connection.fetchval("select count(*) from stopped_matches") == 0
    assert [row["plate"] for row in kept] == ["LND0002"]
    assert waiting["partner"] == PUEBLO.agency_id
    body = msgspec.json.decode(waiting["body"])
    assert body["read"]["plate"] == "LND0001"
    [picture] = body["pictures"].values()
    assert picture == b64encode(crop).decode()
    day = datetime.now(UTC).date()
    assert node.node.pictures.get(day, sha256(crop).hexdigest()) is None


async def test_the_same_car_in_our_own_streets_raises_an_alert(node: RunningNode) -> None:
    knows_the_pueblo(node)
    await node.list_plate("LND0003")
    await node.send(await node.reader_key(), [read("LND0003")])
    await node.recorded(1)
    assert node.node.pipeline.raised == 1
