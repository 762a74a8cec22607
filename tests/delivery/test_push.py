"""A phone is woken by a push service that learns nothing, once, and only where it may be."""

from __future__ import annotations

import asyncio
import ssl
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from farolito.delivery.push import QUEUE_MAX, PushSender
from farolito.delivery.targets import Targets
from farolito.delivery.vapid import VapidKey, load_or_create
from farolito.gate import Gate
from farolito.model import Brief, Invalid, Person, Rejected, Role, UnitId
from farolito.model.push import PushSubscription
from farolito.store import Database
from farolito.store.push import SUBSCRIPTIONS_MAX, PushSubscriptions
from tests.delivery.city import City
from tests.delivery.conftest import now
from tests.delivery.delivery_builders import AGENCY, brief
from tests.delivery.push_service import Browser, PushService, push_service
from tests.ingest.avl.certificates import Authority
from tests.running import until

CONTACT = "mailto:it@city-pd.example"
QUICK = (0.01, 0.02, 0.03)


class Kept:
    """The subscriptions in the database, as the app hands them to the sender."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def of_unit(self, unit: UnitId) -> Sequence[tuple[Person, PushSubscription]]:
        async with self.database.transaction(AGENCY) as connection:
            return await PushSubscriptions(connection, AGENCY).of_unit(unit)

    async def gone(self, endpoint: str) -> None:
        async with self.database.transaction(AGENCY) as connection:
            await PushSubscriptions(connection, AGENCY).drop(endpoint)

    async def keep(self, person: Person, wanted: PushSubscription) -> None:
        async with self.database.transaction(AGENCY) as connection:
            await PushSubscriptions(connection, AGENCY).keep(person.person_id, wanted, now())


class Woken:
    """A sender at work, the push service it calls, and an officer's browser."""

    def __init__(
        self, sender: PushSender, service: PushService, kept: Kept, city: City, key: VapidKey
    ) -> None:
        self.sender, self.service, self.kept, self.city, self.key = (
            sender, service, kept, city, key,
        )  # fmt: skip

    async def browser(self, person: Person, path: str = "/push/1") -> Browser:
        browser = Browser()
        await self.kept.keep(person, browser.subscribe(self.service.url(path)))
        return browser

    async def counted(self, **figures: int) -> None:
        await until(lambda: all(self.sender.figures[k] >= n for k, n in figures.items()))


@pytest.fixture
async def woken(gate: Gate, database: Database, tmp_path: Path) -> AsyncIterator[Woken]:
    async with woken_by(gate, database, tmp_path, Targets(loopback_http=True)) as made:
        yield made


@asynccontextmanager
async def woken_by(
    gate: Gate, database: Database, folder: Path, targets: Targets
) -> AsyncIterator[Woken]:
    key, kept = load_or_create(folder / "push.key", CONTACT), Kept(database)
    sender = PushSender(gate, kept, key, targets, now, back_off_s=QUICK)
    async with push_service() as service:
        running = asyncio.create_task(sender.run())
        yield Woken(sender, service, kept, City(database), key)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_a_brief_wakes_its_unit_and_tells_the_push_service_nothing(woken: Woken) -> None:
    officer = await woken.city.person()
    browser = await woken.browser(officer)
    what = brief(version=3)
    assert woken.sender.notify(what)
    await woken.counted(sent=1)
    [call] = woken.service.calls
    assert browser.open(call.body) == {
        "k": "brief", "brief_id": str(what.brief_id), "version": 3,
    }  # fmt: skip
    assert call.headers["ttl"] == "60"
    assert call.headers["urgency"] == "high"
    assert call.headers["content-encoding"] == "aes128gcm"
    assert 0 < len(call.headers["topic"]) <= 32
    wire = repr((call.path, call.headers, call.body))
    for secret in (str(what.brief_id), what.lines[0].says, str(officer.person_id), "2A14"):
        assert secret not in wire


async def test_the_token_is_ours_for_this_push_service_alone(woken: Woken) -> None:
    await woken.browser(await woken.city.person())
    woken.sender.notify(brief())
    await woken.counted(sent=1)
    claims = woken.service.calls[0].claims()
    assert claims["aud"] == f"http://127.0.0.1:{woken.service.port}"
    assert claims["sub"] == CONTACT
    assert claims["k"] == woken.key.public
    assert 0 < claims["exp"] - now().timestamp() <= 24 * 3600


async def test_only_the_briefs_own_unit_is_woken(woken: Woken) -> None:
    mine = await woken.browser(await woken.city.person(unit="2A14"), "/mine")
    await woken.browser(await woken.city.person(unit="2A15"), "/theirs")
    woken.sender.notify(brief("2A14"))
    await woken.counted(sent=1)
    assert [call.path for call in woken.service.calls] == ["/mine"]
    assert mine.open(woken.service.calls[0].body)["version"] == 1


async def test_who_may_not_have_a_brief_is_not_woken_and_the_ledger_says_so(woken: Woken) -> None:
    auditor = await woken.city.person(Role.AUDITOR, unit="2A14")
    await woken.browser(auditor)
    woken.sender.notify(brief())
    await woken.counted(refused=1)
    assert woken.service.calls == []
    [entry] = await woken.city.entries("wake for briefs of 2A14")
    assert entry["decision"] == "refusal"


async def test_a_permit_of_each_person_is_in_the_ledger(woken: Woken) -> None:
    await woken.browser(await woken.city.person())
    for version in (1, 2, 3):
        woken.sender.notify(brief(version=version))
    await woken.counted(sent=3)
    entries = await woken.city.entries("wake for briefs of 2A14")
    assert [entry["decision"] for entry in entries] == ["permit"]


async def test_a_suspended_officer_is_not_woken(woken: Woken) -> None:
    gone, here = await woken.city.person(), await woken.city.person()
    await woken.browser(gone, "/gone")
    await woken.browser(here, "/here")
    await woken.city.suspend(gone)
    woken.sender.notify(brief())
    await woken.counted(sent=1)
    assert [call.path for call in woken.service.calls] == ["/here"]


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_push_service_that_stumbles_is_asked_again(woken: Woken, status: int) -> None:
    await woken.browser(await woken.city.person())
    woken.service.answer = lambda call: (status if len(woken.service.calls) < 3 else 201, "")
    woken.sender.notify(brief())
    await woken.counted(sent=1, retried=2)
    assert len(woken.service.calls) == 3


async def test_a_push_service_that_stays_away_is_given_up(woken: Woken) -> None:
    await woken.browser(await woken.city.person())
    woken.service.answer = lambda call: (503, "")
    woken.sender.notify(brief())
    await woken.counted(given_up=1)
    assert len(woken.service.calls) == 1 + len(QUICK)


async def test_a_wait_longer_than_the_brief_is_of_use_is_not_waited(woken: Woken) -> None:
    await woken.browser(await woken.city.person())
    woken.service.answer = lambda call: (429, "Retry-After: 3600\r\n")
    woken.sender.notify(brief())
    await woken.counted(given_up=1)
    assert len(woken.service.calls) == 1


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_is_gone_is_removed(woken: Woken, status: int) -> None:
    await woken.browser(await woken.city.person())
    woken.service.answer = lambda call: (status, "")
    woken.sender.notify(brief())
    await woken.counted(gone=1)
    async with asyncio.timeout(5):
        while await woken.kept.of_unit(UnitId("2A14")):
            await asyncio.sleep(0.01)


async def test_an_address_inside_the_house_is_never_called(
    gate: Gate, database: Database, tmp_path: Path
) -> None:
    async with woken_by(gate, database, tmp_path, Targets()) as woken:
        person = await woken.city.person()
        await woken.browser(person, "/plain-http")
        for url in (
            f"https://127.0.0.1:{woken.service.port}/x",
            f"https://localhost:{woken.service.port}/x",
            f"https://[::1]:{woken.service.port}/x",
            f"https://[::ffff:127.0.0.1]:{woken.service.port}/x",
            f"https://2130706433:{woken.service.port}/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/latest",
        ):
            await woken.kept.keep(person, Browser().subscribe(url))
        woken.sender.notify(brief())
        await woken.counted(private_target=7, not_https=1)
        assert woken.service.calls == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://10.1.2.3/x", "private_target"),
        ("https://192.168.1.1/x", "private_target"),
        ("https://100.64.0.1/x", "private_target"),
        ("https://[fd00::1]/x", "private_target"),
        ("https://[64:ff9b::a00:1]/x", "private_target"),
        ("https://[2002:a00:1::]/x", "private_target"),
        ("https://224.0.0.1/x", "private_target"),
        ("http://93.184.215.14/x", "not_https"),
        ("ftp://93.184.215.14/x", "no_address"),
        ("https://", "no_address"),
        ("https://a b/x", "no_such_host"),
        ("https://x/\nHost: y", "no_address"),
        ("https://[::1/x", "no_address"),
        ("https://x:99999/x", "no_address"),
    ],
)
async def test_a_target_is_refused_by_name(url: str, reason: str) -> None:
    with pytest.raises(Rejected) as why:
        await Targets().check(url)
    assert why.value.reason == reason


async def test_an_agencys_own_push_service_is_reached_where_it_is_listed() -> None:
    target = await Targets(["10.1.0.0/16"]).check("https://10.1.2.3/x?y=1")
    assert target.url == "https://10.1.2.3:443/x?y=1"
    with pytest.raises(Rejected):
        await Targets(["10.1.0.0/16"]).check("https://10.2.2.3/x")
    assert (await Targets(["LOCALHOST".casefold()]).check("https://localhost/x")).host == (
        "localhost"
    )


async def test_the_address_that_was_checked_is_the_one_that_is_called() -> None:
    target = await Targets().check("https://93.184.215.14:8443/x")
    assert target == ("https://93.184.215.14:8443/x", "93.184.215.14", "93.184.215.14:8443")


async def test_a_flood_of_briefs_is_bounded_and_counted(
    gate: Gate, database: Database, tmp_path: Path
) -> None:
    key = load_or_create(tmp_path / "push.key", CONTACT)
    sender = PushSender(gate, Kept(database), key, Targets(), now)
    taken = [sender.notify(brief()) for _ in range(QUEUE_MAX + 5)]
    assert taken.count(False) == 5
    assert sender.figures["dropped"] == 5


async def test_a_version_that_was_overtaken_is_not_sent(woken: Woken) -> None:
    await woken.browser(await woken.city.person())
    first: Brief = brief()
    for version in range(1, 6):
        woken.sender.notify(brief(brief_id=first.brief_id, version=version))
    await woken.counted(sent=1, overtaken=4)
    assert len(woken.service.calls) == 1


async def test_keys_that_are_no_point_of_the_curve_end_that_nudge_alone(woken: Woken) -> None:
    person = await woken.city.person()
    bad = Browser().subscribe(woken.service.url("/bad"))
    crooked = PushSubscription(
        endpoint=bad.endpoint, p256dh="BA" + "B" * 85, auth=bad.auth
    )  # fmt: skip
    await woken.kept.keep(person, crooked)
    await woken.browser(person, "/good")
    woken.sender.notify(brief())
    await woken.counted(sent=1, bad_keys=1)


async def test_a_person_keeps_the_newest_browsers(database: Database) -> None:
    city, kept = City(database), Kept(database)
    person = await city.person()
    for n in range(SUBSCRIPTIONS_MAX + 3):
        await kept.keep(person, Browser().subscribe(f"https://push.example/{n}"))
    left = [sub.endpoint.rpartition("/")[2] for _, sub in await kept.of_unit(UnitId("2A14"))]
    assert left == [str(n) for n in range(3, SUBSCRIPTIONS_MAX + 3)]


async def test_a_phone_that_changes_hands_wakes_its_new_owner_alone(database: Database) -> None:
    city, kept = City(database), Kept(database)
    first, second = await city.person(unit="2A14"), await city.person(unit="2A15")
    browser = Browser().subscribe("https://push.example/1")
    await kept.keep(first, browser)
    await kept.keep(second, browser)
    assert list(await kept.of_unit(UnitId("2A14"))) == []
    [(owner, _)] = await kept.of_unit(UnitId("2A15"))
    assert owner == second


def test_the_key_is_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "push.key"
    made, again = load_or_create(path, CONTACT), load_or_create(path, CONTACT)
    assert made.public == again.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    with pytest.raises(Invalid, match="read by others"):
        load_or_create(path, CONTACT)


def test_a_key_file_that_is_none_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "push.key"
    path.write_text("not a key")
    path.chmod(0o600)
    with pytest.raises(Invalid, match="restore it"):
        load_or_create(path, CONTACT)


@pytest.mark.parametrize(
    "changes",
    [
        {"endpoint": "javascript:alert(1)"},
        {"endpoint": "https://x/" + "a" * 2048},
        {"p256dh": "AAAA"},
        {"p256dh": "not base64!"},
        {"auth": "AAAA"},
    ],
)
def test_a_subscription_that_cannot_be_one_is_invalid(changes: dict[str, Any]) -> None:
    good = Browser().subscribe("https://push.example/1")
    with pytest.raises(Invalid):
        PushSubscription(
            **{"endpoint": good.endpoint, "p256dh": good.p256dh, "auth": good.auth, **changes}
        )


async def test_over_tls_the_certificate_must_be_of_the_name_in_the_address(
    gate: Gate, database: Database, tmp_path: Path
) -> None:
    """The connection goes to an address, the certificate is held against the name."""
    authority = Authority(tmp_path, "push-ca")
    certificate, key = authority.sign("127.0.0.1")
    trust = ssl.create_default_context(cafile=str(authority.file))
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate, key)
    vapid, kept, city = (
        load_or_create(tmp_path / "push.key", CONTACT),
        Kept(database),
        City(database),
    )
    sender = PushSender(
        gate, kept, vapid, Targets(["127.0.0.0/8"]), now, trust=trust, back_off_s=QUICK
    )
    async with push_service(served) as service:
        running = asyncio.create_task(sender.run())
        person = await city.person()
        for host in ("127.0.0.1", "localhost"):
            url = f"https://{host}:{service.port}/{host}"
            await kept.keep(person, Browser().subscribe(url))
        sender.notify(brief())
        await until(lambda: sender.figures["sent"] == 1 and sender.figures["given_up"] == 1)
        assert [call.path for call in service.calls] == ["/127.0.0.1"]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
