"""`farolito bench video`: its keys, no figure that is a guess, and a line that is what it says."""

from __future__ import annotations

import os
import random
import time
from itertools import pairwise

import pytest

from farolito.cli.bench_link import QUEUE_S, Line, _Way
from farolito.cli.bench_processes import Share, pid_of, resident_mb
from farolito.cli.bench_video import FULL, QUICK, told
from farolito.cli.bench_video_ours import glass, middle
from farolito.cli.bench_video_page import Seen
from farolito.model import FarolitoError

OURS = {
    "glass_p50_ms", "glass_p95_ms", "glass_30ms_link_p50_ms", "first_picture_ms",
    "cpu_percent_per_stream", "mb_per_stream", "streams",
}  # fmt: skip


def test_what_was_not_measured_is_null() -> None:
    found = told(QUICK, {}, {})
    assert found["figures"].keys() == OURS
    assert {key for key, value in found["figures"].items() if value is not None} == {"streams"}
    assert found["baselines"][0]["figures"] == {
        "glass_p50_ms": None,
        "cpu_percent_per_stream": None,
    }
    assert found["ratios"] == {"glass_vs_janus": None, "cpu_vs_janus": None}


def test_a_ratio_is_ours_to_theirs() -> None:
    ours = {"glass_p50_ms": 12.0, "cpu_percent_per_stream": 0.1}
    found = told(QUICK, {**ours}, {"glass_p50_ms": 24.0, "cpu_percent_per_stream": None})
    assert found["ratios"] == {"glass_vs_janus": 0.5, "cpu_vs_janus": None}


def test_the_long_run_has_the_three_lines_and_every_load() -> None:
    assert FULL.lines.keys() == {"30ms", "40ms", "slow"}
    assert FULL.loads == ((1, 1), (10, 1), (100, 1), (300, 1), (1, 100))
    assert (QUICK.cameras, FULL.cameras) == (20, 300)


def test_a_picture_that_was_broken_has_no_delay() -> None:
    seen = Seen(delays=[30.0, 10.0, 20.0, 40.0], bad=1, seconds=0.2)
    assert glass("", seen) == {
        "glass_p50_ms": 30.0,
        "glass_p95_ms": 40.0,
        "glass_fps": 25.0,
        "glass_broken": 1.0,
    }
    assert glass("slow_link_", Seen([], 0, 1.0))["glass_slow_link_p50_ms"] is None
    assert middle([None, 5.0, 7.0]) == 6.0
    assert middle([None]) is None


def sent(line: Line, packets: int, every_s: float, size: int = 1000) -> list[tuple[float, int]]:
    """Which packets come out of one direction, and when."""
    coming, going = os.pipe()
    os.set_blocking(coming, False)
    way = _Way(line, going, random.Random(line.seed))
    arrived = []
    try:
        for number in range(packets):
            way.take(number.to_bytes(4, "big") + bytes(size - 4), number * every_s)
        while (due := way.next_due) is not None:
            way.give(due)
            out = os.read(coming, 65_536)
            arrived += [
                (due, int.from_bytes(out[at : at + 4], "big")) for at in range(0, len(out), size)
            ]
    finally:
        os.close(coming)
        os.close(going)
    return arrived


def test_a_line_delays_with_jitter_and_keeps_the_order() -> None:
    arrived = sent(Line(delay_ms=40, jitter_ms=20), 500, 0.002)
    assert [number for _, number in arrived] == list(range(500))
    waits = [at - number * 0.002 for at, number in arrived]
    assert min(waits) >= 0.0199
    assert max(waits) <= 0.0601
    assert len({round(wait, 4) for wait in waits}) > 50


def test_a_line_loses_about_as_many_as_it_says() -> None:
    arrived = sent(Line(delay_ms=1, loss=0.02), 5000, 0.001)
    assert 60 <= 5000 - len(arrived) <= 140


def test_a_narrow_line_holds_back_and_then_drops() -> None:
    """2 Mbit/s into 1 Mbit/s: half of it comes, none later than the queue is long."""
    arrived = sent(Line(delay_ms=0, mbit_s=1.0), 1000, 0.004)
    assert len(arrived) == pytest.approx(550, abs=15)
    assert all(later >= at for (at, _), (later, _) in pairwise(arrived))
    assert max(at - number * 0.004 for at, number in arrived) <= QUEUE_S + 1e-6


def test_the_cost_of_a_process_is_what_the_kernel_counts() -> None:
    share = Share(os.getpid())
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
    assert 0 < share.percent() <= 250
    assert resident_mb(os.getpid()) > 10
    with pytest.raises(FarolitoError):
        pid_of("no process has this among its arguments")
