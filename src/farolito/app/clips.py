"""Where clips are made: the picture process cuts, this signs, the disk keeps.

Sums: a clip of 30 s at 2 Mbit/s is 7.5 MB; cutting it is a copy, signing takes 0.2 s. Hiding a part
of it decodes and codes 750 pictures: 10 to 45 s of a core at 1280 × 720, in a process of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

from farolito.app import clip_work
from farolito.desk.clips import Draft, Source, Wanted
from farolito.gate import Gate
from farolito.media import content_credentials, evidence
from farolito.media.clips import ClipFiles
from farolito.media.clock_reading import DAY_S, SPAN_S, Reading
from farolito.media.control import ClipMade
from farolito.media.evidence_keys import EvidenceKeys, load_or_make
from farolito.model import (
    Agency,
    CameraHealth,
    CameraId,
    Clip,
    ClipId,
    ClipKind,
    FarolitoError,
)
from farolito.model.box import Box

log = logging.getLogger(__name__)

REDACTIONS_MAX = 1  # at a time; others wait
LOST_KEPT = timedelta(days=30)
NOT_MEASURED = "not measured"

Health = Callable[[CameraId], CameraHealth | None]


class NoClip(FarolitoError):
    """There was nothing to cut, or nowhere to put it."""


class Cut(Protocol):
    """`Picturing.make_clip`."""

    def __call__(
        self, camera_id: CameraId, from_us: int, to_us: int, path: Path
    ) -> Awaitable[ClipMade]: ...


class ClipWorks:
    """The desk's workshop. `health`: how a camera was last found, for the error of its clock;
    `zone`: in which cameras write the time into their pictures."""

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        files: ClipFiles,
        keys: EvidenceKeys,
        agency: Agency,
        gate: Gate,
        cut: Cut,
        health: Health,
        zone: ZoneInfo,
    ) -> None:
        self._files = files
        self._keys = keys
        self._agency = agency
        self._gate = gate
        self._cut = cut
        self._health = health
        self._zone = zone
        self._redacting = asyncio.Semaphore(REDACTIONS_MAX)
        self._progress: dict[ClipId, clip_work.Done] = {}

    @classmethod
    def at(  # noqa: PLR0913 - wired once, by build
        cls,
        state: Path,
        agency: Agency,
        gate: Gate,
        cut: Cut,
        health: Health,
        zone: ZoneInfo,
        now: datetime,
    ) -> ClipWorks:
        """Over a node's own folders; makes the keys of evidence on the first start. Blocking."""
        keys = load_or_make(state / "keys", agency, now)
        return cls(ClipFiles(state / "clips"), keys, agency, gate, cut, health, zone)

    async def cut(self, wanted: Wanted) -> Draft:
        raw = self._files.draft(wanted.clip_id, "raw").absolute()
        try:
            camera_id = wanted.camera.camera_id
            made = await self._cut(camera_id, _us(wanted.since), _us(wanted.until), raw)
            if made.problem:
                raise NoClip(made.problem, made.do)
            clip = self._clip(wanted, _at(made.from_us), _at(made.to_us), made.frames)
            clip = msgspec.structs.replace(clip, **await self._clock(clip, raw))
            return await self._sign(wanted, clip, raw)
        except BaseException:
            await asyncio.to_thread(self._files.discard, wanted.clip_id)
            raise

    async def redact(self, wanted: Wanted, source: Source, boxes: Sequence[Box]) -> Draft:
        raw, original = self._files.draft(wanted.clip_id, "raw"), source.clip

        def progress(done: clip_work.Done) -> None:
            self._progress[original.clip_id] = done

        try:
            async with self._redacting:
                path = self.file(original)
                made = await clip_work.redaction(path, raw, boxes, progress)
            clip = msgspec.structs.replace(
                self._clip(wanted, original.since, original.until, made.frames),
                kind=ClipKind.REDACTED,
                source=original.clip_id,
                clock_error_s=original.clock_error_s,
                clock_measured_at=original.clock_measured_at,
                clock_says=original.clock_says,
            )
            told = {"boxes": _whole(boxes), "how": "one colour a box"}
            return await self._sign(wanted, clip, raw, source, told)
        except BaseException:
            await asyncio.to_thread(self._files.discard, wanted.clip_id)
            raise
        finally:
            self._progress.pop(original.clip_id, None)

    async def place(self, draft: Draft) -> None:
        clip = draft.clip
        signed = self._files.draft(clip.clip_id, "signed")
        try:
            await asyncio.to_thread(
                self._files.place, clip.clip_id, day_of(clip), signed, draft.manifest
            )
        except OSError as error:
            await asyncio.to_thread(self._files.discard, clip.clip_id)
            raise NoClip(
                f"the clip could not be kept ({error.strerror})", "look at the node's disk"
            ) from error

    async def drop(self, draft: Draft) -> None:
        clip = draft.clip
        await asyncio.to_thread(self._files.remove, clip.clip_id, day_of(clip))

    async def picture(self, clip: Clip, at_ms: float) -> tuple[float, bytes]:
        return await clip_work.picture(self.file(clip), at_ms)

    def file(self, clip: Clip) -> Path:
        return self._files.get(clip.clip_id, day_of(clip), clip.size)

    def working_on(self, clip_id: ClipId) -> tuple[int, int] | None:
        done = self._progress.get(clip_id)
        return None if done is None else (done.count, done.of)

    async def start(self) -> int:
        """Put away what a crash left; answers how many files had no card."""
        kept = await self._gate.following(lambda records: records.clips.ids())
        lost = await asyncio.to_thread(self._files.sweep, kept)
        if lost:
            log.warning("%d clips without a row were put away in clips/.lost", lost)
        return lost

    async def end(self, clips: Sequence[Clip]) -> None:
        """Their keeping has ended: the files go, and what was put away long ago with them."""
        for clip in clips:
            await asyncio.to_thread(self._files.remove, clip.clip_id, day_of(clip))
        await asyncio.to_thread(self._files.end_lost, datetime.now(UTC) - LOST_KEPT)

    def _clip(self, wanted: Wanted, since: datetime, until: datetime, frames: int) -> Clip:
        """Without digest and size, which come of the signing."""
        ask = wanted.ask
        assert ask.purpose is not None, "nothing is permitted without a purpose"
        return Clip(
            clip_id=wanted.clip_id,
            agency=self._agency.agency_id,
            camera_id=wanted.camera.camera_id,
            kind=ClipKind.ORIGINAL,
            since=since,
            until=until,
            made_at=wanted.made_at,
            made_by=ask.person.person_id,
            purpose=ask.purpose,
            case=ask.case,
            incident=wanted.incident,
            sha256="",
            size=0,
            frames=frames,
            permit=wanted.permit,
        )

    async def _clock(self, clip: Clip, raw: Path) -> dict[str, Any]:
        """The error of the camera's clock: by the one in these pictures where it can be read, else
        by what the camera last answered."""
        health = self._health(clip.camera_id)
        asked = health.clock_error_s if health else None
        try:
            long_enough = (clip.until - clip.since).total_seconds() >= SPAN_S[0]
            reading = await clip_work.clock(raw) if long_enough else None
        except clip_work.NotWorked:
            reading = None
        if reading is not None:
            error = _error_s(reading, self._zone)
            says = f"the clock in the picture, by {self._zone.key}, to {reading.exact_s:.2f} s"
            if asked is not None:
                says += f"; its answer to ONVIF was {asked:+.1f} s"
            measured_at: datetime | None = _at(reading.received_us)
        elif health is not None and asked is not None:
            error, measured_at = asked, health.clock_measured_at
            says = "its answer to ONVIF; no clock in the picture is surely readable"
        else:
            return {"clock_says": NOT_MEASURED}
        return {"clock_error_s": error, "clock_measured_at": measured_at, "clock_says": says}

    async def _sign(
        self,
        wanted: Wanted,
        clip: Clip,
        raw: Path,
        source: Source | None = None,
        redaction: Mapping[str, Any] | None = None,
    ) -> Draft:
        key, checkpoint = await self._gate.ledger_now()
        told = evidence.Told(
            agency_name=self._agency.name,
            camera_name=wanted.camera.name,
            owner=wanted.camera.owner,
            owner_name=wanted.owner.name if wanted.owner else wanted.camera.owner,
            role=wanted.ask.person.role.value,
            raw_sha256=await asyncio.to_thread(evidence.sha256_of, raw),
            signer_sha256=self._keys.signer_sha256,
            anchor_sha256=self._keys.anchor_sha256,
            key=key,
            checkpoint=checkpoint.decode(),
            source=_named(source) if source else None,
            redaction=redaction,
        )
        return await asyncio.to_thread(self._make, clip, told, raw, source)

    def _make(self, clip: Clip, told: evidence.Told, raw: Path, source: Source | None) -> Draft:
        signed = self._files.draft(clip.clip_id, "signed")
        parent = self.file(source.clip) if source else None
        inside = evidence.assertion(clip, told)
        title = f"{clip.clip_id}.mp4"
        content_credentials.sign(raw, signed, title, inside, self._keys, parent)
        clip = msgspec.structs.replace(
            clip, sha256=evidence.sha256_of(signed), size=signed.stat().st_size
        )
        made = evidence.manifest(clip, told, signed, self._gate.vouch)
        return Draft(clip, made.document, made.digest)


def day_of(clip: Clip) -> date:
    """The folder that it lies in: of the UTC day on which it begins."""
    return clip.since.astimezone(UTC).date()


def _named(source: Source) -> dict[str, str]:
    """How a redacted clip names its original."""
    text = evidence.text_of(json.loads(source.manifest)["manifest"])
    return {
        "clip": str(source.clip.clip_id),
        "sha256": source.clip.sha256,
        "manifest_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _whole(boxes: Sequence[Box]) -> list[Any]:
    """Boxes in whole numbers, as canonical JSON wants them: ms, and millionths of the picture."""
    return [
        [
            {
                "at_ms": round(key.at_ms),
                **{side: round(getattr(key, side) * 1e6) for side in ("x", "y", "w", "h")},
            }
            for key in box.keys
        ]
        for box in boxes
    ]


def _error_s(reading: Reading, zone: ZoneInfo) -> float:
    """What the picture shows less our clock, in the day's half that is nearer."""
    ours = _at(reading.received_us).astimezone(zone)
    midnight = ours.replace(hour=0, minute=0, second=0, microsecond=0)
    ours_s = (ours.replace(tzinfo=None) - midnight.replace(tzinfo=None)).total_seconds()
    half = DAY_S / 2
    return round((reading.shown_s - ours_s + half) % DAY_S - half, 3)


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def _at(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1e6, UTC)
