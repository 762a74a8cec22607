"""The routes of cameras: who sees what, what opens a picture, what the owner reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from farolito.codec import Figures
from farolito.media.control import Pulling
from farolito.media.token import read
from farolito.model import (
    CameraId,
    Consent,
    ImageFault,
    PictureState,
    PtzLimits,
    StreamSource,
    Terms,
    UnitId,
    UnitStatus,
)
from farolito.model.call import CalledUnit
from farolito.store import Database
from tests.camera_builders import camera, health
from tests.console.light import Light, Someone
from tests.desk.cameras import Watched, gate_camera
from tests.desk.city import City, a_city, spot

SECRETS = ("rtsp://", "tumbleweed")


@pytest.fixture
async def web(database: Database, tmp_path: Path) -> AsyncIterator[Light]:
    async with a_city(database, tmp_path) as made:
        some = (
            gate_camera(
                main=StreamSource(protocol="rtsp", url="rtsp://10.0.0.9/1"),
                ptz=PtzLimits(zoom_max=10.0), terms=Terms(attribution="Metro Transit"),
            ),
            camera("yard", place=spot(300, 300), owner="schools", consent=Consent.ON_ALARM),
            camera("far", place=spot(5000, 5000)),
        )  # fmt: skip
        yield Light(await Watched.of(made, tmp_path, *some), tmp_path)


def sent(city: City, status: UnitStatus = UnitStatus.EN_ROUTE) -> CalledUnit:
    return CalledUnit(unit=UnitId("2A14"), status=status, at=city.clock())


async def opened(web: Light, person: Someone, name: str = "gate") -> int:
    """Permitted, and the picture open."""
    answer = await person.post(f"/api/cameras/{name}/watch")
    assert answer.status_code == 200, answer.text
    permit = int(answer.json()["permit"])
    web.city.watching.opened(permit, CameraId(name), web.city.later(0.1))
    return permit


async def test_the_register_tells_three_numbers_and_no_address(web: Light) -> None:
    operator = await web.sign_in("operator")
    now = web.city.clock()
    await web.states.hear_health(
        [health("far", looked_at=now), health("yard", PictureState.STALLED)]
    )
    line = Pulling(camera_id=CameraId("gate"), quality="full", state=PictureState.LIVE, viewers=2,
                   figures=Figures(bytes=1000, fps=25.0))  # fmt: skip
    web.states.hear_lines({CameraId("gate"): [line]})
    web.city.later(1)
    more = msgspec.structs.replace(line, figures=Figures(bytes=251_000, fps=25.0))
    web.states.hear_lines({CameraId("gate"): [more]})
    answer = await operator.get("/api/cameras")
    body = answer.json()
    assert body["counts"] == {"registered": 3, "reachable": 2, "live": 1}
    numbers = ("registered", "reachable", "live")
    owners = {one["owner_id"]: [one[name] for name in numbers] for one in body["owners"]}
    assert owners == {"luminaria-transit": [2, 2, 1], "schools": [1, 0, 0]}
    rows = {one["id"]: one for one in body["cameras"]}
    shown = {name: (one["state"], one["open"], one["ptz"]) for name, one in rows.items()}
    assert shown == {
        "gate": ("live", True, True),
        "yard": ("stalled", False, False),
        "far": ("live", True, False),
    }
    one = (await operator.get("/api/cameras/gate")).json()
    assert one["live"] == {"viewers": 2, "fps": 25.0, "bitrate": 2_000_000, "loss": 0,
                           "age_ms": None, "quality": "full"}  # fmt: skip
    assert one["camera"]["owner"]["name"] == "Metro Transit"
    assert (one["open"], one["ptz_held"]) == (True, None)
    for text in (answer.text, str(one)):
        assert not [word for word in SECRETS if word in text]
    assert (await operator.get("/api/cameras/none")).status_code == 404


async def test_screens_are_told_what_changed(web: Light) -> None:
    number, message = web.states.news(None)
    assert message is not None
    assert (message["k"], message["states"]) == ("cameras", {})
    assert web.states.news(number) == (number, None)
    await web.states.hear_health([health("far", PictureState.UNREACHABLE)])
    number, message = web.states.news(number)
    assert message is not None
    assert message["states"] == {"far": "unreachable"}
    await web.states.hear_health([health("far", PictureState.UNREACHABLE, missed=2)])
    assert web.states.news(number) == (number, None)


async def test_a_picture_is_opened_by_a_token_of_its_own(web: Light) -> None:
    operator = await web.sign_in("operator")
    answer = await operator.post("/api/cameras/gate/watch", {"quality": "sub"})
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["url"] == "ws://localhost:9000/watch"
    assert body["watermark"].startswith(f"Ana Ortiz · {body['permit']:#x} · 2026-11-23")
    assert body["terms"]["attribution"] == "Metro Transit"
    grant = read(b"secret", body["token"], round(web.city.clock().timestamp() * 1e6))
    assert (grant.permit, grant.camera_id) == (body["permit"], "gate")
    refused = await operator.post("/api/cameras/yard/watch")
    assert (refused.status_code, refused.json()["error"]) == (403, "no_consent")
    assert refused.json()["permit"] > body["permit"]
    wrong = {"incident_id": "01890000-0000-7000-8000-000000000000"}
    assert (await operator.post("/api/cameras/gate/watch", wrong)).status_code == 404
    for persona in ("auditor", "owner"):
        other = await web.sign_in(persona)
        refused = await other.post("/api/cameras/gate/watch")
        assert (refused.status_code, refused.json()["error"]) == (403, "role")
    without = await operator.http.post("/api/cameras/gate/watch", json={})
    assert without.status_code == 403, "not from our own page"


async def test_signing_out_and_suspension_end_a_picture(web: Light) -> None:
    operator, supervisor = await web.sign_in("operator"), await web.sign_in("supervisor")
    first, second = await opened(web, operator), await opened(web, supervisor)
    await web.city.watching.turn()
    assert web.city.cuts == []
    await operator.say("DELETE", "/api/session")
    person = next(
        one.person for one in await web.identity.people() if one.person.name == "Dolores Aragon"
    )
    await web.identity.suspend(person.person_id)
    await web.city.watching.turn()
    assert [permits for permits, _ in web.city.cuts] == [(first,), (second,)]


async def test_an_officer_sees_the_cameras_of_the_own_incident(web: Light) -> None:
    officer = await web.sign_in("officer")
    place = spot(0, 0)
    near = f"/api/pictures/near?lat={place.lat}&lon={place.lon}"
    refused = [(await officer.get(path)).json()["error"] for path in
               ("/api/cameras", "/api/cameras/gate", near)]  # fmt: skip
    assert refused == ["not_near"] * 3
    incident = await web.city.shots("2026-1", 100, 0, units=(sent(web.city),))
    answer = await officer.get("/api/cameras")
    assert [one["id"] for one in answer.json()["cameras"]] == ["gate"]
    assert (await officer.get("/api/cameras/far")).status_code == 403
    shown = (await officer.get(f"/api/incidents/{incident.incident_id}/pictures")).json()
    assert {one["id"] for one in (*shown["cameras"], *shown["not"])} >= {"gate"}
    assert (await officer.get(near)).status_code == 200
    other = await web.city.shots("2026-2", 900, 900)
    elsewhere = await officer.get(f"/api/incidents/{other.incident_id}/pictures")
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (403, "not_near")
    body = {"incident_id": str(incident.incident_id)}
    assert (await officer.post("/api/cameras/gate/watch", body)).status_code == 200


async def test_which_cameras_see_a_place_and_which_cannot(web: Light) -> None:
    operator = await web.sign_in("operator")
    place = spot(60, 0)
    near = f"/api/pictures/near?lat={place.lat}&lon={place.lon}"
    found = (await operator.get(near)).json()
    assert [one["id"] for one in found["cameras"]] == ["gate"]
    assert found["cameras"][0]["says"]
    assert (found["cameras"][0]["open"], found["cameras"][0]["how"]) == (True, "now")
    assert [(one["id"], one["score"]) for one in found["not"]] == [("yard", 0.0)]
    await web.city.bring(gate_camera(consent=Consent.REGISTRY_ONLY))
    closed = (await operator.get(near)).json()
    assert closed["cameras"] == []
    assert {one["id"]: one["open"] for one in closed["not"]} == {"gate": False, "yard": False}
    after = (await operator.get(near.replace("near", "next") + "&bearing=90")).json()
    assert after["cameras"] == [], "no roads, no next cameras"
    for wrong in ("lat=91&lon=0", "lat=0&lon=0", f"lat={place.lat}", "lat=x&lon=1"):
        assert 400 <= (await operator.get(f"/api/pictures/near?{wrong}")).status_code < 500
    assert (await operator.get(near + "&at=2026-01-01T00:00:00")).status_code == 422


async def test_one_turns_and_the_next_waits(web: Light) -> None:
    operator, supervisor = await web.sign_in("operator"), await web.sign_in("supervisor")
    held = (await operator.post("/api/cameras/gate/ptz", {"op": "move", "pan": 0.5})).json()
    assert (held["held_by"], held["yours"], held["waiting"]) == ("Ana Ortiz", True, [])
    refused = await supervisor.post("/api/cameras/gate/ptz", {"op": "home"})
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    taken = (await supervisor.post("/api/cameras/gate/ptz", {"op": "take"})).json()
    assert (taken["held_by"], taken["waiting"]) == ("Dolores Aragon", ["Ana Ortiz"])
    card = (await operator.get("/api/cameras/gate")).json()["ptz_held"]
    assert (card["by"], card["waiting"]) == ("Dolores Aragon", ["Ana Ortiz"])
    assert web.turns.told == [("move", 0.5, 0.0, 0.0)]
    assert (await operator.post("/api/cameras/gate/ptz", {"op": "spin"})).status_code == 400
    assert (await operator.post("/api/cameras/far/ptz", {"op": "take"})).status_code == 422


async def test_an_owner_reads_who_looked_and_closes_the_camera(web: Light) -> None:
    operator, owner = await web.sign_in("operator"), await web.sign_in("owner")
    permit = await opened(web, operator)
    web.city.later(90)
    await web.city.watching.turn()
    page = (await owner.get("/api/owner")).json()
    assert page["owner"] == {
        "owner_id": "luminaria-transit",
        "name": "Metro Transit",
        "kind": "transit",
    }
    gate = next(one for one in page["cameras"] if one["id"] == "gate")
    assert (gate["watched_now"], gate["watched_30_days_minutes"]) == (1, 1.5)
    [seen] = page["viewings"]
    assert (seen["who"], seen["permit"], seen["until"]) == ("Ana Ortiz", permit, None)
    assert "case" not in seen
    hours = [{"days": [6, 0], "since": "22:00", "until": "06:00"}]
    said = {"consent": "time_window", "hours": hours}
    answer = await owner.post("/api/cameras/gate/consent", said)
    assert (answer.status_code, answer.json()["open"]) == (200, True), "it is 3 on a Monday"
    closed = await owner.post("/api/cameras/gate/consent", {"consent": "registry_only"})
    assert closed.json()["open"] is False
    await web.city.watching.turn()
    assert [permits for permits, _ in web.city.cuts] == [(permit,)]
    for path in ("/api/cameras/yard/viewings", "/api/cameras"):
        assert (await owner.get(path)).status_code == 403
    assert (await owner.get("/api/cameras/gate/viewings")).json()["viewings"][0]["who"]
    refused = await owner.post("/api/cameras/yard/consent", {"consent": "always"})
    assert refused.json()["error"] == "not_your_camera"
    assert (await owner.post("/api/cameras/gate/consent", {"consent": "time_window"})).is_error
    assert (await operator.get("/api/owner")).status_code == 403


async def test_who_watched_any_camera_is_for_supervisors_and_auditors(web: Light) -> None:
    operator, supervisor = await web.sign_in("operator"), await web.sign_in("supervisor")
    auditor, owner = await web.sign_in("auditor"), await web.sign_in("owner")
    permit = await opened(web, operator)
    await web.city.watching.turn()
    for who in (auditor, supervisor):
        [seen] = (await who.get("/api/viewings")).json()["viewings"]
        assert (seen["camera_id"], seen["who"], seen["permit"]) == ("gate", "Ana Ortiz", permit)
        assert seen["camera"] == gate_camera().name
        earlier = (await who.get(f"/api/viewings?before={seen['since']}")).json()
        assert earlier["viewings"] == []
    for who in (operator, owner):
        assert (await who.get("/api/viewings")).status_code == 403


async def test_walls_are_kept_for_who_saved_them(web: Light) -> None:
    operator, supervisor = await web.sign_in("operator"), await web.sign_in("supervisor")
    wall = {"columns": 2, "tiles": [{"camera_id": "gate"}, None, {"camera_id": "far"}]}
    assert (await operator.say("PUT", "/api/walls/Night%20shift", wall)).status_code == 200
    kept = (await operator.get("/api/walls")).json()["walls"]
    assert kept == [{"name": "Night shift", **wall}]
    assert (await supervisor.get("/api/walls")).json()["walls"] == []
    wide = {"columns": 40, "tiles": []}
    assert (await operator.say("PUT", "/api/walls/wide", wide)).status_code == 400
    assert (await operator.say("DELETE", "/api/walls/Night%20shift")).status_code == 200
    assert (await operator.say("DELETE", "/api/walls/Night%20shift")).status_code == 404


async def test_the_command_line_brings_a_register(web: Light) -> None:
    body: dict[str, Any] = {
        "owners": [{"owner_id": "county", "agency": "own", "name": "County", "kind": "county"}],
        "cameras": [msgspec.to_builtins(camera("court", owner="county", agency="own"))],
        "logins": {"court": {"user": "u", "word": "tumbleweed"}},
        "remove": ["far"],
    }
    answer = await web.admin("POST", body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["new"], told["removed"], told["logins"], told["kept_consent"]) == (1, 1, 1, 0)
    listed = await web.admin("GET")
    assert [one["camera_id"] for one in listed.json()["cameras"]] == ["gate", "yard", "court"]
    assert not [word for word in SECRETS if word in listed.text]
    stranger = {"cameras": [msgspec.to_builtins(camera("x", owner="nobody"))]}
    wrong = await web.admin("POST", stranger)
    assert (wrong.status_code, "nobody" in wrong.json()["says"]) == (422, True)


async def test_what_is_wrong_is_told_by_where(web: Light) -> None:
    operator = await web.sign_in("operator")
    down = [camera(f"s-{n}", switch="sw-7", place=spot(n, n)) for n in range(4)]
    await web.city.bring(*down)
    since = web.city.clock() - timedelta(minutes=4)
    await web.states.hear_health(
        [health(one.camera_id, PictureState.UNREACHABLE, since=since) for one in down]
        + [health("gate", faults=(ImageFault.BLUR,))]
    )
    body = (await operator.get("/api/cameras/health")).json()
    groups = [(one["by"], one["name"], one["cameras"], one["state"]) for one in body["groups"]]
    assert groups == [("switch", "sw-7", 4, "unreachable"), ("camera", "Gate", 1, "blur")]
    assert body["sweep"]["done"] == 0
