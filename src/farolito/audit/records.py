"""What can be read of a ledger, and proved: pages, openings, proofs, checkpoints, bundles.

Everything comes from the database and is checked on the way out: a root is computed from the
tiles and entries, never believed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from farolito.audit import bundle as bundle_
from farolito.audit.bundle import Contents, IndexedOpening
from farolito.audit.checkpoint import Checkpoint
from farolito.audit.entry import PERSONAL_FIELDS, Opening, Random, commitment_in, read
from farolito.audit.figures import Tally, pack, time_of
from farolito.audit.key_file import load_or_create
from farolito.audit.note import Note, SigningKey, VerifierKey
from farolito.audit.proof import Proof
from farolito.audit.tiles import TILE_HASHES, TILE_LEVELS, Edge, Nodes, full_below, tile_of, whole
from farolito.audit.tree import (
    EMPTY_ROOT,
    Frontier,
    Node,
    consistency_ranges,
    fold,
    hashes_of,
    inclusion_ranges,
    leaf_hash,
    nodes_of,
)
from farolito.model import AgencyId, FarolitoError, Invalid
from farolito.store import Database
from farolito.store import ledger as rows

PAGE_MAX = 500  # a longer page is cut to this
CHECK_ENTRIES = 10_000  # hashed between two looks at the database
COSIGNED_MAX = 5_000  # checkpoints among which one is looked for that enough witnesses cosigned
_ANY_SIZE = 2**62
Clock = Callable[[], datetime]
# The size of a checkpoint of at least so many entries that enough witnesses cosigned, if any did.
Covering = Callable[[int], Awaitable[int | None]]


async def _nobody(_: int) -> int | None:
    return None


class LedgerDown(FarolitoError):
    """Nothing can be written down now; so nothing may be answered."""


class LedgerDamaged(LedgerDown):
    """What is stored does not fit itself or what was signed: a person must look."""


class NotOpenable(FarolitoError):
    """A personal field that is not there, or whose salt has been destroyed."""


class Recorded(msgspec.Struct, frozen=True):
    """An entry as the auditor's page shows it: commitments, no personal value.

    `leaf`: hexadecimal. `openable`: personal fields whose salts still exist.
    """

    index: int
    leaf: str
    entry: dict[str, Any]
    openable: tuple[str, ...]


def origin_of(agency: AgencyId) -> str:
    return f"farolito/{agency}/ledger"


class Records:
    """A ledger's reading side. Any number may be open beside the one writer."""

    def __init__(self, db: Database, agency: AgencyId, key: SigningKey, clock: Clock) -> None:
        self._db = db
        self._agency = agency
        self._key = key
        self._clock = clock
        self.covering: Covering = _nobody  # who has it cosigned; `app` knows

    @classmethod
    def at(
        cls, db: Database, agency: AgencyId, key_path: Path, clock: Clock, random: Random
    ) -> Records:
        return cls(db, agency, load_or_create(key_path, origin_of(agency), random), clock)

    @property
    def verifier_key(self) -> VerifierKey:
        """The log's published key."""
        return self._key.verifier

    async def entries(self, after: int = -1, limit: int = 100) -> list[Recorded]:
        """Entries with an index above `after`, oldest first."""
        async with self._db.transaction(self._agency) as connection:
            found = await rows.page(connection, self._agency, after, max(0, min(limit, PAGE_MAX)))
        return [Recorded(e.index, e.leaf.hex(), read(e.raw), e.openable) for e in found]

    async def open_field(self, index: int, field: str) -> str:
        """A personal value, checked against its commitment. Who may ask is the gate's to decide.

        Raises NotOpenable; LedgerDamaged where the value kept is not the one committed to.
        """
        async with self._db.transaction(self._agency) as connection:
            raw = await rows.raw_entries(connection, self._agency, index, index + 1)
            kept = await rows.openings(connection, self._agency, index, index + 1)
        if field not in PERSONAL_FIELDS or not raw or commitment_in(read(raw[0]), field) is None:
            raise NotOpenable(f"entry {index} has no personal field {field!r}")
        for opened in (_opening(*row[1:]) for row in kept if row[1] == field):
            if opened.commitment != commitment_in(read(raw[0]), field):
                raise LedgerDamaged(
                    f"the value kept for {field} of entry {index} is not the one committed to",
                    "call the auditor: the table ledger_personal has been changed",
                )
            return opened.value
        raise NotOpenable(
            f"the salt of {field} in entry {index} was destroyed at the end of its time",
            "nothing can bring it back; the entry's proof still holds",
        )

    async def destroy_salts(self, before: datetime) -> int:
        """End the personal values of entries older than `before`; how many there were.

        Hashes and proofs stay as they are. The caller writes this deed down as an entry.
        """
        async with self._db.transaction(self._agency) as connection:
            return await rows.destroy_salts(connection, self._agency, before)

    async def size(self) -> int:
        async with self._db.transaction(self._agency) as connection:
            told = await rows.head(connection, self._agency)
        return told[0] if told else 0

    async def checkpoint(self) -> bytes:
        """Sign the log as it stands now, keep that, and answer with it and its cosignatures."""
        async with self._db.transaction(self._agency) as connection:
            told = await rows.head(connection, self._agency)
            size = told[0] if told else 0
            edge = await load_edge(connection, self._agency, size)
        root = root_of_edge(edge)
        if told and told[1] != root:
            raise damaged("its head does not fit its entries")
        return await self._sign(size, root)

    async def _sign(self, size: int, root: bytes) -> bytes:
        text = Checkpoint(self._key.verifier.name, size, root).text
        note = f"{text}\n{self._key.sign(text)}".encode()
        async with self._db.transaction(self._agency) as connection:
            await rows.put_checkpoint(connection, self._agency, size, note, self._clock())
            kept = await rows.checkpoints(connection, self._agency, size, size, 1)
        if Checkpoint.parse(Note.parse(kept[0].note)).root != root:
            raise damaged("it signed another history of the same length before")
        return with_cosignatures(kept[0])

    async def add_cosignatures(self, checkpoint: bytes, lines: bytes, key: VerifierKey) -> None:
        """Keep what a witness answered. Raises Invalid where it is not `key`'s over our text."""
        note = Note.parse(checkpoint + lines)
        if key not in note.signed_by([key]):
            raise Invalid(f"an answer that {key.name} did not sign")
        size = Checkpoint.parse(note).size
        line = next(
            text + "\n" for text in lines.decode().split("\n") if text.startswith(f"— {key.name} ")
        )
        async with self._db.transaction(self._agency) as connection:
            await rows.put_cosignature(connection, self._agency, size, str(key), line)

    async def checkpoint_of(self, size: int) -> bytes:
        """The checkpoint of the first `size` entries as they are stored now.

        Raises LedgerDamaged where that is not what was signed of them before.
        """
        async with self._db.transaction(self._agency) as connection:
            edge = await load_edge(connection, self._agency, size)
        return await self._sign(size, root_of_edge(edge))

    async def last_signed(self) -> bytes:
        """The newest checkpoint that was signed, whatever became of the entries. Raises Invalid
        where there is none."""
        async with self._db.transaction(self._agency) as connection:
            kept = await rows.checkpoints(connection, self._agency, 0, _ANY_SIZE, 1)
        if not kept:
            raise Invalid("a ledger that signed nothing yet")
        return kept[0].note

    async def signed_after(self, size: int) -> datetime | None:
        """When the first checkpoint larger than `size` was signed."""
        async with self._db.transaction(self._agency) as connection:
            return await rows.signed_after(connection, self._agency, size)

    async def cosigned_to(self, witness: str) -> int:
        """The size of the newest checkpoint that this witness cosigned; 0: none."""
        found = await self.cosigned_by([witness], 1, [witness])
        return found[0] if found else 0

    async def cosigned_by(
        self, witnesses: Sequence[str], least: int, others: Sequence[str]
    ) -> tuple[int, datetime, list[str]] | None:
        """The newest checkpoint that at least `least` of `witnesses` cosigned and one of `others`:
        its size, when it was signed, by whom. Verifier keys. Of the newest COSIGNED_MAX."""
        async with self._db.transaction(self._agency) as connection:
            return await rows.cosigned(
                connection, self._agency, witnesses, least, others, COSIGNED_MAX
            )

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof for a witness that the log of `new` entries continues the one of `old`."""
        ranges = consistency_ranges(old, new)
        nodes = await self._nodes(new, (n for r in ranges for n in nodes_of(*r)))
        return hashes_of(ranges, nodes)

    def vouch(self, text: str) -> str:
        """The log's signature line under a text whose first line says what it is.

        That line must not be the log's own name: a checkpoint begins with it.
        """
        if text.startswith(self._key.verifier.name):
            raise Invalid("a text that could pass for a checkpoint")
        return self._key.sign(text)

    async def entry(self, index: int) -> bytes:
        """One entry's bytes. Raises NotOpenable."""
        async with self._db.transaction(self._agency) as connection:
            raw = await rows.raw_entries(connection, self._agency, index, index + 1)
        if not raw:
            raise NotOpenable(f"there is no entry {index}")
        return raw[0]

    async def proof(self, index: int) -> bytes:
        """The `.tlog-proof` file of one entry, under a checkpoint that enough witnesses cosigned
        where there is one, otherwise one of now. Raises NotOpenable."""
        note = await self._head_over(index + 1)
        size = Checkpoint.parse(Note.parse(note)).size
        if not 0 <= index < size:
            raise NotOpenable(f"there is no entry {index}: the ledger holds {size}")
        ranges = inclusion_ranges(index, size)
        nodes = await self._nodes(size, (n for r in ranges for n in nodes_of(*r)))
        return Proof(index, tuple(hashes_of(ranges, nodes)), note).encode()

    async def bundle(
        self, first: int = 0, last: int | None = None, *, openings: bool = False
    ) -> bytes:
        """Entries `first` to `last` (included; None: the newest) in a file that proves itself.

        `openings` puts the personal values in: only for readers who are entitled to them.
        Raises Invalid for a range that is not in the ledger or too long.
        """
        note = await self._head_over(await self.size() if last is None else last + 1)
        size = Checkpoint.parse(Note.parse(note)).size
        end = size if last is None else last + 1
        if not 0 <= first <= end <= size:
            raise Invalid(f"entries {first} to {end - 1}", f"the ledger holds {size} entries")
        if end - first > bundle_.ENTRIES_MAX:
            raise Invalid(
                f"a bundle of {end - first} entries", f"ask for {bundle_.ENTRIES_MAX} at a time"
            )
        contents = await self._contents(size, first, end, openings)
        return await asyncio.to_thread(bundle_.write, contents, self._key)

    async def _head_over(self, least: int) -> bytes:
        """A checkpoint of at least `least` entries, with its cosignatures, to prove things by."""
        try:
            size = await self.covering(least)
        except LedgerDown:  # damaged too: then the file shall show it
            size = None
        if size is not None:
            async with self._db.transaction(self._agency) as connection:
                kept = await rows.checkpoints(connection, self._agency, size, size, 1)
            if kept:
                return with_cosignatures(kept[0])
        return await self.checkpoint()

    async def _contents(self, size: int, first: int, end: int, openings: bool) -> Contents:
        before, after = nodes_of(0, first), nodes_of(end, size)
        nodes = await self._nodes(size, [*before, *after])
        async with self._db.transaction(self._agency) as connection:
            entries = await rows.raw_entries(connection, self._agency, first, end)
            signed = await rows.checkpoints(connection, self._agency, size, size, 1)
            earlier = await rows.checkpoints(
                connection, self._agency, first, min(end, size - 1), bundle_.CHECKPOINTS_MAX
            )
            kept = await rows.openings(connection, self._agency, first, end) if openings else []
        witnesses = {name for c in (*signed, *earlier) for name in c.witnesses}
        return Contents(
            size=size,
            first=first,
            entries=entries,
            left=[nodes(*node) for node in before],
            right=[nodes(*node) for node in after],
            checkpoint=with_cosignatures(signed[0]),
            witnesses=[VerifierKey.parse(name) for name in sorted(witnesses)],
            earlier=[(c.size, with_cosignatures(c)) for c in reversed(earlier)],
            openings=[IndexedOpening(row[0], _opening(*row[1:])) for row in kept],
        )

    async def tally(self, since: datetime, until: datetime) -> tuple[int, int, Tally]:
        """Every entry of a time, counted: of the entries [first, end) those in [since, until).
        Some 20 µs an entry, in pieces, beside everything else."""
        async with self._db.transaction(self._agency) as connection:
            first, end = await rows.range_of(connection, self._agency, since, until)
        tally = Tally(time_of(since), time_of(until))
        for at in range(first, end, CHECK_ENTRIES):
            async with self._db.transaction(self._agency) as connection:
                raw = await rows.raw_entries(
                    connection, self._agency, at, min(end, at + CHECK_ENTRIES)
                )
            await asyncio.to_thread(tally.add, raw)
        return first, end, tally

    async def figures_file(self, index: int, document: bytes) -> bytes:
        """The file that proves figures which entry `index` fixed. Raises NotOpenable, Invalid."""
        proof = await self.proof(index)
        size = Checkpoint.parse(Note.parse(Proof.parse(proof).checkpoint)).size
        async with self._db.transaction(self._agency) as connection:
            kept = await rows.checkpoints(connection, self._agency, size, size, 1)
        witnesses = [VerifierKey.parse(name) for name in kept[0].witnesses]
        return pack(document, await self.entry(index), proof, self._key.verifier, witnesses)

    async def check(self) -> list[str]:
        """Hash every stored entry anew and hold it against leaves, tiles, head and checkpoints.

        Empty: all fits. About 4 µs an entry, read in pieces; for the doctor and after a restore.
        """
        frontier, edge = Frontier(), Edge()
        found: list[str] = []
        size = await self.size()
        signed = await self._signed(size)
        while frontier.size < size:
            end = min(size, frontier.size + CHECK_ENTRIES)
            pieces = await self._pieces(frontier.size, end)
            if len(pieces) != end - frontier.size:
                return [*found, f"entries are missing between {frontier.size} and {end - 1}"]
            for raw, leaf in pieces:
                if leaf_hash(raw) != leaf:
                    found.append(f"entry {frontier.size} was changed")
                await self._check_tiles(edge.append(leaf), found)
                frontier.append(leaf)
                _check_root(frontier, signed.get(frontier.size), found)
        return found

    async def _pieces(self, first: int, end: int) -> list[tuple[bytes, bytes]]:
        async with self._db.transaction(self._agency) as connection:
            raw = await rows.raw_entries(connection, self._agency, first, end)
            leaves = await rows.leaves(connection, self._agency, first, end)
        return list(zip(raw, leaves, strict=False))

    async def _signed(self, size: int) -> dict[int, bytes]:
        """Roots by size: the head's and the newest checkpoints'."""
        async with self._db.transaction(self._agency) as connection:
            told = await rows.head(connection, self._agency)
            kept = await rows.checkpoints(
                connection, self._agency, 1, size, bundle_.CHECKPOINTS_MAX
            )
        roots = {c.size: Checkpoint.parse(Note.parse(c.note)).root for c in kept}
        return {**({told[0]: told[1]} if told else {}), **roots}

    async def _check_tiles(self, full: list[rows.Tile], found: list[str]) -> None:
        if not full:
            return
        async with self._db.transaction(self._agency) as connection:
            kept = await rows.tiles(connection, self._agency, [tile[:2] for tile in full])
        for level, number, hashes in full:
            if kept.get((level, number)) != hashes:
                found.append(f"tile {number} of level {level} was changed")

    async def _nodes(self, size: int, wanted: Iterable[Node]) -> Nodes:
        """The hashes of `wanted` nodes, all complete in a log of `size` entries."""
        tiles = {tile_of(node) for node in wanted}
        async with self._db.transaction(self._agency) as connection:
            edge = await load_edge(connection, self._agency, size)
            full = await rows.tiles(
                connection, self._agency, [tile for tile in tiles if full_below(size, tile)]
            )
        return Nodes({**edge.tiles(), **full})


def _check_root(frontier: Frontier, root: bytes | None, found: list[str]) -> None:
    if root and frontier.root() != root:
        found.append(f"the root signed at size {frontier.size} is of another history")


def with_cosignatures(stored: rows.StoredCheckpoint) -> bytes:
    return stored.note + "".join(stored.lines).encode()


def _opening(field: str, salt: bytes, value: bytes) -> Opening:
    return Opening(field, salt, value.decode())


def damaged(how: str) -> LedgerDamaged:
    return LedgerDamaged(
        f"the ledger's stored rows do not fit together: {how}",
        "stop writing, call the auditor, and restore the database from its last good backup",
    )


async def load_edge(connection: Any, agency: AgencyId, size: int) -> Edge:
    """The right edge of a log of `size` entries, computed from leaves and full tiles."""
    partial = await rows.leaves(connection, agency, size - size % TILE_HASHES, size)
    if len(partial) != size % TILE_HASHES:
        raise damaged("entries are missing")
    edge_rows = [b"".join(partial)]
    level = 1
    while size >> (TILE_LEVELS * level):
        count = size >> (TILE_LEVELS * level)
        wanted = [(level - 1, number) for number in range(count - count % TILE_HASHES, count)]
        found = await rows.tiles(connection, agency, wanted)
        if len(found) != len(wanted):
            raise damaged("tiles are missing")
        edge_rows.append(b"".join(whole(found[tile]) for tile in wanted))
        level += 1
    return Edge(size, edge_rows)


def root_of_edge(edge: Edge) -> bytes:
    nodes = Nodes(edge.tiles())
    return fold([nodes(*node) for node in nodes_of(0, edge.size)]) if edge.size else EMPTY_ROOT
