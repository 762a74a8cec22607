"""`farolito bench shots`: live fire, the practice city, the running locator, a day without shots.

Live fire is the folder `acoustics/pittsburgh` under FAROLITO_DATA (TN 098's study); where it is
absent its figures are null. Every test is asked blind
(see shots_judging). The city's trials are on judging seeds (bench_shots_city), the running
locator's ticks are timed before anything else keeps the cores busy (bench_shots_stream), and the
quiet day goes through the odds of kinds (bench_shots_day). The rival in the same run is plain
robust least squares on the nearest six sensors (bench_shots_baseline), blind as the locator is;
beside it, the same on the vendor's own choice of pulses.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec

from farolito.acoustics.evaluate import NEAR_M, percent, rank
from farolito.cli import bench_shots_city, bench_shots_day, bench_shots_stream
from farolito.cli.bench_shots_baseline import chosen_six, nearest_six
from farolito.cli.live_fire import LiveFire, LiveTest
from farolito.cli.shots_judging import (
    SHOTS_KEYS,
    THIN,
    Asked,
    Told,
    ask_all,
    judge_picker,
    totals,
)

Progress = Callable[[float], None]
PLACE = Path("acoustics/pittsburgh")
QUICK_S, QUICK_STREAM_S = 34.0, 10.0  # a quick run begins no further trial after so long
WORKERS_MAX = 2  # the goals are stated for two cores
QUESTIONS = {"all": Asked(), "thin": Asked(sensors=THIN), "wav": Asked(from_wav=True)}
QUICK_EVERY = 3  # of the live-fire tests
PICKED_EVERY = 2


class Rival(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of the two rivals on one live-fire test; None: no place found."""

    blind_m: float | None
    chosen_m: float | None


def run(quick: bool, seed: int, progress: Progress) -> Mapping[str, Any]:
    begun = time.perf_counter()
    folder = _folder()
    streamed = _stream(quick, seed, lambda x: progress(0.35 * x))
    picks = _picks(folder, quick)
    progress(0.4)
    tried, live, rivals, day = _spread(
        folder, (QUICK_S - (time.perf_counter() - begun)) if quick else None, seed,
        lambda x: progress(0.4 + 0.6 * x),
    )  # fmt: skip
    figures: dict[str, Any] = dict.fromkeys(SHOTS_KEYS)
    figures.update(live_figures(live))
    figures.update(bench_shots_city.figures(tried))
    figures.update(bench_shots_stream.figures(streamed))
    figures.update(picks)
    figures.update(day["figures"])
    blind = [rival.blind_m for rival in rivals]
    chosen = [rival.chosen_m for rival in rivals]
    baselines = [
        {
            "what": "least squares on the nearest six",
            "figures": {**_errors(blind), **bench_shots_city.rival(tried)},
        },
        {"what": "the same on the vendor's choice", "figures": _errors(chosen)},
    ]
    return {
        "figures": figures,
        "baselines": baselines,
        "ratios": {
            "p95_vs_least_squares": _ratio(figures["p95_m"], baselines[0]),
            "p95_vs_vendors_choice": _ratio(figures["p95_m"], baselines[1]),
        },
        "quiet_queue_by_sound": day["quiet_queue_by_sound"],
    }


def _folder() -> Path | None:
    """Live fire under FAROLITO_DATA, or none."""
    told = os.environ.get("FAROLITO_DATA")
    for root in (Path(told),) if told else (Path("../shared/data"), Path("data")):
        if (root / PLACE).is_dir():
            return (root / PLACE).resolve()
    return None


def _stream(quick: bool, seed: int, progress: Progress) -> list[bench_shots_stream.Streamed]:
    bench_shots_stream.warm_up()
    asked = bench_shots_stream.asked(quick, seed)
    told: list[bench_shots_stream.Streamed] = []
    begun = time.perf_counter()
    for number, (scene, trial_seed) in enumerate(asked):
        if quick and told and time.perf_counter() - begun > QUICK_STREAM_S:
            break
        told.append(bench_shots_stream.stream(scene, trial_seed))
        progress((number + 1) / len(asked))
    return told


def _picks(folder: Path | None, quick: bool) -> dict[str, Any]:
    if folder is None:
        return {}
    tests = _live(folder).tests[:: PICKED_EVERY if quick else 1]
    picks = judge_picker(tests, lambda _: None)
    return {
        "pick_recall_percent": 100 * picks.found / picks.of if picks.of else None,
        "pick_robust_sd_ms": None if picks.robust_sd_s is None else 1000 * picks.robust_sd_s,
        "pick_bias_ms": None if picks.bias_s is None else 1000 * picks.bias_s,
        "picks_per_s_per_sensor": picks.picks_per_s,
        "pick_times_real_time": picks.times_real_time,
    }


@lru_cache(maxsize=1)
def _live(folder: Path) -> LiveFire:
    return LiveFire(folder)


def ask_live(folder: Path, question: str, every: int) -> list[Told]:
    """One question to every `every`th test; runs in a process of its own."""
    return ask_all(_live(folder), QUESTIONS[question], lambda _: None, every=every)


def ask_rivals(folder: Path, every: int) -> list[Rival]:
    told = []
    for test in _live(folder).tests[::every]:
        if not isinstance(test, LiveTest):
            continue
        blind = nearest_six(test.net, test.pulses, test.air)
        rounds = [chosen for chosen in test.chosen if chosen]
        chosen = chosen_six(test.net, test.pulses, test.air, rounds[0]) if rounds else None
        truth = (test.truth.x_m, test.truth.y_m)
        told.append(
            Rival(
                blind_m=None if blind is None else math.dist(blind[:2], truth),
                chosen_m=None if chosen is None else math.dist(chosen[:2], truth),
            )
        )
    return told


def _spread(
    folder: Path | None, seconds: float | None, seed: int, progress: Progress
) -> tuple[list[bench_shots_city.Tried], dict[str, list[Told]], list[Rival], dict[str, Any]]:
    """All that is not timed, over the cores. `seconds`: of a quick run, after which no further
    trial is begun; the figures say how many there were."""
    quick = seconds is not None
    size = bench_shots_city.QUICK if quick else bench_shots_city.FULL
    trials = bench_shots_city.asked(size, seed)
    every = QUICK_EVERY if quick else 1
    workers = min(WORKERS_MAX, os.cpu_count() or 1)
    # Spawned and not forked: the progress bar's thread may hold a lock at the moment of a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        day = pool.submit(_day, quick, seed)
        live: dict[str, Future[list[Told]]] = {}
        rivals: Future[list[Rival]] | None = None
        if folder is not None:
            for question in QUESTIONS:
                live[question] = pool.submit(ask_live, folder, question, every)
            rivals = pool.submit(ask_rivals, folder, every)
        tried = [pool.submit(bench_shots_city.try_one, one) for one in trials]
        jobs: list[Future[Any]] = [day, *live.values(), *([rivals] if rivals else []), *tried]
        try:
            for number, _ in enumerate(as_completed(jobs, timeout=seconds)):
                progress((number + 1) / len(jobs))
        except TimeoutError:
            for one in tried:
                one.cancel()
        return (
            [one.result() for one in tried if not one.cancelled()],
            {question: one.result() for question, one in live.items()},
            rivals.result() if rivals else [],
            day.result(),
        )


def _day(quick: bool, seed: int) -> dict[str, Any]:
    return bench_shots_day.run(quick, seed, lambda _: None)


def live_figures(live: Mapping[str, Sequence[Told]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for question, told in live.items():
        these = totals(told, QUESTIONS[question])
        if question == "all":
            found.update({key: these[key] for key in SHOTS_KEYS if these[key] is not None})
            found["live_crlb_ratio_median"] = found.pop("crlb_ratio_median", None)
            found["live_tests"] = these["tests"]
        elif question == "thin":
            found["thin6_ok_percent"] = these["thin6_ok_percent"]
            found["thin6_within_25m_percent"] = these["within_25m_percent"]
            found["thin6_ambiguous_percent"] = these["ambiguous_percent"]
            found["thin6_ellipse95_percent"] = these["ellipse95_percent"]
        else:
            found["wav_within_25m_percent"] = these["wav_within_25m_percent"]
            found["wav_near_or_said_so_percent"] = these["near_or_said_so_percent"]
            found["wav_tests"] = these["tests"]
    return found


def _errors(errors: Iterable[float | None]) -> dict[str, Any]:
    told = list(errors)
    return {
        "within_25m_percent": percent(e is not None and e <= NEAR_M for e in told),
        "median_m": rank((e for e in told if e is not None), 0.5),
        "p95_m": rank((e for e in told if e is not None), 0.95),
    }


def _ratio(ours: float | None, rival: Mapping[str, Any]) -> float | None:
    theirs = rival["figures"]["p95_m"]
    return None if ours is None or not theirs else ours / theirs
