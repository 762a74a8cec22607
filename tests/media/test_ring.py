"""What was before the event: bounded, whole groups, and a clip that begins at a key frame."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from pathlib import Path

import cv2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.codec import AccessUnit
from farolito.codec.boxes import find
from farolito.media import ring as rings
from farolito.media.control import Cut, Hold, MakeClip
from farolito.media.hub import Limits
from farolito.media.ring import Ring, from_key, give_back
from farolito.media.wire import Packed, pack
from farolito.model import CameraId
from tests.media.stage import CAMERA, FRAME_US, coded, pulled, stage, until

S = 1_000_000


def _units(keys: list[bool], size: int = 100, start_us: int = S) -> list[Packed]:
    """Ten a second."""
    return [
        pack(AccessUnit(bytes(size), at * S // 10, start_us + at * S // 10, is_key), at, 0)
        for at, is_key in enumerate(keys)
    ]


@given(st.lists(st.booleans(), max_size=120), st.floats(0, 5), st.integers(0, 12))
def test_a_ring_begins_at_a_key_frame_and_reaches_as_far_back_as_promised(
    keys: list[bool], seconds: float, from_s: int
) -> None:
    ring, given_ = Ring(seconds), _units(keys)
    for one in given_:
        ring.take(one)
    if given_:
        ring.expire(given_[-1].received_us)
    kept = ring.from_key(0)
    assert ring.bytes == sum(one.size for one in kept)
    assert kept == given_[len(given_) - len(kept) :]
    if kept:
        assert kept[0].is_key
        due_us = given_[-1].received_us - round(seconds * S)
        later = [one for one in kept[1:] if one.is_key]
        assert not later or later[0].received_us > due_us  # no more than it must
        dropped = given_[: len(given_) - len(kept)]
        assert kept[0].received_us <= due_us or not any(one.is_key for one in dropped)
        ring.expire(given_[-1].received_us + round(seconds * S) + 1)
        assert ring.bytes == 0  # the camera is gone, and so is its past
    cut = from_key(kept, from_s * S)
    assert cut == [] or cut[0].is_key


def test_a_ring_keeps_no_more_bytes_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rings, "CAMERA_BYTES_MAX", 3_000)
    monkeypatch.setattr(rings, "GROUP_BYTES_MAX", 2_000)
    ring = Ring(60)
    for one in _units([at % 5 == 0 for at in range(100)]):
        ring.take(one)
        assert ring.bytes <= 3_000
    assert ring.let_go_us
    for one in _units([True] + [False] * 50):  # a camera that sends one key frame for ever
        ring.take(one)
    assert ring.bytes <= 2_000


def test_all_rings_together_are_bounded_and_the_largest_gives_first() -> None:
    small, large = Ring(60), Ring(60)
    for one in _units([True] * 10):
        small.take(one)
    for one in _units([True] * 50):
        large.take(one)
    had = small.bytes
    assert give_back([small, large], 30 * 134, now_us=1) <= 30 * 134
    assert small.bytes == had
    assert large.let_go_us == 1


async def test_a_camera_with_a_ring_is_pulled_with_nobody_there_and_its_past_becomes_a_clip(
    tmp_path: Path,
) -> None:
    async with stage(pulled(ring_s=0.6), pulled(CameraId("rail-yard"))) as on:
        camera = await on.camera()
        assert on.opened.keys() == {(CAMERA, "full")}
        for data, is_key in coded() * 3:  # 1.2 s, a key frame every 0.2 s
            camera.show(data, is_key)
        now_us = on.clock.us
        path = tmp_path / "clip.mp4"
        asked = MakeClip(
            request=7,
            camera_id=CAMERA,
            from_us=now_us - 7 * FRAME_US,
            to_us=now_us,
            path=str(path),
        )
        made = await on.hub.make_clip(asked)
        assert (made.request, made.problem) == (7, "")
        assert made.frames == 10  # five more, back to the key frame
        assert (made.from_us, made.to_us) == (now_us - 9 * FRAME_US, now_us)
        raw = path.read_bytes()
        assert (len(raw), hashlib.sha256(raw).hexdigest()) == (made.size, made.sha256)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert find(raw, "moov/trak") is not None
        assert _frames(path) == 10
        again = await on.hub.make_clip(asked)
        assert "could not be written" in again.problem  # never over another file
        assert path.read_bytes() == raw


async def test_what_is_watched_is_kept_while_somebody_looks_and_no_longer(tmp_path: Path) -> None:
    kept = msgspec.structs.replace(pulled(), watched_s=0.6)
    async with stage(kept) as on:
        browser = await on.watching()
        camera = await on.camera()
        for data, is_key in coded() * 3:
            camera.show(data, is_key)
        now_us = on.clock.us
        asked = MakeClip(
            request=3,
            camera_id=CAMERA,
            from_us=now_us - 7 * FRAME_US,
            to_us=now_us,
            path=str(tmp_path / "seen.mp4"),
        )
        assert (await on.hub.make_clip(asked)).frames == 10
        feed = on.hub._feeds[CAMERA, "main"]
        assert feed.watched.bytes
        await browser.leaves()
        await until(lambda: not feed.viewers)
        assert not feed.watched.bytes, "nobody looks, nothing is kept"


async def test_a_clip_that_ends_soon_waits_for_its_end(tmp_path: Path) -> None:
    async with stage() as on:
        await on.watching()
        camera = await on.camera()
        units = coded()
        for data, is_key in units:
            camera.show(data, is_key)
        now_us = on.clock.us
        wanted = MakeClip(
            request=1,
            camera_id=CAMERA,
            from_us=now_us,
            to_us=now_us + 6 * FRAME_US,
            path=str(tmp_path / "clip.mp4"),
        )
        making = asyncio.create_task(on.hub.make_clip(wanted))
        feed = on.hub._feeds[CAMERA, "main"]
        await until(lambda: feed._recorders)
        for data, is_key in units:
            camera.show(data, is_key)
        made = await making
        assert made.problem == ""
        assert made.frames == 5 + 6
        assert not feed._recorders


@pytest.mark.parametrize(
    ("camera_id", "from_s", "to_s", "says"),
    [
        (CameraId("rail-yard"), -1, 0, "nothing of this camera is kept"),
        (CAMERA, -1, 300, "far future"),
        (CAMERA, 0, -1, "no such length"),
        (CAMERA, -60, -50, "nothing of this span"),
    ],
)
async def test_a_clip_of_nothing_says_what_is_missing(
    tmp_path: Path, camera_id: CameraId, from_s: int, to_s: int, says: str
) -> None:
    async with stage(pulled(ring_s=1)) as on:
        (await on.camera()).group(5)
        path = tmp_path / "clip.mp4"
        made = await on.hub.make_clip(
            MakeClip(
                request=1,
                camera_id=camera_id,
                from_us=on.clock.us + from_s * S,
                to_us=on.clock.us + to_s * S,
                path=str(path),
            )
        )
        assert says in made.problem
        assert made.do
        assert not path.exists()


async def test_what_is_held_stays_until_the_hold_ends_or_memory_does() -> None:
    async with stage(pulled(ring_s=0.4), limits=Limits(ring_bytes=1_000_000)) as on:
        camera = await on.camera()
        for _ in range(4):
            camera.group(10, 1_000)
        on.hub.tick()
        ring = on.hub._feeds[CAMERA, "main"].ring
        assert ring is not None
        before = ring.bytes
        on.hub.hold(Hold(cameras=(CAMERA,), until_us=on.clock.us + 20 * S))
        for _ in range(20):
            camera.group(10, 1_000)
        assert ring.bytes > 5 * before
        assert on.hub.state().lines[0].says == ""
        for _ in range(40):
            camera.group(10, 10_000)
            on.hub.tick()
            assert on.hub.state().ring_bytes <= 1_000_000
        assert "let go" in on.hub.state().lines[0].says
        on.clock.passes(20)
        camera.group(10, 1_000)
        camera.group(10, 1_000)
        assert ring.bytes < 25_000


async def test_a_hold_keeps_an_open_camera_open_and_opens_none() -> None:
    rail_yard = CameraId("rail-yard")
    async with stage(pulled(), pulled(rail_yard), limits=Limits(linger_s=0.05)) as on:
        browser = await on.watching()
        camera = await on.camera()
        camera.group(3)
        on.hub.hold(Hold(cameras=(CAMERA, rail_yard), until_us=on.clock.us + 60 * S))
        await browser.leaves()
        await asyncio.sleep(0.2)
        assert camera.is_open
        assert on.opened.keys() == {(CAMERA, "full")}
        on.hub.cut(Cut(cameras=(CAMERA,), reason="its owner took consent back"))
        await until(lambda: not camera.is_open)


def _frames(path: Path) -> int:
    reader, count = cv2.VideoCapture(str(path)), 0
    while reader.read()[0]:
        count += 1
    return count
