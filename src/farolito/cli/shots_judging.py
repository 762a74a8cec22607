"""Live-fire tests through the locator, blind, and judged afterwards.

Asked in three ways: with all sensors and the pulses that they told; with a few sensors drawn from
those the vendor used (a fixed draw a test, then blind on all of their pulses); from the sound
alone with our own picker (as many sensors as there are recordings). A firing position is located
with what the others teach (`left_out`); where there are no others, with the stock deployment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from farolito.acoustics import Net, Pulse, Source, wav
from farolito.acoustics.bound import bound_m
from farolito.acoustics.deployment import Deployment, Solved, fit_deployment
from farolito.acoustics.evaluate import Scene, Verdict, judge_alone, percent, rank
from farolito.acoustics.locate import locate
from farolito.acoustics.onset import pulses as pulses_of_sound
from farolito.cli.live_fire import Broken, LiveFire, LiveTest, Recording
from farolito.model import FarolitoError

Progress = Callable[[float], None]
THIN = 6
THIN_SEED = 6_006
PICK_S = 0.030  # a pick this near to the vendor's pulse is the same onset
FULL_SCALE_DB = 92.0  # dB SPL of full scale, by the levels that the study tells of the same pulses
RECORDING_S_MAX = 120.0
SHOTS_KEYS = (
    "located_percent", "within_25m_percent", "median_m", "p95_m", "rounds_exact_percent",
    "extra_events_per_100", "ellipse95_percent", "crlb_ratio_median", "thin6_ok_percent",
    "wav_within_25m_percent", "sim_two_shooters_percent", "sim_full_auto_percent",
    "sim_ghosts_per_100", "tick_p99_ms", "first_solution_p95_s", "pick_recall_percent",
)  # fmt: skip


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """How the tests are put to the locator."""

    sensors: int | None = None
    from_wav: bool = False
    seed: int = THIN_SEED


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One test: what was answered and how that was judged; `says` instead where it is broken."""

    test_id: str
    scene: Scene | None = None
    sources: tuple[Source, ...] = ()
    bound_m: float | None = None
    seconds: float = 0.0
    says: str = ""

    @property
    def verdict(self) -> Verdict | None:
        return self.scene.verdicts[0] if self.scene else None


def ask_all(live: LiveFire, asked: Asked, progress: Progress, *, every: int = 1) -> list[Told]:
    """Every test (or each `every`th) in turn. A broken test says why and the others go on. Asked
    from sound, only the tests that have recordings are asked."""
    tests = [
        test
        for test in live.tests
        if isinstance(test, Broken) or test.recordings or not asked.from_wav
    ]
    learnt = left_out(live, every)
    tests = tests[::every]
    told = []
    for number, test in enumerate(tests):
        if isinstance(test, Broken):
            told.append(Told(test_id=test.test_id, says=test.says))
        else:
            told.append(_ask(test, asked, learnt[test.position]))
        progress((number + 1) / len(tests))
    return told


def _ask(test: LiveTest, asked: Asked, deployment: Deployment) -> Told:
    try:
        net, pulses = put(test, asked)
    except FarolitoError as why:
        return Told(test_id=test.test_id, says=str(why))
    begun = time.perf_counter()
    sources = tuple(locate(net, pulses, test.air, deployment=deployment))
    seconds = time.perf_counter() - begun
    scene = judge_alone(test.truth, sources)
    bound = None
    if sources:
        best = max(sources, key=lambda source: source.score)
        at = [net.index[ear.sensor] for ear in best.ears]
        places = [(float(net.x_m[i]), float(net.y_m[i])) for i in at]
        bound = bound_m(places, (test.truth.x_m, test.truth.y_m), test.air)
    return Told(test_id=test.test_id, scene=scene, sources=sources, bound_m=bound, seconds=seconds)


def put(test: LiveTest, asked: Asked) -> tuple[Net, tuple[Pulse, ...]]:
    """What the locator gets to see of a test. Raises FarolitoError."""
    if asked.from_wav:
        heard = {told.sensor: told for told in test.recordings}
        pulses = tuple(p for told in heard.values() for p in picked(told))
        return _only(test.net, set(heard)), tuple(sorted(pulses, key=lambda p: p.at_s))
    if asked.sensors is None:
        return test.net, test.pulses
    kept = drawn(test, asked.sensors, asked.seed)
    return _only(test.net, kept), tuple(p for p in test.pulses if p.sensor in kept)


def drawn(test: LiveTest, count: int, seed: int) -> set[str]:
    """Sensors drawn from those in the vendor's sets, filled up from the others where too few."""
    by_id = {pulse.pulse_id: pulse.sensor for pulse in test.pulses}
    used = {by_id[i] for chosen in test.chosen for i in chosen if i in by_id}
    rng = np.random.default_rng([seed, *test.test_id.encode()])
    order = [str(name) for name in rng.permutation(sorted(used))]
    order += [str(name) for name in rng.permutation(sorted(set(test.net.index) - used))]
    return set(order[:count])


def picked(told: Recording) -> list[Pulse]:
    """Our picker's pulses of a recording. Raises FarolitoError naming the file."""
    return pulses_of_sound(_read(told), told.sensor, told.starts_at_s, FULL_SCALE_DB)


def _read(told: Recording) -> wav.Recording:
    try:
        sound = wav.decode_wav(told.file.read_bytes())
    except (OSError, FarolitoError) as why:
        raise FarolitoError(f"{told.file.name}: {why}") from why
    if sound.seconds > RECORDING_S_MAX:
        raise FarolitoError(f"{told.file.name} is longer than {RECORDING_S_MAX:.0f} s")
    return sound


def _only(net: Net, kept: set[str]) -> Net:
    return Net(tuple(sensor for sensor in net.sensors if sensor.name in kept))


def left_out(live: LiveFire, every: int = 1) -> Mapping[str, Deployment]:
    """The deployment that each firing position is located with: fitted on the tests (or each
    `every`th) of the other positions, as the stock deployment solves them, and on the surveyed
    places of those. Fitted once for a folder."""
    if every not in live.learnt:
        tests = [test for test in live.tests if isinstance(test, LiveTest)]
        positions = {test.position for test in tests}
        tests = tests[::every] if len(positions) > 1 else []
        solved = {test.test_id: _solved(test) for test in tests}
        live.learnt[every] = {
            position: fit_deployment(
                [
                    case
                    for test in tests
                    if test.position != position and (case := solved[test.test_id]) is not None
                ]
            )
            for position in positions
        }
    return live.learnt[every]


def _solved(test: LiveTest) -> Solved | None:
    sources = locate(test.net, test.pulses, test.air)
    if not sources:
        return None
    best = max(sources, key=lambda source: source.score)
    return Solved(net=test.net, source=best, truth=(test.truth.x_m, test.truth.y_m))


def totals(told: Sequence[Told], asked: Asked) -> dict[str, Any]:
    """The keys of `bench shots`; null is what this question does not measure. Broken tests are
    counted in `failed` and in nothing else."""
    scenes = [one.scene for one in told if one.scene is not None]
    verdicts = [scene.verdicts[0] for scene in scenes]
    errors = [verdict.error_m for verdict in verdicts if verdict.error_m is not None]
    found: dict[str, Any] = dict.fromkeys(SHOTS_KEYS)
    found.update(
        located_percent=percent(v.located for v in verdicts),
        within_25m_percent=percent(v.is_near for v in verdicts),
        median_m=rank(errors, 0.5),
        p95_m=rank(errors, 0.95),
        rounds_exact_percent=percent(v.rounds_found == v.rounds_true for v in verdicts),
        extra_events_per_100=(
            100 * sum(s.extra_events for s in scenes) / len(scenes) if scenes else None
        ),
        ellipse95_percent=percent(bool(v.ellipse95_holds) for v in verdicts if v.located),
        crlb_ratio_median=rank(
            (
                one.verdict.error_m / one.bound_m
                for one in told
                if one.bound_m and one.verdict and one.verdict.error_m is not None
            ),
            0.5,
        ),
        near_or_said_so_percent=percent(v.is_near_or_said_so for v in verdicts),
        ambiguous_percent=percent(v.modes > 1 for v in verdicts),
        tests=len(told),
        failed=len(told) - len(scenes),
    )
    if asked.sensors == THIN:
        found["thin6_ok_percent"] = found["near_or_said_so_percent"]
    if asked.from_wav:
        found["wav_within_25m_percent"] = found["within_25m_percent"]
    return found


class Picks(msgspec.Struct, frozen=True, kw_only=True):
    """Our picker against the vendor's direct-path pulses of the sensors that were recorded."""

    of: int
    found: int
    bias_s: float | None
    robust_sd_s: float | None
    picks_per_s: float | None
    times_real_time: float | None


def judge_picker(tests: Sequence[LiveTest | Broken], progress: Progress) -> Picks:
    """Recall within 30 ms and timing. A recording that cannot be read is left out."""
    late, of, picks, heard_s, spent_s = [], 0, 0, 0.0, 0.0
    for number, test in enumerate(tests):
        for told in test.recordings if isinstance(test, LiveTest) else ():
            assert isinstance(test, LiveTest)  # a broken one has no recordings
            try:
                sound = _read(told)
            except FarolitoError:
                continue
            begun = time.perf_counter()
            ours = np.array([p.at_s for p in pulses_of_sound(sound, told.sensor, told.starts_at_s)])
            spent_s += time.perf_counter() - begun
            heard_s += sound.seconds
            picks += len(ours)
            for at_s in _vendors(test, told, sound.seconds):
                of += 1
                off = ours - at_s
                if len(off) and abs(off[np.argmin(abs(off))]) <= PICK_S:
                    late.append(float(off[np.argmin(abs(off))]))
        progress((number + 1) / len(tests))
    middle = float(np.median(late)) if late else None
    return Picks(
        of=of,
        found=len(late),
        bias_s=middle,
        robust_sd_s=float(1.4826 * np.median(abs(np.array(late) - middle))) if late else None,
        picks_per_s=picks / heard_s if heard_s else None,
        times_real_time=heard_s / spent_s if spent_s else None,
    )


def _vendors(test: LiveTest, told: Recording, seconds: float) -> list[float]:
    """Moments of the vendor's direct-path pulses of the sensor, well inside its recording."""
    ids = {i for chosen in test.chosen for i in chosen}
    return [
        pulse.at_s
        for pulse in test.pulses
        if pulse.pulse_id in ids
        and pulse.sensor == told.sensor
        and 0.2 < pulse.at_s - told.starts_at_s < seconds - 0.2
    ]
