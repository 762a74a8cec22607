"""The practice metro tells the same story for the same seed, and a truthful one."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice, pairwise

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from farolito.model import AgencyId, Standing
from farolito.simulator import crop
from farolito.simulator.hot_list import Plant, planted
from farolito.simulator.misread import Reading, Report, report
from farolito.simulator.routes import line_length_m
from farolito.simulator.scenario import Cue
from farolito.simulator.score import Raised, score
from farolito.simulator.traffic import Passage
from farolito.simulator.vendors import encode
from farolito.simulator.world import Happening, World

_PROGRAM = """
import hashlib
from datetime import UTC, datetime
from itertools import islice
from farolito.simulator.vendors import encode
from farolito.simulator.vendors import encode
from farolito.simulator.world import SimulatorConfig, make_world

world = make_world(
    SimulatorConfig(start=datetime(2026, 11, 18, 23, 30, tzinfo=UTC), vehicles=3_000, readers=20)
)
digest = hashlib.sha256()
for one in world.lists:
    digest.update(one.content)
for happening in islice(world.happenings(), 120):
    if happening.report:
        for message in encode(happening.report, happening.reader):
            digest.update(message.body)
digest.update(repr(world.patrol.fixes(datetime(2026, 11, 19, tzinfo=UTC))).encode())
print(digest.hexdigest())
"""


def test_the_same_seed_sends_the_same_bytes_in_any_process() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "41")
    }
    assert len(digests) == 1


@pytest.fixture(scope="session")
def story(world: World) -> list[Happening]:
    return list(islice(world.happenings(), 2_500))


def test_happenings_come_in_order_and_start_with_the_start(
    world: World, story: list[Happening]
) -> None:
    assert all(a.truth.at <= b.truth.at for a, b in pairwise(story))
    assert world.config.start <= story[0].truth.at <= world.config.start + timedelta(minutes=1)


def test_a_stranger_sees_a_stolen_car_within_twenty_seconds(
    world: World, story: list[Happening]
) -> None:
    first = next(h for h in story if h.truth.cue)
    assert first.truth.cue == Cue.LEAD
    assert first.truth.at - world.config.start <= timedelta(seconds=20)
    assert first.truth.read == first.truth.plate
    assert first.truth.listed
    assert first.report is not None
    assert first.report.state == first.truth.state


def test_the_drill_brings_every_case_an_operator_must_tell_apart(story: list[Happening]) -> None:
    scenes = [h for h in story if h.truth.cue]
    assert {h.truth.cue for h in scenes} == set(Cue)
    scenes = [h for h in scenes if h.truth.cue != Cue.CALLED]
    gaps = [b.truth.at - a.truth.at for a, b in pairwise(scenes)]
    assert all(timedelta(seconds=60) <= gap <= timedelta(seconds=90) for gap in gaps)


def test_a_scripted_misread_says_the_listed_plate_and_means_another_car(
    world: World, story: list[Happening]
) -> None:
    listed = {row.plate for row in planted(world.lists)[Plant.LOOK_ALIKE]}
    for happening in story:
        if happening.truth.cue in (Cue.MISREAD_HONEST, Cue.MISREAD_CERTAIN):
            told, truth = happening.report, happening.truth
            assert told is not None
            assert told.text in listed
            assert told.text != truth.plate
            wrong = [i for i, c in enumerate(truth.plate) if c != told.text[i]]
            assert len(wrong) == 1
            is_sure = told.characters[wrong[0]] > 0.9
            assert is_sure is (truth.cue == Cue.MISREAD_CERTAIN)
            assert truth.listed == ()


def test_a_misread_listed_car_is_offered_as_a_candidate_most_times(
    world: World, story: list[Happening]
) -> None:
    cars = [h for h in story if h.truth.cue == Cue.CANDIDATE]
    offered = [h for h in cars if h.report and h.truth.plate in dict(h.report.candidates)]
    assert all(h.truth.read != h.truth.plate for h in cars)
    assert len(offered) >= len(cars) * 0.6


def _reports(world: World, times: int) -> Iterator[tuple[Passage, Report | None]]:
    reader = world.readers[2]
    for n in range(times):
        passage = Passage(
            vehicle=world.traffic.fleet[n % len(world.traffic.fleet)],
            reader=reader.device.device_id,
            at=world.config.start + timedelta(seconds=n),
            heading_deg=0.0,
            speed_mps=12.0,
            lane=1,
        )
        yield passage, report(world.config.seed, reader, passage)


def test_a_reader_errs_as_often_as_it_is_said_to(world: World) -> None:
    quality = world.readers[2].quality
    told = [r for _, r in _reports(world, 12_000) if r is not None]
    assert abs(1 - len(told) / 12_000 - quality.blind) < 0.01
    wrong = [r for r in told if r.text != r.passage.vehicle.plate]
    assert abs(len(wrong) / len(told) - quality.misread) < 0.01
    certain = [r for r in wrong if r.reading is Reading.CERTAIN]
    assert abs(len(certain) / len(wrong) - quality.certain * 0.88) < 0.06
    unread = [r for r in told if r.state is None]
    assert abs(len(unread) / len(told) - quality.state_unread) < 0.02


def test_an_honest_reader_knows_which_character_it_doubts(world: World) -> None:
    honest = [r for _, r in _reports(world, 6_000) if r and r.reading is Reading.HONEST]
    for told in honest:
        plate = told.passage.vehicle.plate
        wrong = [i for i, c in enumerate(plate) if told.text[i] != c]
        assert wrong
        assert all(told.characters[i] < 0.83 for i in wrong)
    offered = [r for r in honest if r.passage.vehicle.plate in dict(r.candidates)]
    assert 0.7 < len(offered) / len(honest) < 1


def test_reports_are_well_formed_whatever_goes_wrong(world: World) -> None:
    for _, told in _reports(world, 4_000):
        if told is not None:
            assert len(told.characters) == len(told.text)
            assert all(0 <= c <= 1 for c in (*told.characters, told.confidence))
            assert told.candidates[0][0] == told.text or told.text in dict(told.candidates)


def _pixels(content: bytes) -> NDArray[np.float64]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), dtype=np.float64)


def _unlike(a: bytes, b: bytes) -> float:
    return float(np.abs(_pixels(a) - _pixels(b)).mean())


def _sent_crop(happening: Happening) -> bytes:
    """The picture in the message itself, as our own format carries it."""
    assert happening.report is not None
    device = msgspec.structs.replace(happening.reader.device, format="farolito")
    reader = msgspec.structs.replace(happening.reader, device=device)
    (read,) = msgspec.json.decode(encode(happening.report, reader)[0].body)
    return base64.b64decode(read["crop"])


def test_the_crop_sent_shows_the_true_plate_and_not_what_was_read(story: list[Happening]) -> None:
    """It is what the true plate looks like there, and not what the text that was read would."""
    wrong = (Reading.HONEST, Reading.CERTAIN)
    misread = [h for h in story if h.report and h.report.reading in wrong and not h.report.again]
    assert len(misread) > 20
    for happening in misread[:20]:
        told, blur_px = happening.report, happening.reader.quality.blur_px
        assert told is not None
        car = told.passage.vehicle
        as_read = msgspec.structs.replace(car, plate=told.text)
        sent = _sent_crop(happening)
        assert _unlike(sent, crop.plate_crop(car, told.event, blur_px)) == 0
        assert _unlike(sent, crop.plate_crop(as_read, told.event, blur_px)) > 0.2


def test_every_character_is_drawn_so_that_a_person_can_tell_it_from_the_others() -> None:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    drawn = {c: np.asarray(crop.plate_image(c, "NM").convert("L"), np.float64) for c in alphabet}
    for a in alphabet:
        for b in alphabet:
            if a < b:
                assert np.abs(drawn[a] - drawn[b]).max() > 60, (a, b)


def test_a_crop_is_a_small_jpeg(story: list[Happening]) -> None:
    for happening in [h for h in story if h.report][:30]:
        assert happening.report is not None
        event = happening.report.event
        content = crop.plate_crop(happening.report.passage.vehicle, event, 0.8)
        assert content.startswith(b"\xff\xd8\xff")
        assert 2_000 < len(content) < 10_000


def test_cars_are_seen_as_unevenly_as_real_ones(world: World, story: list[Happening]) -> None:
    seen = Counter(h.truth.plate for h in story)
    assert max(seen.values()) >= 4
    assert sum(1 for n in seen.values() if n == 1) > len(seen) / 4
    assert 0.7 < sum(h.truth.state == "NM" for h in story) / len(story) < 0.97


def test_patrol_units_drive_no_faster_than_the_road_allows(world: World) -> None:
    start = world.config.start
    before = {f.unit: f for f in world.patrol.fixes(start)}
    moved = 0.0
    for second in range(10, 1200, 10):
        for fix in world.patrol.fixes(start + timedelta(seconds=second)):
            was = before[fix.unit]
            metres = line_length_m(((was.lat, was.lon), (fix.lat, fix.lon)))
            assert metres <= 10 * 36
            moved += metres
            before[fix.unit] = fix
    assert moved > 16 * 500
    units = world.patrol.units(start, AgencyId("luminaria-pd"))
    assert len({u.unit_id for u in units}) == 16


def test_the_score_counts_right_false_and_missed(story: list[Happening]) -> None:
    truths = [h.truth for h in story]
    listed = [t for t in truths if t.listed and t.read == t.plate]
    raised = [Raised(t.plate, t.reader, t.at, Standing.LEAD) for t in listed[1:]]
    innocent = next(t for t in truths if t.cue == Cue.MISREAD_CERTAIN)
    assert innocent.read is not None
    raised.append(Raised(innocent.read, innocent.reader, innocent.at, Standing.LEAD))
    twin = next(t for t in truths if t.cue == Cue.TWIN)
    raised.append(Raised(twin.plate, twin.reader, twin.at, Standing.STOPPED))
    found = score(truths, raised)
    assert (found.right, found.false, found.leads_false) == (len(listed) - 1, 1, 1)
    assert found.missed >= 1
    assert found.right + found.missed + found.unread == found.listed
