"""Whatever dispatch systems, modems and TAK clients send: taken in once, or refused by name."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from farolito.ingest.avl.sources import TakServerConfig
from farolito.ingest.cad.sources import CadFolder, CadWebhook
from farolito.model import DeviceId, Point, UnitId
from tests.delivery import atak
from tests.geo.towns import at
from tests.ports import free_port
from tests.running import (
    AGENCY,
    CAD,
    RADIO,
    WAIT_S_MAX,
    Person,
    RunningNode,
    assigned,
    call,
    line,
    numbers,
    position,
    running_node,
)

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

MAPPING = """
name: exporter
format: xml
records: Calls/Call
fields: {number: Number, kind_says: Nature, address: Address, people: People}
"""
TROUBLE_S = 0.8  # how long a file that cannot be read is tried
SIGNING = msgspec.structs.replace(CAD, device_id=DeviceId("signing-cad"), format="cloudevents")
QUIET = msgspec.structs.replace(
    CAD, device_id=DeviceId("quiet-cad"), name="Quiet CAD", format="cloudevents"
)
DROPS = msgspec.structs.replace(CAD, device_id=DeviceId("drops"), name="Drops")
STILL = msgspec.structs.replace(CAD, device_id=DeviceId("still"), name="Still CAD")
MODEMS = msgspec.structs.replace(RADIO, device_id=DeviceId("modems"))


class Post:
    """The node, and the folders into which its dispatch systems write."""

    def __init__(self, node: RunningNode, operator: Person, drops: Path, still: Path) -> None:
        self.node, self.operator, self.drops, self.still = node, operator, drops, still
        self.secrets: dict[str, str] = {}
        self.tak_port = 0

    async def event(
        self,
        device: str,
        told: bytes,
        message: str,
        *,
        at: datetime | None = None,
        secret: str = "",
    ) -> httpx.Response:
        """A signed event, as this dispatch system would send it."""
        at = at or datetime.now(UTC)
        headers = {
            "Content-Type": "application/cloudevents+json",
            "webhook-id": message,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret or self.secrets[device]).sign(
                message, at, told.decode()
            ),
        }
        return await self.node.hand_in(f"cad/cloudevents?device={device}", told, **headers)

    async def incident(
        self, number: str, where: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> dict[str, Any]:
        """The incident of this call, once it is there and so."""
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                told = (await self.operator.get("/api/incidents")).json()["incidents"]
                found = [one for one in told if number in numbers(one)]
                if found and where(found[0]):
                    assert len(found) == 1
                    return dict(found[0])
                await asyncio.sleep(0.05)

    async def detail(self, number: str) -> dict[str, Any]:
        incident = await self.incident(number)
        return dict((await self.operator.get(f"/api/incidents/{incident['incident_id']}")).json())

    async def letter(self, reason: str, text: str = "") -> dict[str, Any]:
        """What was turned away, once it is kept."""
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                for one in await self.letters():
                    if one["reason"] == reason and text in one["says"]:
                        return one
                await asyncio.sleep(0.05)

    async def letters(self) -> list[dict[str, Any]]:
        return list((await self.operator.get("/api/dead-letters?limit=200")).json()["letters"])

    async def doubt(self, unit: str) -> str:
        """What the operator's screen shows to be wrong with this unit's position."""
        async with self.operator.watched() as screen:
            told = await screen.told(
                "positions", lambda m: any(row[0] == unit and row[6] for row in m["p"])
            )
        return next(str(row[6]) for row in told["p"] if row[0] == unit)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def post() -> AsyncIterator[Post]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    drops, still = folder / "drops", folder / "still"
    for one in (drops, still):
        one.mkdir()
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / "quiet.secret").write_text("whsec_" + "c2VjcmV0IG9mIHRoZSBxdWlldCBjYWQgMDAwMQ==")
    mapping, tak_port = str(folder / "mapping.yaml"), free_port()
    async with running_node(
        folder / "state",
        cad_folder=(
            CadFolder(device="drops", folder=str(drops), mapping=mapping, settle_s=TROUBLE_S,
                      poll_s=0.2, stale_after_s=0),
            CadFolder(device="still", folder=str(still), mapping=mapping, poll_s=0.2,
                      heartbeat="alive", stale_after_s=1.0),
        ),
        cad_webhook=(
            CadWebhook(device="quiet-cad", secret_file=str(folder / "quiet.secret"),
                       stale_after_s=1.0),
        ),
        tak_server=TakServerConfig(port=tak_port),
    ) as node:  # fmt: skip
        for device in (DROPS, STILL):
            await node.cad_key(device)
        made = Post(node, await node.sign_in("operator"), drops, still)
        made.tak_port = tak_port
        made.secrets["signing-cad"] = await node.cad_key(SIGNING)
        await node.cad_key(QUIET)
        made.secrets["quiet-cad"] = (folder / "quiet.secret").read_text()
        yield made
    shutil.rmtree(folder, ignore_errors=True)


def event(kind: str = "org.farolito.call.updated", /, **data: Any) -> bytes:
    told = {"specversion": "1.0", "type": kind, "id": "e", "source": "https://cad.example"}
    return msgspec.json.encode({**told, "data": data} if data else told)


def export(number: str, **fields: str) -> bytes:
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    return f"<Calls><Call><Number>{number}</Number>{inner}</Call></Calls>".encode()


# --- what is signed


async def test_a_signed_event_counts_once_however_often_it_is_sent(post: Post) -> None:
    body = event(**call("26-2001", kind="alarm", people="one man"))
    first = await post.event("signing-cad", body, "msg-1")
    assert (first.status_code, first.json()) == (202, {"accepted": 1})
    again = await post.event("signing-cad", body, "msg-1")
    assert (again.status_code, again.json()) == (202, {"accepted": 1, "known": True})
    other = event(**call("26-2001", people="two men"))
    replayed = await post.event("signing-cad", other, "msg-1")
    assert replayed.json()["known"] is True
    seen = await post.detail("26-2001")
    assert seen["calls"][0]["people"] == "one man"
    assert seen["incident"]["version"] == 1


async def test_a_wrong_or_old_signature_changes_nothing_and_is_kept_by_name(post: Post) -> None:
    body = event(**call("26-2002", kind="alarm"))
    forged = await post.event("signing-cad", body, "m-2", secret=post.secrets["quiet-cad"])
    assert (forged.status_code, forged.json()["error"]) == (401, "wrong_signature")
    old = datetime.now(UTC) - timedelta(minutes=6)
    late = await post.event("signing-cad", body, "m-3", at=old)
    assert (late.status_code, late.json()["error"]) == (401, "not_now")
    keyed = await post.node.hand_in("cad/cloudevents?device=signing-cad", body, "any-key")
    assert keyed.status_code == 401
    for reason in ("wrong_signature", "not_now"):
        assert (await post.letter(reason))["device"] == "unknown"
    told = (await post.operator.get("/api/incidents")).json()["incidents"]
    assert not any("26-2002" in numbers(one) for one in told)


# --- EIDO and folders


@pytest.mark.real_input
async def test_the_official_eido_is_an_incident_that_is_doubted_and_not_placed(
    post: Post, real_inputs: Path
) -> None:
    key = await post.node.cad_key(msgspec.structs.replace(CAD, device_id=DeviceId("eido-cad")))
    sample = (real_inputs / "cad" / "eido-call-transfer-sample.json").read_bytes()
    for known in ({}, {"known": True}):
        answer = await post.node.hand_in("cad/eido", sample, key)
        assert (answer.status_code, answer.json()) == (202, {"accepted": 1, **known})
    seen = await post.detail("a56e556d871:bcf.state.pa.us")
    [told] = seen["calls"]
    assert (told["address"], told["place"]) == ("42 W Cellular Street, Wilmington, DE", None)
    assert told["transferred_from"] == "state.pa.us"
    assert "clock_skew" in told["doubts"], "it was told years after it was written"
    assert (seen["incident"]["place"], seen["incident"]["doubtful"]) == (None, True)


async def test_a_file_in_the_watched_folder_is_a_call_once(post: Post) -> None:
    (post.drops / "one.xml").write_bytes(export("26-2010", Nature="TRESPASS", People="a boy"))
    incident = await post.incident("26-2010")
    assert incident["kind"] == "trespass"
    (post.drops / "one.xml").write_bytes(export("26-2010", Nature="TRESPASS", People="two boys"))
    await post.incident("26-2010", lambda i: i["version"] == 2)
    assert (await post.detail("26-2010"))["calls"][0]["people"] == "two boys"


async def test_half_a_file_waits_for_its_other_half(post: Post) -> None:
    whole = export("26-2011", Nature="FIRE", Address="Ave J")
    with (post.drops / "half.xml").open("wb") as file:
        file.write(whole[:40])
        file.flush()
        (post.drops / "other.xml").write_bytes(export("26-2012", Nature="WELFARE CHECK"))
        await post.incident("26-2012")  # the folder was looked through meanwhile
        file.write(whole[40:])
    await post.incident("26-2011")
    assert not [one for one in await post.letters() if "half.xml" in one["says"]]


async def test_a_file_written_anew_while_it_is_read_is_whole_or_not_taken(post: Post) -> None:
    """The CAD truncates and writes in place, as fast as it can."""
    file = post.drops / "busy.xml"

    def write() -> None:
        for turn in range(60):
            with file.open("wb") as out:
                for piece in (whole := export("26-2013", People=f"{turn} people"))[:30], whole[30:]:
                    out.write(piece)
                    out.flush()

    await asyncio.to_thread(write)
    async with asyncio.timeout(WAIT_S_MAX):
        await post.incident("26-2013")
        while (told := (await post.detail("26-2013"))["calls"][0]["people"]) != "59 people":
            assert told is None or told.endswith(" people")
            await asyncio.sleep(0.05)
    assert not [one for one in await post.letters() if "busy.xml" in one["says"]]


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<Calls><Call><Number>&b;</Number></Call></Calls>"""
LATIN = '<?xml version="1.0" encoding="UTF-8"?><Calls><Call><Number>PEÑA</Number></Call></Calls>'


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("bomb.xml", BOMB, "forbidden_xml"),
        ("latin.xml", LATIN.encode("latin-1"), "encoding"),
        ("cut.xml", export("26-2014")[:30], "truncated"),
        ("other.xml.xml", b"<Other/>", "wrong_shape"),
    ],
)
async def test_a_file_that_cannot_be_read_is_refused_by_name_and_holds_up_nothing(
    post: Post, name: str, body: bytes, reason: str
) -> None:
    (post.drops / name).write_bytes(body)
    good = f"26-2015-{reason}"
    (post.drops / f"good-{name}").write_bytes(export(good, Nature="ALARM"))
    await post.incident(good)
    letter = await post.letter(reason, name)
    assert (letter["device"], letter["format"], letter["size"]) == ("drops", "folder", len(body))


# --- silence


async def test_who_was_given_a_secret_is_expected_to_show_itself(post: Post) -> None:
    """Without a line of the configuration: registering it is enough."""
    node = post.node
    device = msgspec.structs.replace(CAD, device_id=DeviceId("new-cad"), format="cloudevents")
    await node.cad_key(device)
    heartbeats = node.node.incoming.heartbeats
    later = datetime.now(UTC) + timedelta(seconds=20)
    assert "new-cad" in dict(heartbeats.late(later))
    heartbeats.beat(device.device_id, later)
    assert "new-cad" not in dict(heartbeats.late(later))


async def test_a_silent_dispatch_system_is_an_alarm_until_it_shows_itself(post: Post) -> None:
    def silent(message: dict[str, Any]) -> set[str]:
        return {one["name"] for one in message["silent"]}

    async with post.operator.watched() as screen:
        await screen.told("sources", lambda m: {"Quiet CAD", "Still CAD"} <= silent(m))
        beat = event("org.farolito.cad.heartbeat")
        assert (await post.event("quiet-cad", beat, "beat-1")).status_code == 202
        await screen.told("sources", lambda m: "Quiet CAD" not in silent(m))
        (post.still / "alive").touch()
        await screen.told("sources", lambda m: "Still CAD" not in silent(m))
        told = await screen.told("sources", lambda m: "Quiet CAD" in silent(m))
        assert all(one["seconds"] >= 1 for one in told["silent"])
    assert not any(k == "sources" for k in await officers_news(post)), "an officer cannot help it"


async def officers_news(post: Post) -> set[str]:
    """The kinds of messages on an officer's socket over two ticks."""
    officer = await post.node.officer("1B06")
    async with officer.watched() as phone:
        for _ in range(2):
            await phone.told("tick")
        return {msgspec.json.decode(one)["k"] for one in phone.raw}


# --- doubt


async def test_a_call_without_a_place_is_told_as_such_and_never_placed(post: Post) -> None:
    officer = await post.node.officer("3A04")
    key = await post.node.cad_key()
    async with officer.watched() as phone:
        await post.node.call(
            key, "26-2020", kind="disturbance", address="somewhere by the river",
            units=assigned("3A04"),
        )  # fmt: skip
        brief = await phone.brief()
    assert brief["place"] is None
    [where] = [one for one in brief["lines"] if one["kind"] == "where"]
    assert "Place not found: address as told, somewhere by the river." in where["says"]
    seen = await post.detail("26-2020")
    assert (seen["incident"]["place"], seen["incident"]["doubtful"]) == (None, True)
    assert seen["calls"][0]["doubts"] == ["no_place"]
    assert "the place was not found" in " ".join(one["says"] for one in seen["log"])
    await post.node.call(key, "26-2021", place={"lat": 0, "lon": 0}, kind="theft")
    seen = await post.detail("26-2021")
    assert seen["calls"][0]["doubts"] == ["no_place"]
    assert (seen["incident"]["place"], seen["incident"]["doubtful"]) == (None, True)


async def test_a_cads_clock_an_hour_off_is_doubted_and_ours_is_used(post: Post) -> None:
    key = await post.node.cad_key()
    before = datetime.now(UTC)
    lat, lon = at(2000, 2000)
    for number, hours in (("26-2022", 1), ("26-2023", -1)):
        sent = (before + timedelta(hours=hours)).isoformat()
        await post.node.call(
            key, number, sent_at=sent, taken_at=sent, kind="theft",
            place={"lat": lat + hours / 100, "lon": lon},
        )  # fmt: skip
        seen = await post.detail(number)
        [told] = seen["calls"]
        assert told["doubts"] == ["clock_skew"]
        assert seen["incident"]["doubtful"]
        off = datetime.fromisoformat(told["taken_at"]) - before
        assert abs(off) < timedelta(minutes=1)


async def test_a_position_that_cannot_be_is_doubted_on_the_wire(post: Post) -> None:
    radio, modems = await post.node.radio_key(), await post.node.radio_key(MODEMS)
    here, far = Point(*at(0, 0)), Point(*at(0, 5000))
    await post.node.positions(radio, [("7D01", here), ("7D02", here)])
    later = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
    await post.node.hand_in("avl/farolito", [{**position("7D01", far), "at": later}], radio)
    assert await post.doubt("7D01") == "impossible_speed"
    await post.node.positions(modems, [("7D02", far)])
    assert await post.doubt("7D02") == "two_places"
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    await post.node.hand_in("avl/farolito", [{**position("7D03", here), "at": ahead}], radio)
    assert await post.doubt("7D03") == "clock_skew"
    for name in ("7D01", "7D02", "7D03"):
        unit = post.node.node.positions.get(UnitId(name))
        assert unit is not None
        assert unit.place == here
        assert unit.heard_at is not None
        assert unit.heard_at < datetime.now(UTC) + timedelta(seconds=1)
    answer = await post.node.hand_in(
        "avl/farolito", [position("7D04", here), {**position("7D05", here), "lat": 99}], radio
    )
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert answer.json()["rejected"][0]["reason"] == "no_place"
    assert (await post.letter("no_place"))["device"] == "radio"


async def test_a_flood_of_cot_is_named_and_the_newest_place_counts(post: Post) -> None:
    officer = await post.node.officer("1A03")
    key = await post.node.cad_key()
    _, writer = await asyncio.open_connection("127.0.0.1", post.tak_port)
    start = datetime.now(UTC) - timedelta(seconds=10)
    flood = b"".join(
        atak.position("FLOOD-1", "1A03", start + timedelta(milliseconds=n), 35.0 + n / 1e7)
        for n in range(5_000)
    )
    async with officer.watched() as phone:
        writer.write(flood)
        await post.node.call(key, "26-2030", kind="medical", units=assigned("1A03"))
        brief = await phone.brief()  # within the usual time, whatever else is sent
        assert line(brief, "what").startswith("P3 medical")
        await writer.drain()
        letter = await post.letter("flood")
        assert "gave way to newer ones" in letter["says"]
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                unit = post.node.node.positions.get(UnitId("1A03"))
                if unit and unit.place and round(unit.place.lat, 7) == 35.0004999:
                    break
                await asyncio.sleep(0.05)
    writer.close()


async def test_what_is_no_message_is_refused_at_each_door_and_kept(post: Post) -> None:
    keys = {"cad": await post.node.cad_key(), "avl": await post.node.radio_key()}
    for path, body, reason in (
        ("cad/farolito", b'{"number": "1"', "truncated"),
        ("cad/farolito", b"\xff\xfe\x00", "malformed_json"),
        ("cad/eido", b"[]", "wrong_shape"),
        ("avl/farolito", b"{}", "malformed"),
    ):
        answer = await post.node.hand_in(path, body, keys[path[:3]])
        assert 400 <= answer.status_code < 500
        assert answer.json()["error"] == reason, answer.text
        await post.letter(reason)
    crossed = await post.node.hand_in("cad/farolito", call("26-2040"), keys["avl"])
    assert (crossed.status_code, crossed.json()["error"]) == (403, "wrong_door")
    assert AGENCY not in crossed.text
