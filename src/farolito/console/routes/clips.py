"""Clips: cut, listed, looked at picture by picture, taken out in whole or by ranges, redacted."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import anyio
import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.response import Stream

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk import NotFound
from farolito.desk.clips import ClipDesk
from farolito.gate import Ask
from farolito.model import CameraId, Clip, ClipId, IncidentId, Invalid, Purpose, Role, Thing
from farolito.model.box import Box

BOXES_MAX = 64
PIECE_BYTES = 256 * 1024
# Where several ranges are asked for, all of the file is sent.
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_NOW = {Role.OPERATOR, Role.SUPERVISOR}


class Span(msgspec.Struct, frozen=True):
    since: datetime = msgspec.field(name="from")
    until: datetime = msgspec.field(name="to")
    incident_id: UUID | None = None


class Hidden(msgspec.Struct, frozen=True):
    boxes: Annotated[tuple[Box, ...], msgspec.Meta(min_length=1, max_length=BOXES_MAX)]


class Part(NamedTuple):
    """Bytes of a file: from `start` to before `end`. `is_part`: as a Range header asked."""

    start: int
    end: int
    is_part: bool = True


def _ask(asker: Asker, query: str) -> Ask:
    """For what happens now, where the screen of an operator names no purpose."""
    usual = Purpose.IN_PROGRESS_CALL if asker.person.role in _NOW else None
    return asker.ask(Thing.CLIP, query, usual=usual)


def _desk(services: Services) -> ClipDesk:
    if services.clips is None:
        raise NotFound("this node keeps no clips", "see [video] in farolito.toml")
    return services.clips


@post("/api/cameras/{camera_id:str}/clips", status_code=201)
async def make(
    camera_id: FromPath[str],
    data: JSONBody[Span],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    span = f"{data.since.isoformat()} to {data.until.isoformat()}"
    ask = _ask(asker, f"make a clip of camera {camera_id}, {span}")
    incident = IncidentId(data.incident_id) if data.incident_id else None
    answer = await _desk(services).make(ask, CameraId(camera_id), data.since, data.until, incident)
    return {"clip": answer.value, "permit": answer.permit}


@get("/api/clips")
async def clips(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    incident: FromQuery[UUID | None] = None,
    camera: FromQuery[str | None] = None,
) -> dict[str, Any]:
    what = f"of incident {incident}" if incident else f"of camera {camera}" if camera else "all"
    answer = await _desk(services).find(
        _ask(asker, f"clips {what}"),
        IncidentId(incident) if incident else None,
        CameraId(camera) if camera else None,
    )
    return {"at": services.clock(), "permit": answer.permit, "clips": answer.value}


@get("/api/clips/{clip_id:uuid}/frames")
async def frame(
    clip_id: FromPath[UUID],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    at_ms: FromQuery[float] = 0.0,
) -> Response[bytes]:
    """The picture that is shown at a moment; a header tells when it begins to be shown."""
    if not 0 <= at_ms < 2**31:
        raise Invalid("no moment of a clip", "give ms from its beginning")
    ask = _ask(asker, f"a picture of clip {clip_id}")
    answer = await _desk(services).picture(ask, ClipId(clip_id), at_ms)
    begins, jpeg = answer.value
    headers = _headers(answer.permit) | {"X-Farolito-At-Ms": f"{begins:.3f}"}
    return Response(jpeg, media_type="image/jpeg", headers=headers)


@post("/api/clips/{clip_id:uuid}/redactions", status_code=201)
async def redact(
    clip_id: FromPath[UUID],
    data: JSONBody[Hidden],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = _ask(asker, f"hide {len(data.boxes)} parts of clip {clip_id}")
    answer = await _desk(services).redact(ask, ClipId(clip_id), data.boxes)
    return {"clip": answer.value, "permit": answer.permit}


@get("/api/clips/{clip_id:uuid}/manifest")
async def manifest(
    clip_id: FromPath[UUID], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> Response[bytes]:
    ask = _ask(asker, f"take out the manifest of clip {clip_id}")
    answer = await _desk(services).manifest(ask, ClipId(clip_id))
    named = {"Content-Disposition": f'attachment; filename="{clip_id}.json"'}
    return Response(
        answer.value, media_type="application/json", headers=_headers(answer.permit) | named
    )


@get("/api/clips/{clip_id:uuid}/file")
async def file(
    clip_id: FromPath[UUID],
    request: Request[Any, Any, Any],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> Response[Any]:
    """The file, or the part of it that a Range header names. Each asking is an entry."""
    ask = _ask(asker, f"take out clip {clip_id}")
    answer = await _desk(services).file(ask, ClipId(clip_id))
    clip, path = answer.value
    headers = _headers(answer.permit) | {
        "Accept-Ranges": "bytes",
        "ETag": _etag(clip),
        "Content-Disposition": f'attachment; filename="{clip_id}.mp4"',
    }
    part = part_of(
        request.headers.get("range"), request.headers.get("if-range"), _etag(clip), clip.size
    )
    if part is None:
        headers["Content-Range"] = f"bytes */{clip.size}"
        return Response(b"", status_code=416, headers=headers, media_type="video/mp4")
    if part.is_part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{clip.size}"
    headers["Content-Length"] = str(part.end - part.start)
    return Stream(
        _bytes(path, part),
        status_code=206 if part.is_part else 200,
        headers=headers,
        media_type="video/mp4",
    )


def part_of(asked: str | None, if_range: str | None, etag: str, size: int) -> Part | None:
    """What a Range header names (RFC 9110, 14.2); all where it names nothing that is understood or
    another file's part; None where it lies beyond the file's end."""
    whole = Part(0, size, is_part=False)
    if asked is None or (if_range is not None and if_range != etag):
        return whole
    found = _RANGE.fullmatch(asked.strip())
    if found is None or found.groups() == ("", ""):
        return whole
    first, last = found.groups()
    if not first:
        start = max(size - int(last), 0)
        return Part(start, size) if int(last) else None
    if last and int(last) < int(first):
        return whole
    end = min(int(last) + 1, size) if last else size
    return Part(int(first), end) if int(first) < size else None


async def _bytes(path: Path, part: Part) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as opened:
        await opened.seek(part.start)
        left = part.end - part.start
        while left:
            piece = await opened.read(min(PIECE_BYTES, left))
            if not piece:
                return
            left -= len(piece)
            yield piece


def _etag(clip: Clip) -> str:
    return f'"{clip.sha256}"'


def _headers(permit: int) -> dict[str, str]:
    return {"X-Farolito-Permit": str(permit), "Cache-Control": "private, no-store"}


ROUTES = [make, clips, frame, redact, manifest, file]
