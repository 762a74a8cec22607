"""One line of the ledger: who asked for what, why, and what was decided.

An entry is kept as RFC 8785 canonical JSON. What identifies a person or a query stands in it only
as a salted commitment; salt and value are kept elsewhere, so that destroying them at the end of
their time leaves every hash and proof as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec

from farolito.model import Act, AgencyId, Invalid, Purpose, Role, Thing

ENTRY_BYTES_MAX = 0xFFFF  # C2SP entry bundles count an entry's bytes in 16 bits; refused beyond
SALT_BYTES = 16
PERSONAL_FIELDS = frozenset({"user", "query", "case", "on_behalf_of"})
VERSION = 1

_INTEGER_MAX = 2**53 - 1  # RFC 8785 writes numbers as doubles

_SHA256 = re.compile(r"[0-9a-f]{64}")

Random = Callable[[int], bytes]


def _no_number(text: str) -> None:
    raise Invalid(f"the number {text[:20]}; entries hold integers alone")


_WRITER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
_READER = json.JSONDecoder(parse_float=_no_number, parse_constant=_no_number)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt, permitted or refused (CJIS AU-2, AU-3; one entry each).

    `personal` holds, under the names of PERSONAL_FIELDS, what only entitled readers may open.
    `session` and `device` are our own random or configured ids, never a name. `reason` and
    `rules` are stable words of the policy, never free text. `size_bytes`: of the answer.
    `fixes`: the SHA-256, in hexadecimal, of a thing that cannot be changed unseen from now on.
    """

    at: datetime
    act: Act
    thing: Thing
    decision: Literal["permit", "refusal"]
    reason: str
    actor_role: Role
    agency: AgencyId
    ori: str
    session: str | None = None
    device: str | None = None
    purpose: Purpose | None = None
    count: int = 0
    size_bytes: int = 0
    policy: str = ""
    rules: tuple[str, ...] = ()
    agreement: str | None = None
    counterpart: str | None = None
    fixes: str | None = None
    personal: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise Invalid("a time without a zone")
        unknown = set(self.personal) - PERSONAL_FIELDS
        if unknown:
            raise Invalid(
                f"personal fields {sorted(unknown)}", f"use {', '.join(sorted(PERSONAL_FIELDS))}"
            )
        if not (0 <= self.count <= _INTEGER_MAX and 0 <= self.size_bytes <= _INTEGER_MAX):
            raise Invalid("a count that is negative or too large")
        if self.fixes is not None and not _SHA256.fullmatch(self.fixes):
            raise Invalid("a digest that is not SHA-256 in hexadecimal")


class Opening(msgspec.Struct, frozen=True):
    """What opens a commitment: `sha256(salt ‖ canonical(value))` is the commitment."""

    field: str
    salt: bytes
    value: str

    @property
    def commitment(self) -> str:
        return commit(self.salt, self.value)


class Sealed(msgspec.Struct, frozen=True):
    """An entry ready for the ledger: its bytes, and the openings that are kept apart."""

    at: datetime
    raw: bytes
    openings: tuple[Opening, ...]


def canonical(value: Any) -> bytes:
    """RFC 8785 for what entries are made of: objects, lists, text, integers, true, false, null.

    The standard's order of keys (UTF-16) equals ours (code points) because our keys are ASCII.
    Raises Invalid for text that is not Unicode.
    """
    try:
        return _WRITER.encode(value).encode()
    except UnicodeEncodeError as error:
        raise Invalid("text with half a character in it") from error


def commit(salt: bytes, value: str) -> str:
    """The commitment to a value, in hexadecimal."""
    return sha256(salt + canonical(value)).hexdigest()


def seal(entry: Entry, random: Random, spooled: tuple[str, int] | None = None) -> Sealed:
    """Draw the salts and write the entry's bytes. Raises Invalid where it is too long.

    `spooled` marks an entry that waited in a local spool: the spool's id and its number there.
    """
    openings = tuple(
        Opening(name, random(SALT_BYTES), value) for name, value in sorted(entry.personal.items())
    )
    at = entry.at.astimezone(UTC)
    body: dict[str, Any] = {
        "v": VERSION,
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
        "act": entry.act.value,
        "thing": entry.thing.value,
        "decision": entry.decision,
        "reason": entry.reason,
        "actor_role": entry.actor_role.value,
        "agency": entry.agency,
        "ori": entry.ori,
        "session": entry.session,
        "device": entry.device,
        "purpose": entry.purpose.value if entry.purpose else None,
        "count": entry.count,
        "size_bytes": entry.size_bytes,
        "policy": entry.policy,
        "rules": list(entry.rules),
        "agreement": entry.agreement,
        "counterpart": entry.counterpart,
        "personal": {o.field: {"c": o.commitment} for o in openings},
    }
    if entry.fixes:
        body["fixes"] = entry.fixes
    if spooled:
        body["spooled"] = {"id": spooled[0], "n": spooled[1]}
    raw = canonical(body)
    if len(raw) > ENTRY_BYTES_MAX:
        raise Invalid(f"a ledger entry of {len(raw)} bytes", f"keep it under {ENTRY_BYTES_MAX}")
    return Sealed(at, raw, openings)


def read(raw: bytes) -> dict[str, Any]:
    """An entry's fields. Raises Invalid unless the bytes are the canonical form of an object."""
    try:
        body = _READER.decode(raw.decode())
        if isinstance(body, dict) and canonical(body) == raw:
            return body
    except (ValueError, RecursionError) as error:
        raise Invalid("an entry that is not JSON") from error
    raise Invalid("an entry that is not a canonical JSON object")


def commitment_in(body: Mapping[str, Any], field: str) -> str | None:
    """The commitment that an entry holds under a personal field."""
    personal = body.get("personal")
    held = personal.get(field) if isinstance(personal, dict) else None
    found = held.get("c") if isinstance(held, dict) else None
    return found if isinstance(found, str) else None
