"""H.264 made fit to be handed on: from a key on, with its parameter sets, in one line of time."""

from __future__ import annotations

import pytest

from farolito.codec import AccessUnit, Broken, h264
from farolito.ingest.video.transport_stream import BUFFER_BYTES_MAX, TransportStream
from farolito.ingest.video.units import RATE_BITS_MAX, UNIT_BYTES_MAX, Units
from farolito.model import PictureState
from tests.ingest.video.moving_pictures import FPS, TICKS, pictures, transport_stream

DELIMITER = b"\x00\x00\x00\x01\x09\xf0"


class Clock:
    def __init__(self) -> None:
        self.us = 1_000_000

    def __call__(self) -> int:
        return self.us


def taken(units: Units, numbers: range, first_ticks: int = 0) -> list[AccessUnit]:
    return [
        unit
        for number in numbers
        for unit in units.take(pictures()[number][0], first_ticks + number * TICKS)
    ]


def bare(unit: bytes) -> bytes:
    """A key unit whose parameter sets were sent once and never again."""
    kept = [nal for nal in h264.nals(unit) if h264.nal_type(nal) not in (h264.SPS, h264.PPS)]
    return h264.annex_b(kept)


def test_nothing_comes_before_the_first_key_nor_between_a_loss_and_the_next_one() -> None:
    units = Units(Clock())
    assert taken(units, range(5, 10)) == []
    assert len(taken(units, range(10, 13))) == 3
    units.lost(4)
    assert taken(units, range(15, 20)) == []
    assert taken(units, range(20, 21))[0].is_key
    assert (units.figures.lost, units.figures.spoiled, units.figures.keys) == (4, 10, 2)


def test_a_key_without_parameter_sets_gets_those_that_were_sent_before() -> None:
    units = Units(Clock())
    key = pictures()[0][0]
    assert list(units.take(bare(key), 0)) == []  # nobody could decode it
    assert len(list(units.take(key, TICKS))) == 1
    (again,) = units.take(bare(key), 2 * TICKS)
    assert h264.parameter_sets(again.data) == h264.parameter_sets(key)


@pytest.mark.parametrize("jump", [-5_000_000, 3_000_000_000, (1 << 33) - 1, 0])
def test_time_never_turns_back_whatever_a_camera_says(jump: int) -> None:
    units = Units(Clock())
    got = taken(units, range(10)) + taken(units, range(10, 20), jump)
    times = [unit.media_us for unit in got]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(19 * 1_000_000 // FPS, abs=100)


def test_several_units_under_one_time_stamp_are_taken_apart() -> None:
    units = Units(Clock())
    several = b"".join(DELIMITER + pictures()[number][0] for number in range(3))
    got = list(units.take(several, 0))
    assert [unit.media_us for unit in got] == [0, 40_000, 80_000]
    assert [unit.is_key for unit in got] == [True, False, False]


def test_a_camera_that_sends_too_much_is_ended() -> None:
    clock = Clock()
    units = Units(clock)
    with pytest.raises(Broken) as caught:
        list(units.take(b"\x00" * (UNIT_BYTES_MAX + 1), 0))
    assert caught.value.state is PictureState.TOO_MUCH

    def pour(bits_a_second: int) -> None:
        for _ in range(200):
            clock.us += 100_000
            units.came(bits_a_second // 80)

    pour(RATE_BITS_MAX * 9 // 10)
    with pytest.raises(Broken) as caught:
        pour(RATE_BITS_MAX * 2)
    assert caught.value.state is PictureState.TOO_MUCH


def test_a_segment_of_several_megabytes_is_taken_apart_whole() -> None:
    filler = b"\x00\x00\x00\x01\x0c" + b"\xff" * 60_000 + b"\x80"
    told = [(unit + filler, is_key) for unit, is_key in pictures()]
    segment = transport_stream(told)
    assert len(segment) > 2 * BUFFER_BYTES_MAX
    stream = TransportStream()
    pieces = [*stream.feed(segment), *stream.end()]
    assert [piece[0] for piece in pieces if piece] == [unit for unit, _ in told]
