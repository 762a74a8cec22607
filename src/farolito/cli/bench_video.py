"""`farolito bench video`: from a camera's glass to what a browser draws, and what that costs.

A practice camera burns the moment into each picture before it encodes it. A node pulls it over
RTSP and hands it to the wall's page in headless Chromium, which decodes it in software; there the
moment is read back from what the page draws. Optics, monitor and the screen's next refresh are not
in it. The same over a line as an officer's phone has it, where one can be emulated (as root).

Cost is CPU time and memory of the process that holds pictures alone: not of the cameras, of the
browsers, or of the node, which has a figure of its own. Each camera of that measurement is pulled
and seen by one viewer without a screen. Viewers get a WebSocket without TLS, which a proxy adds.
Where an owner allows recordings, the last half minute of what is watched is kept besides: that has
figures of its own in the long run, and a limit in [video] ring_mb.

The rival, in the same run: Janus on the same cameras with the same browser and number of viewers,
which take coded pictures and do not decode them. It encrypts what it sends; that is WebRTC.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from farolito.cli import bench_link
from farolito.cli.bench_janus import own_address
from farolito.cli.bench_link import HERE, Line, lossy_line
from farolito.cli.bench_video_cameras import bed
from farolito.cli.bench_video_ours import Figures, Sizes, cost, glass_far, glass_near
from farolito.cli.bench_video_page import chromium
from farolito.cli.bench_video_rival import Rival

Progress = Callable[[float], None]

LINES = {
    "30ms": Line(delay_ms=30, jitter_ms=10, loss=0.005),
    "40ms": Line(delay_ms=40, jitter_ms=20, loss=0.02),
    "slow": Line(delay_ms=40, jitter_ms=20, loss=0.005, mbit_s=1.7),  # the stream has 2 Mbit/s
}
QUICK = Sizes(seconds=3.0, opened=2, streams=20, lines={"30ms": LINES["30ms"]})
FULL = Sizes(
    seconds=20,
    opened=10,
    streams=30,
    lines=LINES,
    loads=((1, 1), (10, 1), (100, 1), (300, 1), (1, 100)),
    keeps=True,
)


def run(quick: bool, seed: int, progress: Progress) -> Mapping[str, Any]:
    return asyncio.run(_run(QUICK if quick else FULL, seed, progress))


async def _run(sizes: Sizes, seed: int, progress: Progress) -> Mapping[str, Any]:
    ours: Figures = {}
    theirs: Figures = {}
    can_line = bench_link.why_not() is None
    host = "0.0.0.0" if can_line else "127.0.0.1"  # noqa: S104 - the far end comes to it
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="farolito-bench-")))
        near, ground = await asyncio.gather(
            stack.enter_async_context(chromium(folder)),
            stack.enter_async_context(bed(folder, seed, sizes.cameras, host)),
        )
        progress(0.25)
        ours |= await cost(ground, sizes)
        progress(0.5)
        ours |= await glass_near(ground, sizes, near)
        if not can_line:
            if address := own_address():
                theirs |= await Rival(folder, ground, sizes, address).near(near)
            return told(sizes, ours, theirs)
        rival = Rival(folder, ground, sizes, HERE)
        for done, (name, line) in enumerate(sizes.lines.items(), start=1):
            async with lossy_line(line, folder / "line.json") as before:
                if done == 1:
                    theirs |= await rival.near(near)
                async with chromium(folder, before) as far:
                    ours |= await glass_far(ground, sizes, far, name)
                    if len(sizes.lines) > 1:
                        theirs |= await rival.far(far, name)
            progress(0.6 + 0.4 * done / len(sizes.lines))
    return told(sizes, ours, theirs)


def told(sizes: Sizes, ours: Figures, theirs: Figures) -> Mapping[str, Any]:
    """The document; what was not measured is None."""
    figures: Figures = dict.fromkeys(
        ("glass_p50_ms", "glass_p95_ms", "glass_30ms_link_p50_ms", "first_picture_ms",
         "cpu_percent_per_stream", "mb_per_stream")
    )  # fmt: skip
    baseline: Figures = dict.fromkeys(("glass_p50_ms", "cpu_percent_per_stream"))
    return {
        "figures": {**figures, **ours, "streams": sizes.streams},
        "baselines": [{"what": "Janus, WebRTC", "figures": {**baseline, **theirs}}],
        "ratios": {
            "glass_vs_janus": _ratio(ours, theirs, "glass_p50_ms"),
            "cpu_vs_janus": _ratio(ours, theirs, "cpu_percent_per_stream"),
        },
    }


def _ratio(ours: Figures, theirs: Figures, key: str) -> float | None:
    mine, other = ours.get(key), theirs.get(key)
    return mine / other if mine is not None and other else None
