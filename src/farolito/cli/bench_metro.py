"""`farolito bench metro`: what it costs that every agency keeps its own, and decides itself.

Whole nodes in processes of their own on loopback ports: the city, the sheriff and the pueblo, or
the city with 20 around it (`--full`). (1) the same plate asked for in the own records, with a
neighbour's, and as bare SQL out of one shared database with no policy and no ledger, in turn;
(2) an alert confirmed here until it is on the partner's screen; (3) a revocation until the owner
refuses and the partner's copies are gone; (4) decisions alone; (5) the ledger alone. See
docs/metro.md.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from farolito.app import decision_trial, ledger_trial
from farolito.cli import bench_metro_asks as asking
from farolito.cli import bench_metro_shares as sharing
from farolito.cli.bench_metro_asks import Figures
from farolito.cli.bench_metro_nodes import Agencies, agencies

Progress = Callable[[float], None]
KEYS = (
    "federated_overhead_p50_ms", "federated_overhead_p95_ms", "share_p99_ms", "revoke_p99_ms",
    "decisions_per_s", "ledger_appends_per_s", "verify_ms", "proof_bytes",
)  # fmt: skip
BASELINE_KEYS = ("federated_p50_ms", "federated_p95_ms")


class Sizes(msgspec.Struct, frozen=True):
    """`wide`: questions to five and to twenty owners, of each so many."""

    partners: int
    reads: int
    ask_s: float
    shares: int
    revocations: int
    trial_s: float
    wide: int = 0


QUICK = Sizes(partners=2, reads=4_000, ask_s=7, shares=40, revocations=6, trial_s=1.5)
FULL = Sizes(partners=20, reads=10_000, ask_s=60, shares=200, revocations=40, trial_s=10, wide=100)


def run(quick: bool, seed: int, progress: Progress) -> Mapping[str, Any]:
    return asyncio.run(measured(QUICK if quick else FULL, seed, progress))


async def measured(sizes: Sizes, seed: int, progress: Progress) -> Mapping[str, Any]:
    async with agencies(sizes.partners, lambda x: progress(x * 0.4)) as all_:
        ours, theirs = await _asked(all_, sizes, seed, lambda x: progress(0.4 + x * 0.25))
        ours |= await _flowing(all_, sizes, seed, lambda x: progress(0.65 + x * 0.2))
    ours |= await asyncio.to_thread(_decisions, sizes.trial_s)
    progress(0.9)
    ours |= await ledger(sizes.trial_s)
    progress(1.0)
    return told(sizes, ours, theirs)


def told(sizes: Sizes, ours: Figures, theirs: Figures) -> Mapping[str, Any]:
    """The document; what was not measured is None."""
    figures = {**dict.fromkeys(KEYS), **ours, "nodes": sizes.partners + 1}
    baseline = {**dict.fromkeys(BASELINE_KEYS), **theirs}
    mine, other = figures.get("federated_p95_ms"), baseline["federated_p95_ms"]
    return {
        "figures": figures,
        "baselines": [{"what": "one shared database, no policy", "figures": baseline}],
        "ratios": {"p95_vs_shared_database": mine / other if mine is not None and other else None},
    }


async def _asked(
    all_: Agencies, sizes: Sizes, seed: int, progress: Progress
) -> tuple[Figures, Figures]:
    plates = await asking.fill(all_, sizes.reads, seed)
    progress(0.3)
    asked_of = all_.partners if sizes.wide else [all_.sheriff]
    for owner in asked_of:
        await all_.agree(owner, all_.city, {"plate_read": "full"})
    progress(0.4)
    asked = await asking.asks(all_, plates, sizes.ask_s, lambda x: progress(0.4 + x * 0.5))
    ours, theirs = asking.told(asked)
    return ours | await asking.wide(all_, plates, sizes.wide), theirs


async def _flowing(all_: Agencies, sizes: Sizes, seed: int, progress: Progress) -> Figures:
    agreement = await all_.agree(all_.city, all_.sheriff, sharing.GIVES)
    alerts = await sharing.raised(all_, sizes.shares + sizes.revocations, seed)
    first, more = alerts[: sizes.shares], alerts[sizes.shares :]
    progress(0.1)
    operator = await all_.seat(all_.city, "operator")
    async with sharing.screen(await all_.seat(all_.sheriff, "operator")) as shown:
        took = await sharing.shares(shown, operator, agreement, first)
        progress(0.5)
        ended = await sharing.revocations(
            all_, shown, agreement, (first, more), lambda x: progress(0.5 + x / 2)
        )
        return sharing.told_shares(took) | sharing.told_revocations(ended, shown.came)


def _decisions(seconds: float) -> dict[str, float]:
    found = decision_trial.trial(seconds)
    return {
        "decisions_per_s": round(found.own_per_s),
        "foreign_decisions_per_s": round(found.foreign_per_s),
    }


async def ledger(seconds: float) -> dict[str, float]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-bench-"))
    folder.chmod(0o711)  # PostgreSQL's own account must reach it
    try:
        found = await ledger_trial.alone(folder, seconds, lambda: datetime.now(UTC))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "ledger_appends_per_s": round(found.appends_per_s),
        "append_p50_ms": round(found.append_p50_ms, 2),
        "append_p99_ms": round(found.append_p99_ms, 2),
        "ledger_entries": found.entries,
        "proof_bytes": found.proof_bytes,
        "prove_ms": round(found.prove_ms, 3),
        "verify_ms": round(found.verify_ms, 3),
    }
