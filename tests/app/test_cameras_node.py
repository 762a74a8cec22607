"""A whole node and its cameras: from the register to the owner's page, and every way it ends."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio
from typer.testing import CliRunner
from websockets.asyncio.client import ClientConnection, connect

from farolito.app.config import Video
from farolito.cli.main import app
from farolito.media.token import Grant, mint
from farolito.model import CameraId, PersonId, Point, StreamSource, new_id
from tests.camera_builders import TRANSIT, camera
from tests.desk.city import river_town
from tests.geo.towns import at
from tests.ingest.video.bad_camera import BadCamera, sdp_of
from tests.ingest.video.pictures import units
from tests.ingest.video.web_camera import Answer, WebCamera
from tests.running import Person, RunningNode, assigned, running_node, until

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

CUT_WITHIN_S = 5.0
WAIT_S = 20.0
UNITS = units(128, 96)
METADATA = "http://169.254.169.254/latest/meta-data/"


def good(**how: Any) -> BadCamera:
    """One that sends 25 pictures a second, every tenth a key picture."""
    sps, pps = UNITS[0][:2]
    return BadCamera(UNITS, **{"rate": 25, "sdp": sdp_of((sps, pps)), **how})


class Line:
    """A browser's line to the process with the pictures."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.states: list[str] = []

    async def picture(self) -> bytes:
        return await self._next(lambda m: isinstance(m, bytes), "picture")  # type: ignore[no-any-return]

    async def said(self, kind: str, **such: Any) -> dict[str, Any]:
        def is_it(message: Any) -> bool:
            return isinstance(message, dict) and such.items() <= message.items() \
                and message["k"] == kind  # fmt: skip

        return dict(await self._next(is_it, f"{kind} {such}"))

    async def say(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))

    async def is_closed(self) -> None:
        async with asyncio.timeout(WAIT_S):
            await self._socket.wait_closed()

    async def _next(self, wanted: Callable[[Any], bool], what: str) -> Any:
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    raw = await self._socket.recv()
                    message = raw if isinstance(raw, bytes) else json.loads(raw)
                    if isinstance(message, dict) and message["k"] == "state":
                        self.states.append(message["state"])
                    if wanted(message):
                        return message
        except TimeoutError:
            pytest.fail(f"no {what} within {WAIT_S} s; states were {self.states}")


class Metro:
    """The node and its people. Each test has cameras of its own."""

    def __init__(self, node: RunningNode, cad: str, operator: Person, owner: Person) -> None:
        self.node, self._cad, self.operator, self.owner = node, cad, operator, owner

    async def bring(self, name: str, source: StreamSource, **more: Any) -> str:
        one = camera(name, main=source, place=Point(*at(400, 400)), **more)
        body = {"owners": [TRANSIT], "cameras": [one]}
        answer = await self.node.admin("POST", "/api/admin/cameras", msgspec.to_builtins(body))
        assert answer.status_code == 200, answer.text
        return name

    async def incident(self, number: str, unit: str, x: float, y: float) -> str:
        lat, lon = at(x, y)
        await self.node.call(
            self._cad, number, kind="robbery", priority=1, place={"lat": lat, "lon": lon},
            units=assigned(unit),
        )  # fmt: skip
        listed = (await self.operator.get("/api/incidents")).json()["incidents"]
        [found] = [one for one in listed if number in {part["label"] for part in one["parts"]}]
        return str(found["incident_id"])

    async def asked(
        self, name: str, person: Person | None = None, incident: str | None = None
    ) -> httpx.Response:
        body = {"incident_id": incident} if incident else {}
        return await (person or self.operator).post(f"/api/cameras/{name}/watch", body)

    async def permitted(self, name: str, person: Person | None = None) -> dict[str, Any]:
        answer = await self.asked(name, person)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @asynccontextmanager
    async def shown(self, url: str, token: str) -> AsyncIterator[Line]:
        async with connect(url, compression=None, origin=None, max_queue=None) as socket:
            line = Line(socket)
            await line.say({"k": "token", "token": token, "mode": "units", "quality": "full"})
            yield line

    @asynccontextmanager
    async def watched(self, name: str, person: Person | None = None) -> AsyncIterator[Line]:
        grant = await self.permitted(name, person)
        async with self.shown(grant["url"], grant["token"]) as line:
            yield line

    async def viewings(self, name: str) -> list[dict[str, Any]]:
        """As the owner's page has them, the newest first."""
        told = (await self.owner.get("/api/owner")).json()
        return [one for one in told["viewings"] if one["camera_id"] == name]

    async def begun(self, name: str) -> dict[str, Any]:
        """The newest of its viewings, once it is written."""
        async with asyncio.timeout(WAIT_S):
            while not (told := await self.viewings(name)):
                await asyncio.sleep(0.05)
        return told[0]

    async def ended(self, name: str, count: int = 1) -> list[str]:
        """Why each viewing ended, the newest first, once so many have."""
        async with asyncio.timeout(WAIT_S):
            while len(over := [one for one in await self.viewings(name) if one["until"]]) < count:
                await asyncio.sleep(0.05)
        return [one["why_ended"] for one in over]

    def is_up(self) -> bool:
        pictures = self.node.node.cameras.health().pictures
        return pictures is not None and pictures.up == pictures.processes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def metro() -> AsyncIterator[Metro]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    try:
        video = Video(networks=("127.0.0.0/8",), sweep_minutes=0)
        async with running_node(folder, video=video) as node:
            node.streets(river_town())
            people = await node.sign_in("operator"), await node.sign_in("owner")
            made = Metro(node, await node.cad_key(), *people)
            await made.bring("first", StreamSource(protocol="rtsp", url="rtsp://127.0.0.9/none"))
            await until(made.is_up, WAIT_S)
            yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_the_ledger_has_the_look_before_the_camera_is_asked_for_anything(
    metro: Metro,
) -> None:
    async with good().running() as one:
        await metro.bring("gate", one.source())
        grant = await metro.permitted("gate")
        auditor = await metro.node.sign_in("auditor")
        after = grant["permit"] - 1
        page = (await auditor.get(f"/api/ledger?after={after}&limit=1")).json()
        [entry] = page["entries"]
        said = entry["entry"]
        assert (entry["index"], said["act"], said["decision"]) == (
            grant["permit"], "watch", "permit",
        )  # fmt: skip
        assert one.heads == []
        async with metro.shown(grant["url"], grant["token"]) as line:
            first = await line.picture()
            assert one.heads
            assert first[1] & 1, "the first is a key picture"
            assert UNITS[0][-1] in first
            numbers = [int.from_bytes((await line.picture())[4:8], "big") for _ in range(5)]
            assert numbers == list(range(numbers[0], numbers[0] + 5))
            now = await metro.begun("gate")
            assert (now["who"], now["permit"], now["until"]) == (
                "Ana Ortiz", grant["permit"], None,
            )  # fmt: skip
        assert await metro.ended("gate") == ["left"]


async def test_who_has_no_right_gets_no_token_and_the_camera_hears_nothing(metro: Metro) -> None:
    async with good().running() as one:
        await metro.bring("depot", one.source())
        auditor = await metro.node.sign_in("auditor")
        for person in (auditor, metro.owner):
            assert (await metro.asked("depot", person)).status_code == 403
        officer = await metro.node.officer("4C02")
        assert (await metro.asked("depot", officer)).status_code == 403
        far = await metro.incident("26-5001", "4C02", 3000, 3000)
        assert (await metro.asked("depot", officer, far)).status_code == 403
        grant = await metro.permitted("depot")
        for token in ("nonsense", grant["token"][:-6] + "AAAAA="):
            async with metro.shown(grant["url"], token) as line:
                assert (await line.said("end"))["why"] == "forged"
        assert one.heads == []
        near = await metro.incident("26-5002", "4C02", 420, 400)
        answer = await metro.asked("depot", officer, near)
        assert answer.status_code == 200, answer.text
        assert one.heads == []


async def test_a_token_opens_once_its_own_camera_and_for_a_minute(metro: Metro) -> None:
    async with good().running() as one, good().running() as other:
        await metro.bring("once", one.source())
        await metro.bring("other", other.source())
        grant = await metro.permitted("once")
        async with metro.shown(grant["url"], grant["token"]) as line:
            await line.picture()
            async with metro.shown(grant["url"], grant["token"]) as second:
                assert (await second.said("end"))["why"] == "replayed"
            further = await metro.permitted("other")
            await line.say({"k": "token", "token": further["token"]})
            assert (await line.said("end"))["why"] == "other_camera"
        now_us = time.time_ns() // 1000
        old = Grant(
            permit=1, person=PersonId(new_id(1, bytes(10))), camera_id=CameraId("once"),
            made_us=now_us - 90_000_000, until_us=now_us + 500_000_000,
        )  # fmt: skip
        token = mint(metro.node.node.gate.token_secret, old)
        async with metro.shown(grant["url"], token) as line:
            assert (await line.said("end"))["why"] == "expired"
        assert other.heads == []


async def test_consent_and_sign_in_taken_back_cut_the_running_picture(metro: Metro) -> None:
    async with good().running() as one:
        await metro.bring("plaza", one.source())
        visitor = await metro.node.sign_in("operator")
        for person, act in ((None, metro.owner), (visitor, visitor)):
            async with metro.watched("plaza", person) as line:
                await line.picture()
                began = time.monotonic()
                if act is metro.owner:
                    answer = await act.post(
                        "/api/cameras/plaza/consent", {"consent": "registry_only"}
                    )
                else:
                    csrf = {"X-Farolito-CSRF": visitor.session["csrf"]}
                    answer = await visitor.http.delete("/api/session", headers=csrf)
                assert answer.status_code < 300, answer.text
                end = await line.said("end")
                assert (end["why"], time.monotonic() - began < CUT_WITHIN_S) == ("cut", True)
            if act is metro.owner:
                assert (await metro.asked("plaza")).status_code == 403
                again = await act.post("/api/cameras/plaza/consent", {"consent": "always"})
                assert again.status_code == 200, again.text
        assert await metro.ended("plaza", 2) == ["signed_out", "no_consent"]


async def test_after_a_kill_the_pictures_are_back_and_what_was_open_is_over(metro: Metro) -> None:
    async with good().running() as one:
        await metro.bring("tower", one.source())
        before = metro.node.node.cameras.places("localhost")
        async with metro.watched("tower") as line:
            await line.picture()
            [process] = [
                s for s in metro.node.node.supervisor.status() if s.name.startswith("pictures")
            ]
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            await line.is_closed()
        away = await metro.asked("tower")
        assert away.status_code in (200, 503)  # it may be back by now
        await until(metro.is_up, WAIT_S)
        assert metro.node.node.cameras.places("localhost") == before
        async with metro.watched("tower") as line:
            await line.picture()
        assert await metro.ended("tower", 2) == ["left", "stopped"]


async def test_a_clip_of_the_running_picture_is_taken_out_and_proves_itself(
    metro: Metro, tmp_path: Path
) -> None:
    async with good().running() as one:
        await metro.bring("yard", one.source())
        incident = await metro.incident("26-5003", "4C09", 420, 400)
        async with metro.watched("yard") as line:
            await line.picture()
            now = datetime.now(UTC)
            until_ = now + timedelta(seconds=1)
            span = {"from": now.isoformat(), "to": until_.isoformat(), "incident_id": incident}
            made = await metro.operator.post("/api/cameras/yard/clips", span)
            assert made.status_code == 201, made.text
        clip = made.json()["clip"]["clip_id"]
        supervisor = await metro.node.sign_in("supervisor")
        headers = {
            "X-Farolito-Case": "LPD-26-001", "X-Farolito-Purpose": "criminal_investigation",
        }  # fmt: skip
        file = tmp_path / "clip.mp4"
        for name, path in (("file", file), ("manifest", tmp_path / "clip.json")):
            got = await supervisor.http.get(f"/api/clips/{clip}/{name}", headers=headers)
            assert got.status_code == 200, got.text
            path.write_bytes(got.content)
        verdict = await asyncio.to_thread(
            CliRunner().invoke, app, ["clip", "verify", str(file), "--json"]
        )
        assert verdict.exit_code == 0, verdict.output
        told = json.loads(verdict.output)
        assert (told["ok"], told["evidence"]["clip"]) == (True, clip)
        spoilt = bytearray(file.read_bytes())
        spoilt[len(spoilt) // 2] ^= 1
        file.write_bytes(spoilt)
        wrong = await asyncio.to_thread(CliRunner().invoke, app, ["clip", "verify", str(file)])
        assert wrong.exit_code == 1


@pytest.mark.parametrize("where", ["the cloud's own address", "the node itself"])
async def test_a_camera_that_is_no_camera_s_address_is_not_connected_to(
    metro: Metro, where: str
) -> None:
    url = METADATA if where != "the node itself" else f"{metro.node.url}/api/admin/cameras"
    name = await metro.bring(f"trap-{len(where)}", StreamSource(protocol="jpeg", url=url))
    async with metro.watched(name) as line:
        told = await line.said("state", state="blocked")
        assert told["says"]
        assert told["do"]


async def test_a_camera_with_h265_alone_says_so(metro: Metro) -> None:
    async with good(sdp=sdp_of(None, codec="H265")).running() as one:
        await metro.bring("modern", one.source())
        async with metro.watched("modern") as line:
            told = await line.said("state", state="unsupported")
    assert "H265" in told["says"].replace(".", "")
    assert "PLAY" not in one.heard


async def test_a_login_page_is_no_picture(metro: Metro) -> None:
    page = Answer(b"<html><form>user, word</form></html>", headers={"Content-Type": "image/jpeg"})
    async with WebCamera(lambda _: page) as one:
        await metro.bring("lobby", StreamSource(protocol="jpeg", url=f"{one.url}/now.jpg"))
        async with metro.watched("lobby") as line:
            told = await line.said("state", state="not_a_picture")
    assert told["says"]


async def test_a_camera_that_dies_in_mid_group_is_told_and_shown_again(metro: Metro) -> None:
    async with good(dies_after=14).running() as one:  # the second group has four pictures
        await metro.bring("bridge", one.source())
        async with metro.watched("bridge") as line:
            await line.picture()
            await line.said("state", state="unreachable")
            one.dies_after = 0
            await line.said("state", state="live")
            again = await line.picture()
            assert again[1] & 1, "what it shows after the gap begins with a key picture"
