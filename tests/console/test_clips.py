"""The routes of clips over HTTP: whole and in ranges, by the real desk and its real files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar import Litestar, Request
from litestar.config.compression import CompressionConfig
from litestar.di import Provide

from farolito.app.clock import ids
from farolito.console.app import UNCOMPRESSED
from farolito.console.routes import clips
from farolito.console.routes.clips import Part, part_of
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.identity import SignedIn
from farolito.model import Consent, SessionId
from farolito.store import Database
from tests.desk.cameras import Watched, gate_camera
from tests.desk.city import a_city
from tests.desk.test_clips import BOX, DETECTIVE, SPAN, Studio

HEADERS = {"x-farolito-purpose": "criminal_investigation", "x-farolito-case": "26-1187"}


@pytest.fixture
async def studio(database: Database, tmp_path: Path) -> AsyncIterator[Studio]:
    async with a_city(database, tmp_path) as city:
        watched = await Watched.of(city, tmp_path, gate_camera(consent=Consent.ALWAYS))
        yield Studio(watched, tmp_path)


@pytest.fixture
async def http(studio: Studio) -> AsyncIterator[httpx.AsyncClient]:
    now = studio.city.clock()
    signed_in = SignedIn(
        person=DETECTIVE,
        session=SessionId(ids()),
        signed_in_at=now,
        seen_at=now,
        csrf="",
        proved_at=now,
    )

    async def asker(request: Request[Any, Any, Any]) -> Asker:
        return Asker(signed_in, request.headers, "")

    services = object.__new__(Services)  # the routes ask for two of its rooms
    object.__setattr__(services, "clips", studio.desk)
    object.__setattr__(services, "clock", studio.city.clock)
    app = Litestar(
        clips.ROUTES,
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "asker": Provide(asker),
        },
        compression_config=CompressionConfig(backend="gzip", exclude=UNCOMPRESSED),
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=transport, base_url="http://node", headers=HEADERS
    ) as client:
        yield client


async def test_a_clip_is_made_listed_looked_at_and_taken_out_in_parts(
    http: httpx.AsyncClient, studio: Studio
) -> None:
    span = {"from": SPAN[0].isoformat(), "to": SPAN[1].isoformat()}
    made = await http.post("/api/cameras/gate/clips", json=span)
    assert made.status_code == 201, made.text
    clip_id = made.json()["clip"]["clip_id"]
    listed = (await http.get("/api/clips", params={"camera": "gate"})).json()
    assert [one["clip_id"] for one in listed["clips"]] == [clip_id]
    assert listed["clips"][0]["redacting"] is None

    where = f"/api/clips/{clip_id}/file"
    whole = await http.get(where, headers={"accept-encoding": "gzip"})
    assert (whole.status_code, len(whole.content)) == (200, made.json()["clip"]["size"])
    assert "content-encoding" not in whole.headers
    assert whole.headers["content-type"] == "video/mp4"
    for asked, expected in (
        ("bytes=0-99", whole.content[:100]),
        ("bytes=-50", whole.content[-50:]),
        ("bytes=1000-", whole.content[1000:]),
    ):
        part = await http.get(where, headers={"range": asked})
        assert (part.status_code, part.content) == (206, expected)
        assert part.headers["content-length"] == str(len(expected))
    beyond = await http.get(where, headers={"range": f"bytes={len(whole.content)}-"})
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{len(whole.content)}"
    permits = {int(one.headers["x-farolito-permit"]) for one in (whole, beyond)}
    assert len(permits) == 2, "each asking is an entry of its own"

    frame = await http.get(f"/api/clips/{clip_id}/frames", params={"at_ms": 240})
    assert frame.headers["x-farolito-at-ms"] == "230.000"
    manifest = await http.get(f"/api/clips/{clip_id}/manifest")
    assert set(manifest.json()) == {"manifest", "signature", "entry", "proof"}
    keys = [{name: getattr(key, name) for name in ("at_ms", *"xywh")} for key in BOX.keys]
    redacted = await http.post(f"/api/clips/{clip_id}/redactions", json={"boxes": [{"keys": keys}]})
    assert redacted.status_code == 201, redacted.text
    assert redacted.json()["clip"]["source"] == clip_id
    wrong = await http.post(
        f"/api/clips/{clip_id}/redactions", json={"boxes": [{"keys": [keys[0] | {"x": 2}]}]}
    )
    assert wrong.status_code == 400


@pytest.mark.parametrize(
    ("asked", "if_range", "part"),
    [
        (None, None, Part(0, 100, is_part=False)),
        ("bytes=0-", None, Part(0, 100)),
        ("bytes=5-9", None, Part(5, 10)),
        ("bytes=5-900", None, Part(5, 100)),
        ("bytes=-7", None, Part(93, 100)),
        ("bytes=-700", None, Part(0, 100)),
        ("bytes=5-9", '"sum"', Part(5, 10)),
        ("bytes=5-9", '"of another"', Part(0, 100, is_part=False)),
        ("bytes=0-1,5-9", None, Part(0, 100, is_part=False)),
        ("bytes=9-5", None, Part(0, 100, is_part=False)),
        ("lines=1-2", None, Part(0, 100, is_part=False)),
        ("bytes=100-", None, None),
        ("bytes=-0", None, None),
    ],
)
def test_a_range_is_read_as_the_standard_has_it(
    asked: str | None, if_range: str | None, part: Part | None
) -> None:
    assert part_of(asked, if_range, '"sum"', 100) == part


@given(st.text(max_size=40), st.integers(1, 10**9))
def test_whatever_range_is_asked_for_the_part_lies_in_the_file(asked: str, size: int) -> None:
    for told in (asked, f"bytes={asked}"):
        part = part_of(told, None, '""', size)
        assert part is None or 0 <= part.start < part.end <= size
