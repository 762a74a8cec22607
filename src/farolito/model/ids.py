"""Identifiers: a type for each noun, so that a case's id cannot stand where a camera's should.

Ids are UUIDv7 (RFC 9562 section 5.7): time-ordered, so an index on them stays dense.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b
from typing import NewType
from uuid import UUID, SafeUUID

AgencyId = NewType("AgencyId", str)  # a short slug: "sandoval-pd"
DeviceId = NewType("DeviceId", str)  # unique within its agency: "central-at-4th-eb"
UnitId = NewType("UnitId", str)  # the call sign: "2A14"
PersonId = NewType("PersonId", UUID)
SessionId = NewType("SessionId", UUID)
ListId = NewType("ListId", str)  # unique within its agency: "ncic", "city"
EntryId = NewType("EntryId", UUID)
ReadId = NewType("ReadId", UUID)
AlertId = NewType("AlertId", UUID)
BriefId = NewType("BriefId", UUID)
CallId = NewType("CallId", UUID)  # a digest of agency and event number: the same call, the same id
IncidentId = NewType("IncidentId", UUID)
ImpulseId = NewType("ImpulseId", UUID)  # a digest of sensor and onset: told twice, the same id
ShotId = NewType("ShotId", UUID)
ShotAlertId = NewType("ShotAlertId", UUID)
MissId = NewType("MissId", UUID)
CameraId = NewType("CameraId", str)  # unique within its agency: "central-4th-ptz"
OwnerId = NewType("OwnerId", str)  # of cameras: "public-schools"
ViewingId = NewType("ViewingId", UUID)
ClipId = NewType("ClipId", UUID)
AgreementId = NewType("AgreementId", UUID)
EnvelopeId = NewType("EnvelopeId", UUID)  # of one message between two agencies
ReviewId = NewType("ReviewId", UUID)

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")  # of ids that people type

_VERSION_AND_VARIANT = (7 << 76) | (0b10 << 62)
_UNKNOWN = SafeUUID.unknown
_new, _set = object.__new__, object.__setattr__
_RANDOM_BITS = ((1 << 12) - 1) << 64 | ((1 << 62) - 1)


def _uuid(value: int) -> UUID:
    """UUID(int=value) without its checks, which cost as much as the digest: both halves are ours.

    `value` must fit 128 bits.
    """
    made = _new(UUID)
    _set(made, "int", value)
    _set(made, "is_safe", _UNKNOWN)
    return made


def new_id(at_ms: int, random: bytes) -> UUID:
    """A UUIDv7 from a time (ms since 1970) and 10 random bytes. Clock and chance are arguments."""
    tail = int.from_bytes(random[:10], "big")
    return UUID(int=(at_ms << 80) | _VERSION_AND_VARIANT | (tail & _RANDOM_BITS))


def digest_id(at_ms: int, *parts: str) -> UUID:
    """A UUIDv7 whose random bits are a digest of `parts`.

    The same thing told twice gets the same id, however far apart it arrives: this is how a
    repeated delivery is recognised without looking anything up.
    """
    digest = blake2b("\x1f".join(parts).encode(), digest_size=10).digest()
    return new_id(at_ms, digest)


def digest_ids(*prefix: str) -> Callable[[int, str], UUID]:
    """`digest_id(at_ms, *prefix, last)` for many `last`, the prefix digested once.

    The function it gives asserts nothing: `at_ms` must be within 0…2**48 - 1.
    """
    copy = blake2b("\x1f".join((*prefix, "")).encode(), digest_size=10).copy
    from_bytes = int.from_bytes  # big-endian by default

    def with_last(at_ms: int, last: str) -> UUID:
        digest = copy()
        digest.update(last.encode())
        tail = from_bytes(digest.digest()) & _RANDOM_BITS
        return _uuid((at_ms << 80) | _VERSION_AND_VARIANT | tail)

    return with_last
