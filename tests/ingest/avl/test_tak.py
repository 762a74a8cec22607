"""Our TAK server and client over real sockets: who is who, which form, nothing without bound."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farolito.ingest import run
from farolito.ingest.avl import tak_control as control
from farolito.ingest.avl.cot import CotEvent, Framer, element, parse, to_proto, to_xml
from farolito.ingest.avl.sources import TakClientConfig, TakServerConfig
from farolito.ingest.avl.tak import Roster, TakClient, TakServer, TakUser
from farolito.model import FarolitoError, Rejected, UnitId
from tests.ingest.avl.certificates import Authority
from tests.ingest.avl.cot_builders import a_car, an_event
from tests.ports import free_port

SOON_S = 15


def now() -> datetime:
    return datetime.now(UTC)


def fresh(event: CotEvent) -> CotEvent:
    return msgspec.structs.replace(event, time=now(), start=now(), stale=now() + timedelta(hours=1))


def a_brief(uid: str = "brief-1", inside: str = "") -> CotEvent:
    detail = element("remarks", {}, text="Shots fired, Central @ San Mateo") + inside
    return fresh(an_event(uid=uid, type="b-m-p-s-p-i", detail=detail))


class Heard:
    """What came to `on_event`, and what was told."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[CotEvent, TakUser]] = asyncio.Queue()
        self.told: Counter[str] = Counter()
        self.fails = False

    async def on_event(self, event: CotEvent, user: TakUser) -> None:
        if self.fails:
            raise RuntimeError("ours")
        self.events.put_nowait((event, user))

    def tell(self, why: Rejected, body: bytes) -> None:
        self.told[why.reason] += 1

    async def next(self) -> tuple[CotEvent, TakUser]:
        async with asyncio.timeout(SOON_S):
            return await self.events.get()


class Phone:
    """A TAK client written from the protocol's text, for the tests alone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.framer = Framer()
        self.raw: list[bytes] = []

    async def say(self, *messages: bytes) -> None:
        self.writer.writelines(messages)
        await self.writer.drain()

    async def message(self) -> bytes:
        async with asyncio.timeout(SOON_S):
            while not self.raw:
                data = await self.reader.read(65536)
                if not data:
                    raise EOFError
                self.raw += self.framer.feed(data)
        return self.raw.pop(0)

    async def hear(self, *types: str) -> CotEvent:
        """The next event of these types; of none, the next that is not about the connection."""
        while True:
            event = parse(await self.message())
            if event.type in types or (not types and event.type not in control.CONTROL):
                return event

    async def ended(self) -> None:
        async with asyncio.timeout(SOON_S):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while await self.reader.read(65536):
                    pass


@contextlib.asynccontextmanager
async def a_server(heard: Heard, **said: Any) -> AsyncIterator[TakServer]:
    given: dict[str, Any] = {"port": 0, "callsigns": "any"}
    server = TakServer(TakServerConfig(**(given | said)), heard.on_event, heard.tell)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def a_phone(server: TakServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Phone]:
    phone = Phone(*await asyncio.open_connection("127.0.0.1", server.port, ssl=tls))
    try:
        yield phone
    finally:
        phone.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await phone.writer.wait_closed()


@contextlib.asynccontextmanager
async def running(client: TakClient) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(client.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON_S):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_an_event_comes_with_who_sent_it() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as phone:
        await phone.say(to_xml(a_car("2A14")))
        event, user = await heard.next()
        assert event == a_car("2A14")
        assert (user.callsign, user.uid, user.unit) == ("2A14", "ANDROID-2A14", "2A14")
        assert not user.is_proven
        assert server.users == (user,)
    await until(lambda: not server.users)


async def test_a_brief_reaches_the_unit_it_is_for_and_nobody_else() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as one, a_phone(server) as other:
        for phone, callsign in ((one, "2A14"), (other, "2B20")):
            await phone.say(to_xml(a_car(callsign)))
            await heard.next()
        assert server.send(a_brief("for one"), ["2A14"]) == 1
        assert server.send(a_brief("for all")) == 2
        assert server.send(a_brief("for nobody"), ["9Z99"]) == 0
        assert (await one.hear()).uid == "for one"
        assert (await other.hear()).uid == "for all"


async def test_a_ping_is_answered() -> None:
    async with a_server(Heard()) as server, a_phone(server) as phone:
        await phone.say(to_xml(control.ping("me", now())))
        assert (await phone.hear(control.PONG)).uid == "me-ping-pong"


async def test_a_client_that_asks_for_protobuf_gets_it_from_the_next_byte_on() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as phone:
        offer = await phone.hear(control.OFFER)
        server.send(a_brief("before"))
        await phone.say(to_xml(control.request(offer.uid, now())))
        response = await phone.message()
        while b"takp-r" not in response:
            assert response.startswith(b"<?xml")
            response = await phone.message()
        assert control.is_accepted(parse(response))
        await phone.say(to_proto(a_car("2A14")))
        assert (await heard.next())[1].callsign == "2A14"
        server.send(a_brief("after"))
        assert (await phone.message()).startswith(b"\xbf")


async def test_a_client_that_does_not_ask_keeps_xml() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as phone:
        await phone.say(to_xml(a_car()))
        await heard.next()
        server.send(a_brief())
        await phone.hear(control.OFFER)
        assert (await phone.message()).startswith(b"<?xml")


async def test_another_version_is_declined_and_xml_stays() -> None:
    async with a_server(Heard()) as server, a_phone(server) as phone:
        offer = await phone.hear(control.OFFER)
        asks = to_xml(control.request(offer.uid, now()))
        await phone.say(asks.replace(b'TakRequest version="1"', b'TakRequest version="7"'))
        assert not control.is_accepted(await phone.hear(control.RESPONSE))
        server.send(a_brief())
        assert (await phone.message()).startswith(b"<?xml")


async def test_broken_events_are_told_by_name_and_the_next_good_one_is_heard() -> None:
    heard = Heard()
    good = to_xml(a_car())
    async with a_server(heard) as server, a_phone(server) as phone:
        await phone.say(good[:-60], good, good.replace(b"35.0844", b"95"), b"\xbf\x02\x00\x00")
        await phone.say(good.replace(b"<event", b"<!DOCTYPE a><event"), good)
        assert (await heard.next())[0] == a_car()
    reasons = {"malformed_xml", "no_place", "malformed_proto", "forbidden_xml"}
    assert set(heard.told) == reasons


async def test_who_sends_garbage_is_ended_by_name() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as phone:
        sending = asyncio.create_task(phone.say(*[b"x" * 65536] * 64))
        await phone.ended()
        await asyncio.gather(sending, return_exceptions=True)
    assert heard.told["garbage"] == 1


async def test_an_endless_event_ends_the_connection_by_name() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as phone:
        sending = asyncio.create_task(phone.say(*[b"<" + b"x" * 65535] * 32))
        await phone.ended()
        await asyncio.gather(sending, return_exceptions=True)
    assert heard.told["too_large"] == 1


async def test_a_flood_is_conflated_to_each_units_newest_position() -> None:
    heard = Heard()
    units, rounds = 10, 200
    flood = [to_xml(a_car(f"U{i % units}", speed=str(i))) for i in range(units * rounds)]
    async with a_server(heard, events_a_second=40) as server, a_phone(server) as phone:
        await phone.say(*flood, to_xml(a_brief("chat")))
        last: dict[str, CotEvent] = {}
        while len(last) < units or not all(
            f'speed="{units * (rounds - 1) + i}"' in last[f"ANDROID-U{i}"].detail
            for i in range(units)
        ):
            event, _ = await heard.next()
            if event.uid != "chat":
                last[event.uid] = event
    assert heard.told["flood"] >= 1
    assert heard.told["flood_lost"] == 0


async def test_a_slow_phone_gets_its_brief_and_only_the_newest_positions() -> None:
    heard = Heard()
    padding = element("__padding", {"x": "p" * 4_000})
    async with a_server(heard) as server, a_phone(server) as phone:
        await phone.say(to_xml(a_car("2A14")))
        await heard.next()
        phone.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for i in range(5_000):
            car = a_car("2B20", speed=str(i))
            server.send(fresh(an_event(uid="b", detail=car.detail + padding)))
            if i % 50 == 0:
                await asyncio.sleep(0)
        server.send(a_brief())
        phone.writer.transport.resume_reading()  # type: ignore[attr-defined]
        got: list[CotEvent] = []
        while not got or 'speed="4999"' not in got[-1].detail:
            got.append(await phone.hear())
    assert len(got) < 4_000
    assert [event.uid for event in got].count("brief-1") == 1
    assert got[-2].uid == "brief-1"


async def test_a_unit_taken_off_the_map_does_not_come_back_with_a_position_that_waited() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as phone:
        await phone.say(to_xml(a_car()))
        await heard.next()
        removal = element("link", {"uid": "b", "relation": "none", "type": "none"})
        server.send(fresh(a_car("2B20", uid="b")))
        server.send(fresh(an_event(uid="b", type="t-x-d-d", detail=removal)))
        server.send(a_brief())
        assert (await phone.hear()).type == "t-x-d-d"
        assert (await phone.hear()).uid == "brief-1"
        server.send(a_brief("last"))
        assert (await phone.hear()).uid == "last"


async def test_who_takes_nothing_is_ended_before_briefs_pile_up() -> None:
    heard = Heard()
    async with a_server(heard) as server, a_phone(server) as phone:
        await phone.say(to_xml(a_car()))
        await heard.next()
        phone.writer.transport.pause_reading()  # type: ignore[attr-defined]
        brief = a_brief(inside=element("__padding", {"x": "p" * 20_000}))
        async with asyncio.timeout(SOON_S):
            while server.send(brief):
                await asyncio.sleep(0)
    assert heard.told["too_slow"] == 1


async def test_an_error_of_ours_ends_one_client_and_not_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = Heard()
    async with a_server(heard) as server:
        async with a_phone(server) as phone:
            heard.fails = True
            await phone.say(to_xml(a_car()))
            await phone.ended()
        heard.fails = False
        async with a_phone(server) as phone:
            await phone.say(to_xml(a_car()))
            await heard.next()
    assert "error of ours" in caplog.text


async def test_plain_tcp_beyond_this_machine_must_be_said() -> None:
    config = TakServerConfig(host="0.0.0.0", port=0)
    server = TakServer(config, Heard().on_event, Heard().tell)
    with pytest.raises(FarolitoError, match="anybody"):
        await server.start()


def test_a_proven_name_in_the_table_can_be_no_other_unit() -> None:
    roster = Roster({"jdoe": "2A14", "ANDROID-7": "2C07"}, "known", lambda u: u == "2B20")
    jdoe = TakUser(name="jdoe", callsign="2B20", is_proven=True)
    assert roster.unit(jdoe) == "2A14"
    assert roster.unit(TakUser(name="jdoe", callsign="2B20")) == "2B20"
    assert roster.unit(TakUser(name="?", uid="ANDROID-7", callsign="2B20")) == "2C07"
    assert roster.unit(TakUser(name="?", callsign="9Z99")) is None
    assert Roster({}, "any").unit(TakUser(name="?", callsign="9Z99")) == UnitId("9Z99")
    assert Roster({}, "none", lambda _: True).unit(TakUser(name="?", callsign="2B20")) is None


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "practice-ca")


def tls_server(authority: Authority, **said: Any) -> dict[str, Any]:
    certificate, key = authority.sign("tak.practice")
    ours = {"certificate": str(certificate), "key": str(key), "ca": str(authority.file)}
    return ours | said


def tls_phone(authority: Authority, name: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.file))
    if name is not None:
        context.load_cert_chain(*authority.sign(name))
    return context


async def test_over_tls_the_certificate_says_who_it_is(authority: Authority) -> None:
    heard = Heard()
    said = tls_server(authority, units={"jdoe": "2A14"})
    jdoe = tls_phone(authority, "jdoe")
    async with a_server(heard, **said) as server, a_phone(server, jdoe) as phone:
        await phone.say(to_xml(a_car("2B20")))  # a claim against the table
        _, user = await heard.next()
        assert (user.name, user.is_proven, user.unit) == ("jdoe", True, "2A14")
        assert server.send(a_brief(), ["2B20"]) == 0
        assert server.send(a_brief(), ["2A14"]) == 1
        assert (await phone.hear()).uid == "brief-1"


async def test_a_stranger_to_our_authority_is_not_let_in(
    authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "other-ca")
    foreign = tls_phone(authority, None)
    foreign.load_cert_chain(*other.sign("jdoe"))
    heard = Heard()
    async with a_server(heard, **tls_server(authority)) as server:
        for context in (foreign, tls_phone(authority, None)):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                async with a_phone(server, context) as phone:
                    await phone.say(to_xml(a_car()))
                    await phone.ended()
        assert heard.events.empty()
        assert server.users == ()


async def test_a_name_that_is_no_user_is_refused_by_name(authority: Authority) -> None:
    heard = Heard()
    said = tls_server(authority, users=("jdoe",))
    mallory = tls_phone(authority, "mallory")
    async with a_server(heard, **said) as server, a_phone(server, mallory) as phone:
        await phone.ended()
    assert heard.told["unknown_user"] == 1


def a_client(heard: Heard, port: int, **said: Any) -> TakClient:
    given: dict[str, Any] = {"name": "county", "host": "127.0.0.1", "callsigns": "any"}
    config = TakClientConfig(port=port, **(given | {"tls": False} | said))
    return TakClient(config, heard.on_event, heard.tell)


@pytest.mark.parametrize("protobuf", [True, False])
async def test_our_client_and_server_speak_with_each_other(protobuf: bool) -> None:
    there, here = Heard(), Heard()
    async with a_server(there) as server:
        client = a_client(here, server.port, protobuf=protobuf, lat=35.1, lon=-106.6)
        async with running(client):
            presence, user = await there.next()
            assert (presence.lat, user.callsign) == (35.1, "RTCC")
            client.send(a_brief("ours"), ["2A14"])
            event, _ = await there.next()
            assert event.uid == "ours"
            assert 'marti><dest callsign="2A14"/>' in event.detail
            server.send(fresh(a_car("2B20")))
            event, user = await here.next()
            assert (user.name, user.callsign, user.unit) == ("county", "2B20", "2B20")
            marker = element("link", {"uid": "ANDROID-2B20", "relation": "p-p"})
            server.send(fresh(an_event(uid="m", type="a-u-G", detail=marker)))
            assert (await here.next())[1].unit == "2B20"
            (link,) = server._clients
            assert link.is_proto is protobuf
    assert not there.told
    assert not here.told


async def test_our_client_over_tls_with_its_certificate(authority: Authority) -> None:
    there, here = Heard(), Heard()
    certificate, key = authority.sign("farolito")
    async with a_server(there, **tls_server(authority)) as server:
        client = a_client(
            here,
            server.port,
            tls=True,
            certificate=str(certificate),
            key=str(key),
            ca=str(authority.file),
        )
        async with running(client):
            _, user = await there.next()
            assert (user.name, user.is_proven) == ("farolito", True)


async def test_what_was_sent_while_the_server_was_away_goes_out_when_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "BACK_OFF_S", (0.05,))
    there, here = Heard(), Heard()
    async with a_server(there) as first:
        port = first.port
        client = a_client(here, port)
        task = asyncio.create_task(run.keep_running("tak county", client.run))
        await there.next()
    await until(lambda: not client.is_connected)
    assert client.send(a_brief("kept")) == 1
    client.send(msgspec.structs.replace(a_brief("over"), stale=now()))
    async with a_server(there, port=port):
        got = [(await there.next())[0].uid, (await there.next())[0].uid]
        assert sorted(got) == ["farolito-RTCC", "kept"]
        assert here.told["stale"] == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_server_that_is_run_lets_its_port_go_when_it_is_ended() -> None:
    port = free_port()
    for _ in range(2):
        config = TakServerConfig(port=port)
        server = TakServer(config, Heard().on_event, Heard().tell)
        task = asyncio.create_task(server.run())
        async with asyncio.timeout(SOON_S):
            while not server.is_open:
                await asyncio.sleep(0.01)
        async with a_phone(server) as phone:
            await phone.hear(control.OFFER)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_lost_server_is_raised_to_the_supervisor() -> None:
    there = Heard()
    async with a_server(there) as server:
        task = asyncio.create_task(a_client(Heard(), server.port).run())
        await there.next()
    with pytest.raises(ConnectionError):
        async with asyncio.timeout(SOON_S):
            await task
    with pytest.raises(ConnectionError):
        await a_client(Heard(), free_port()).run()
