"""The ledger's writing side: an entry is durable before its receipt exists.

Sums: a metro's gate writes some 10 entries a second, 1 kB each, kept five years: 1.6 billion
entries, 1.6 TB at that rate without a pause; in practice a hundredth. One commit costs 1–4 ms on
a common disk, so entries that arrive while one commit runs go into the next one together.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from farolito.audit.checkpoint import Checkpoint
from farolito.audit.entry import Entry, Random, Sealed, seal
from farolito.audit.key_file import load_or_create
from farolito.audit.note import Note, SigningKey
from farolito.audit.records import (
    Clock,
    LedgerDamaged,
    LedgerDown,
    Records,
    damaged,
    load_edge,
    origin_of,
    root_of_edge,
)
from farolito.audit.tiles import Edge, Nodes
from farolito.audit.tree import EMPTY_ROOT, Frontier, leaf_hash, nodes_of
from farolito.model import AgencyId
from farolito.store import Database
from farolito.store import ledger as rows

PENDING_MAX = 10_000  # entries waiting for a commit; one more is told that the ledger is down
BATCH_MAX = 1_000  # entries in one commit; the rest waits for the next
COMMIT_S_MAX = 5.0  # a commit that takes longer counts as a lost database
RETRY_S = 0.25  # between tries to reach the database again
LOCK_WAIT_S_MAX = 5.0  # for the lock of a writer that was just killed; then LedgerBusy
CHECKPOINT_S = 30.0  # between checkpoints of a log that grows; the law of the house is ≤ 60

# The driver says InternalClientError where the server's farewell comes in between two statements.
_LOST = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class LedgerBusy(LedgerDown):
    """Another process is this ledger's writer."""


class Receipt(msgspec.Struct, frozen=True):
    """The entry's number, which is the permit's, and its leaf hash in hexadecimal."""

    index: int
    leaf: str


class LedgerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """For the health page: `says` is a plain sentence, `do` what to do where it is not healthy."""

    size: int
    root: str
    healthy: bool
    says: str
    do: str = ""
    pending: int = 0
    last_checkpoint_at: datetime | None = None
    last_checkpoint_size: int = 0
    verifier_key: str = ""


class _Waiting(msgspec.Struct, frozen=True):
    sealed: Sealed
    spooled: tuple[str, int] | None
    done: asyncio.Future[Receipt]


class Ledger(Records):
    """One agency's ledger, with the one task that writes it."""

    def __init__(self, db: Database, agency: AgencyId, key: SigningKey, clock: Clock) -> None:
        super().__init__(db, agency, key, clock)
        self._random: Random
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._frontier = Frontier()
        self._edge = Edge()
        self._trouble: LedgerDown | None = None
        self._up, self._away = asyncio.Event(), asyncio.Event()
        self._up.set()
        self._checkpoint_size = -1
        self._checkpoint_at: datetime | None = None
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    async def open(
        cls, db: Database, agency: AgencyId, key_path: Path, clock: Clock, random: Random
    ) -> Ledger:
        """Become the ledger's writer. Raises LedgerBusy, LedgerDamaged, LedgerDown, Invalid."""
        ledger = cls(db, agency, load_or_create(key_path, origin_of(agency), random), clock)
        ledger._random = random
        try:
            await ledger._connect()
        except _LOST as error:
            raise _down(error) from error
        ledger._tasks = [
            asyncio.create_task(ledger._write(), name=f"ledger of {agency}"),
            asyncio.create_task(ledger._sign_regularly(), name=f"checkpoints of {agency}"),
        ]
        return ledger

    async def close(self) -> None:
        """Write what waits, then let go of the lock. Later appends raise LedgerDown."""
        self._closing = True
        self._wake.set()
        writer, signer = self._tasks
        signer.cancel()
        if not self._trouble:
            await asyncio.wait([writer], timeout=COMMIT_S_MAX)
        writer.cancel()
        await asyncio.gather(writer, signer, return_exceptions=True)
        if self._connection and not self._connection.is_closed():
            await self._connection.close()

    async def append(self, entry: Entry) -> Receipt:
        """Write an entry down. It is durable when this returns.

        Raises LedgerDown, at once while the database is known to be away and within
        COMMIT_S_MAX otherwise; whether the entry got in is then unknown, so nothing may be
        answered on it. Raises Invalid for an entry that is too long.
        """
        return await self.append_sealed(seal(entry, self._random))

    async def append_sealed(
        self, sealed: Sealed, spooled: tuple[str, int] | None = None
    ) -> Receipt:
        """As `append`; `spooled` names the spool and number that the entry waited under."""
        if self._closing:
            raise LedgerDown("the ledger is closed", "start the node again")
        if self._trouble:
            raise _anew(self._trouble)
        if len(self._queue) >= PENDING_MAX:
            raise LedgerDown(
                f"{PENDING_MAX} entries wait for the ledger", "look at the database's disk"
            )
        done: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(sealed, spooled, done))
        self._wake.set()
        return await done

    async def checkpoint(self) -> bytes:
        size, root = self._frontier.size, self._frontier.root()
        try:
            note = await self._sign(size, root)
        except _LOST as error:
            raise _down(error) from error
        if size > self._checkpoint_size:
            self._checkpoint_size, self._checkpoint_at = size, self._clock()
        return note

    async def spooled(self, spool_id: str) -> set[int]:
        """The numbers of a spool's entries that are in the ledger already."""
        try:
            async with self._db.transaction(self._agency) as connection:
                return await rows.spooled(connection, self._agency, spool_id)
        except _LOST as error:
            raise _down(error) from error

    def status(self) -> LedgerStatus:
        size, trouble = self._frontier.size, self._trouble
        return LedgerStatus(
            size=size,
            root=b64encode(self._frontier.root()).decode(),
            healthy=trouble is None,
            says=trouble.says if trouble else f"{size} entries, all durable",
            do=trouble.do if trouble else "",
            pending=len(self._queue),
            last_checkpoint_at=self._checkpoint_at,
            last_checkpoint_size=max(self._checkpoint_size, 0),
            verifier_key=str(self._key.verifier),
        )

    async def until_up(self) -> None:
        """Return when entries can be written: now, or once the database is back."""
        await self._up.wait()

    async def until_down(self) -> None:
        """Return when entries cannot be written."""
        await self._away.wait()

    # The writer

    def _tell(self, trouble: LedgerDown | None) -> None:
        self._trouble = trouble
        (self._away if trouble else self._up).set()
        (self._up if trouble else self._away).clear()

    async def _write(self) -> None:
        """The one task that writes: commits, and comes back after every loss."""
        try:
            while True:
                try:
                    return await self._commit_batches()
                except _LOST as error:
                    self._lose(_down(error))
                    await self._reconnect()
        except LedgerDamaged as error:
            self._lose(error)
        except Exception as error:
            self._lose(LedgerDown("the ledger's writer has fallen", "restart the node"))
            raise error

    async def _commit_batches(self) -> None:
        assert self._connection is not None
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._connection.is_closed():
                raise ConnectionResetError("the database closed the connection")
            while self._queue:
                count = min(BATCH_MAX, len(self._queue))
                await self._commit([self._queue.popleft() for _ in range(count)])
            if self._closing:
                return

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Make a batch durable, then move the tree in memory, then hand out the receipts."""
        first = self._frontier.size
        frontier, edge = self._frontier.copy(), self._edge.copy()
        leaves = [leaf_hash(waiting.sealed.raw) for waiting in batch]
        tiles = []
        for leaf in leaves:
            frontier.append(leaf)
            tiles += edge.append(leaf)
        entries = [_row(w, leaf) for w, leaf in zip(batch, leaves, strict=True)]
        try:
            growth = rows.Growth(first, entries, tiles, frontier.root())
            moved = await rows.append(self._connection, self._agency, growth, COMMIT_S_MAX)
            if not moved:
                raise ConnectionResetError("another writer moved the ledger's head")
        except BaseException as error:
            _fail(batch, _down(error))
            raise
        self._frontier, self._edge = frontier, edge
        for n, (waiting, leaf) in enumerate(zip(batch, leaves, strict=True)):
            if not waiting.done.done():
                waiting.done.set_result(Receipt(first + n, leaf.hex()))

    def _lose(self, trouble: LedgerDown) -> None:
        self._tell(trouble)
        if self._connection:
            self._connection.terminate()
        waiting = list(self._queue)
        self._queue.clear()
        _fail(waiting, trouble)

    async def _reconnect(self) -> None:
        while True:
            try:
                await self._connect()
            except LedgerDamaged:
                raise
            except LedgerBusy as error:
                self._tell(error)
            except _LOST as error:
                self._tell(_down(error))
            else:
                self._tell(None)
                return
            await asyncio.sleep(RETRY_S)

    async def _connect(self) -> None:
        """Take the lock, and compute the tree anew from what is stored."""
        connection = await rows.connect(self._db.dsn, self._agency)
        try:
            await self._lock(connection)
            await rows.begin(connection, self._agency, EMPTY_ROOT)
            await self._load(connection)
        except BaseException:
            connection.terminate()
            raise
        connection.add_termination_listener(lambda _: self._wake.set())
        self._connection = connection

    async def _lock(self, connection: Any) -> None:
        waited_s = 0.0
        while not await rows.take_lock(connection, self._agency):
            if waited_s >= LOCK_WAIT_S_MAX:
                raise LedgerBusy(
                    f"another process writes the ledger of {self._agency}",
                    "stop the other node, or give this one a database of its own",
                )
            await asyncio.sleep(RETRY_S)
            waited_s += RETRY_S

    async def _load(self, connection: Any) -> None:
        told = await rows.head(connection, self._agency)
        assert told is not None, "the head was made just now"
        size, root = told
        edge = await load_edge(connection, self._agency, size)
        if root_of_edge(edge) != root:
            raise damaged("its head does not fit its entries")
        if await rows.entries_after_head(connection, self._agency, size):
            raise damaged("there are entries beyond its head")
        await self._check_signed(connection, size)
        nodes = Nodes(edge.tiles())
        self._edge = edge
        self._frontier = Frontier(size, [nodes(*node) for node in nodes_of(0, size)])

    async def _check_signed(self, connection: Any, size: int) -> None:
        """The log must not sign a history that does not continue the one it signed last."""
        latest = await rows.checkpoints(connection, self._agency, 0, 2**62, 1)
        if not latest:
            return
        note = Note.parse(latest[0].note)
        if self._key.verifier not in note.signed_by([self._key.verifier]):
            raise damaged("its last checkpoint was signed by another key than the one in the file")
        signed = Checkpoint.parse(note)
        if signed.size > size:
            raise damaged(f"it signed {signed.size} entries and holds {size}")
        if root_of_edge(await load_edge(connection, self._agency, signed.size)) != signed.root:
            raise damaged("its entries are not those that it signed")
        self._checkpoint_size, self._checkpoint_at = signed.size, latest[0].at

    async def _sign_regularly(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_S)
            if self._trouble is None and self._frontier.size != self._checkpoint_size:
                try:
                    await self.checkpoint()
                except LedgerDamaged as error:
                    self._tell(error)
                except LedgerDown:
                    continue  # the writer notices by itself, and tells


def _row(waiting: _Waiting, leaf: bytes) -> rows.NewEntry:
    sealed = waiting.sealed
    personal = [(o.field, o.salt, o.value.encode()) for o in sealed.openings]
    return rows.NewEntry(sealed.at, leaf, sealed.raw, personal, waiting.spooled)


def _fail(batch: Sequence[_Waiting], error: LedgerDown) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(_anew(error))


def _anew(error: LedgerDown) -> LedgerDown:
    """The same words in an exception of its own: each caller adds its own traceback."""
    return type(error)(error.says, error.do)


def _down(error: BaseException) -> LedgerDown:
    if isinstance(error, LedgerDown):
        return error
    return LedgerDown(
        f"the ledger's database does not answer ({type(error).__name__})",
        "see that PostgreSQL runs and its disk has room; reading stays closed until it is back",
    )
