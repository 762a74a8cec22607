"""`farolito shots evaluate`: a folder of live fire in, one verdict a test out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from farolito.cli.live_fire import LiveFire, LiveTest
from farolito.cli.main import app
from farolito.cli.shots_judging import SHOTS_KEYS, Asked, drawn, judge_picker, put
from farolito.model import FarolitoError
from tests.cli.live_fire import live_fire

ROW = (
    "id", "located", "error_m", "rounds_true", "rounds_found", "ellipse95_holds", "extra_events",
    "modes", "seconds",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("live")
    live_fire(home, 2, scene="string", recorded=True)
    return home


def evaluate(*told: str) -> dict[str, Any]:
    answer = CliRunner().invoke(app, ["shots", "evaluate", *told, "--json"])
    assert answer.exit_code == 0, answer.output
    return dict(json.loads(answer.stdout))


def test_every_test_has_a_row_and_the_totals_have_the_keys_of_the_bench(folder: Path) -> None:
    told = evaluate(str(folder))
    assert [row["id"] for row in told["tests"]] == ["FP1/test_002", "FP2/test_001"]
    for row in told["tests"]:
        assert set(ROW) <= set(row)
        assert row["located"]
        assert row["error_m"] < 25
        assert row["rounds_true"] >= 3
    assert set(SHOTS_KEYS) <= set(told["totals"])
    assert told["totals"]["within_25m_percent"] == 100
    assert told["totals"]["thin6_ok_percent"] is None  # not asked


def test_thinned_the_locator_sees_six_sensors_the_same_six_every_time(folder: Path) -> None:
    (test, _) = LiveFire(folder).tests
    assert isinstance(test, LiveTest)
    net, pulses = put(test, Asked(sensors=6))
    assert len(net) == 6
    assert {pulse.sensor for pulse in pulses} <= set(net.index)
    assert drawn(test, 6, 1) == drawn(test, 6, 1) != drawn(test, 6, 2)
    assert evaluate(str(folder), "--sensors", "6")["totals"]["thin6_ok_percent"] is not None


def test_from_the_sound_alone_strings_are_located_with_our_own_picker(folder: Path) -> None:
    told = evaluate(str(folder), "--from-wav")
    assert told["totals"]["wav_within_25m_percent"] == 100


def test_the_picker_is_judged_by_the_vendors_pulses(folder: Path) -> None:
    picks = judge_picker(LiveFire(folder).tests, lambda _: None)
    assert picks.of > 20
    assert picks.found / picks.of > 0.8
    assert picks.robust_sd_s is not None
    assert picks.robust_sd_s < 0.002


def test_the_truth_is_not_in_what_the_locator_gets(folder: Path) -> None:
    """Sensors, pulses and air of a test do not change with its survey."""
    (before, _) = LiveFire(folder).tests
    survey = folder / before.test_id / f"{Path(before.test_id).name}.survey.json"
    text = survey.read_text()
    told = json.loads(text)
    told["survey_location"]["x"] += 500
    told["num_rounds"] += 1
    survey.write_text(json.dumps(told))
    (after, _) = LiveFire(folder).tests
    survey.write_text(text)
    assert isinstance(before, LiveTest)
    assert isinstance(after, LiveTest)
    assert after.truth.x_m == pytest.approx(before.truth.x_m + 500)
    assert (after.pulses, after.air, after.net.sensors) == (
        before.pulses, before.air, before.net.sensors
    )  # fmt: skip


def test_a_sensor_that_is_silent_in_a_test_is_still_there(tmp_path: Path) -> None:
    """The net is the union over the position's tests."""
    live_fire(tmp_path, 1)
    (one,) = LiveFire(tmp_path).tests
    assert isinstance(one, LiveTest)
    home = tmp_path / one.test_id
    again = home.with_name("test_009")
    again.mkdir()
    quiet = one.pulses[0].sensor
    for file in home.iterdir():
        told = json.loads(file.read_text())
        if file.name.endswith("allpulses.json"):
            told = [pulse for pulse in told if pulse["serial_number"] != quiet]
        (again / file.name.replace(home.name, again.name)).write_text(json.dumps(told))
    (_, other) = LiveFire(tmp_path).tests
    assert isinstance(other, LiveTest)
    assert quiet not in {pulse.sensor for pulse in other.pulses}
    assert quiet in other.net.index


@pytest.mark.parametrize(
    ("ending", "text", "says"),
    [
        ("allpulses", "[{", "allpulses.json is not as the study writes it"),
        ("allpulses", '[{"pulse_uuid": 3}]', "allpulses.json is not as the study writes it"),
        ("survey", "", "survey.json is not as the study writes it"),
        ("weather", '{"temperature": "warm"}', "weather.json is not as the study writes it"),
        ("survey", None, "has no file *.survey.json"),
    ],
)
def test_a_broken_test_is_named_with_its_reason_and_the_others_go_on(
    tmp_path: Path, ending: str, text: str | None, says: str
) -> None:
    live_fire(tmp_path, 2)
    file = tmp_path / "FP1" / "test_002" / f"test_002.{ending}.json"
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    told = evaluate(str(tmp_path))
    broken, sound = told["tests"]
    assert says in broken["failed"]
    assert not broken["located"]
    assert sound["located"]
    assert (told["totals"]["tests"], told["totals"]["failed"]) == (2, 1)
    assert told["totals"]["located_percent"] == 100  # of those that could be asked


def test_a_broken_recording_fails_its_own_test_alone(tmp_path: Path) -> None:
    live_fire(tmp_path, 2, recorded=True)
    wav = next((tmp_path / "FP1" / "test_002").glob("*.wav"))
    wav.write_bytes(wav.read_bytes()[:100])
    broken, sound = evaluate(str(tmp_path), "--from-wav")["tests"]
    assert wav.name in broken["failed"]
    assert sound["located"]


def test_a_wrong_folder_says_what_a_right_one_holds(tmp_path: Path) -> None:
    with pytest.raises(FarolitoError, match=r"holds no live-fire test; .*allpulses\.json"):
        LiveFire(tmp_path)
    with pytest.raises(FarolitoError, match="is no folder"):
        LiveFire(tmp_path / "nowhere")


def test_questions_that_cannot_be_asked_say_so(folder: Path) -> None:
    for told in (["--sensors", "6", "--from-wav"], ["--sensors", "2"]):
        answer = CliRunner().invoke(app, ["shots", "evaluate", str(folder), *told])
        assert isinstance(answer.exception, FarolitoError)


def test_the_table_names_every_test_and_every_total(folder: Path) -> None:
    answer = CliRunner().invoke(app, ["shots", "evaluate", str(folder)])
    assert answer.exit_code == 0
    assert "FP1/test_002" in answer.stdout
    assert "within_25m_percent: 100.00" in answer.stdout


@pytest.mark.real_input
def test_live_fire_of_the_study_is_read_whole(real_inputs: Path) -> None:
    folder = real_inputs / "acoustics" / "pittsburgh"
    if not folder.is_dir():
        pytest.skip("acoustics/pittsburgh is absent")
    tests = [test for test in LiveFire(folder).tests if isinstance(test, LiveTest)]
    assert len(tests) == len(LiveFire(folder)) > 50
    assert {test.truth.rounds for test in tests} == {1, 3}
    assert all(25 <= len(test.net) <= 32 for test in tests)
    assert sum(len(test.recordings) for test in tests) == 180
