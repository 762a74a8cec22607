"""A clip from the permit to the court: cut, kept, taken out, checked, redacted, ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from typer.testing import CliRunner

from farolito.app.clip_check import check_clip
from farolito.app.clips import ClipWorks, NoClip
from farolito.app.clock import ids
from farolito.audit import LedgerDown
from farolito.cli.main import app as command
from farolito.codec import mp4_read
from farolito.desk import NotFound
from farolito.desk.clips import ClipDesk
from farolito.gate import Ask
from farolito.media.clips import ClipFiles
from farolito.media.control import ClipMade
from farolito.media.evidence_keys import EvidenceKeys, load_or_make
from farolito.model import (
    CameraHealth,
    CameraId,
    Clip,
    ClipId,
    ClipKind,
    Consent,
    IncidentId,
    Invalid,
    Person,
    PersonId,
    PictureState,
    Purpose,
    Refused,
    Role,
    Terms,
    Thing,
)
from farolito.model.box import Box, BoxKey
from farolito.store import Database
from tests.desk.cameras import DENVER, GATE, Watched, gate_camera
from tests.desk.city import AGENCY, a_city
from tests.media import street
from tests.media import test_clock_reading as clocks

DETECTIVE = Person(
    person_id=PersonId(ids()), agency=AGENCY.agency_id, name="Ana Ortiz", role=Role.DETECTIVE
)
SPAN = (
    datetime.fromtimestamp(street.START_US / 1e6, UTC),
    datetime.fromtimestamp(street.START_US / 1e6 + 2, UTC),
)
BOX = Box((BoxKey(0, 0.1, 0.3, 0.3, 0.4), BoxKey(1900, 0.2, 0.3, 0.3, 0.4)))


class Studio:
    """A city with cameras, and a workshop whose cuts are of a drawn street."""

    def __init__(self, city: Watched, folder: Path) -> None:
        self.city, self.folder = city, folder
        self.files = ClipFiles(folder / "clips")
        self.keys: EvidenceKeys = load_or_make(folder / "keys", AGENCY, datetime.now(UTC))
        self.works = ClipWorks(
            self.files, self.keys, AGENCY, city.gate, self._cut, lambda _: self.health, DENVER
        )
        self.desk = ClipDesk(city.gate, city.book, self.works, city.clock, ids)
        self.problem = ""
        self.shown: datetime | None = None  # by a clock in the picture
        self.health = CameraHealth(
            camera_id=GATE, state=PictureState.LIVE, since=SPAN[0], clock_error_s=2.5,
            clock_measured_at=SPAN[0],
        )  # fmt: skip

    async def _cut(self, camera_id: CameraId, from_us: int, to_us: int, path: Path) -> ClipMade:
        if self.problem:
            return ClipMade(request=1, problem=self.problem, do="open it")
        if self.shown is not None:
            last = await asyncio.to_thread(clocks.clip, path, clocks.printed, self.shown)
            return ClipMade(request=1, from_us=clocks.START_US, to_us=last.received_us, frames=140)
        await asyncio.to_thread(street.write, path)
        end_us = street.units()[-1].received_us
        return ClipMade(request=1, from_us=street.START_US, to_us=end_us, frames=20)

    def ask(self, **more: Any) -> Ask:
        told = self.city.asks(DETECTIVE, Purpose.CRIMINAL_INVESTIGATION, case="26-1187")
        return msgspec.structs.replace(told, thing=Thing.CLIP, **more)

    def now(self) -> Ask:
        """An operator's, who works on what happens now: of no case."""
        return msgspec.structs.replace(self.city.ask(), thing=Thing.CLIP)

    async def clip(self) -> Clip:
        return (await self.desk.make(self.ask(), GATE, *SPAN, None)).value

    async def taken_out(self, clip: Clip) -> tuple[Path, bytes]:
        path = (await self.desk.file(self.ask(), clip.clip_id)).value[1]
        return path, (await self.desk.manifest(self.ask(), clip.clip_id)).value

    def left(self) -> list[str]:
        return sorted(
            str(file.relative_to(self.folder / "clips"))
            for file in (self.folder / "clips").rglob("*")
            if file.is_file()
        )


@pytest.fixture
async def studio(database: Database, tmp_path: Path) -> AsyncIterator[Studio]:
    async with a_city(database, tmp_path) as city:
        watched = await Watched.of(city, tmp_path, gate_camera(consent=Consent.ALWAYS))
        yield Studio(watched, tmp_path)


async def test_a_clip_taken_out_proves_itself_and_any_change_shows(
    studio: Studio, tmp_path: Path
) -> None:
    clip = await studio.clip()
    path, document = await studio.taken_out(clip)
    key, anchor = studio.city.ledger.verifier_key, studio.keys.anchor
    bundle = await studio.city.ledger.bundle()
    raw = path.read_bytes()
    assert clip.case == "26-1187"
    assert clip.clock_error_s == 2.5

    verdict = check_clip(raw, document, anchor=anchor, key=key, bundle=bundle)
    assert (verdict.problems, verdict.ok, verdict.c2pa) == ((), True, "trusted")
    assert len(verdict.proved) == 7
    assert verdict.evidence["person"]["id"] == str(DETECTIVE.person_id)
    assert verdict.evidence["permits"] == [str(clip.permit)]
    assert verdict.evidence["clock"]["error_ms"] == 2500

    fragment = next(iter(mp4_read.fragments(raw)))
    for at in (10, raw.index(b"free") + 8, fragment.end - 5, len(raw) - 3):
        bad = bytearray(raw)
        bad[at] ^= 1
        assert not check_clip(bytes(bad), document, anchor=anchor, key=key).ok
    for word, other in (
        ("26-1187", "26-1188"),
        ('fixes\\":\\"', 'fixes\\":\\"0'),
        ("since", "sinse"),
    ):
        forged = document.replace(word.encode(), other.encode())
        assert forged != document
        assert not check_clip(raw, forged, anchor=anchor, key=key, bundle=bundle).ok

    (tmp_path / "a.mp4").write_bytes(raw)
    (tmp_path / "a.json").write_bytes(document)
    (tmp_path / "ca.pem").write_text(anchor)
    asked = ["clip", "verify", str(tmp_path / "a.mp4"), "--anchor", str(tmp_path / "ca.pem")]
    told = CliRunner().invoke(command, [*asked, "--key", str(key)])
    assert told.exit_code == 0, told.output
    assert "not proved: that the camera was honest" in told.output
    (tmp_path / "a.mp4").write_bytes(raw[:-1])
    told = CliRunner().invoke(command, [*asked, "--json"])
    assert told.exit_code == 1
    assert json.loads(told.output)["ok"] is False


async def test_the_clock_in_the_picture_tells_the_error_better_than_the_camera(
    studio: Studio,
) -> None:
    studio.shown = SPAN[0].astimezone(DENVER) - timedelta(seconds=7.3)
    clip = await studio.clip()
    assert clip.clock_error_s == pytest.approx(-7.3, abs=0.15)
    assert clip.clock_says == (
        "the clock in the picture, by America/Denver, to 0.10 s; its answer to ONVIF was +2.5 s"
    )


async def test_a_manifest_of_another_clip_or_a_ledger_of_another_agency_proves_nothing(
    studio: Studio,
) -> None:
    one, two = await studio.clip(), await studio.clip()
    path, document = await studio.taken_out(one)
    _, other = await studio.taken_out(two)
    raw = path.read_bytes()
    assert not check_clip(raw, other).ok
    mixed = json.loads(document) | {n: json.loads(other)[n] for n in ("entry", "proof")}
    [problem] = check_clip(raw, json.dumps(mixed).encode()).problems
    assert "another thing" in problem
    stranger = load_or_make(studio.folder / "strangers", AGENCY, datetime.now(UTC))
    assert not check_clip(raw, document, anchor=stranger.anchor).ok


async def test_a_redacted_clip_is_a_second_one_linked_to_its_untouched_original(
    studio: Studio,
) -> None:
    clip = await studio.clip()
    path, document = await studio.taken_out(clip)
    before = path.read_bytes()
    made = (await studio.desk.redact(studio.ask(), clip.clip_id, [BOX])).value
    assert (made.kind, made.source, made.frames) == (ClipKind.REDACTED, clip.clip_id, 20)
    assert path.read_bytes() == before

    second, told = await studio.taken_out(made)
    verdict = check_clip(second.read_bytes(), told, anchor=studio.keys.anchor)
    assert verdict.problems == ()
    source = verdict.evidence["source"]
    assert source["clip"] == str(clip.clip_id)
    assert source["sha256"] == clip.sha256
    fixed = json.loads(json.loads(document)["entry"])["fixes"]
    assert source["manifest_sha256"] == fixed
    with pytest.raises(Invalid, match="original"):
        await studio.desk.redact(studio.ask(), made.clip_id, [BOX])

    begins, jpeg = (await studio.desk.picture(studio.ask(), made.clip_id, 450)).value
    assert begins == pytest.approx(400, abs=0.1)
    assert jpeg.startswith(b"\xff\xd8")


async def test_nothing_is_kept_where_it_may_not_be(studio: Studio) -> None:
    async def refused(ask: Ask, **change: Any) -> str:
        await studio.city.bring(gate_camera(**{"consent": Consent.ALWAYS, **change}))
        with pytest.raises(Refused) as told:
            await studio.desk.make(ask, GATE, *SPAN, None)
        return told.value.reason

    assert await refused(studio.ask(), terms=Terms(may_record=False)) == "no_recording"
    assert await refused(studio.ask(), consent=Consent.REGISTRY_ONLY) == "no_recording"
    assert await refused(studio.ask(purpose=None)) == "no_purpose"
    with pytest.raises(Invalid, match="no case and no incident"):
        await studio.desk.make(studio.now(), GATE, *SPAN, None)
    assert studio.left() == []


async def test_a_wrong_question_says_what_is_wrong(studio: Studio) -> None:
    since, until = SPAN
    make = studio.desk.make
    for span in (
        (until, since),
        (since, since + timedelta(hours=1)),
        (since, until.replace(tzinfo=None)),
    ):
        with pytest.raises(Invalid):
            await make(studio.ask(), GATE, *span, None)
    with pytest.raises(NotFound):
        await make(studio.ask(), CameraId("nowhere"), *SPAN, None)
    with pytest.raises(NotFound):
        await make(studio.now(), GATE, *SPAN, IncidentId(uuid4()))
    with pytest.raises(NotFound):
        await studio.desk.file(studio.ask(), ClipId(uuid4()))
    studio.problem = "nothing of this span is kept"
    with pytest.raises(NoClip, match="nothing of this span"):
        await make(studio.ask(), GATE, *SPAN, None)
    assert studio.left() == []


async def test_a_fall_at_any_step_leaves_no_half_evidence(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(entry: Any) -> Any:
        if entry.fixes:
            raise LedgerDown("the ledger cannot be written", "wait")
        return await append(entry)

    kept = await studio.clip()
    whole = studio.left()
    append = studio.city.ledger.append
    monkeypatch.setattr(studio.city.ledger, "append", down)
    with pytest.raises(LedgerDown):
        await studio.clip()
    assert studio.left() == whole, "no entry, so no clip"

    draft = studio.files.draft(ClipId(uuid4()), "raw")
    draft.write_bytes(b"half")
    lost = studio.files.path(ClipId(uuid4()), SPAN[0].date())
    lost.write_bytes(b"placed, and the node fell before its card was kept")
    assert await studio.works.start() == 1
    assert studio.left() == sorted([f".lost/{lost.name}", *whole])
    assert studio.works.file(kept).stat().st_size == kept.size


async def test_clips_end_with_their_case_and_an_original_outlives_what_was_made_from_it(
    studio: Studio,
) -> None:
    clip = await studio.clip()
    studio.city.later(3600)
    made = (await studio.desk.redact(studio.ask(), clip.clip_id, [BOX])).value
    now, hour = studio.city.clock(), timedelta(hours=1)
    async with studio.city.records() as records:
        assert await records.clips.end_before(now - 2 * hour, now) == []
        assert await records.clips.end_before(now - hour / 2, now) == [], "its redaction stays"
        ended = await records.clips.end_before(now + hour, now)
    assert {one.clip_id for one in ended} == {clip.clip_id, made.clip_id}
    await studio.works.end(ended)
    assert studio.left() == []


async def test_who_looks_for_clips_finds_their_cards(studio: Studio) -> None:
    clip = await studio.clip()
    found = (await studio.desk.find(studio.ask(), None, GATE)).value
    assert [(one["clip_id"], one["camera"]) for one in found] == [
        (str(clip.clip_id), studio.city.book.camera(GATE).name)  # type: ignore[union-attr]
    ]
    assert (await studio.desk.find(studio.ask(), IncidentId(uuid4()), None)).value == []
