"""What our own pictures cost, and how old they are where they are drawn."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence

import msgspec

from farolito.cli.bench_link import Line
from farolito.cli.bench_processes import Share, resident_mb
from farolito.cli.bench_video_cameras import Bed, clock, kept, loops
from farolito.cli.bench_video_page import Chromium, Seen, show, watch
from farolito.cli.bench_video_viewers import viewers

Figures = dict[str, float | None]

WARM_S = 2.1  # until each line holds a whole group of pictures
KEPT_S = 31.0  # until the half minute is full that is kept of what is watched
LINGER_S = 11.0  # until lines without viewers are closed


class Sizes(msgspec.Struct, frozen=True, kw_only=True):
    """`seconds` of each measurement; `opened`: pictures opened one by one; `streams`: cameras with
    a viewer each, ours and the rival's; `loads`: more cameras, and viewers of each; `keeps`: those
    too whose last half minute is kept while they are watched."""

    seconds: float
    opened: int
    streams: int
    lines: Mapping[str, Line]
    loads: Sequence[tuple[int, int]] = ()
    keeps: bool = False

    @property
    def cameras(self) -> int:
        return max(self.streams, *(cameras for cameras, _ in self.loads), 1)


async def cost(ground: Bed, sizes: Sizes) -> Figures:
    """CPU and memory of the process that holds pictures, fewer cameras first."""
    found: Figures = {}
    async with viewers(ground.node, loops(1)):  # the first one of all brings the code
        empty_mb = resident_mb(ground.pid)
    loads = {(sizes.streams, 1), *sizes.loads}
    for cameras, each in sorted(loads, key=lambda load: (load[1], load[0])):
        if each > 1:
            await asyncio.sleep(LINGER_S)
        percent, node_percent, fps, used_mb = await _load(
            ground, loops(cameras) * each, WARM_S, sizes.seconds
        )
        if (cameras, each) in sizes.loads:
            name = f"{cameras}x{each}"
            found |= {f"cpu_percent_{name}": percent, f"fps_{name}": fps}
        if (cameras, each) == (sizes.streams, 1):
            found["cpu_percent_per_stream"] = percent / cameras
            found["node_cpu_percent_per_stream"] = node_percent / cameras
            found["fps_per_stream"] = fps
        if (cameras, each) == (sizes.cameras, 1):
            found["mb_per_stream"] = (used_mb - empty_mb) / cameras
    if sizes.keeps:
        await asyncio.sleep(LINGER_S)
        empty_mb = resident_mb(ground.pid)
        percent, _, _, used_mb = await _load(ground, kept(sizes.streams), KEPT_S, sizes.seconds)
        found["kept_cpu_percent_per_stream"] = percent / sizes.streams
        found["kept_mb_per_stream"] = (used_mb - empty_mb) / sizes.streams
    return found


async def _load(
    ground: Bed, cameras: Sequence[str], warm_s: float, seconds: float
) -> tuple[float, float, float, float]:
    """With a viewer for each of these: percent of a core of the process that holds pictures and of
    the node, pictures a second that each viewer got, and MB of that process at the end."""
    async with viewers(ground.node, cameras) as seen:
        await asyncio.sleep(warm_s)
        pictures, node = Share(ground.pid), Share(ground.node.pid)
        before = await seen.pictures()
        await asyncio.sleep(seconds)
        fps = (await seen.pictures() - before) / seconds / len(cameras)
        return pictures.percent(), node.percent(), fps, resident_mb(ground.pid)


async def glass_near(ground: Bed, sizes: Sizes, near: Chromium) -> Figures:
    """In a browser on this machine."""
    async with near.wall(ground.node) as page:
        await show(page, ground.node, clock(0))
        # Of cameras that nobody looks at: each is asked by RTSP first. Then of those that are open.
        fresh = range(1, 1 + sizes.opened)
        cold = [await show(page, ground.node, clock(n)) for n in fresh]
        warm = [await show(page, ground.node, clock(n)) for n in fresh]
        return {
            "first_picture_ms": middle(cold),
            "first_picture_warm_ms": middle(warm),
            **glass("", await watch(page, sizes.seconds)),
        }


async def glass_far(ground: Bed, sizes: Sizes, far: Chromium, line: str) -> Figures:
    """In a browser at the far end of a line."""
    async with far.wall(ground.node) as page:
        first_ms = await show(page, ground.node, clock(0))
        told: Figures = {f"first_picture_{line}_link_ms": first_ms}
        return told | glass(f"{line}_link_", await watch(page, sizes.seconds))


def glass(where: str, seen: Seen) -> Figures:
    """`where`: "" or "…_link_", which stands before each figure's name."""
    found: Figures = {
        f"glass_{where}p50_ms": seen.delay_ms(0.50),
        f"glass_{where}p95_ms": seen.delay_ms(0.95),
        f"glass_{where}fps": seen.fps,
        f"glass_{where}broken": float(seen.bad),
    }
    return found


def middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
