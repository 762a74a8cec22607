"""Entries, keys and whole logs for the ledger's tests; a test states only what it is about."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from farolito.audit import Checkpoint, Contents, Entry, IndexedOpening, Opening, SigningKey, seal
from farolito.audit.bundle import write
from farolito.audit.note import COSIGNS
from farolito.audit.tree import leaf_hash, nodes_of, root_of
from farolito.model import Act, AgencyId, Purpose, Role, Thing

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CITY = AgencyId("city-pd")
LOG = SigningKey("farolito/city-pd/ledger", bytes(range(32)))
WITNESS = SigningKey("pueblo.example/witness", bytes(range(1, 33)), COSIGNS)
SECOND_WITNESS = SigningKey("sheriff.example/witness", bytes(range(2, 34)), COSIGNS)


def chance(seed: int = 0) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def entry(**changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "at": START,
        "act": Act.READ,
        "thing": Thing.PLATE_READ,
        "decision": "permit",
        "reason": "assigned_case",
        "actor_role": Role.DETECTIVE,
        "agency": CITY,
        "ori": "NM0010100",
        "purpose": Purpose.CRIMINAL_INVESTIGATION,
        "count": 3,
        "personal": {"user": "Ana Ortiz", "query": "BKX291", "case": "26-1187"},
    }
    return Entry(**{**fields, **changes})


class Log:
    """A log in memory: entries, their openings, and checkpoints of it, signed and cosigned."""

    def __init__(self, size: int, seed: int = 0) -> None:
        sealed = [
            seal(entry(at=START + timedelta(seconds=i), count=i), chance(seed + i))
            for i in range(size)
        ]
        self.entries = [one.raw for one in sealed]
        self.openings: list[tuple[Opening, ...]] = [one.openings for one in sealed]

    @property
    def leaves(self) -> list[bytes]:
        return [leaf_hash(raw) for raw in self.entries]

    def node(self, level: int, number: int) -> bytes:
        return root_of(self.leaves[number << level : (number + 1) << level])

    def checkpoint(self, size: int | None = None, witnesses: Sequence[SigningKey] = ()) -> bytes:
        size = len(self.entries) if size is None else size
        text = Checkpoint(LOG.verifier.name, size, root_of(self.leaves[:size])).text
        at_s = int(START.timestamp())
        lines = [LOG.sign(text), *(witness.cosign(text, at_s) for witness in witnesses)]
        return f"{text}\n{''.join(lines)}".encode()

    def contents(self, first: int = 0, end: int | None = None, **changes: Any) -> Contents:
        size = len(self.entries)
        end = size if end is None else end
        witnesses = (WITNESS, SECOND_WITNESS)
        earlier = [s for s in range(first, end + 1) if s % 3 == 1 and s < size]
        fields: dict[str, Any] = {
            "size": size,
            "first": first,
            "entries": self.entries[first:end],
            "left": [self.node(*at) for at in nodes_of(0, first)],
            "right": [self.node(*at) for at in nodes_of(end, size)],
            "checkpoint": self.checkpoint(witnesses=witnesses),
            "witnesses": [witness.verifier for witness in witnesses],
            "earlier": [(s, self.checkpoint(s, [WITNESS])) for s in earlier],
            "openings": [
                IndexedOpening(index, opening)
                for index in range(first, end)
                for opening in sorted(self.openings[index], key=lambda o: o.field)
            ],
        }
        return Contents(**{**fields, **changes})

    def bundle(self, first: int = 0, end: int | None = None, **changes: Any) -> bytes:
        return write(self.contents(first, end, **changes), LOG)
