"""How fast the ledger takes entries durably, and how fast an outsider checks them.

    python benchmarks/ledger.py [--json] [--seconds 5]

A durable PostgreSQL (fsync on) of its own; beside it, in the same run, the same rows as bare
inserts with a commit each over as many connections as the pool has: what a ledger without group
commit could reach at best. Checking is held against pymerkle hashing the same entries.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymerkle

from farolito.app import postgres
from farolito.app.supervise import Supervisor
from farolito.audit import Entry, Ledger, seal, verify
from farolito.audit.entry import read
from farolito.model import Act, AgencyId, Purpose, Role, Thing
from farolito.store import Database, migrate

AGENCY = AgencyId("city-pd")
WRITERS = 64
BARE_WRITERS = 16
BUNDLE_ENTRIES_MAX = 20_000


def now() -> datetime:
    return datetime.now(UTC)


def entry(number: int) -> Entry:
    return Entry(
        at=now(),
        act=Act.READ,
        thing=Thing.PLATE_READ,
        decision="permit",
        reason="assigned_case",
        actor_role=Role.DETECTIVE,
        agency=AGENCY,
        ori="NM0010100",
        purpose=Purpose.CRIMINAL_INVESTIGATION,
        count=number,
        policy="0" * 64,
        rules=("detective-reads-plates",),
        personal={"user": "Ana Ortiz", "query": "BKX291", "case": "26-1187"},
    )


async def appends(ledger: Ledger, writers: int, seconds: float) -> tuple[float, list[float]]:
    """Appends a second, and the milliseconds that each took."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def write() -> None:
        while (began := time.perf_counter()) < end:
            await ledger.append(entry(len(took)))
            took.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(write() for _ in range(writers)))
    return len(took) / seconds, took


async def bare(database: Database, seconds: float) -> float:
    await database.pool.execute("create table bare (entry bytea, leaf bytea, at timestamptz)")
    raw, count = seal(entry(0), os.urandom).raw, 0
    end = time.perf_counter() + seconds

    async def write() -> None:
        nonlocal count
        while time.perf_counter() < end:
            await database.pool.execute(
                "insert into bare values ($1, $2, $3)", raw, bytes(32), now()
            )
            count += 1

    await asyncio.gather(*(write() for _ in range(BARE_WRITERS)))
    return count / seconds


async def checking(ledger: Ledger) -> tuple[dict[str, float], float]:
    size = ledger.status().size
    count = min(size, BUNDLE_ENTRIES_MAX)
    began = time.perf_counter()
    bundle = await ledger.bundle(size - count, openings=True)
    made = time.perf_counter()
    verdict = verify(bundle, ledger.verifier_key)
    verified = time.perf_counter()
    assert verdict.ok, verdict.problems
    page = [json.dumps(r.entry).encode() for r in await ledger.entries(limit=500)]
    tree, hashed = pymerkle.InmemoryTree(algorithm="sha256"), time.perf_counter()
    for raw in page:
        read(json.dumps(json.loads(raw), sort_keys=True, separators=(",", ":")).encode())
        tree.append_entry(raw)
    tree.get_root()
    rival_ms = (time.perf_counter() - hashed) * 1000 / len(page) * count
    figures = {
        "bundle_entries": float(count),
        "bundle_ms": (made - began) * 1000,
        "verify_ms": (verified - made) * 1000,
    }
    return figures, rival_ms


async def measure(folder: Path, seconds: float) -> dict[str, Any]:
    cluster = postgres.prepare(folder)
    supervisor = Supervisor()
    try:
        await supervisor.start(postgres.child(cluster, folder / "postgres.log"))
        await migrate(cluster.dsn)
        database = await Database.open(cluster.dsn)
        ledger = await Ledger.open(database, AGENCY, folder / "ledger.key", now, os.urandom)
        single, single_ms = await appends(ledger, 1, seconds)
        together, together_ms = await appends(ledger, WRITERS, seconds)
        baseline = await bare(database, seconds)
        checked, rival_ms = await checking(ledger)
        await ledger.close()
        await database.close()
    finally:
        await supervisor.stop()
    cuts = statistics.quantiles(together_ms, n=100)
    figures = {
        "ledger_appends_per_s": together,
        "ledger_single_appends_per_s": single,
        "single_p50_ms": statistics.median(single_ms),
        "append_p50_ms": cuts[49],
        "append_p99_ms": cuts[98],
        **checked,
    }
    return {
        "name": "ledger",
        "figures": {key: round(value, 3) for key, value in figures.items()},
        "baselines": [
            {
                "what": f"bare insert and commit, {BARE_WRITERS} connections",
                "figures": {"ledger_appends_per_s": round(baseline, 1)},
            },
            {
                "what": "pymerkle hashing the same entries, JSON read once",
                "figures": {"verify_ms": round(rival_ms, 1)},
            },
        ],
        "ratios": {
            "appends_vs_bare_commits": round(together / baseline, 2),
            "verify_vs_pymerkle": round(checked["verify_ms"] / rival_ms, 2),
        },
        "machine": {"cores": os.cpu_count()},
        "seed": None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="farolito-bench-"))
    folder.chmod(0o711)  # PostgreSQL's own account must reach it
    try:
        told = asyncio.run(measure(folder, arguments.seconds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.json:
        print(json.dumps(told))
        return
    for key, value in told["figures"].items():
        print(f"{key:32} {value:12,.2f}")
    for baseline in told["baselines"]:
        print(f"  beside: {baseline['what']}: {baseline['figures']}")
    print(f"ratios: {told['ratios']}")


if __name__ == "__main__":
    main()
