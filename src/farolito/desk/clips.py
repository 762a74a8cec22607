"""Clips at work: cut, listed, looked at for redaction, taken out, hidden in part. All by the gate.

A clip is two ledger entries. The first permits it, before a picture is kept; the second fixes the
digest of its manifest, after file and manifest are durable and before its card is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import msgspec

from farolito.desk.cameras import Register, facts_of
from farolito.desk.desk import NotFound
from farolito.gate import Answer, Ask, Gate, Records
from farolito.model import (
    Camera,
    CameraId,
    CameraOwner,
    Clip,
    ClipId,
    ClipKind,
    FarolitoError,
    IncidentId,
    Invalid,
    OwnerId,
    Thing,
)
from farolito.model.box import Box

CLIP_MAX = timedelta(minutes=15)
AHEAD_MAX = timedelta(seconds=60)  # a request waits for the end of its span so long


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A clip before it is one. `permit`: the entry that allows it; `made_at`: by our clock."""

    clip_id: ClipId
    camera: Camera
    owner: CameraOwner | None
    since: datetime
    until: datetime
    made_at: datetime
    ask: Ask
    incident: IncidentId | None
    permit: int


class Source(msgspec.Struct, frozen=True):
    """An original, and its manifest as it is kept."""

    clip: Clip
    manifest: bytes


class Draft(msgspec.Struct, frozen=True):
    """A clip that is signed and not yet in its place. `digest`: what the ledger is to fix."""

    clip: Clip
    manifest: bytes
    digest: str


class Workshop(Protocol):
    """Where files are made: the app's. What goes wrong is raised as FarolitoError."""

    async def cut(self, wanted: Wanted) -> Draft: ...

    async def redact(self, wanted: Wanted, source: Source, boxes: Sequence[Box]) -> Draft: ...

    async def place(self, draft: Draft) -> None:
        """Make it durable under its name."""
        ...

    async def drop(self, draft: Draft) -> None:
        """It is in its place and did not become a clip."""
        ...

    async def picture(self, clip: Clip, at_ms: float) -> tuple[float, bytes]:
        """The picture shown then, and when it begins to be shown, ms; JPEG."""
        ...

    def file(self, clip: Clip) -> Path: ...

    def working_on(self, clip_id: ClipId) -> tuple[int, int] | None:
        """Pictures of a redaction of it that are done, of how many."""
        ...


class ClipDesk:
    def __init__(
        self,
        gate: Gate,
        register: Register,
        workshop: Workshop,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
    ) -> None:
        self._gate = gate
        self._register = register
        self._workshop = workshop
        self._clock = clock
        self._ids = ids

    async def make(
        self,
        ask: Ask,
        camera_id: CameraId,
        since: datetime,
        until: datetime,
        incident: IncidentId | None,
    ) -> Answer[Clip]:
        """Raises Refused, NotFound, and FarolitoError where no picture of the span is there."""
        self._check(since, until)
        if not ask.case and incident is None:
            raise Invalid("a clip of no case and no incident", "name one of them")
        await self._register.refresh()
        camera = self._camera(camera_id)

        async def begin(records: Records, permit: int) -> None:
            if incident is not None and await records.incidents.get(incident) is None:
                raise NotFound("there is no such incident")

        told = facts_of(self._register, camera, ask.person)
        # What nobody may look at now is not kept by a detour either.
        told["may_record"] = camera.terms.may_record and bool(told["consent_open"])
        permit = (await self._gate.act(_with(ask, told), begin)).permit
        wanted = self._wanted(ask, camera, incident, permit, (since, until))
        return await self._keep(ask, told, await self._workshop.cut(wanted))

    async def redact(self, ask: Ask, clip_id: ClipId, boxes: Sequence[Box]) -> Answer[Clip]:
        """A second clip in which what the boxes cover is gone. The first one is only read."""

        async def begin(records: Records, permit: int) -> Source:
            clip = await _existing(records, clip_id)
            if clip.kind is not ClipKind.ORIGINAL:
                raise Invalid("a redacted clip", "hide parts of its original anew")
            return Source(clip, await records.clips.manifest(clip_id) or b"")

        answer = await self._gate.act(_with(ask, KEPT), begin)
        source = answer.value
        clip = source.clip
        camera = self._register.camera(clip.camera_id) or Camera(
            camera_id=clip.camera_id,
            agency=clip.agency,
            owner=OwnerId("unknown"),
            name=clip.camera_id,
        )
        ask = msgspec.structs.replace(ask, case=clip.case or ask.case)
        span = (clip.since, clip.until)
        wanted = self._wanted(ask, camera, clip.incident, answer.permit, span)
        return await self._keep(ask, KEPT, await self._workshop.redact(wanted, source, boxes))

    async def find(
        self, ask: Ask, incident: IncidentId | None, camera_id: CameraId | None
    ) -> Answer[list[Mapping[str, Any]]]:
        async def work(records: Records, permit: int) -> list[Mapping[str, Any]]:
            return [self._card(one) for one in await records.clips.find(incident, camera_id)]

        return await self._gate.read(ask, work)

    async def picture(self, ask: Ask, clip_id: ClipId, at_ms: float) -> Answer[tuple[float, bytes]]:
        """One picture, to set boxes by."""

        async def work(records: Records, permit: int) -> Clip:
            return await _existing(records, clip_id)

        answer = await self._gate.read(ask, work)
        return Answer(await self._workshop.picture(answer.value, at_ms), answer.permit)

    async def file(self, ask: Ask, clip_id: ClipId) -> Answer[tuple[Clip, Path]]:
        """Taken out: where its file lies, never to be written."""

        async def work(records: Records, permit: int) -> tuple[Clip, Path]:
            clip = await _existing(records, clip_id)
            return clip, self._workshop.file(clip)

        return await self._gate.export(_with(ask, KEPT), work)

    async def manifest(self, ask: Ask, clip_id: ClipId) -> Answer[bytes]:
        """What is signed beside the file, with the entry that fixes it and its proof."""

        async def work(records: Records, permit: int) -> bytes:
            await _existing(records, clip_id)
            return await records.clips.manifest(clip_id) or b"{}"

        answer = await self._gate.export(_with(ask, KEPT), work)
        told = json.loads(answer.value)
        if isinstance(number := told.pop("entry", None), int) and number >= 0:
            entry, proof = await self._gate.entry_with_proof(number)
            told |= {"entry": entry.decode(), "proof": proof.decode()}
        return Answer(_document(told), answer.permit)

    def _check(self, since: datetime, until: datetime) -> None:
        if since.tzinfo is None or until.tzinfo is None:
            raise Invalid("a time without a zone", "send UTC or an offset")
        if not timedelta() < until - since <= CLIP_MAX:
            raise Invalid("a clip of no such length", f"at most {CLIP_MAX.seconds // 60} minutes")
        if until - self._clock() > AHEAD_MAX:
            raise Invalid("a clip that ends later", f"at most {AHEAD_MAX.seconds} s from now")

    def _camera(self, camera_id: CameraId) -> Camera:
        camera = self._register.camera(camera_id)
        if camera is None:
            raise NotFound("there is no such camera", "it may have been taken out of the register")
        return camera

    def _wanted(
        self,
        ask: Ask,
        camera: Camera,
        incident: IncidentId | None,
        permit: int,
        span: tuple[datetime, datetime],
    ) -> Wanted:
        return Wanted(
            clip_id=ClipId(self._ids()),
            camera=camera,
            owner=self._register.owner(camera.owner),
            since=span[0],
            until=span[1],
            made_at=self._clock(),
            ask=ask,
            incident=incident,
            permit=permit,
        )

    async def _keep(self, ask: Ask, facts: Mapping[str, Any], draft: Draft) -> Answer[Clip]:
        """File first, then the entry, then the card: what has a card has a file and an entry."""
        clip = draft.clip
        fixing = msgspec.structs.replace(
            _with(ask, facts), query=f"keep clip {clip.clip_id}", fixes=draft.digest
        )

        async def work(records: Records, permit: int) -> Clip:
            told = json.loads(draft.manifest) | {"entry": permit}
            await records.clips.keep(clip, _document(told))
            await records.viewings.recorded(clip.camera_id, clip.made_by, clip.since, clip.until)
            return clip

        await self._workshop.place(draft)
        try:
            return await self._gate.act(fixing, work)
        except FarolitoError:
            await self._workshop.drop(draft)
            raise
        # Any other fault may have come after the card was kept: the next start sweeps what has none

    def _card(self, clip: Clip) -> Mapping[str, Any]:
        working = self._workshop.working_on(clip.clip_id)
        card: dict[str, Any] = msgspec.to_builtins(clip)
        camera = self._register.camera(clip.camera_id)
        return card | {
            "camera": camera.name if camera else clip.camera_id,
            "redacting": {"done": working[0], "of": working[1]} if working else None,
        }


# What was lawfully kept stays evidence, whatever its owner's terms have become since.
KEPT: Mapping[str, str | int | bool] = {"may_record": True}


async def _existing(records: Records, clip_id: ClipId) -> Clip:
    clip = await records.clips.get(clip_id)
    if clip is None:
        raise NotFound("there is no such clip", "its keeping may have ended")
    return clip


def _with(ask: Ask, facts: Mapping[str, str | int | bool]) -> Ask:
    assert ask.thing is Thing.CLIP, "a clip is asked for as a clip"
    return msgspec.structs.replace(ask, facts={**ask.facts, **facts})


def _document(told: Mapping[str, Any]) -> bytes:
    """RFC 8785, as the manifest in it is."""
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
