"""The picker on recordings of real gunfire, judged by the pulses that the vendor's sensors told.

Of the vendor's pulses those count that are in its own selection for a round (direct paths), of
sensors with a recording. Their times are cut to whole milliseconds.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from farolito.acoustics.onset import pick
from farolito.acoustics.wav import Recording, decode_wav

pytestmark = pytest.mark.real_input

NEAR_S = 0.030
POSITIONS = ("FP1", "FP2", "FP4", "FP5", "FP7", "FP8")


class Heard(NamedTuple):
    position: str
    recording: Recording
    live_s: float  # the rest of the clip is blanked
    direct_s: tuple[float, ...]  # the vendor's, from the first sample
    onsets_s: tuple[float, ...]  # ours


class Judged(NamedTuple):
    found: int
    of: int
    off_ms: np.ndarray
    onsets: int
    seconds: float
    live_s: float


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _heard(test: Path) -> list[Heard]:
    pulses = {row["pulse_uuid"]: row for row in _read(test / f"{test.name}.allpulses.json")}
    rounds = _read(test / f"{test.name}.nlos-tuples.json")
    chosen = {uuid for one in rounds for uuid in one["pulse_uuids"]} & pulses.keys()
    heard = []
    for path in sorted(test.glob("*.wav")):
        told = _read(path.with_suffix(".json"))
        recording = decode_wav(path.read_bytes())
        start_s = _seconds(told["timestamp"])
        rows = [pulses[u] for u in chosen if pulses[u]["serial_number"] == told["serial_number"]]
        direct = sorted({_seconds(row["arrival_time_utc"]) - start_s for row in rows})
        whole = len(recording.samples) // 12 * 12
        live = int((np.ptp(recording.samples[:whole].reshape(-1, 12), axis=1) > 5e-5).sum())
        heard.append(
            Heard(
                test.parent.name,
                recording,
                live / 1000,
                tuple(at for at in direct if 0 <= at < recording.seconds),
                tuple(o.at_sample / recording.rate_hz for o in pick(*recording_of(recording))),
            )
        )
    return heard


def recording_of(recording: Recording) -> tuple[Any, int]:
    return recording.samples, recording.rate_hz


@pytest.fixture(scope="module")
def pittsburgh(real_inputs: Path) -> dict[str, list[Heard]]:
    by_position: dict[str, list[Heard]] = defaultdict(list)
    for wav_test in sorted(
        {p.parent for p in (real_inputs / "acoustics/pittsburgh").rglob("*.wav")}
    ):
        for heard in _heard(wav_test):
            by_position[heard.position].append(heard)
    return by_position


def judged(heard: list[Heard]) -> Judged:
    found, of, off = 0, 0, []
    for one in heard:
        ours = np.array(one.onsets_s)
        for at in one.direct_s:
            of += 1
            if len(ours) and np.abs(ours - at).min() <= NEAR_S:
                found += 1
                off.append(1000 * (ours[np.abs(ours - at).argmin()] - at))
    return Judged(
        found,
        of,
        np.array(off),
        sum(len(one.onsets_s) for one in heard),
        sum(one.recording.seconds for one in heard),
        sum(one.live_s for one in heard),
    )


def robust_sd(values: np.ndarray) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))


def test_at_least_95_of_100_direct_pulses_are_found(pittsburgh: dict[str, list[Heard]]) -> None:
    told = judged([one for heard in pittsburgh.values() for one in heard])
    assert told.of >= 300, "the recordings are not all there"
    assert told.found / told.of >= 0.95, told


@pytest.mark.parametrize("position", POSITIONS)
def test_at_each_firing_position_95_of_100_are_found(
    pittsburgh: dict[str, list[Heard]], position: str
) -> None:
    told = judged(pittsburgh[position])
    assert told.of >= 40
    assert told.found / told.of >= 0.95, told


def test_onsets_agree_with_the_vendors_to_half_a_millisecond(
    pittsburgh: dict[str, list[Heard]],
) -> None:
    told = judged([one for heard in pittsburgh.values() for one in heard])
    assert robust_sd(told.off_ms) <= 0.5
    # Half a millisecond of it is the vendor's: times cut to whole milliseconds.
    assert 0 <= float(np.median(told.off_ms)) - 0.5 <= 0.25


def test_there_are_no_more_onsets_than_a_locator_can_bear(
    pittsburgh: dict[str, list[Heard]],
) -> None:
    told = judged([one for heard in pittsburgh.values() for one in heard])
    assert told.onsets / told.seconds <= 0.5
    # Beside gunfire, where the clips are not blanked, the vendor told 0.61 a second.
    assert told.onsets / told.live_s <= 0.61


def test_a_core_hears_a_hundred_microphones(pittsburgh: dict[str, list[Heard]]) -> None:
    sound = [one.recording for one in pittsburgh["FP1"][:12]]
    fastest = min(_took(sound) for _ in range(3))
    assert sum(one.seconds for one in sound) / fastest >= 100


def _took(sound: list[Recording]) -> float:
    began = time.process_time()
    for one in sound:
        pick(one.samples, one.rate_hz)
    return time.process_time() - began
