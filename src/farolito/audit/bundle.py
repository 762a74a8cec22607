"""A range of the ledger in one file that proves itself: a tar that any computer can open.

Members, in this order: `README.txt`, `manifest` (a note signed by the log: the SHA-256 of every
other member), `log.key`, `witness.keys`, `checkpoint` (cosigned), `checkpoints/<size>` (earlier
ones inside the range), `range` (the hashes that join the range to the root), `leaves`,
`entries.jsonl`, `openings.jsonl`. Formats: docs/ledger.md.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec

from farolito.audit import archive
from farolito.audit.entry import Opening, canonical
from farolito.audit.note import SigningKey, VerifierKey
from farolito.audit.tree import leaf_hash

ENTRIES_MAX = 200_000  # a bundle holds no more: ask for a smaller range
CHECKPOINTS_MAX = 10_000  # earlier ones beyond are left out, the newest are kept

MANIFEST_LINE = "farolito-bundle/v1"
RANGE_LINE = "farolito-range/v1"
FIXED_MEMBERS = (
    "README.txt",
    "manifest",
    "log.key",
    "witness.keys",
    "checkpoint",
    "range",
    "leaves",
    "entries.jsonl",
    "openings.jsonl",
)
README = b"""A bundle of a Farolito ledger: who asked for what, why, and what was decided.

Check it offline:   farolito audit verify BUNDLE --key KEY
KEY is the log's published verifier key. Have it from the agency itself or from one of its
witnesses; log.key in here is only what this file says of itself.

entries.jsonl   the entries, one a line; its bytes without the line's end are what is hashed
leaves          SHA-256(0x00 || entry), base64, one a line
range           the hashes that join these entries to the root in checkpoint (RFC 6962)
checkpoint      size and root, signed by the log and cosigned by its witnesses (c2sp.org)
checkpoints/    earlier checkpoints that lie inside this range
openings.jsonl  salts and values of personal fields, where the reader is entitled to them:
                SHA-256(salt || JSON of value) is the commitment in the entry
manifest        SHA-256 of every other member, signed by the log
"""


class IndexedOpening(msgspec.Struct, frozen=True):
    index: int
    opening: Opening

    def line(self) -> bytes:
        opened = self.opening
        fields = {
            "index": self.index,
            "field": opened.field,
            "salt": opened.salt.hex(),
            "value": opened.value,
        }
        return canonical(fields)


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What goes into a bundle. `left` and `right`: hashes of the nodes before and after."""

    size: int
    first: int
    entries: Sequence[bytes]
    left: Sequence[bytes]
    right: Sequence[bytes]
    checkpoint: bytes
    witnesses: Sequence[VerifierKey] = ()
    earlier: Sequence[tuple[int, bytes]] = ()
    openings: Sequence[IndexedOpening] = ()


def write(contents: Contents, key: SigningKey) -> bytes:
    """The bundle's bytes. Blocking, about 5 µs an entry."""
    members = _members(contents, key.verifier)
    text = manifest_text(contents.size, contents.first, len(contents.entries), members)
    manifest = f"{text}\n{key.sign(text)}".encode()
    members.insert(1, ("manifest", manifest))
    return archive.write(members)


def _members(contents: Contents, key: VerifierKey) -> list[tuple[str, bytes]]:
    end = contents.first + len(contents.entries)
    numbers = [f"size {contents.size}", f"first {contents.first}", f"end {end}"]
    joining = [b64encode(hash_).decode() for hash_ in (*contents.left, *contents.right)]
    return [
        ("README.txt", README),
        ("log.key", f"{key}\n".encode()),
        ("witness.keys", lines(str(w).encode() for w in contents.witnesses)),
        ("checkpoint", contents.checkpoint),
        *((f"checkpoints/{size}", note) for size, note in contents.earlier),
        ("range", lines(line.encode() for line in [RANGE_LINE, *numbers, *joining])),
        ("leaves", lines(b64encode(leaf_hash(entry)) for entry in contents.entries)),
        ("entries.jsonl", lines(contents.entries)),
        ("openings.jsonl", lines(opening.line() for opening in contents.openings)),
    ]


def manifest_text(size: int, first: int, count: int, members: Iterable[tuple[str, bytes]]) -> str:
    """What the manifest says of the other members, in their order."""
    head = [MANIFEST_LINE, f"size {size}", f"first {first}", f"count {count}"]
    digests = [f"{sha256(raw).hexdigest()} {len(raw)} {name}" for name, raw in members]
    return "\n".join([*head, *digests, ""])


def lines(items: Iterable[bytes]) -> bytes:
    return b"".join(item + b"\n" for item in items)
