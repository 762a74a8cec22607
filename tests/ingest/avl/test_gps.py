"""NMEA and TAIP from modems, sentence by sentence and over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import xor
from typing import Any

import pytest

from farolito.ingest.avl.gps import SENTENCE_BYTES_MAX, GpsServer
from farolito.ingest.avl.heard import Origin
from farolito.ingest.avl.nmea import Nmea
from farolito.ingest.avl.sources import GpsListener
from farolito.ingest.avl.taip import Taip
from farolito.model import AgencyId, Rejected, UnitPosition

SOON_S = 15
NOW = datetime(2026, 11, 23, 10, 0, 1, tzinfo=UTC)
ORIGIN = Origin(AgencyId("practice-pd"), "modems")
RMC = "GPRMC,100000.50,A,3505.0640,N,10639.0240,W,024.3,271.5,231126,,,A"
GGA = "GPGGA,100000.50,3505.0640,N,10639.0240,W,1,09,0.8,1510.2,M,-22.0,M,,"


def nmea(text: str) -> bytes:
    return b"$%b*%02X" % (text.encode(), reduce(xor, text.encode()))


def taip(
    seconds: int = 36_000,
    place: str = "+3508440-10665040",
    tail: str = "02727112",
    ending: str = ";ID=2A14",
) -> bytes:
    text = f">RPV{seconds:05}{place}{tail}{ending};*".encode()
    return b"%b%02X<" % (text, reduce(xor, text))


def a_receiver(**said: Any) -> Nmea:
    given: dict[str, Any] = {"protocol": "nmea", "units": {"10.8.0.14": "2A14"}}
    return Nmea(GpsListener(**(given | said)), ORIGIN, "10.8.0.14:5017")


def a_modem(**said: Any) -> Taip:
    given: dict[str, Any] = {"protocol": "taip", "names_itself": True}
    return Taip(GpsListener(**(given | said)), ORIGIN, "10.8.0.14:5017")


def reason(dialect: Nmea | Taip, sentence: bytes) -> str:
    with pytest.raises(Rejected) as why:
        dialect.position(sentence, NOW)
    return why.value.reason


def told(dialect: Nmea | Taip, sentence: bytes, at: datetime = NOW) -> UnitPosition:
    position = dialect.position(sentence, at)
    assert position is not None
    return position


@pytest.mark.parametrize("talker", ["GP", "GN", "GL"])
def test_rmc_tells_place_speed_heading_and_time(talker: str) -> None:
    position = told(a_receiver(), nmea(talker + RMC[2:]))
    assert position.unit == "2A14"
    assert position.place.lat == pytest.approx(35.0844)
    assert position.place.lon == pytest.approx(-106.6504)
    assert position.speed_mps == pytest.approx(12.5, abs=0.01)  # 24.3 knots
    assert (position.heading_deg, position.accuracy_m) == (271.5, None)
    assert position.at == NOW - timedelta(milliseconds=500)


def test_gga_beside_rmc_says_how_exact_the_place_is() -> None:
    receiver = a_receiver()
    assert told(receiver, nmea(GGA)).accuracy_m == pytest.approx(4.0)  # HDOP 0.8
    assert told(receiver, nmea(RMC)).accuracy_m == pytest.approx(4.0)
    assert receiver.position(nmea(GGA), NOW) is None, "the same place is not told twice"
    late = NOW + timedelta(seconds=30)
    assert told(receiver, nmea(RMC), late).accuracy_m is None, "an old GGA says nothing"


def test_a_gga_alone_just_before_midnight_is_of_yesterday() -> None:
    midnight = datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)
    before = told(a_receiver(), nmea(GGA.replace("100000.50", "235959.00")), midnight)
    assert before.at == midnight - timedelta(seconds=2)


def test_a_sentence_of_ours_names_the_unit_where_the_listener_allows_it() -> None:
    receiver = a_receiver(names_itself=True)
    assert receiver.position(nmea("PFAR,2C07"), NOW) is None
    assert told(receiver, nmea(RMC)).unit == "2C07"
    strict = a_receiver()
    strict.position(nmea("PFAR,2C07"), NOW)
    assert told(strict, nmea(RMC)).unit == "2A14"


def test_a_units_port_may_tell_it_from_another_behind_one_address() -> None:
    receiver = a_receiver(units={"10.8.0.14:5017": "2B20", "10.8.0.14": "2A14"})
    assert told(receiver, nmea(RMC)).unit == "2B20"


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        (nmea(RMC.replace(",A,3505", ",V,3505")), "no_fix"),
        (nmea(GGA.replace("W,1,", "W,0,")), "no_fix"),
        (nmea(RMC)[:-1] + b"0", "bad_checksum"),
        (nmea(RMC).replace(b"3505", b"3506"), "bad_checksum"),
        (nmea(RMC)[:40], "truncated"),
        (b"$*00", "malformed"),
        (b"\xff\xfe*00", "malformed"),
        (nmea(RMC.replace("3505.0640", "")), "no_place"),
        (nmea(RMC.replace("3505.0640", "3565.0640")), "no_place"),
        (nmea(RMC.replace("3505.0640", "9905.0640")), "no_place"),
        (
            nmea(RMC.replace("3505.0640,N", "0000.0000,N").replace("10639.0240", "0000.0000")),
            "no_place",
        ),
        (nmea(RMC.replace("3505.0640,N", "3505.0640,X")), "no_place"),
        (nmea(RMC.replace("231126", "")), "bad_time"),
        (nmea(RMC.replace("231126", "991399")), "bad_time"),
        (nmea(RMC.replace("231126", "251126")), "future_time"),
        (nmea(GGA.replace("100000.50", "256000")), "bad_time"),
    ],
)
def test_a_bad_sentence_has_a_named_reason(sentence: bytes, why: str) -> None:
    assert reason(a_receiver(), sentence) == why


def test_a_sender_that_no_unit_belongs_to_is_named_so() -> None:
    assert reason(a_receiver(units={}), nmea(RMC)) == "unknown_unit"


def test_sentences_without_a_place_are_no_news() -> None:
    for sentence in ("GPGSV,1,1,00", "GPVTG,271.5,T,,M,24.3,N,45.0,K", "GPXXX,1", "PGRME,1,M"):
        assert a_receiver().position(nmea(sentence), NOW) is None


def test_the_published_taip_example_is_read() -> None:
    at = datetime(2026, 11, 23, 4, 22, tzinfo=UTC)
    position = told(a_modem(), b">RPV15714+3739438-1220384601512612;ID=1234;*7F", at)
    assert (position.unit, position.place.lat, position.place.lon) == (
        "1234",
        37.39438,
        -122.03846,
    )
    assert position.heading_deg == 126.0
    assert position.speed_mps == pytest.approx(6.7056)
    assert position.at == datetime(2026, 11, 23, 4, 21, 54, tzinfo=UTC)


def test_a_taip_time_of_day_is_put_next_to_its_arrival() -> None:
    midnight = datetime(2026, 11, 24, 0, 0, 1, tzinfo=UTC)
    assert told(a_modem(), taip(86_399)[:-1], midnight).at == midnight - timedelta(seconds=2)
    before = midnight - timedelta(seconds=3)
    assert told(a_modem(), taip(1)[:-1], before).at == midnight
    gps = a_modem(clock_ahead_s=18.0)
    assert told(gps, taip(18)[:-1], midnight).at == midnight - timedelta(seconds=1)


def test_a_taip_id_goes_through_the_table() -> None:
    listed = a_modem(names_itself=False, units={"0417": "2A14"})
    assert told(listed, taip(ending=";ID=0417")[:-1]).unit == "2A14"
    assert reason(listed, taip(ending=";ID=9999")[:-1]) == "unknown_unit"


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        (taip()[:-2] + b"0", "bad_checksum"),
        (taip().replace(b"3508440", b"3608440")[:-1], "bad_checksum"),
        (b">RPV15714+37394", "truncated"),
        (b"RPV;*00", "truncated"),
        (taip(ending="")[:-1], "no_unit"),
        (taip(place="+350844-106650")[:-1], "malformed"),
        (taip(place="+0000000-00000000")[:-1], "no_place"),
        (taip(place="+9908440-10665040")[:-1], "no_place"),
        (taip(seconds=86_401)[:-1], "bad_time"),
        (taip(tail="02727110")[:-1], "no_fix"),
        (taip(tail="02727192")[:-1], "no_fix"),
    ],
)
def test_a_bad_report_has_a_named_reason(sentence: bytes, why: str) -> None:
    assert reason(a_modem(), sentence) == why


def test_another_taip_message_is_no_news() -> None:
    text = b">RAL15714+00013+0002;ID=2A14;*"
    assert a_modem().position(b"%b%02X" % (text, reduce(xor, text)), NOW) is None


def test_noise_is_rejected_and_never_raises_anything_else(rng: random.Random) -> None:
    for dialect, good in (
        (a_receiver(), nmea(RMC)),
        (a_receiver(), nmea(GGA)),
        (a_modem(), taip()),
    ):
        for _ in range(2_000):
            noise = bytearray(good)
            for _ in range(rng.randint(1, 6)):
                noise[rng.randrange(len(noise))] = rng.randrange(256)
            body = bytes(noise[: rng.randint(1, len(noise))])
            checked = body.rpartition(b"*")[0] + b"*"
            skip = 0 if isinstance(dialect, Taip) else 1
            summed = reduce(xor, checked[skip : len(checked) - skip], 0)
            for sentence in (body, b"%b%02X" % (checked, summed)):
                with contextlib.suppress(Rejected):
                    dialect.position(sentence, NOW)


class Heard:
    def __init__(self) -> None:
        self.positions: list[UnitPosition] = []
        self.told: Counter[str] = Counter()
        self.changed = asyncio.Event()

    async def hear(self, positions: Sequence[UnitPosition]) -> None:
        self.positions += positions
        self.changed.set()

    def tell(self, why: Rejected, body: bytes) -> None:
        self.told[why.reason] += 1
        self.changed.set()

    async def until(self, positions: int = 0, rejected: int = 0) -> None:
        async with asyncio.timeout(SOON_S):
            while len(self.positions) < positions or self.told.total() < rejected:
                self.changed.clear()
                await self.changed.wait()


@contextlib.asynccontextmanager
async def a_listener(heard: Heard, **said: Any) -> AsyncIterator[GpsServer]:
    config = GpsListener(**({"units": {"127.0.0.1": "2A14"}} | said))
    server = GpsServer(config, ORIGIN, heard.hear, heard.tell, lambda: NOW)
    running = asyncio.create_task(server.run())
    try:
        async with asyncio.timeout(SOON_S):
            while not server.is_open:
                await asyncio.sleep(0.005)
        yield server
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as modem:
        for data in datagrams:
            modem.sendto(data, ("127.0.0.1", port))


async def test_datagrams_of_nmea_are_heard_with_or_without_a_line_end() -> None:
    heard = Heard()
    async with a_listener(heard, protocol="nmea") as server:
        send(server.port, nmea(GGA) + b"\r\n" + nmea(RMC), nmea(RMC)[:30], nmea(RMC))
        await heard.until(positions=3, rejected=1)
    assert {position.unit for position in heard.positions} == {"2A14"}
    assert heard.told == {"truncated": 1}


async def test_a_stream_of_nmea_is_heard_however_it_is_cut() -> None:
    heard = Heard()
    async with a_listener(heard, protocol="nmea", transport="tcp") as server:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        stream = (nmea(RMC) + b"\r\n") * 5 + nmea(RMC)[:20]
        for at in range(0, len(stream), 7):
            writer.write(stream[at : at + 7])
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        await heard.until(positions=5, rejected=1)
    assert heard.told == {"truncated": 1}


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_taip_is_heard_over_both(transport: str) -> None:
    heard = Heard()
    said = {"protocol": "taip", "transport": transport, "names_itself": True}
    async with a_listener(heard, **said) as server:
        if transport == "udp":
            send(server.port, taip(), taip(ending=";ID=2B20"))
        else:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(taip() + b"\r\n" + taip(ending=";ID=2B20"))
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        await heard.until(positions=2)
    assert [position.unit for position in heard.positions] == ["2A14", "2B20"]


async def test_a_sender_that_floods_is_cut_to_its_pace_and_told_of() -> None:
    heard = Heard()
    clock = [NOW]
    config = GpsListener(protocol="nmea", transport="tcp", units={"127.0.0.1": "2A14"})
    server = GpsServer(config, ORIGIN, heard.hear, heard.tell, lambda: clock[0])
    running = asyncio.create_task(server.run())
    while not server.is_open:
        await asyncio.sleep(0.005)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write((nmea(RMC) + b"\n") * 500 + b"x" * (SENTENCE_BYTES_MAX * 2) + b"\n")
    await writer.drain()
    await heard.until(rejected=1)
    clock[0] = NOW + timedelta(seconds=1)
    writer.write(nmea(RMC) + b"\n")
    await heard.until(positions=51, rejected=2)
    writer.close()
    await writer.wait_closed()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(heard.positions) == 51
    assert heard.told["flood"] == 1
    assert heard.told["too_large"] >= 1


async def test_a_taken_port_is_raised_to_the_supervisor() -> None:
    heard = Heard()
    async with a_listener(heard, protocol="nmea", transport="tcp") as server:
        config = GpsListener(protocol="nmea", transport="tcp", port=server.port)
        with pytest.raises(OSError, match="address already in use"):
            await GpsServer(config, ORIGIN, heard.hear, heard.tell).run()
