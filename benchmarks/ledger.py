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

from farolito.app.ledger_trial import AGENCY, appends, durable, entry_of
from farolito.audit import Ledger, seal, verify
from farolito.audit.entry import read
from farolito.store import Database

BARE_WRITERS = 16
BUNDLE_ENTRIES_MAX = 20_000


def now() -> datetime:
    return datetime.now(UTC)


async def bare(database: Database, seconds: float) -> float:
    await database.pool.execute("create table bare (entry bytea, leaf bytea, at timestamptz)")
    raw, count = seal(entry_of(now(), 0), os.urandom).raw, 0
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
    async with durable(folder) as database:
        ledger = await Ledger.open(database, AGENCY, folder / "ledger.key", now, os.urandom)
        single_ms = await appends(ledger, seconds, now, writers=1)
        together_ms = await appends(ledger, seconds, now)
        baseline = await bare(database, seconds)
        checked, rival_ms = await checking(ledger)
        await ledger.close()
    cuts = statistics.quantiles(together_ms, n=100)
    single, together = len(single_ms) / seconds, len(together_ms) / seconds
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
