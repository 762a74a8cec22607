"""End to end through the real taky server: our node as its client, ATAK phones as others."""

from __future__ import annotations

import asyncio
import configparser
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytak  # type: ignore[import-untyped]
import pytest

from farolito.gate import Gate
from farolito.ingest.avl.cot import CotEvent, parse_xml, to_xml
from farolito.model import IncidentState, Point
from farolito.store import Database
from tests.delivery import atak
from tests.delivery.delivery_builders import brief, called, incident, unit
from tests.delivery.phones import Phone, now, phone
from tests.delivery.running_tak import DESK, Running, running, their_server
from tests.delivery.taky import taky
from tests.ingest.avl.certificates import Authority
from tests.running import WAIT_S_MAX, until


class Through:
    """Our node and phones, all clients of one taky."""

    def __init__(self, made: Running, port: int, authority: Authority | None) -> None:
        self.made, self.port = made, port
        self._authority = authority

    @asynccontextmanager
    async def phone(self, uid: str, callsign: str) -> AsyncIterator[Phone]:
        tls = None
        if self._authority is not None:
            tls = ssl.create_default_context(cafile=str(self._authority.file))
            tls.load_cert_chain(*self._authority.sign(callsign))
        async with phone(self.port, uid, callsign, tls=tls) as one:
            # taky keeps a client's position for those who come later: it has ours, we have theirs.
            await one.sees(lambda e: e.uid == DESK.uid)
            yield one


@pytest.fixture(params=["tcp", "tls"])
async def through(
    request: pytest.FixtureRequest, gate: Gate, database: Database, tmp_path: Path
) -> AsyncIterator[Through]:
    authority = Authority(tmp_path, "city-ca") if request.param == "tls" else None
    more: dict[str, Any] = {"tls": False}
    if authority is not None:
        certificate, key = authority.sign("farolito")
        more = {"ca": str(authority.file), "certificate": str(certificate), "key": str(key)}
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(taky(authority))
        made = await stack.enter_async_context(running(gate, database))
        await stack.enter_async_context(their_server(made, port, **more))
        yield Through(made, port, authority)


async def test_incident_brief_versions_removal_and_receipts_through_taky(through: Through) -> None:
    tak = through.made
    await tak.officer("2A14")
    await tak.officer("2A15")
    async with through.phone("ANDROID-1", "2A14") as hope, through.phone("A-2", "2A15") as other:
        await until(lambda: tak.feed.users == 2)
        scene = incident(at=now(), units=(called("2A14"),))
        first = brief("2A14", at=now(), incident_id=scene.incident_id)
        await tak.told(scene, first)
        for one in (hope, other):
            spot = await one.sees(lambda e: e.uid.endswith(str(scene.incident_id)))
            assert (spot.type, spot.ce) == ("b-m-p-s-m", 25.0)
        told = await hope.sees_type("b-t-f", "version 1")
        waypoint = await hope.sees_type("b-m-p-w-GOTO")
        assert waypoint.uid == f"farolito.city-pd.brief.{first.brief_id}"
        for type_ in ("b-t-f-d", "b-t-f-r"):
            await hope.say(atak.chat_receipt(to_xml(told), type_, "ANDROID-1", "2A14", now()))
        await until(lambda: tak.feed.figures["receipts"] == 2)
        assert await tak.receipts(first.brief_id) == [(1, "delivered"), (1, "opened")]
        for version in range(2, 6):
            newer = msgspec.structs.replace(first, version=version, change=f"Update {version}.")
            await tak.told(newer)
            assert (
                f"Update {version}." in (await hope.sees_type("b-t-f", f"version {version}")).detail
            )
        await hope.say(atak.chat_to(DESK.uid, "RTCC", "10-97", "ANDROID-1", "2A14", "m1", now()))
        await hope.sees_type("b-t-f", "Noted: on scene")
        assert await tak.answers(scene.incident_id) == [("on_scene", "")]
        await tak.told(
            msgspec.structs.replace(first, version=6, ended_at=now()),
            msgspec.structs.replace(scene, version=2, state=IncidentState.CLOSED),
        )
        await hope.sees_type("t-x-d-d", f"brief.{first.brief_id}")
        for one in (hope, other):
            await one.sees_type("t-x-d-d", f"incident.{scene.incident_id}")
        assert b"b-t-f" not in other.raw


async def test_nobody_but_who_is_permitted_gets_anything_of_a_shared_server(
    through: Through,
) -> None:
    """taky hands what names no receiver to all its clients: nothing of ours names none."""
    tak = through.made
    await tak.officer("2A14")
    hidden = Point(35.12345, -106.54321)
    tak.streets.put(unit("9U01", hidden, at=now(), muted=True), unit("2A15", at=now()))
    tak.streets.people["9U01"] = await tak.city.person(unit="9U01")
    async with (
        through.phone("ANDROID-1", "2A14") as hope,
        through.phone("ANDROID-9", "GUEST") as guest,
        through.phone("ANDROID-U", "9U01") as undercover,
    ):
        await until(lambda: tak.feed.users == 2)
        units = (called("9U01"), called("2A15"), called("2A14"))
        scene = incident(at=now(), units=units)
        await tak.told(scene, brief("2A14", at=now()), brief("9U01", at=now()))
        await hope.sees(lambda e: e.uid == "farolito.city-pd.unit.2A15")
        await hope.sees_type("b-t-f")
        await undercover.sees_type("b-m-p-s-m")
        assert tak.feed.figures["muted_brief_held"] == 1
        ours = [e for e in guest.seen if e.uid.startswith(("farolito", "GeoChat"))]
        assert {e.type for e in ours} == {"a-f-G-U-C"}  # that we are there, no more
        for one in (hope, guest, undercover):
            assert b"35.12345" not in one.raw
        assert b"unit.9U01" not in hope.raw + guest.raw


async def test_a_pytak_client_reads_the_same(gate: Gate, database: Database) -> None:
    async with taky() as port, running(gate, database) as tak, their_server(tak, port, tls=False):
        await tak.officer("2A14")
        parser = configparser.ConfigParser()
        parser["atak"] = {"COT_URL": f"tcp://127.0.0.1:{port}", "TAK_PROTO": "0"}
        reader, writer = await pytak.protocol_factory(parser["atak"])
        heard = Heard()
        worker = pytak.RXWorker(heard.queue, parser["atak"], reader)
        reading = asyncio.create_task(worker.run())
        try:
            sender = pytak.TXWorker(asyncio.Queue(), parser["atak"], writer)
            await sender.send_data(atak.position("PYTAK-1", "2A14", now()))
            await until(lambda: tak.feed.users == 1)
            scene = incident(at=now())
            await tak.told(scene, brief("2A14", at=now()))
            await heard.got(lambda e: e.uid.endswith(str(scene.incident_id)))
            told = await heard.got(lambda e: e.type == "b-t-f" and "version 1" in e.detail)
            await sender.send_data(
                atak.chat_receipt(to_xml(told), "b-t-f-d", "PYTAK-1", "2A14", now())
            )
            await until(lambda: tak.feed.figures["receipts"] == 1)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            writer.close()


class Heard:
    """What a pytak reader put into its queue, in any order."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._events: list[CotEvent] = []

    async def got(self, wanted: Callable[[CotEvent], bool]) -> CotEvent:
        async with asyncio.timeout(WAIT_S_MAX):
            while not any(map(wanted, self._events)):
                self._events.append(parse_xml(await self.queue.get()))
        return next(event for event in self._events if wanted(event))
