"""What a sensor is made of: its ring, its outbox, its sense of time, its key, its sources."""

from __future__ import annotations

import base64
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from farolito.acoustics.wav import Recording, encode_wav
from farolito.identity.sensor_keys import public_key_of
from farolito.ingest.gunshot.sensor import clock, place, settings, sources
from farolito.ingest.gunshot.sensor.key import load_key, make_key, next_boot
from farolito.ingest.gunshot.sensor.outbox import TOO_LATE_S, Outbox
from farolito.ingest.gunshot.sensor.ring import SoundRing
from farolito.ingest.gunshot.sensor.timeline import ArrivalTime, FileTime
from farolito.model import FarolitoError

# The ring: bounded, and true about what it still has


@given(pieces=st.lists(st.integers(0, 25), max_size=40), start=st.integers(0, 400))
def test_the_ring_gives_what_was_heard_or_nothing(pieces: list[int], start: int) -> None:
    ring, heard = SoundRing(10, seconds=4.0), np.zeros(0)
    for count in pieces:
        piece = np.arange(len(heard), len(heard) + count, dtype=np.float64)
        heard = np.concatenate([heard, piece])
        ring.add(piece)
    assert ring.until == len(heard)
    assert ring.until - ring.since <= 40
    taken = ring.take(start, start + 7)
    if ring.since <= start and start + 7 <= ring.until:
        assert taken is not None
        assert np.array_equal(taken, heard[start : start + 7])
    else:
        assert taken is None


def test_a_cleared_ring_has_nothing_of_what_was_heard() -> None:
    ring = SoundRing(10, seconds=4.0)
    ring.add(np.ones(40))
    ring.clear()
    ring.add(np.zeros(5))
    assert ring.take(0, 5) is not None
    assert ring.take(0, 6) is None


# The outbox: nothing lost but the oldest, and that counted


class At(NamedTuple):
    at_s: float
    number: int


@given(
    steps=st.lists(
        st.one_of(st.integers(1, 9), st.tuples(st.integers(1, 6), st.booleans())), max_size=60
    )
)
def test_each_pulse_is_sent_once_in_order_or_counted_as_dropped(
    steps: list[int | tuple[int, bool]],
) -> None:
    """A number puts so many; a pair takes so many, of which the node gets all or none."""
    outbox: Outbox[At] = Outbox(limit=10)
    put, sent = 0, []
    for step in steps:
        if isinstance(step, int):
            outbox.put(At(0.0, put + n) for n in range(step))
            put += step
            assert len(outbox) <= 10
        else:
            taken = outbox.take(step[0], now_s=0.0)
            if step[1]:
                outbox.sent(taken)
                sent += [one.number for one in taken]
    assert sent == sorted(set(sent))
    assert len(sent) + outbox.dropped + len(outbox) == put


def test_a_pulse_that_is_dropped_while_it_is_on_its_way_and_arrives_is_not_counted() -> None:
    outbox: Outbox[At] = Outbox(limit=2)
    outbox.put([At(0.0, 1), At(0.0, 2)])
    on_its_way = outbox.take(1, 0.0)
    outbox.put([At(0.0, 3)])
    assert outbox.dropped == 1
    outbox.sent(on_its_way)
    assert outbox.dropped == 0
    assert [one.number for one in outbox.take(9, 0.0)] == [2, 3]


def test_a_pulse_too_old_for_anybody_goes_and_is_counted() -> None:
    outbox: Outbox[At] = Outbox()
    outbox.put([At(0.0, 1), At(100.0, 2)])
    assert [one.number for one in outbox.take(9, TOO_LATE_S + 1)] == [2]
    assert outbox.dropped == 1
    outbox.told(1)
    assert outbox.dropped == 0


# Its sense of time


def arrivals(
    line: ArrivalTime, rate_hz: float, seconds: float, start_s: float = 0.0, seed: int = 5
) -> None:
    """Pieces of 50 ms of a card that runs at `rate_hz`, each late by chance by up to 40 ms."""
    rng = np.random.default_rng(seed)
    for n in range(1, round(seconds * 20)):
        heard_s = n * 2400 / rate_hz
        line.arrived(2400 * n, 1_795_400_000.0 + start_s + heard_s + rng.exponential(0.004))


@pytest.mark.parametrize("rate_hz", [48_000.0, 48_002.4, 47_997.6])
def test_a_cards_own_speed_and_late_arrivals_do_not_move_an_onset(rate_hz: float) -> None:
    line = ArrivalTime(48_000)
    arrivals(line, rate_hz, 60)
    for at_s in (5.0, 30.0, 59.0):
        assert line.at_s(at_s * rate_hz) == pytest.approx(1_795_400_000 + at_s, abs=0.001)
    assert 0.0005 <= line.error_s < 0.002


def test_time_and_sample_are_each_others_reverse() -> None:
    for line in (ArrivalTime(48_000, 0.012), FileTime(48_000, 1_795_400_000.0)):
        if isinstance(line, ArrivalTime):
            arrivals(line, 48_001.0, 20)
        assert line.sample_at(line.at_s(123_456.5)) == pytest.approx(123_456.5, abs=0.02)


def test_a_clock_that_is_set_moves_the_line_within_seconds() -> None:
    line = ArrivalTime(48_000)
    arrivals(line, 48_000.0, 30)
    rng = np.random.default_rng(2)
    for n in range(600, 900):
        line.arrived(2400 * n, 1_795_400_007.5 + n * 0.05 + rng.exponential(0.004))
    assert line.at_s(44 * 48_000) == pytest.approx(1_795_400_007.5 + 44, abs=0.002)


def test_the_latency_of_a_card_is_taken_off() -> None:
    plain, known = ArrivalTime(48_000), ArrivalTime(48_000, latency_s=0.012)
    arrivals(plain, 48_000.0, 20)
    arrivals(known, 48_000.0, 20)
    assert plain.at_s(480_000) - known.at_s(480_000) == pytest.approx(0.012, abs=1e-6)


# What it says of its clock and its place


@pytest.mark.parametrize(
    ("line", "error_s", "source"),
    [
        (
            "50505300,PPS0,1,1795400000.1,0.000000123,-0.00000012,0.0000004,-12.3,0.001,0.02,"
            "0.000000001,0.000012000,16.0,Normal",
            1.21e-5,
            "pps",
        ),
        (
            "47505300,NMEA,1,1795400000.1,0.0021,-0.00000012,0.0000004,-12.3,0.001,0.02,"
            "0.0,0.100,16.0,Normal",
            0.1021,
            "gps",
        ),
        (
            "C0A80101,ntp.example.org,3,1795400000.1,-0.0004,0.0,0.0,-12.3,0.001,0.02,"
            "0.020,0.001,64.0,Normal",
            0.0114,
            "ntp",
        ),
        (
            "00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised",
            None,
            "none",
        ),
    ],
)
def test_what_chrony_says_is_told(line: str, error_s: float | None, source: str) -> None:
    said = clock.from_chrony(line)
    assert said is not None
    assert said.source == source
    assert said.error_s == (None if error_s is None else pytest.approx(error_s, rel=0.01))


def test_what_is_none_of_chronys_is_not_guessed_at() -> None:
    assert clock.from_chrony("506 Cannot talk to daemon") is None


def test_the_kernel_is_asked_and_nothing_is_set() -> None:
    said = clock.from_kernel()
    assert said.source in {"ntp", "none"}
    assert (said.error_s is None) == (said.source == "none")


def test_gpsds_newest_fix_is_the_place() -> None:
    said = b"\n".join(
        [
            b'{"class":"VERSION","release":"3.25"}',
            b'{"class":"TPV","mode":1}',
            b'{"class":"TPV","mode":3,"lat":35.1,"lon":-106.6,"eph":4.0}',
            b'{"class":"SKY","satellites":[]}',
            b"{half a li",
        ]
    )
    assert place.from_gpsd(said) == place.Fix(35.1, -106.6, 2.0)
    assert place.from_gpsd(b'{"class":"TPV","mode":1,"lat":0,"lon":0}') is None


@pytest.mark.parametrize(
    ("text", "celsius"), [("21.5", 21.5), ("21562\n", 21.562), ("85000", None), ("wet", None)]
)
def test_a_thermometers_file_is_read_or_passed_over(
    tmp_path: Path, text: str, celsius: float | None
) -> None:
    file = tmp_path / "temp"
    file.write_text(text)
    assert place.temperature_c(str(file)) == celsius
    assert place.temperature_c(str(tmp_path / "gone")) is None


# Its key


def test_a_key_is_for_its_owner_alone_and_prints_what_a_node_registers(tmp_path: Path) -> None:
    file = tmp_path / "sensor.key"
    public = make_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = load_key(file)
    assert public_key_of(public) == key.public_key().public_bytes_raw()
    Ed25519PublicKey.from_public_bytes(base64.b64decode(public)).verify(key.sign(b"x"), b"x")


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "sensor.key"
    make_key(file)
    before = file.read_bytes()
    with pytest.raises(FarolitoError, match="there already"):
        make_key(file)
    assert file.read_bytes() == before


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "sensor.key"
    make_key(file)
    file.chmod(0o644)
    with pytest.raises(FarolitoError, match="chmod 600"):
        load_key(file)


def test_starts_count_up_even_where_the_clock_went_back(tmp_path: Path) -> None:
    key = tmp_path / "sensor.key"
    assert next_boot(key, 1_795_400_000.7) == 1_795_400_000
    assert next_boot(key, 1_000.0) == 1_795_400_001
    assert next_boot(key, 1_795_500_000.0) == 1_795_500_000


# Its file


def test_a_settings_file_says_which_line_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "sensor.toml"
    file.write_text('sensor = "ridge-04"\nkey_file = "k"\nnode = "https://n"\nrate_hz = 100\n')
    with pytest.raises(FarolitoError, match="rate_hz"):
        settings.load(file)
    file.write_text('sensor = "Ridge 4"\nkey_file = "k"\nnode = "https://n"\n')
    with pytest.raises(FarolitoError, match="as it is registered"):
        settings.load(file)
    file.write_text('sensor = "ridge-04"\nkey_file = "k"\n')
    with pytest.raises(FarolitoError, match="say where to"):
        settings.load(file)


# Its sources


async def heard(source: AsyncIterator[sources.Piece]) -> list[sources.Piece]:
    return [piece async for piece in source]


async def test_files_come_in_pieces_and_end_now(tmp_path: Path) -> None:
    sound = np.linspace(-0.5, 0.5, 6_300)
    file = tmp_path / "a.wav"
    file.write_bytes(encode_wav(Recording(sound, 12_000)))
    pieces = await heard(sources.files([file, file], 0.0, lambda: 1_795_400_000.0))
    assert [piece.is_first for piece in pieces].count(True) == 2
    whole = np.concatenate([piece.samples for piece in pieces])
    assert np.abs(whole - np.tile(sound, 2)).max() < 1e-4
    assert pieces[0].timeline.at_s(6_300) == pytest.approx(1_795_400_000.0)


async def test_a_file_that_is_no_wav_is_named(tmp_path: Path) -> None:
    file = tmp_path / "song.mp3"
    file.write_bytes(b"ID3")
    with pytest.raises(FarolitoError, match=r"song\.mp3: this is no WAV"):
        await heard(sources.files([file], 0.0))


async def test_without_arecord_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FarolitoError, match="apt install alsa-utils"):
        await heard(sources.microphone("default", 48_000, 0.0))


async def test_a_microphone_that_is_pulled_out_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arecord writes and says when a USB card goes, by a program of its name."""
    program = tmp_path / "arecord"
    program.write_text(
        "#!/bin/sh\nhead -c 24000 /dev/zero | tr '\\0' '\\100'\n"
        "echo 'arecord: pcm_read:2221: read error: No such device' >&2\nexit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    pieces: list[sources.Piece] = []

    async def until_it_is_lost() -> None:
        async for piece in sources.microphone("hw:1", 48_000, 0.0):
            pieces.append(piece)  # noqa: PERF401 - what came before it was lost is kept

    with pytest.raises(sources.MicrophoneLost, match="No such device"):
        await until_it_is_lost()
    assert sum(len(piece.samples) for piece in pieces) == 12_000
    assert pieces[0].samples[0] == pytest.approx(0x4040 / 32_768)
