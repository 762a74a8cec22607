"""A line that takes less than a camera sends: it loses whole groups, and nobody waits for it."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.media.control import Closed
from farolito.media.hub import Limits
from farolito.media.pace import Pace, Paces, S
from farolito.media.viewer import Viewer
from tests.media.stage import CAMERA, Camera, Got, Stage, got, pulled, stage, until

QUICK = Paces(grace=1, slow_after=2 * S, quiet=6 * S, forgiven_after=4 * S)
SIZE = 8_000


async def test_a_viewer_that_never_reads_delays_nobody_and_is_let_go() -> None:
    async with stage() as on:
        mute = on.mute(on.token())
        quick = await on.watching()
        await until(lambda: len(on.hub.state().lines[0:1]) and _viewers(on) == 2)
        camera = await on.camera()
        for at in range(600):  # 4.8 MB in all, and in each turn the quick one has everything
            camera.show(bytes(SIZE), is_key=at % 20 == 0)
            assert (await quick.picture()).sequence == at + 1
        viewer = _slowest(on)
        assert viewer.queued < 400_000
        assert viewer.pace.dropped > 300
        on.hub.tick()
        on.clock.passes(11)
        on.hub.tick()
        await until(lambda: on.heard(Closed))
        assert [(one.permit, one.why) for one in on.heard(Closed)] == [(1, "silent")]
        mute.close()


async def test_a_viewer_in_the_middle_of_its_goodbye_takes_nothing_from_the_others() -> None:
    async with stage() as on:
        leaving = on.mute(on.token())
        staying = await on.watching()
        await until(lambda: _viewers(on) == 2)
        viewers = on.hub._feeds[CAMERA, "main"].viewers
        viewer = next(one for one in viewers if 1 in one.permits)  # the first that came
        viewer._out.write_eof()  # type: ignore[attr-defined]  # as websockets does on a goodbye
        camera = await on.camera()
        camera.group(3, SIZE)
        assert [(await staying.picture()).sequence for _ in range(3)] == [1, 2, 3]
        await until(lambda: on.heard(Closed))
        assert [one.why for one in on.heard(Closed)] == ["left"]
        leaving.close()


async def test_a_slow_viewer_is_moved_to_key_frames_and_back_and_told_so() -> None:
    async with stage(limits=Limits(paces=QUICK, silent_s=1e9)) as on:
        line = Slow(on.mute(on.token()))
        await until(lambda: _viewers(on) == 1)
        camera = await on.camera()
        viewer = _slowest(on)
        await _show(on, camera, lambda: viewer.key_only)  # it reads nothing
        assert on.hub.state().lines[0].key_only == 1
        await line.read_all(viewer)
        await _show(on, camera, lambda: not viewer.key_only, line, viewer)
        camera.group(3, SIZE)
        await line.read_all(viewer)
        said = [json.loads(text) for text in line.texts()]
        moves = [(one["quality"], one["why"]) for one in said if one["k"] == "quality"]
        assert moves == [("key", "slow"), ("full", "unslow")]
        assert [one.is_key for one in line.pictures()][-3:] == [True, False, False]
        line.close()


async def test_a_slow_viewer_goes_to_the_substream_first() -> None:
    async with stage(pulled(sub=True), limits=Limits(paces=QUICK, silent_s=1e9)) as on:
        line = Slow(on.mute(on.token()))
        await until(lambda: _viewers(on) == 1)
        camera = await on.camera()
        viewer = _slowest(on)
        await _show(on, camera, lambda: (CAMERA, "sub") in on.opened)
        sub = await on.camera(quality="sub")
        await line.read_all(viewer)
        sub.group(2, 500)
        assert viewer.ladder[viewer.step].quality == "sub"
        camera.group(2, SIZE)  # no longer seen
        sub.show(b"less")
        await line.read_all(viewer)
        assert line.pictures()[-1].data == b"less"
        line.close()


async def test_a_viewer_that_answers_no_ping_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farolito.media.listener.PING_S", 0.1)
    monkeypatch.setattr("farolito.media.listener.PONG_S_MAX", 0.1)
    monkeypatch.setattr("farolito.media.listener.CLOSE_S_MAX", 0.1)
    async with stage() as on:
        mute = on.mute(on.token())
        await until(lambda: on.heard(Closed))
        assert [(one.permit, one.why) for one in on.heard(Closed)] == [(1, "silent")]
        mute.close()


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 200), st.integers(1, S)), max_size=60),
    st.booleans(),
)
def test_what_is_sent_can_always_be_drawn(steps: list[tuple[bool, int, int]], late: bool) -> None:
    """No picture is sent after one was left out, until a key frame; and behind the high water
    nothing is sent but in the grace after a beginning."""
    pace, now_us, whole = Pace(QUICK._replace(grace=2 * S)), 0, late
    if late:
        pace.caught_up(0)
    else:
        pace.await_key()
    for is_key, queued, passes in steps:
        now_us += passes
        sent = pace.takes(is_key, queued, 100, now_us)
        if sent:
            assert is_key or whole
            assert queued <= 100 or now_us < 2 * S
            whole = True
        else:
            whole = False
        pace.verdict(now_us)


def test_a_viewer_that_relapses_waits_longer_before_it_is_tried_again() -> None:
    pace, now_us = Pace(Paces()), 0
    waits = []
    for _ in range(6):
        pace.moved(now_us, up=False)
        began_us = now_us
        while pace.verdict(now_us) != "unslow":
            now_us += S // 2
        waits.append((now_us - began_us) // S)
        pace.moved(now_us, up=True)
        while pace.verdict(now_us) != "slow":
            now_us += S // 2
            pace.takes(True, 101, 100, now_us)
    assert waits == [20, 40, 80, 160, 320, 320]


class Slow:
    """The near end of a line that is read only when a test says so."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._line.setblocking(False)
        self._raw = bytearray()

    async def read_all(self, viewer: Viewer) -> None:
        def read() -> bool:
            while True:
                try:
                    self._raw += self._line.recv(1 << 20)
                except BlockingIOError:
                    return viewer.queued == 0 and len(self._raw) >= viewer.written

        await until(read)

    def frames(self) -> list[tuple[int, bytes]]:
        raw = bytes(self._raw).partition(b"\r\n\r\n")[2]
        found, at = [], 0
        while at < len(raw):
            kind, size = raw[at], raw[at + 1]
            at += 2
            for mark, extra in ((126, 2), (127, 8)):
                if size == mark:
                    size = int.from_bytes(raw[at : at + extra], "big")
                    at += extra
                    break
            found.append((kind, raw[at : at + size]))
            at += size
        return found

    def texts(self) -> list[bytes]:
        return [body for kind, body in self.frames() if kind == 0x81]

    def pictures(self) -> list[Got]:
        return [got(body) for kind, body in self.frames() if kind == 0x82]

    def close(self) -> None:
        self._line.close()


async def _show(
    on: Stage, camera: Camera, is_so: Any, line: Slow | None = None, viewer: Viewer | None = None
) -> None:
    """Seconds of pictures, until it is so."""
    for _ in range(200):
        if is_so():
            return
        camera.group(12, SIZE)
        if line is not None and viewer is not None:
            await line.read_all(viewer)
        on.hub.tick()
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


def _viewers(on: Stage) -> int:
    lines = on.hub.state().lines
    return lines[0].viewers if lines else 0


def _slowest(on: Stage) -> Viewer:
    feed = on.hub._feeds[CAMERA, "main"]
    return max(feed.viewers, key=lambda one: one.queued)
