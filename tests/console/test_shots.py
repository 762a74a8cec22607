"""The routes of shots: what a screen gets, who gets it, and what a wrong question is told."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from farolito.app.clock import ids
from farolito.desk.shot_record import csv_of
from farolito.model import DeviceId, ShotAlert, ShotRecord, SoundClip
from tests import shot_builders
from tests.desk.city import spot
from tests.desk.gunfire import shot
from tests.running import RunningNode, told

pytestmark = [pytest.mark.node, pytest.mark.asyncio(loop_scope="module")]

RATE_HZ = 12_000
wav = partial(shot_builders.wav, rate_hz=RATE_HZ)
EAR = "ear-1"


class Ears:
    """A node's desk for shots, and tellers who each know of one shot."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node
        self.desk = node.node.shots.desk

    async def heard(self, x: float, **more: Any) -> ShotAlert:
        """An alert at a place of its own, `x` metres east."""
        at = datetime.now(UTC) - timedelta(seconds=3)
        alert = await self.desk.hear(shot(x, at=at, **more), f"{ids()}:1")
        assert alert is not None
        return alert

    async def with_sound(self, alert: ShotAlert, content: bytes) -> ShotAlert:
        starts_at = alert.shot.discharged_at + timedelta(seconds=0.5)
        name = sha256(content).hexdigest()
        day = starts_at.astimezone(UTC).date()
        await asyncio.to_thread(self.node.node.pictures.keep, day, {name: content})
        clip = SoundClip(
            sensor=DeviceId(EAR), sha256=name, starts_at=starts_at, seconds=5.0, rate_hz=RATE_HZ
        )
        return await self.desk.attach(alert.alert_id, [clip])


@pytest.fixture
def ears(shared_node: RunningNode) -> Ears:
    return Ears(shared_node)


async def test_the_queue_and_what_was_heard_beside_it(ears: Ears) -> None:
    operator = await ears.node.sign_in("operator")
    loud, quiet = await ears.heard(-1000), await ears.heard(-1500, gun=0.1)
    body = (await operator.get("/api/shots")).json()
    assert set(body) == {"seq", "at", "permit", "shots", "quiet"}
    assert str(loud.alert_id) in [one["alert_id"] for one in body["shots"]]
    assert str(quiet.alert_id) in [one["alert_id"] for one in body["quiet"]]
    assert body["permit"] > 0


async def test_a_screen_is_told_of_a_shot_and_shows_the_same_when_reloaded(ears: Ears) -> None:
    operator = await ears.node.sign_in("operator")
    async with operator.live() as live:
        await told(live, "hello")
        alert = await ears.heard(-2000)
        message = await told(live, "shot")
    one = (await operator.get(f"/api/shots/{alert.alert_id}")).json()
    assert message["shot"] == one["alert"]
    assert one["incident_id"] is None or isinstance(one["incident_id"], str)
    assert [version["version"] for version in one["versions"]] == [1]
    assert one["versions"][0]["alert"] == one["alert"]
    assert set(one["history"][0]) >= {"at", "version", "says", "name", "permit"}


async def test_from_the_queue_to_the_outcome(ears: Ears) -> None:
    operator = await ears.node.sign_in("operator")
    alert = await ears.with_sound(await ears.heard(-2500), wav([0.1] * 600))
    path = f"/api/shots/{alert.alert_id}"
    taken = (await operator.post(f"{path}/take")).json()["shot"]
    assert taken["state"] == "taken"
    unheard = {"version": taken["version"], "kind": "gunshot", "listened": []}
    refused = await operator.post(f"{path}/review", unheard)
    assert (refused.status_code, refused.json()["error"]) == (400, "not_listened")
    heard = {**unheard, "listened": [EAR], "note": "three, close together"}
    done = (await operator.post(f"{path}/review", heard)).json()
    assert done["shot"]["state"] == "confirmed"
    assert done["shot"]["review"]["listened"] == [EAR]
    closed = (await operator.post(f"{path}/outcome", {"outcome": "casings"})).json()["shot"]
    assert (closed["state"], closed["outcome"]["outcome"]) == ("closed", "casings")
    old = {"version": 1, "kind": "firework", "listened": [EAR]}
    late = await operator.post(f"{path}/review", old)
    assert late.status_code == 409
    name = operator.session["person"]["name"]
    history = (await operator.get(path)).json()["history"]
    assert [line["name"] for line in history if line["says"] == "Taken"] == [name]


async def test_the_sound_comes_as_it_was_recorded_with_its_permit(ears: Ears) -> None:
    operator = await ears.node.sign_in("operator")
    content = wav([0.2] * 900)
    alert = await ears.with_sound(await ears.heard(-3000), content)
    answer = await operator.get(f"/api/shots/{alert.alert_id}/clip/{EAR}")
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["cache-control"] == "private, no-store"
    size = ears.node.node.ledger.status().size
    permit = int(answer.headers["x-farolito-permit"])
    assert permit < size
    said = await ears.node.node.ledger.open_field(permit, "query")
    assert said == f"sound of {EAR} of shot alert {alert.alert_id}"
    none = await operator.get(f"/api/shots/{alert.alert_id}/clip/ear-9")
    assert none.status_code == 404


async def test_a_sound_is_drawn_with_the_onset_of_each_round(ears: Ears) -> None:
    """Rounds 0.3 s apart; this sensor is 2 s of sound away, and the clip began at 0.5 s."""
    operator = await ears.node.sign_in("operator")
    silence = [0.0] * RATE_HZ * 5
    silence[RATE_HZ] = -1.0
    silence[2 * RATE_HZ] = 0.5
    alert = await ears.with_sound(await ears.heard(-3500), wav(silence))
    drawn = (await operator.get(f"/api/shots/{alert.alert_id}/wave/{EAR}")).json()
    assert (drawn["sensor"], drawn["rate_hz"], drawn["seconds"]) == (EAR, RATE_HZ, 5.0)
    assert drawn["onsets"] == [1.5, 1.8, 2.1]
    assert len(drawn["peaks"]) == 1200
    lows, highs = [low for low, _ in drawn["peaks"]], [high for _, high in drawn["peaks"]]
    assert (min(lows), lows.index(min(lows))) == (-127, 240)
    assert (max(highs), highs.index(max(highs))) == (64, 480)


async def test_what_is_no_sound_is_named(ears: Ears) -> None:
    operator = await ears.node.sign_in("operator")
    alert = await ears.with_sound(await ears.heard(-4000), b"RIFFnonsense")
    answer = await operator.get(f"/api/shots/{alert.alert_id}/wave/{EAR}")
    assert answer.status_code == 422
    assert "WAV" in answer.json()["says"]


async def test_a_miss_is_told_and_what_was_heard_is_no_miss(ears: Ears) -> None:
    operator = await ears.node.sign_in("operator")
    at, place = datetime.now(UTC) - timedelta(hours=4), spot(-4500, 300)
    body = {"at": at.isoformat(), "lat": place.lat, "lon": place.lon, "known_by": "casings",
            "rounds": 2, "note": "behind the school"}  # fmt: skip
    done = await operator.post("/api/shots/misses", body)
    assert done.status_code == 200, done.text
    assert done.json()["miss"]["rounds"] == 2
    listed = (await operator.get("/api/shots/record")).json()
    assert [one["note"] for one in listed["misses"]] == ["behind the school"]
    assert listed["record"]["all"]["misses"] >= 1
    alert = await ears.heard(-5000)
    heard = {**body, "at": alert.shot.discharged_at.isoformat(), "lat": alert.shot.place.lat,
             "lon": alert.shot.place.lon}  # fmt: skip
    refused = await operator.post("/api/shots/misses", heard)
    assert refused.status_code == 409
    assert str(alert.alert_id) in refused.json()["says"]


async def test_the_figures_are_taken_out_by_those_who_may(ears: Ears) -> None:
    operator, auditor = await ears.node.sign_in("operator"), await ears.node.sign_in("auditor")
    assert (await operator.get("/api/shots/record.csv")).status_code == 403
    answer = await auditor.get("/api/shots/record.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert next(csv.DictReader(io.StringIO(answer.text)))["by"] == "all"
    seen = (await auditor.get("/api/shots/record")).json()
    assert seen["record"]["all"]["name"] == ""
    assert seen["misses"] == [], "a place is not for whoever reads figures"


async def test_who_may_not_see_shots_is_refused(ears: Ears) -> None:
    alert = await ears.with_sound(await ears.heard(-5500), wav([0.0] * 60))
    auditor, officer = await ears.node.sign_in("auditor"), await ears.node.sign_in("officer")
    for person in (auditor, officer):
        for path in ("/api/shots", f"/api/shots/{alert.alert_id}", "/api/sensors",
                     f"/api/shots/{alert.alert_id}/clip/{EAR}",
                     f"/api/shots/{alert.alert_id}/wave/{EAR}"):  # fmt: skip
            answer = await person.get(path)
            assert answer.status_code == 403, path
            assert answer.json()["permit"], "a refusal is an entry too"


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=2026-01-01T00:00:00", "until=2020-01-01T00:00:00Z&since=2021-01-01"
     "T00:00:00Z", "until=0001-01-01T00:00:00Z", "since=1900-01-01T00:00:00Z"],
)  # fmt: skip
async def test_a_wrong_period_is_named(ears: Ears, query: str) -> None:
    operator = await ears.node.sign_in("operator")
    answer = await operator.get(f"/api/shots/record?{query}")
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.json()["says"]


async def test_the_command_line_takes_the_figures_out(ears: Ears) -> None:
    answer = await ears.node.admin("GET", "/api/admin/shots/record?days=30")
    assert answer.status_code == 200, answer.text
    record = msgspec.convert(answer.json()["record"], ShotRecord)
    assert timedelta(days=29) < record.until - record.since < timedelta(days=31)
    text = csv_of(record)
    assert text.startswith("by,name,alerts")


async def test_the_sensors_are_told_with_a_permit(ears: Ears) -> None:
    operator = await ears.node.sign_in("operator")
    body = (await operator.get("/api/sensors")).json()
    assert {"permit", "at", "weather", "sensors"} <= set(body)
    assert (await operator.get("/api/sensors/coverage")).json()["permit"] > body["permit"]
