"""Figures that anybody can count again: how many entries of the ledger are of which kind.

A document of figures says of each one which entries it counts. An entry of the ledger fixes the
document's SHA-256; both, with the entry's proof, go into one file that is checked offline, and
whoever has the entries themselves counts them anew (verify_figures.py). It names nobody: only
fields of an entry that stand there in the clear can be counted by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

import msgspec

from farolito.audit import archive
from farolito.audit.entry import canonical, read
from farolito.audit.note import VerifierKey
from farolito.model import AgencyId, Invalid

DOCUMENT_BYTES_MAX = 4 * 2**20
FIGURES_MAX = 5_000
BY = (
    "act",
    "thing",
    "decision",
    "reason",
    "actor_role",
    "agency",
    "purpose",
    "agreement",
)
MEMBERS = ("README.txt", "figures.json", "entry.json", "proof", "log.key", "witness.keys")
README = b"""Figures out of a Farolito ledger, with their proof.

Check it offline:   farolito audit verify FILE --key KEY --witness WITNESSES
Count it yourself:  farolito audit verify FILE --key KEY --recount BUNDLE
KEY is the log's published verifier key; have it from the agency itself or from a witness.

figures.json   the figures, and of each which entries it counts (docs/ledger.md)
entry.json     the ledger's entry that fixes SHA-256(figures.json)
proof          that this entry is in the log (c2sp.org/tlog-proof), under a cosigned checkpoint
"""

Where = Mapping[str, str | tuple[str | None, ...] | None]
Adds = Literal["entries", "count", "size_bytes"]
_Kind = tuple[str | None, ...]


class Figure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`where`: by field of an entry, the word (or one of the words) that stands there; null:
    none does. `adds`: how many such entries, or the sum of that field over them.
    `value` null: withheld, as a count of few people must be."""

    name: str
    where: Where
    value: int | None
    adds: Adds = "entries"

    def __post_init__(self) -> None:
        unknown = set(self.where) - set(BY)
        if unknown:
            raise Invalid(f"a figure by {sorted(unknown)}", f"count by {', '.join(BY)}")


class Figures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over the entries [first, end) of the ledger whose time is in [since, until).

    `told`: what the agency says besides, and no entry shows: sensors, approvals, retention.
    """

    format: Literal["farolito-figures/v1"] = "farolito-figures/v1"
    agency: AgencyId
    since: str  # UTC, as entries have it
    until: str
    first: int
    end: int
    figures: tuple[Figure, ...]
    told: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        names = [figure.name for figure in self.figures]
        if len(names) > FIGURES_MAX or len(set(names)) != len(names):
            raise Invalid("figures of which two have one name, or too many of them")
        if not 0 <= self.first <= self.end or not self.since <= self.until:
            raise Invalid("figures of a range that is none")
        if not (_is_time(self.since) and _is_time(self.until)):
            raise Invalid("figures of a time that is none", "write it as entries do")

    def document(self) -> bytes:
        """RFC 8785: the bytes that are fixed. Raises Invalid for numbers that are not integers."""
        raw = canonical(msgspec.to_builtins(self))
        read(raw)
        return raw


def parse(document: bytes) -> Figures:
    """Raises Invalid unless these are the canonical bytes of figures."""
    if len(document) > DOCUMENT_BYTES_MAX:
        raise Invalid("figures that are too long")
    body = read(document)
    try:
        figures = msgspec.convert(body, Figures)
    except msgspec.ValidationError as error:
        raise Invalid(f"a document that is no figures: {error}") from error
    if figures.document() != document:
        raise Invalid("figures in a spelling that is not theirs")
    return figures


def time_of(at: datetime) -> str:
    """As entries have it, so that text compares like time."""
    utc = at.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.") + f"{utc.microsecond // 1000:03d}Z"


def _is_time(text: str) -> bool:
    try:
        return time_of(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")) == text
    except ValueError:
        return False


class Tally:
    """Entries of a period, by all that they can be counted by. Adding one costs some 15 µs."""

    def __init__(self, since: str, until: str) -> None:
        self._since, self._until = since, until
        self._sums: dict[Adds, Counter[_Kind]] = {
            "entries": Counter(),
            "count": Counter(),
            "size_bytes": Counter(),
        }

    def add(self, entries: Iterable[bytes]) -> None:
        """Raises Invalid for bytes that are no entry."""
        for raw in entries:
            body = read(raw)
            if not self._since <= str(body.get("at")) < self._until:
                continue
            kind = tuple(body.get(field) for field in BY)
            self._sums["entries"][kind] += 1
            for adds in ("count", "size_bytes"):
                value = body.get(adds)
                self._sums[adds][kind] += value if type(value) is int else 0

    def value(self, where: Where, adds: Adds = "entries") -> int:
        wanted = {
            BY.index(field): word if isinstance(word, tuple) else (word,)
            for field, word in where.items()
        }
        return sum(
            count
            for kind, count in self._sums[adds].items()
            if all(kind[at] in words for at, words in wanted.items())
        )

    def words(self, field: str) -> list[str]:
        """All that stand in a field."""
        at = BY.index(field)
        found = (kind[at] for kind in self._sums["entries"])
        return sorted({word for word in found if word is not None})


def pack(
    document: bytes,
    entry: bytes,
    proof: bytes,
    log: VerifierKey,
    witnesses: Sequence[VerifierKey] = (),
) -> bytes:
    """The file. Raises Invalid where the entry does not fix just this document."""
    parse(document)
    if read(entry).get("fixes") != sha256(document).hexdigest():
        raise Invalid("an entry that fixes other figures")
    keys = "".join(f"{key}\n" for key in witnesses).encode()
    contents = (README, document, entry, proof, f"{log}\n".encode(), keys)
    return archive.write(zip(MEMBERS, contents, strict=True))
