"""Two agencies' servers linked by mutual TLS and accounts: what crosses, and how it comes back."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import suppress
from datetime import timedelta
from itertools import count, pairwise

import msgspec
import pytest
from cryptography import x509

from farolito.bus import Bus, BusDown, PartnerDown, SoundBatch
from farolito.bus.line_end import RAW_BYTES_MAX
from farolito.identity.authority import LINE_LASTS, RENEWED_BEFORE
from farolito.model import BusCard, FarolitoError, Invalid
from tests.bus.raw_link import tls_of
from tests.bus.sites import CITY, PUEBLO, SHERIFF, Site, asked_until_answered, link, until


async def test_a_request_crosses_both_ways_and_comes_under_the_name_of_its_line(
    city: Site, sheriff: Site
) -> None:
    await link(city, sheriff)
    assert await sheriff.bus.request(CITY, b"one", 2) == b"city-pd answers one"
    assert await city.bus.request(SHERIFF, b"two", 2) == b"county-so answers two"
    assert city.asked == [(SHERIFF, b"one")]
    assert sheriff.asked == [(CITY, b"two")]
    took = []
    for _ in range(300):
        began = time.perf_counter()
        await city.bus.request(SHERIFF, b"x" * 2_000, 2)
        took.append(1e3 * (time.perf_counter() - began))
    took.sort()
    print(f"a request over the link, ms: {took[150]:.2f} p50, {took[285]:.2f} p95")


async def test_without_partners_nothing_listens_and_nothing_is_connected(city: Site) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", city.port)) != 0
    assert "leafnodes" not in city.server.configuration.read_text()
    system = await city.client(city.server.accounts.system_credentials)
    answer = await system.request("$SYS.REQ.SERVER.PING.CONNZ", timeout=2)
    assert msgspec.json.decode(answer.data)["data"]["num_connections"] == 1  # this very client
    await system.close()


async def test_a_partner_that_is_away_is_told_at_once_and_comes_back_by_itself(
    city: Site, sheriff: Site
) -> None:
    await link(city, sheriff)
    heard: list[bool] = []
    city.bus.on_change.append(lambda _, is_there: heard.append(is_there))
    await sheriff.stop()
    await until(lambda: not city.bus.connected(SHERIFF))
    began = time.perf_counter()
    with pytest.raises(PartnerDown):
        await city.bus.request(SHERIFF, b"anybody?", 5)
    assert time.perf_counter() - began < 1
    await sheriff.start()
    await until(lambda: city.bus.connected(SHERIFF))
    assert await city.bus.request(SHERIFF, b"again", 2) == b"county-so answers again"
    assert heard == [False, True]


async def test_a_server_that_stands_still_is_away_within_the_time_given(
    city: Site, sheriff: Site
) -> None:
    await link(city, sheriff)
    await sheriff.halt()
    try:
        began = time.perf_counter()
        with pytest.raises(PartnerDown):
            await city.bus.request(SHERIFF, b"anybody?", 0.3)
        assert time.perf_counter() - began < 1
        await until(lambda: not city.bus.connected(SHERIFF))
    finally:
        sheriff.go_on()
    await until(lambda: city.bus.connected(SHERIFF))
    assert await city.bus.request(SHERIFF, b"again", 2) == b"county-so answers again"


@pytest.mark.parametrize("killed", ["city", "sheriff"])
async def test_a_killed_server_is_linked_again_by_itself(
    city: Site, sheriff: Site, killed: str
) -> None:
    await link(city, sheriff)
    site = city if killed == "city" else sheriff
    began = time.perf_counter()
    site.kill()
    await until(lambda: site.supervisor.status()[0].restarts == 1)
    assert await asked_until_answered(city, SHERIFF) == b"county-so answers again"
    assert await asked_until_answered(sheriff, CITY) == b"city-pd answers again"
    print(f"linked again {1e3 * (time.perf_counter() - began):.0f} ms after the kill of {killed}")


async def test_another_partner_joins_while_requests_go_on(
    city: Site, sheriff: Site, pueblo: Site
) -> None:
    await link(city, sheriff)
    gaps = [time.perf_counter()]
    done = asyncio.Event()

    async def ask_on() -> None:
        while not done.is_set():
            try:
                await sheriff.bus.request(CITY, b"still there?", 0.1)
                gaps.append(time.perf_counter())
            except PartnerDown:
                await asyncio.sleep(0.005)

    asking = asyncio.create_task(ask_on())
    began = time.perf_counter()
    own = city.bus.card()
    theirs = pueblo.bus.card()
    ours = await city.bus.add(PUEBLO, own, theirs)
    print(f"the listening side took {1e3 * (time.perf_counter() - began):.0f} ms to add a partner")
    await pueblo.bus.add(CITY, theirs, ours)
    await until(lambda: pueblo.bus.connected(CITY))
    await sheriff.bus.request(CITY, b"both", 5)
    done.set()
    await asking
    longest = max(b - a for a, b in pairwise(gaps))
    print(f"longest gap of the partner that was there before: {1e3 * longest:.0f} ms")
    assert longest < 3
    assert await city.bus.request(PUEBLO, b"new", 2) == b"pueblo-pd answers new"


async def test_nothing_that_was_acknowledged_is_lost_while_the_server_starts_anew_for_a_partner(
    city: Site, sheriff: Site
) -> None:
    lanes = await Bus.connect(city.server.url, city.server.credentials, CITY)
    acknowledged: list[str] = []
    done = asyncio.Event()

    async def publish_on() -> None:
        for number in count():
            while not done.is_set():
                with suppress(BusDown):
                    await lanes.sound.publish(SoundBatch(name=str(number)))
                    acknowledged.append(str(number))
                    break
                await asyncio.sleep(0.005)
            if done.is_set():
                return

    publishing = asyncio.create_task(publish_on())
    await until(lambda: len(acknowledged) > 10)
    await link(city, sheriff)
    before = len(acknowledged)
    await until(lambda: len(acknowledged) > before + 10)
    done.set()
    await publishing
    assert city.supervisor.status()[0].restarts == 0  # meant, and so no finding of health
    kept: list[str] = []
    async for deliveries in lanes.sound.after(0):
        kept += [delivery.batch.name for delivery in deliveries]
        if kept[-1] == acknowledged[-1]:
            break
    assert kept == acknowledged
    await lanes.close()


async def test_partners_of_one_partner_are_strangers(
    city: Site, sheriff: Site, pueblo: Site
) -> None:
    await link(city, sheriff)
    await link(city, pueblo)
    with pytest.raises(PartnerDown, match="no line"):
        await sheriff.bus.request(PUEBLO, b"hello", 1)
    bare = await sheriff.client()
    with pytest.raises(Exception, match="no responders"):
        await bare.request(f"to.{PUEBLO}.ask", b"hello", timeout=1)
    await bare.close()
    assert pueblo.asked == []


async def test_a_line_is_there_again_after_both_nodes_were_restarted(
    city: Site, sheriff: Site
) -> None:
    await link(city, sheriff)
    for site in (city, sheriff):
        await site.stop()
    for site in (sheriff, city):
        await site.start()
    await until(lambda: city.bus.connected(SHERIFF) and sheriff.bus.connected(CITY))
    assert await city.bus.request(SHERIFF, b"two", 2) == b"county-so answers two"


async def test_joining_anew_replaces_the_keys_of_the_line(city: Site, sheriff: Site) -> None:
    before, _ = await link(city, sheriff)
    after, _ = await link(city, sheriff)
    assert before.account != after.account
    assert await sheriff.bus.request(CITY, b"one", 2) == b"city-pd answers one"
    assert len(list((city.state / "nats" / "keys" / "lines").glob("*.nk"))) == 2


async def test_the_certificate_is_renewed_with_the_same_key_before_its_week_is_over(
    city: Site, sheriff: Site
) -> None:
    for site in (city, sheriff):
        site.late = RENEWED_BEFORE - LINE_LASTS - timedelta(minutes=1)
    await link(city, sheriff)
    for site in (city, sheriff):
        before = x509.load_pem_x509_certificate(site.server.authority.line_certificate.read_bytes())
        assert not await site.bus.renew()
        site.late = timedelta()
        assert await site.bus.renew()
        after = x509.load_pem_x509_certificate(site.server.authority.line_certificate.read_bytes())
        assert after.not_valid_after_utc > before.not_valid_after_utc
        assert after.public_key() == before.public_key()
    own = sheriff.server.authority
    shown = await asyncio.to_thread(
        certificate_of,
        city.port,
        tls_of(city.server.ca_pem, own.line_certificate, own.line_key),
    )
    kept = x509.load_pem_x509_certificate(city.server.authority.line_certificate.read_bytes())
    assert shown.serial_number == kept.serial_number
    assert await asked_until_answered(city, SHERIFF) == b"county-so answers again"


@pytest.mark.parametrize("renewed", ["listener", "dialler"])
async def test_a_link_stands_when_the_certificate_it_began_with_has_ended(
    city: Site, sheriff: Site, renewed: str
) -> None:
    site, other = (city, sheriff) if renewed == "listener" else (sheriff, city)
    site.late = timedelta(seconds=6) - LINE_LASTS
    await link(city, sheriff)
    first = x509.load_pem_x509_certificate(site.server.authority.line_certificate.read_bytes())
    site.late = timedelta()
    assert await site.bus.renew()
    await until(lambda: site.now() > first.not_valid_after_utc + timedelta(seconds=1))
    other.kill()
    await until(lambda: other.supervisor.status()[0].restarts == 1)
    assert await asked_until_answered(city, SHERIFF) == b"county-so answers again"


async def test_a_message_too_long_for_the_line_is_refused_here(city: Site, sheriff: Site) -> None:
    await link(city, sheriff)
    long = await city.bus.request(SHERIFF, b"x" * (RAW_BYTES_MAX - 100), 10)
    assert len(long) == RAW_BYTES_MAX - 100 + len(b"county-so answers ")
    with pytest.raises(Invalid):
        await city.bus.request(SHERIFF, b"x" * (RAW_BYTES_MAX + 1), 5)
    assert city.bus.connected(SHERIFF)


async def test_where_neither_side_listens_the_line_is_refused(sheriff: Site, pueblo: Site) -> None:
    with pytest.raises(FarolitoError, match="neither"):
        await sheriff.bus.add(PUEBLO, sheriff.bus.card(), pueblo.bus.card())
    assert sheriff.bus.partners == frozenset()


async def test_a_card_cannot_carry_words_into_the_servers_configuration(city: Site) -> None:
    good = city.bus.card()
    for field, text in (
        ("address", 'x:1" } authorization { user: "a'),
        ("address", "x:99999"),
        ("account", good.account + "\n"),
        ("user_jwt", "a.b.c\n------END NATS USER JWT------"),
        ("ca_pem", good.ca_pem + good.ca_pem),
        ("pin", "zz"),
    ):
        with pytest.raises(Invalid):
            msgspec.structs.replace(good, **{field: text})
        raw = msgspec.json.encode({**msgspec.structs.asdict(good), field: text})
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(raw, type=BusCard)


def certificate_of(port: int, tls: ssl.SSLContext) -> x509.Certificate:
    """What the listening side shows, after the plain line with which its protocol begins."""
    with socket.create_connection(("127.0.0.1", port), 5) as plain:
        while plain.recv(1) != b"\n":
            pass
        with tls.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            shown = secure.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)
