"""A clip becomes evidence: what is told of it, signed beside it, so that it cannot change unseen.

The manifest is a JSON document of its own, canonical (RFC 8785), signed by the ledger's key over
`farolito-clip/v1`, a line end, the manifest, a line end. Its SHA-256 over the same bytes is what a
ledger entry fixes; the manifest in turn holds a checkpoint of the ledger from before. So it was
made after that checkpoint and before that entry. Format: docs/evidence.md.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from farolito.codec import mp4_read
from farolito.model import Clip, Invalid

FIRST_LINE = "farolito-clip/v1"
FILE_BYTES_MAX = 2**31  # a larger one is no clip of ours
MANIFEST_BYTES_MAX = 2**22
PIECE_BYTES = 2**20

Sign = Callable[[str], str]  # a signature line of the ledger's key under a text
_WRITER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is written of a clip besides what its card holds. `raw_sha256`: of the file before C2PA
    went into it; `key`, `checkpoint`: the ledger's. `source`: of a redacted clip, its original's
    id, file digest and manifest digest; `redaction`: what was hidden."""

    agency_name: str
    camera_name: str
    owner: str
    owner_name: str
    role: str
    raw_sha256: str
    signer_sha256: str
    anchor_sha256: str
    key: str
    checkpoint: str
    source: Mapping[str, str] | None = None
    redaction: Mapping[str, Any] | None = None


class Manifest(msgspec.Struct, frozen=True):
    """A manifest as it is kept: the document's bytes and the digest that the ledger fixes."""

    document: bytes
    digest: str


def assertion(clip: Clip, told: Told) -> dict[str, Any]:
    """What stands inside the file, under `org.farolito.evidence`."""
    body = {
        "v": 1,
        "kind": clip.kind.value,
        "clip": str(clip.clip_id),
        "agency": {"id": clip.agency, "name": told.agency_name},
        "camera": {"id": clip.camera_id, "name": told.camera_name},
        "owner": {"id": told.owner, "name": told.owner_name},
        "person": {"id": str(clip.made_by), "role": told.role},
        "purpose": clip.purpose.value,
        "case": clip.case,
        "incident": str(clip.incident) if clip.incident else None,
        "permits": [str(clip.permit)],  # as text: the C2PA library takes numbers 0…255 for bytes
        "since": iso(clip.since),
        "until": iso(clip.until),
        "made_at": iso(clip.made_at),
        "frames": clip.frames,
        "clock": _clock(clip),
        "unsigned_sha256": told.raw_sha256,
        "ledger": told.key,
    }
    return body | ({"source": dict(told.source)} if told.source else {})


def manifest(clip: Clip, told: Told, file: Path, sign: Sign) -> Manifest:
    """The signed document about `file`, which must already be the one that is kept. Blocking."""
    raw = file.read_bytes()
    if hashlib.sha256(raw).hexdigest() != clip.sha256:
        raise Invalid("a clip that is not the file it was made from")
    body = assertion(clip, told) | {
        "file": {"sha256": clip.sha256, "size": clip.size, "fragments": list(_fragments(raw))},
        "redaction": told.redaction,
        "c2pa": {"signer_sha256": told.signer_sha256, "anchor_sha256": told.anchor_sha256},
        "checkpoint": told.checkpoint,
    }
    text = text_of(body)
    document = canonical({"manifest": body, "signature": sign(text).rstrip("\n")})
    return Manifest(document, hashlib.sha256(text.encode()).hexdigest())


def text_of(body: Mapping[str, Any]) -> str:
    """What is signed, and what the ledger's entry fixes the SHA-256 of."""
    return f"{FIRST_LINE}\n{canonical(body).decode()}\n"


def canonical(value: Any) -> bytes:
    """RFC 8785 for what manifests are made of: no fractions, and keys in ASCII."""
    try:
        return _WRITER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise Invalid("text with half a character in it") from error


def sha256_of(file: Path) -> str:
    """Of a file, in hexadecimal. Blocking."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def fragments_of(raw: bytes) -> list[tuple[mp4_read.Fragment, str]]:
    """Each fragment with the SHA-256 of its bytes. Raises Invalid."""
    view = memoryview(raw)
    return [
        (one, hashlib.sha256(view[one.start : one.end]).hexdigest())
        for one in mp4_read.fragments(raw)
    ]


def iso(at: datetime) -> str:
    """UTC to the millisecond, as the ledger writes it."""
    utc = at.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def _clock(clip: Clip) -> dict[str, Any]:
    """`error_ms`: the camera's clock less ours."""
    error = clip.clock_error_s
    return {
        "error_ms": None if error is None else round(error * 1000),
        "measured_at": iso(clip.clock_measured_at) if clip.clock_measured_at else None,
        "says": clip.clock_says,
    }


def _fragments(raw: bytes) -> Iterator[dict[str, Any]]:
    for one, digest in fragments_of(raw):
        yield {
            "received_us": one.received_us,
            "ticks": one.at,
            "units": one.units,
            "size": one.end - one.start,
            "sha256": digest,
        }
