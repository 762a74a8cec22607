"""The sweep from the ledger to the health that is kept: a real process, real cameras."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farolito.app.camera_rooms import CameraRooms
from farolito.app.clock import ids, now
from farolito.app.picturing import Picturing, Serving
from farolito.app.supervise import Supervisor
from farolito.app.sweep_process import no_network
from farolito.app.sweeping import Sweeping, Ways
from farolito.audit import LedgerDown
from farolito.codec.h264 import nals
from farolito.desk.camera_register import Brought
from farolito.identity import Identity
from farolito.media.control import Pulling
from farolito.model import (
    Act,
    Camera,
    CameraId,
    Consent,
    ImageFault,
    Login,
    PictureState,
    Purpose,
    StreamSource,
    Thing,
)
from farolito.store import Database
from tests.camera_builders import SCHOOLS, TRANSIT, camera
from tests.desk.cameras import ADMIN, DENVER
from tests.desk.city import AGENCY, City, a_city
from tests.ingest.video.bad_camera import BadCamera, sdp_of
from tests.media import drawn
from tests.ports import free_port

ROUND_S = 1.5
WAIT_S = 30.0
LOOPBACK = ("127.0.0.0/8",)


def rtsp(unit: Any, **how: Any) -> BadCamera:
    """It sends the same key picture over and over."""
    parts = tuple(nals(unit.data))
    return BadCamera([parts], rate=25, sdp=sdp_of((parts[0], parts[1])), **how)


class Swept:
    """A node's cameras and their sweep."""

    def __init__(self, city: City, folder: Path) -> None:
        self.city, self.folder = city, folder
        self.supervisor = Supervisor()
        identity = Identity(
            city.database, "localhost", ["http://localhost"], now, os.urandom, demo=True,
            agency=AGENCY.agency_id,
        )  # fmt: skip
        self.rooms = CameraRooms(
            city.gate, city.database, identity, city.system, folder / "cameras.key", DENVER,
            now, ids,
        )  # fmt: skip
        serving = Serving(networks=LOOPBACK)
        self.picturing = Picturing(self.supervisor, folder, serving, lambda: 0)
        self.sweeping = Sweeping(
            self.supervisor, folder, Ways(ROUND_S, LOOPBACK), self.rooms.book, self.rooms.states,
            self.picturing, city.gate, city.system,
        )  # fmt: skip

    async def bring(self, *cameras: Camera, logins: dict[CameraId, Login] | None = None) -> None:
        brought = Brought(owners=(TRANSIT, SCHOOLS), cameras=cameras, logins=logins or {})
        ask = msgspec.structs.replace(
            self.city.ask("cameras"), signed_in_at=now(), thing=Thing.CAMERA, person=ADMIN,
            purpose=Purpose.ADMINISTRATION,
        )  # fmt: skip
        await self.rooms.desk.take_in(ask, brought)

    def state(self, name: str) -> PictureState:
        return self.rooms.states.state(CameraId(name))

    def says(self, name: str) -> str:
        return self.rooms.states.says(CameraId(name))

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not is_so():
                await asyncio.sleep(0.02)

    async def looks(self) -> list[str]:
        """What the ledger has of the sweep, in order."""
        mine = [
            one.index
            for one in await self.city.ledger.entries(0, 1000)
            if (one.entry["act"], one.entry["purpose"]) == (Act.WATCH, Purpose.SYSTEM)
        ]
        return [str(await self.city.ledger.open_field(one, "query")) for one in mine]


@pytest.fixture
async def swept(database: Database, tmp_path: Path) -> AsyncIterator[Swept]:
    async with a_city(database, tmp_path) as city:
        city.gate._clock = now  # the process lives by the real clock
        made = Swept(city, tmp_path)
        await made.rooms.load()
        running = asyncio.create_task(made.sweeping.run())
        try:
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await made.supervisor.stop()


def held(name: str, at: BadCamera | StreamSource, **more: Any) -> Camera:
    source = at.source() if isinstance(at, BadCamera) else at
    return camera(name, main=source, **{"consent": Consent.ALWAYS, **more})


async def test_a_sweep_finds_how_cameras_are_and_stands_in_the_ledger(swept: Swept) -> None:
    well, black = drawn.sent(drawn.street()), drawn.sent(drawn.black())
    nowhere = StreamSource(protocol="rtsp", url=f"rtsp://127.0.0.1:{free_port()}/none")
    async with AsyncExitStack() as stack:
        gate, dark, closed, locked = [
            await stack.enter_async_context(one.running())
            for one in (
                rtsp(well, login=("node", "word")),
                rtsp(black),
                rtsp(well),
                rtsp(well, login=("node", "other")),
            )
        ]
        logins = {CameraId(name): Login(user="node", word="word") for name in ("gate", "locked")}
        await swept.bring(
            held("gate", gate),
            held("dark", dark),
            held("closed", closed, consent=Consent.REGISTRY_ONLY),
            held("locked", locked),
            held("gone", nowhere),
            logins=logins,
        )
        await swept.until(lambda: swept.state("gone") is PictureState.UNREACHABLE)
        await swept.until(lambda: swept.state("locked") is PictureState.REFUSED)
        await swept.until(lambda: swept.state("dark") is PictureState.LIVE)
        assert swept.state("gate") is PictureState.LIVE
        assert swept.state("closed") is PictureState.LIVE
        assert "nobody looks" in swept.says("closed")
        assert not any(said.startswith("PLAY") for said in closed.heard)
        assert any(said.startswith("PLAY") for said in gate.heard)
        health = swept.rooms.states.health(CameraId("gate"))
        assert health is not None
        assert (health.width, health.height) == drawn.SIZE
        await swept.until(lambda: swept.sweeping.sweep().core_percent is not None)
        told = swept.sweeping.sweep()
        assert 0 < told.done <= told.due <= 5
    looks = await swept.looks()
    assert looks[0] == "sweep of 5 cameras, a key picture of 4, none kept"
    async with asyncio.timeout(WAIT_S):
        while not any(one.startswith("end of the sweep") for one in looks):
            await asyncio.sleep(0.05)
            looks = await swept.looks()
    await swept.supervisor.end("sweep")
    kept = [path.name for path in swept.folder.rglob("*") if path.is_file() and well_in(path, well)]
    assert kept == []


def well_in(path: Path, unit: Any) -> bool:
    """Whether a file has a piece of that picture."""
    middle = len(unit.data) // 2
    return unit.data[middle : middle + 64] in path.read_bytes()


async def test_without_the_ledgers_leave_nothing_is_looked_at(swept: Swept) -> None:
    asked: list[str] = []

    async def down(*_: object) -> int:
        asked.append("permit")
        raise LedgerDown("the ledger cannot be written", "see /health")

    swept.city.gate.look_after = down  # type: ignore[assignment,method-assign]
    async with rtsp(drawn.sent(drawn.street())).running() as gate:
        await swept.bring(held("gate", gate))
        await swept.until(lambda: asked)
        await asyncio.sleep(0.3)
        assert gate.heard == []


async def test_a_killed_sweep_goes_on_with_its_round_and_a_withdrawn_camera_is_let_alone(
    swept: Swept,
) -> None:
    async with rtsp(drawn.sent(drawn.street())).running() as gate:
        await swept.bring(held("gate", gate))
        await swept.until(lambda: swept.state("gate") is PictureState.LIVE)
        [child] = [one for one in swept.supervisor.status() if one.name == "sweep"]
        os.kill(child.pid, signal.SIGKILL)
        heard = len(gate.heard)
        await swept.until(lambda: len(gate.heard) > heard)
        assert swept.state("gate") is PictureState.LIVE
        await swept.bring(held("gate", gate, consent=Consent.REGISTRY_ONLY))
        await swept.until(lambda: "nobody looks" in swept.says("gate"))


async def test_what_somebody_watches_is_not_pulled_a_second_time(swept: Swept) -> None:
    blurred = drawn.sent(drawn.blurred(drawn.street()))

    async def shown(camera_id: CameraId) -> Any:
        return blurred

    swept.picturing.key_unit = shown  # type: ignore[method-assign]
    at = CameraId("gate")
    line = Pulling(camera_id=at, quality="full", state=PictureState.LIVE)
    swept.picturing.lines = lambda: {at: (line,)}  # type: ignore[method-assign]
    async with rtsp(blurred).running() as gate:
        await swept.bring(held("gate", gate))
        await swept.until(
            lambda: (h := swept.rooms.states.health(at)) and ImageFault.BLUR in h.faults
        )
        assert gate.heard == []


def test_a_machine_without_a_cable_says_so(tmp_path: Path) -> None:
    def net(name: str, state: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "operstate").write_text(f"{state}\n")

    assert no_network(tmp_path) == ""
    net("lo", "unknown")
    net("eth0", "down")
    assert "no cable" in no_network(tmp_path)
    net("wlan0", "up")
    assert no_network(tmp_path) == ""
