"""`farolito camera` at the prompt: what it says, what it sends, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from farolito.cli.camera import app
from farolito.ingest import video
from farolito.model import Camera, CameraOwner, Consent, Login
from tests.ingest.video.onvif_camera import OnvifCameraBox
from tests.ingest.video.web_camera import Answer, Answering, Asked, WebCamera

SAMPLES = Path(video.__file__).parent / "samples"


def run(*words: str | Path, **env: str) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env=env)


class Node:
    """What a node takes, kept; it answers with counts."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Answer:
        assert asked.path == "/api/admin/cameras"
        assert asked.headers["authorization"] == "Bearer token"
        if not asked.body:
            listed = [
                {
                    "camera_id": "gate",
                    "name": "Gate",
                    "owner": "city",
                    "consent": "always",
                    "state": "live",
                }
            ]
            return _json({"cameras": listed})
        body = json.loads(asked.body)
        self.bodies.append(body)
        counts = {"new": len(body.get("cameras", ())), "removed": 1, "kept_consent": 2}
        return _json({"permit": 7, **counts, "kept": ["a", "b"]})


def _json(said: Any) -> Answer:
    return Answer(json.dumps(said).encode(), headers={"Content-Type": "application/json"})


@contextmanager
def served(answering: Answering) -> Iterator[str]:
    """In a thread of its own, since a command blocks."""
    loop = asyncio.new_event_loop()
    ready, web = threading.Event(), WebCamera(answering)

    async def serve() -> None:
        async with web:
            ready.set()
            await stopped.wait()

    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait(10)
    try:
        yield web.url
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(10)
        loop.close()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "admin.token"
    path.write_text("token\n")
    return path


def test_check_names_what_would_be_refused_and_shows_no_password() -> None:
    mapping = SAMPLES / "csv" / "mapping.yaml"
    told = run("check", SAMPLES / "csv" / "good_some_wrong.csv", "--mapping", mapping)
    assert told.exit_code == 0
    assert "1  cameras" in told.stdout
    assert "line 5: 0, 0 is not a place" in told.stdout
    assert "line 7: it tells two different users or passwords (user) [two_logins]" in told.stdout
    assert "secret" not in told.stdout


def test_a_file_that_cannot_be_read_is_told_in_one_sentence() -> None:
    sample = SAMPLES / "csv" / "good_schools.csv"
    for words, said in (
        (("check", sample), "give --mapping or --format"),
        (("check", sample, "--format", "511wi"), "use 511, caltrans, nmroads"),
        (("check", sample, "--format", "caltrans"), "the list is no JSON"),
        (("check", "nothing.csv", "--format", "511"), "cannot be read"),
    ):
        told = run(*words)
        assert told.exit_code == 1
        assert said in told.stderr


def test_an_import_sends_owners_cameras_and_logins_as_the_model_has_them(token: Path) -> None:
    node = Node()
    with served(node) as url:
        told = run(
            "import", SAMPLES / "csv" / "good_schools.csv", "--mapping",
            SAMPLES / "csv" / "mapping.yaml", "--user", "all", "--node", url, "--token-file", token,
            FAROLITO_CAMERA_PASSWORD="common word",
        )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    assert "the node says: 4 new, 1 removed" in told.stdout
    assert "2 keep the narrower consent" in told.stdout
    body = node.bodies[0]
    cameras = msgspec.convert(body["cameras"], list[Camera])
    assert [camera.camera_id for camera in cameras] == [f"school-s-00{n}" for n in (1, 2, 3, 4)]
    assert msgspec.convert(body["owners"], list[CameraOwner])[0].owner_id == "practice-schools"
    logins = msgspec.convert(body["logins"], dict[str, Login])
    assert logins["school-s-001"].user == "viewer"  # its own login goes first
    assert logins["school-s-004"] == Login(user="all", word="common word")
    assert "school-s-003" not in logins  # it has no picture
    assert "common word" not in told.stdout + told.stderr


def test_a_published_list_comes_in_with_its_owner_and_the_consent_that_is_told(token: Path) -> None:
    node = Node()
    with served(node) as url:
        told = run(
            "import", SAMPLES / "nmroads" / "good_list.json", "--format", "nmroads", "--consent",
            "always", "--node", url, "--token-file", token,
        )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    assert "1  out of service" in told.stdout
    cameras = msgspec.convert(node.bodies[0]["cameras"], list[Camera])
    assert {camera.consent for camera in cameras} == {Consent.ALWAYS}
    assert not any(camera.terms.may_record for camera in cameras)


def test_one_camera_and_its_owner_are_added_and_removed(token: Path, tmp_path: Path) -> None:
    node = Node()
    (tmp_path / "word").write_text("p:ss\n")
    with served(node) as url:
        here: tuple[str | Path, ...] = ("--node", url, "--token-file", token)
        known = run("owner", "add", "city", "--name", "The City", "--kind", "city", *here)
        added = run(
            "add", "gate-1", "--name", "Gate", "--owner", "city", "--url", "rtsp://10.0.0.5/main",
            "--lat", "35.1", "--lon", "-106.6", "--bearing", "NE", "--user", "viewer",
            "--password-file", tmp_path / "word", *here,
        )  # fmt: skip
        wrong = run("add", "Gate 1", "--name", "Gate", "--owner", "city", *here)
        far = run("add", "g", "--name", "G", "--owner", "city", "--lat", "99", "--lon", "1", *here)
        gone = run("remove", "gate-1", *here)
        listed = run("list", *here)
    assert (known.exit_code, added.exit_code, gone.exit_code) == (0, 0, 0), added.stderr
    assert "lower case" in wrong.stderr
    assert "not on Earth" in far.stderr
    assert "Gate" in listed.stdout
    (owner, camera, removed) = node.bodies
    assert owner["owners"][0]["kind"] == "city"
    assert camera["cameras"][0]["bearing_deg"] == 45.0
    assert camera["cameras"][0]["consent"] == "registry_only"
    assert camera["logins"]["gate-1"] == {"user": "viewer", "word": "p:ss"}
    assert removed == {"remove": ["gate-1"]}


def test_a_camera_that_is_discovered_can_be_registered(token: Path) -> None:
    node = Node()
    with served(node) as url, served(OnvifCameraBox(clock_s=90.0)) as camera:
        port = camera.rpartition(":")[2]
        words = (
            "discover", "127.0.0.1", "--port", port, "--user", "operator", "--save-as", "gate",
            "--name", "Gate", "--owner", "city", "--node", url, "--token-file", token,
        )  # fmt: skip
        blocked = run(*words, FAROLITO_CAMERA_PASSWORD="p&ss")
        told = run(*words, "--network", "127.0.0.0/8", FAROLITO_CAMERA_PASSWORD="p&ss")
    assert "not allowed" in blocked.stderr
    assert told.exit_code == 0, told.stderr
    assert "Practice PTZ 7" in told.stdout
    assert "+90" in told.stdout or "+89" in told.stdout
    sent = msgspec.convert(node.bodies[0]["cameras"][0], Camera)
    assert sent.main is not None
    assert sent.main.url == "rtsp://127.0.0.1:8554/p0?a=1&b=2"
    assert sent.ptz is not None
    assert "p&ss" not in told.stdout
