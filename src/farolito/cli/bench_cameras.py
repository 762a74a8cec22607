"""`farolito bench cameras`: who sees this place, and what it costs to know that cameras are well.

The register: 20,000 cameras on the practice metro's poles, a quarter of them turning, among its
15,000 buildings. Asked are places beside its streets, as sure as an address, a call and a shot
are. The first answers are not measured: they compile loops.

The sweep: the process as a node runs it pulls a key frame of 1280×720 (2 Mbit/s, every 2 s) from
each camera over RTSP on loopback, decodes and judges it, at the rate at which 10,000 cameras are
done in five minutes; counted is the processor time of that process, Linux's own figure. A network
card's share is not in it, nor the cameras'.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from farolito.app.supervise import Child, Supervisor
from farolito.app.sweep_trial import Trial, sweep_trial
from farolito.cli.bench_ports import free_ports
from farolito.geo import Plane, RoadGraph, StreetMap
from farolito.model import (
    AgencyId,
    Camera,
    CameraId,
    Optics,
    OwnerId,
    Point,
    PtzLimits,
)
from farolito.simulator.camera_server import CameraWork
from farolito.simulator.cameras import Lines
from farolito.simulator.metro import make_metro
from farolito.viewing import Eyes, LastSeen, Question, Roadside, Scene, best, blind

Progress = Callable[[float], None]
REGISTERED = 20_000
TURNING = 0.25
SWEPT, ROUND_S = 10_000, 300.0
AT = datetime(2026, 6, 21, 19, tzinfo=UTC)
AROUND_M = (4.0, 8.0, 25.0, 50.0)
POLES = ("pole", "signal", "camera_mount")


def run(quick: bool, seed: int, progress: Progress) -> Mapping[str, Any]:
    seen = _seeing(400 if quick else 4_000, seed, lambda done: progress(0.5 * done))
    trial = asyncio.run(_sweep(12.0 if quick else 90.0))
    progress(1.0)
    return {
        "figures": {
            **seen,
            "health_core_percent": _core_percent(trial),
            "health_ms_per_camera": 1000 * trial.cpu_s / trial.well if trial.well else None,
            "health_cameras_looked_at": trial.well,
            "health_cameras_asked": trial.cameras,
        },
        "baselines": [],
        "ratios": {},
    }


def _seeing(questions: int, seed: int, progress: Progress) -> dict[str, float]:
    chance = random.Random(seed)
    town = make_metro(seed)
    plane = Plane(town.nodes[0].at)
    begun = time.perf_counter()
    eyes = Eyes(_register(town, plane, chance), Scene(plane, town.buildings))
    built_s = time.perf_counter() - begun
    roadside = Roadside(eyes, RoadGraph(town))
    four: list[float] = []
    busy: list[float] = []
    none: list[float] = []
    following: list[float] = []
    found = 0
    for number in range(-20, questions):
        node = chance.choice(town.nodes)
        x, y = plane.to_m(node.at)
        place = Point(*plane.to_degrees((x + chance.gauss(0, 25), y + chance.gauss(0, 25))))
        asked = Question(place=place, at=AT, around=chance.choice(AROUND_M))
        took = _timed(best, eyes, asked)
        if number < 0:
            continue
        four.append(took.ms)
        busy.append(took.cpu_ms)
        found += len(took.answer)
        none.append(_timed(blind, eyes, asked).ms)
        if number % 10 == 0:
            seen = LastSeen(place=place, at=AT, heading_deg=chance.choice((None, 0.0, 90.0)))
            following.append(_timed(roadside.next_cameras, seen).ms)
        progress(number / questions)
    return {
        "registered": len(eyes),
        "buildings": len(town.buildings),
        "built_s": built_s,
        "best_four_p50_ms": _rank(four, 0.50),
        "best_four_p99_ms": _rank(four, 0.99),
        "best_four_cpu_p99_ms": _rank(busy, 0.99),
        "best_four_found": found / questions,
        "why_not_p99_ms": _rank(none, 0.99),
        "next_cameras_p50_ms": _rank(following, 0.50),
        "next_cameras_p99_ms": _rank(following, 0.99),
    }


def _register(town: StreetMap, plane: Plane, chance: random.Random) -> list[Camera]:
    """Cameras on poles, a few metres off: a wall here, a mast arm there."""
    poles = [plane.to_m(mark.at) for mark in town.landmarks if mark.kind in POLES]
    return [_camera(number, chance.choice(poles), plane, chance) for number in range(REGISTERED)]


def _camera(number: int, pole: tuple[float, float], plane: Plane, chance: random.Random) -> Camera:
    at = (pole[0] + chance.gauss(0, 20), pole[1] + chance.gauss(0, 20))
    turning = chance.random() < TURNING
    return Camera(
        camera_id=CameraId(f"camera-{number}"),
        agency=AgencyId("luminaria-pd"),
        owner=OwnerId("city"),
        name=f"Camera {number}",
        place=Point(*plane.to_degrees(at)),
        height_m=chance.choice((3.5, 6.0, 9.0)),
        bearing_deg=None if chance.random() < 0.1 else chance.uniform(0, 359.9),
        optics=Optics(
            hfov_deg=chance.choice((45.0, 70.0, 100.0)),
            range_m=chance.choice((60.0, 100.0, 150.0)),
        ),
        ptz=PtzLimits(zoom_max=chance.choice((4.0, 10.0, 20.0))) if turning else None,
    )


async def _sweep(seconds: float) -> Trial:
    """As many cameras as are due in so many seconds of a round of 10,000."""
    count = round(SWEPT / ROUND_S * seconds)
    with tempfile.TemporaryDirectory(prefix="farolito-") as folder:
        async with _cameras(Path(folder)) as port:
            urls = [f"rtsp://127.0.0.1:{port}/loop/{number}" for number in range(count)]
            return await sweep_trial(urls, seconds, Path(folder))


def _core_percent(trial: Trial) -> float | None:
    """At the full rate. On a machine that others keep busy not all may have been looked at: then
    by what those cost that were; None where they were too few to tell."""
    if trial.well < trial.cameras / 4:
        return None
    return 100 * trial.cpu_s / trial.well * SWEPT / ROUND_S


@asynccontextmanager
async def _cameras(folder: Path) -> AsyncIterator[int]:
    """The practice cameras' server, a process of its own."""
    [port] = free_ports(1)
    started, told = folder / "started", folder / "cameras.json"
    work = CameraWork(lines=Lines(rtsp_port=port), started=str(started))
    told.write_bytes(msgspec.json.encode(work))
    (folder / "log").mkdir(exist_ok=True)
    supervisor = Supervisor()

    async def ready() -> bool:
        return started.exists()

    child = Child(
        name="cameras",
        argv=[sys.executable, "-m", "farolito", "simulate-cameras", str(told)],
        directory=folder,
        ready=ready,
        log_file=folder / "log" / "cameras.log",
    )
    try:
        await supervisor.start(child)
        yield port
    finally:
        await supervisor.stop()


class _Took(NamedTuple):
    """`ms` by the clock; `cpu_ms` of this thread, which others on the machine hardly change."""

    ms: float
    cpu_ms: float
    answer: Any


def _timed(work: Callable[..., Any], *asked: Any) -> _Took:
    begun, busy = time.perf_counter(), time.thread_time()
    answer = work(*asked)
    cpu_s = time.thread_time() - busy
    return _Took(1000 * (time.perf_counter() - begun), 1000 * cpu_s, answer)


def _rank(took: list[float], share: float) -> float:
    return statistics.quantiles(took, n=100, method="inclusive")[round(share * 100) - 1]
