"""What the ledger costs: entries durable before their answer, a proof's bytes, checking it, and
two witnesses' cosignatures. For `farolito bench metro`; the database must be durable."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from farolito.app import postgres
from farolito.app.supervise import Supervisor
from farolito.audit import Entry, Ledger, Proof, SigningKey, VerifierKey
from farolito.audit.checkpoint import Checkpoint
from farolito.audit.note import COSIGNS, Note
from farolito.audit.own_log import OwnLog
from farolito.audit.witness_book import WitnessBook, witness_name
from farolito.model import Act, AgencyId, Invalid, Purpose, Role, Thing
from farolito.store import Database, migrate

WRITERS = 64
PROOFS = 200
AGENCY = AgencyId("bench-pd")
WITNESSES = (AgencyId("bench-so"), AgencyId("bench-nation"))


class Trial(NamedTuple):
    """Times in ms, the middle one of each kind; `proof_bytes` with two cosignatures; `prove_ms`
    is the node's work, `verify_ms` the reader's, `cosign_ms` one witness's durable step."""

    appends_per_s: float
    append_p50_ms: float
    append_p99_ms: float
    entries: int
    proof_bytes: int
    entry_bytes: int
    prove_ms: float
    verify_ms: float
    cosign_ms: float


async def alone(folder: Path, seconds: float, clock: Callable[[], datetime]) -> Trial:
    """The same on a database of its own."""
    async with durable(folder) as database:
        return await trial(database, folder, seconds, clock)


@asynccontextmanager
async def durable(folder: Path) -> AsyncIterator[Database]:
    """A PostgreSQL under `folder` that commits to the disk, and ends with the block."""
    cluster = await asyncio.to_thread(postgres.prepare, folder)
    supervisor = Supervisor()
    try:
        await supervisor.start(postgres.child(cluster, folder / "postgres.log"))
        await migrate(cluster.dsn)
        database = await Database.open(cluster.dsn)
        try:
            yield database
        finally:
            await database.close()
    finally:
        await supervisor.stop()


async def trial(
    database: Database, folder: Path, seconds: float, clock: Callable[[], datetime]
) -> Trial:
    ledger = await Ledger.open(database, AGENCY, folder / "ledger.key", clock, os.urandom)
    try:
        took = await appends(ledger, seconds, clock)
        cuts = statistics.quantiles(took, n=100)
        keys, cosign_ms = await _cosigned(database, ledger, clock)
        size = OwnLog(ledger, clock).size
        proofs, prove_ms = await _proofs(ledger, size)
        entry = await ledger.entry(size // 2)
        return Trial(
            appends_per_s=len(took) / seconds,
            append_p50_ms=cuts[49],
            append_p99_ms=cuts[98],
            entries=size,
            proof_bytes=len(proofs[size // 2]),
            entry_bytes=len(entry),
            prove_ms=prove_ms,
            verify_ms=_verify_ms(proofs[size // 2], entry, ledger.verifier_key, keys),
            cosign_ms=cosign_ms,
        )
    finally:
        await ledger.close()


async def appends(
    ledger: Ledger, seconds: float, clock: Callable[[], datetime], writers: int = WRITERS
) -> list[float]:
    """The ms that each took from the question to its durable receipt."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def write() -> None:
        while (began := time.perf_counter()) < end:
            await ledger.append(entry_of(clock(), len(took)))
            took.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(write() for _ in range(writers)))
    return took


def entry_of(at: datetime, number: int) -> Entry:
    return Entry(
        at=at,
        act=Act.READ,
        thing=Thing.PLATE_READ,
        decision="permit",
        reason="permit",
        actor_role=Role.DETECTIVE,
        agency=AGENCY,
        ori="NM0010100",
        purpose=Purpose.CRIMINAL_INVESTIGATION,
        count=number,
        policy="0" * 64,
        rules=("detective_reads_plates",),
        personal={"user": "Ana Ortiz", "query": "BKX291", "case": "26-1187"},
    )


async def _cosigned(
    database: Database, ledger: Ledger, clock: Callable[[], datetime]
) -> tuple[list[VerifierKey], float]:
    own = OwnLog(ledger, clock)
    keys, took = [], []
    for agency in WITNESSES:
        key = SigningKey(witness_name(agency), os.urandom(32), COSIGNS)
        book = WitnessBook(database, agency, key, clock)
        size, checkpoint = await own.checkpoint()
        request, at_old = await own.request(0, size, checkpoint)
        began = time.perf_counter()
        answer, _ = await book.cosign(ledger.verifier_key, request, at_old)
        took.append((time.perf_counter() - began) * 1000)
        await own.keep(checkpoint, answer.body, str(key.verifier))
        keys.append(key.verifier)
    return keys, statistics.median(took)


async def _proofs(ledger: Ledger, size: int) -> tuple[dict[int, bytes], float]:
    step = max(1, size // PROOFS)
    found, took = {}, []
    for index in {*range(0, size, step), size // 2}:
        began = time.perf_counter()
        found[index] = await ledger.proof(index)
        took.append((time.perf_counter() - began) * 1000)
    return found, statistics.median(took)


def _verify_ms(raw: bytes, entry: bytes, key: VerifierKey, witnesses: list[VerifierKey]) -> float:
    took = []
    for _ in range(PROOFS):
        began = time.perf_counter()
        proof = Proof.parse(raw)
        if wrong := proof.problems(entry, key, witnesses):
            raise Invalid(f"the ledger's own proof: {wrong}")
        took.append((time.perf_counter() - began) * 1000)
    assert Checkpoint.parse(Note.parse(proof.checkpoint)).size > proof.index
    return statistics.median(took)
