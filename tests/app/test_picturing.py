"""Pictures through a process of their own: real cameras, real sockets, and a process that dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import pytest
from websockets.asyncio.client import ClientConnection, connect

from farolito.app.picturing import PicturesAway, Picturing, Serving
from farolito.app.supervise import Supervisor
from farolito.media.control import Closed, Opened, Pulled, TokenRefused
from farolito.media.token import Grant, mint
from farolito.model import CameraId, Login, PersonId, PictureState, new_id
from tests.ingest.video.bad_camera import BadCamera, sdp_of
from tests.ingest.video.pictures import units

CAMERA, RING = CameraId("4th-and-central"), CameraId("rail-yard")
ANA = PersonId(new_id(1, bytes(10)))
WAIT_S = 20.0


def now_us() -> int:
    return time.time_ns() // 1000


class Node:
    """What a node does with its picture processes."""

    def __init__(self, picturing: Picturing, supervisor: Supervisor) -> None:
        self.picturing = picturing
        self.supervisor = supervisor
        self.opened: list[Opened] = []
        self.closed: list[Closed] = []
        self.refused: list[TokenRefused] = []
        picturing.on_opened = self.opened.append
        picturing.on_closed = self.closed.append
        picturing.on_refused = self.refused.append
        self._permits = 0

    def token(self, camera_id: CameraId = CAMERA) -> str:
        self._permits += 1
        at_us = now_us()
        grant = Grant(
            permit=self._permits,
            person=ANA,
            camera_id=camera_id,
            made_us=at_us,
            until_us=at_us + 60_000_000,
        )
        return mint(self.picturing.secret, grant)

    async def watch(self, camera_id: CameraId = CAMERA) -> ClientConnection:
        url = self.picturing.url_for(camera_id, "127.0.0.1")
        line = await connect(url, compression=None, origin=None)
        await line.send(json.dumps({"k": "token", "token": self.token(camera_id)}))
        return line


@asynccontextmanager
async def node(folder: Path, processes: int = 1) -> AsyncIterator[Node]:
    supervisor = Supervisor()
    serving = Serving(processes=processes, networks=("127.0.0.0/8",), ring_mb=64)
    picturing = Picturing(supervisor, folder, serving, now_us)
    made = Node(picturing, supervisor)
    try:
        await picturing.start()
        yield made
    finally:
        await picturing.close()
        await supervisor.stop()


def _camera(**how: object) -> BadCamera:
    return BadCamera(units(), rate=50, sdp=sdp_of(units()[0][:2]), **how)  # type: ignore[arg-type]


async def _picture(line: ClientConnection) -> bytes:
    while True:
        async with asyncio.timeout(WAIT_S):
            message = await line.recv()
        if isinstance(message, bytes):
            return message


async def _end(line: ClientConnection) -> str:
    while True:
        async with asyncio.timeout(WAIT_S):
            message = await line.recv()
        if isinstance(message, str) and json.loads(message)["k"] == "end":
            return str(json.loads(message)["why"])


async def _until(is_so: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.02)


async def test_a_camera_s_picture_comes_through_a_process_to_a_browser_and_into_a_clip(
    tmp_path: Path,
) -> None:
    login = Login(user="node", word="s p:ace")
    async with (
        _camera(login=("node", "s p:ace")).running() as camera,
        _camera().running() as kept,
        node(tmp_path) as on,
    ):
        assert stat.S_IMODE((tmp_path / "pictures-0.json").stat().st_mode) == 0o600
        watched = Pulled(camera_id=CAMERA, main=camera.source(), login=login)
        on.picturing.know([watched, Pulled(camera_id=RING, main=kept.source(), ring_s=30)])
        began_us = now_us()
        line = await on.watch()
        first = await _picture(line)
        assert first[1] & 1  # a key frame
        assert units()[0][-1] in first
        assert [one.permit for one in on.opened] == [1]

        replayed = await connect(on.picturing.url_for(CAMERA, "127.0.0.1"), compression=None)
        await replayed.send(json.dumps({"k": "token", "token": "of no worth"}))
        assert await _end(replayed) == "forged"
        await _until(lambda: on.refused)

        await _until(lambda: {CAMERA, RING} <= on.picturing.lines().keys())
        await _until(lambda: on.picturing.lines()[CAMERA][0].state is PictureState.LIVE)
        pulling = on.picturing.lines()[CAMERA][0]
        assert (pulling.viewers, pulling.quality) == (1, "full")
        health = on.picturing.health()
        assert (health.processes, health.up, health.viewers, health.lines) == (1, 1, 1, 2)

        path = tmp_path / "clip.mp4"
        made = await on.picturing.make_clip(RING, began_us, now_us() + 300_000, path)
        assert made.problem == ""
        assert made.from_us <= began_us + 2_000_000
        assert path.stat().st_size == made.size
        reader, frames = cv2.VideoCapture(str(path)), 0
        while reader.read()[0]:
            frames += 1
        assert frames == made.frames > 10

        on.picturing.cut(permits=[1], reason="the permit was withdrawn")
        assert await _end(line) == "cut"
        again = await on.watch()
        await _picture(again)
        on.picturing.know([])
        assert await _end(again) == "cut"
        await _until(lambda: len(on.closed) == 2)
        assert [one.why for one in on.closed] == ["cut", "cut"]


async def test_a_killed_process_is_started_again_and_its_viewings_are_told_to_be_over(
    tmp_path: Path,
) -> None:
    async with _camera().running() as camera, node(tmp_path) as on:
        on.picturing.know([Pulled(camera_id=CAMERA, main=camera.source())])
        lines = [await on.watch() for _ in range(3)]
        for line in lines:
            await _picture(line)
        making = asyncio.create_task(
            on.picturing.make_clip(CAMERA, now_us(), now_us() + 60_000_000, tmp_path / "clip.mp4")
        )
        await asyncio.sleep(0)
        (pid,) = [one.pid for one in on.supervisor.status()]
        os.kill(pid, signal.SIGKILL)
        for line in lines:
            async with asyncio.timeout(WAIT_S):
                await line.wait_closed()
        await _until(lambda: len(on.closed) == 3)
        assert {one.permit for one in on.closed} == {1, 2, 3}
        assert {one.why for one in on.closed} == {"stopped"}
        with pytest.raises(PicturesAway):
            await making
        with pytest.raises(PicturesAway):
            on.picturing.url_for(CAMERA, "here")
        await _until(lambda: on.picturing.health().up == 1)
        await _picture(await on.watch())  # it was told its cameras and the secret anew
        assert len(on.opened) == 4
    assert [one.permit for one in on.closed][-1] == 4  # the node ended in good order
    assert len(on.closed) == 4


def test_cameras_are_spread_evenly_and_few_move_when_a_process_is_added(tmp_path: Path) -> None:
    def places(processes: int) -> dict[CameraId, int]:
        serving = Serving(processes=processes)
        picturing = Picturing(Supervisor(), tmp_path, serving, now_us)
        return {one: picturing.place_of(one) for one in cameras}

    cameras = [CameraId(f"camera-{number}") for number in range(3000)]
    three, four = places(3), places(4)
    counts = Counter(three.values())
    assert all(900 < counts[index] < 1100 for index in range(3))
    moved = {one for one in cameras if three[one] != four[one]}
    assert len(moved) < 900
    assert {four[one] for one in moved} == {3}
