"""TAK at a whole node: an ATAK client behind the real taky server, and phones at our own server."""

from __future__ import annotations

import asyncio
import configparser
import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytak  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from farolito.ingest.avl.cot import CotEvent, parse_xml, to_xml
from farolito.ingest.avl.sources import TakClientConfig, TakServerConfig
from farolito.model import Point
from tests.delivery import atak
from tests.delivery.phones import Phone, now, phone
from tests.delivery.taky import taky
from tests.desk.city import river_town
from tests.geo.towns import at
from tests.ingest.avl.certificates import Authority
from tests.ports import free_port
from tests.running import WAIT_S_MAX, Person, RunningNode, assigned, numbers, read, running_node

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

UNITS = {"phone-2a18": "2A18", "phone-2b05": "2B05", "phone-7t01": "7T01", "phone-3b07": "3B07"}
US = "farolito-rtcc"


class Theatre:
    """A node that is client of the city's taky and has a TAK server of its own, with TLS."""

    def __init__(
        self, node: RunningNode, keys: tuple[str, str], operator: Person, taky_port: int,
        own_port: int, authority: Authority,
    ) -> None:  # fmt: skip
        self.node, self._cad, self.radio, self.operator = node, keys[0], keys[1], operator
        self.taky_port, self.own_port, self.authority = taky_port, own_port, authority

    async def call(self, number: str, **more: Any) -> None:
        await self.node.call(self._cad, number, **more)

    async def log(self, incident_id: str) -> list[tuple[str, str]]:
        answer = await self.operator.get(f"/api/incidents/{incident_id}")
        return [(one["what"], one["says"]) for one in answer.json()["log"]]

    async def until_logged(self, incident_id: str, *says: str) -> None:
        """Wait until each of these is a line of the log."""
        async with asyncio.timeout(WAIT_S_MAX):
            while not set(says) <= {line for _, line in await self.log(incident_id)}:
                await asyncio.sleep(0.05)

    def phone(self, name: str, callsign: str) -> AbstractAsyncContextManager[Phone]:
        """A phone with this certificate at our own server, whatever it calls itself."""
        tls = ssl.create_default_context(cafile=str(self.authority.file))
        tls.load_cert_chain(*self.authority.sign(name))
        return phone(self.own_port, f"ANDROID-{name}", callsign, tls=tls)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def theatre() -> AsyncIterator[Theatre]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    (folder / "ca").mkdir()
    authority = Authority(folder / "ca", "city-ca")
    certificate, key = authority.sign("farolito")
    own = TakServerConfig(
        port=free_port(), certificate=str(certificate), key=str(key), ca=str(authority.file),
        units=UNITS,
    )  # fmt: skip
    async with taky() as port:
        city = TakClientConfig(
            name="city", host="127.0.0.1", port=port, tls=False, uid=US, deliver=True
        )
        async with running_node(folder / "state", tak=(city,), tak_server=own) as node:
            node.streets(river_town())
            for unit in ("2A14", "2A18", "2B05", "3B07"):
                await node.officer(unit)
            keys = (await node.cad_key(), await node.radio_key())
            operator = await node.sign_in("operator")
            yield Theatre(node, keys, operator, port, own.port, authority)
    shutil.rmtree(folder, ignore_errors=True)


class Atak:
    """ATAK as a pytak client of taky."""

    def __init__(self, sender: Any, uid: str, callsign: str) -> None:
        self._sender = sender
        self.uid, self.callsign = uid, callsign
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.seen: list[CotEvent] = []

    async def says(self, event: bytes) -> None:
        await self._sender.send_data(event)

    async def stands(self, lat: float, lon: float) -> None:
        await self.says(atak.position(self.uid, self.callsign, now(), lat, lon))

    async def got(self, type_: str, text: str = "") -> CotEvent:
        """The first event of this kind that holds this text, also one that came already."""

        def wanted(event: CotEvent) -> bool:
            return event.type == type_ and text in event.uid + event.detail

        async with asyncio.timeout(WAIT_S_MAX):
            while not any(map(wanted, self.seen)):
                self.seen.append(parse_xml(await self.queue.get()))
        return next(event for event in self.seen if wanted(event))


@asynccontextmanager
async def through_taky(port: int, uid: str, callsign: str) -> AsyncIterator[Atak]:
    parser = configparser.ConfigParser()
    parser["atak"] = {"COT_URL": f"tcp://127.0.0.1:{port}", "TAK_PROTO": "0"}
    reader, writer = await pytak.protocol_factory(parser["atak"])
    made = Atak(pytak.TXWorker(asyncio.Queue(), parser["atak"], writer), uid, callsign)
    reading = asyncio.create_task(pytak.RXWorker(made.queue, parser["atak"], reader).run())
    try:
        yield made
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()


def place(x: float, y: float) -> dict[str, float]:
    lat, lon = at(x, y)
    return {"lat": lat, "lon": lon}


def row_of(unit: str) -> Callable[[dict[str, Any]], bool]:
    return lambda m: any(row[0] == unit and row[1] is not None for row in m["p"])


async def test_atak_shows_the_incident_and_five_versions_and_its_receipts_come_back(
    theatre: Theatre,
) -> None:
    async with (
        theatre.operator.watched() as queue,
        through_taky(theatre.taky_port, "ATAK-1", "2A14") as hope,
    ):
        await hope.got("a-f-G-U-C", US)  # taky tells whom it knows: we are there
        await hope.stands(*at(100, 500))
        shown = await queue.told("positions", row_of("2A14"))
        [row] = [row for row in shown["p"] if row[0] == "2A14"]
        assert (row[1], row[8]) == (pytest.approx(at(100, 500)[0], abs=1e-6), "tak city")
        await theatre.call(
            "26-3001", kind="assault", priority=1, place=place(500, 500), units=assigned("2A14")
        )
        incident = await queue.incident(lambda i: "26-3001" in numbers(i))
        incident_id = incident["incident_id"]
        spot = await hope.got("b-m-p-s-m", incident_id)
        assert (spot.lat, spot.lon) == pytest.approx(at(500, 500), abs=1e-6)
        await hope.got("b-t-f", "version 1")
        second = await hope.got("b-t-f", "version 2")  # what had to be looked up
        assert "being looked up" not in second.detail
        at_ = datetime.now(UTC).isoformat()
        for version, more, words in (
            (3, {"hazards": [{"kind": "weapon", "says": "knife", "as_of": at_}]}, "weapon: knife"),
            (4, {"vehicles": [{"colour": "red", "make": "Kia"}]}, "red kia"),
            (5, {"going": {"says": "on foot", "at": at_, "heading_deg": 0}}, "heading north"),
        ):
            await theatre.call("26-3001", **more)
            told = await hope.got("b-t-f", f"version {version}")
            assert words in told.detail.lower()
            for type_ in ("b-t-f-d", "b-t-f-r"):
                await hope.says(atak.chat_receipt(to_xml(told), type_, "ATAK-1", "2A14", now()))
        await theatre.until_logged(
            incident_id, "2A14 got version 5", "2A14 opened version 5", "2A14 got version 3"
        )
        await hope.says(atak.chat_to(US, "RTCC", "10-97", "ATAK-1", "2A14", "m1", now()))
        await hope.got("b-t-f", "Noted: on scene")
        on_scene = await queue.incident(lambda i: bool(i["units"][0]["status"] == "on_scene"))
        assert on_scene["incident_id"] == incident_id
        await theatre.call("26-3001", state="closed")
        await hope.got("t-x-d-d", incident_id)


async def test_a_phone_with_a_certificate_is_its_unit_whatever_it_calls_itself(
    theatre: Theatre,
) -> None:
    async with theatre.phone("phone-2a18", "2A14") as officer, theatre.operator.watched() as queue:
        await queue.told("positions", row_of("2A18"))
        await theatre.call(
            "26-3002", kind="welfare_check", place=place(100, 100), units=assigned("2A18", "2A14")
        )
        told = await officer.sees_type("b-t-f", "26-3002")
        assert "2A14 is assigned" in told.detail, "the brief of 2A18"
        receipt = atak.chat_receipt(to_xml(told), "b-t-f-d", officer.uid, "2A14", now())
        await officer.say(receipt)
        incident = await queue.incident(lambda i: "26-3002" in numbers(i))
        await theatre.until_logged(incident["incident_id"], "2A18 got version 1")


async def test_without_a_certificate_nobody_is_let_in(theatre: Theatre) -> None:
    bare = ssl.create_default_context(cafile=str(theatre.authority.file))
    reader, writer = await asyncio.open_connection("127.0.0.1", theatre.own_port, ssl=bare)
    writer.write(atak.position("ANDROID-X", "2A18", now()))
    try:
        async with asyncio.timeout(WAIT_S_MAX):
            came = await reader.read()
    except OSError:  # told so in TLS, where its word is read before the end
        came = b""
    writer.close()
    assert came == b""


async def test_a_muted_unit_is_in_no_byte_that_leaves(theatre: Theatre) -> None:
    hidden, seen = Point(35.123456, -106.543219), Point(*at(300, 300))
    await theatre.node.unit("9U01")
    await theatre.node.node.positions.load()
    done = await theatre.node.admin(
        "POST", "/api/admin/units/mute", {"unit": "9U01", "muted": True}
    )
    assert done.status_code == 200
    async with theatre.phone("phone-2b05", "2B05") as officer, theatre.operator.watched() as queue:
        await theatre.node.positions(theatre.radio, [("9U01", hidden), ("9V01", seen)])
        told = await queue.told("positions", row_of("9U01"))
        assert next(row for row in told["p"] if row[0] == "9U01")[7], "its own operators see it"
        await theatre.call(
            "26-3003", kind="trespass", place=place(900, 900),
            units=assigned("9U01", "9V01", "2B05"),
        )  # fmt: skip
        await officer.sees_type("b-t-f", "26-3003")
        await officer.sees(lambda e: e.uid.endswith("unit.9V01"))
        await theatre.node.positions(theatre.radio, [("9U01", hidden), ("9V01", seen)])
        await theatre.call("26-3003", people="a man with a ladder")
        await officer.sees_type("b-t-f", "a man with a ladder")
        assert b"unit.9U01" not in officer.raw
        for digits in (b"35.1234", b"-106.5432"):
            assert digits not in officer.raw


async def test_an_unconfirmed_plate_is_in_no_byte_that_leaves(theatre: Theatre) -> None:
    await theatre.node.list_plate("TKQ9072", list_id="tak")
    reader = await theatre.node.reader_key()
    async with theatre.phone("phone-3b07", "3B07") as officer, theatre.operator.watched() as queue:
        await theatre.call(
            "26-3004", kind="robbery", priority=1, place=place(200, 200), units=assigned("3B07")
        )
        await officer.sees_type("b-t-f", "26-3004")
        assert (await theatre.node.send(reader, [read("TKQ9072")])).status_code == 202
        await queue.incident(lambda i: {"26-3004", "TKQ9072"} <= numbers(i))
        await theatre.call("26-3004", people="two men in masks")
        await officer.sees_type("b-t-f", "two men in masks")
        assert b"TKQ9072" not in officer.raw
        alerts = (await theatre.operator.get("/api/alerts")).json()["alerts"]
        [alert] = [a for a in alerts if a["match"]["entry"]["plate"] == "TKQ9072"]
        done = await theatre.operator.post(
            f"/api/alerts/{alert['alert_id']}/confirm",
            {"version": alert["version"], "crop_compared": True},
        )
        assert done.status_code == 200
        await officer.sees_type("b-t-f", "TKQ9072: plate confirmed")


async def test_an_officer_who_was_invited_a_moment_ago_is_served(theatre: Theatre) -> None:
    invited = await theatre.node.admin(
        "POST", "/api/admin/people", {"name": "New Officer", "role": "officer", "unit": "7T01"}
    )
    assert invited.status_code == 200
    async with theatre.phone("phone-7t01", "7T01") as officer:
        await theatre.call("26-3005", kind="alarm", place=place(100, 900), units=assigned("7T01"))
        async with asyncio.timeout(WAIT_S_MAX):
            while not any(e.type == "b-t-f" for e in officer.seen):
                await officer.hello()  # a stranger is looked at again, some seconds later
                await asyncio.sleep(0.2)
        await officer.sees_type("b-t-f", "26-3005")
