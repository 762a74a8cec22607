"""Witnessing, made of a node's parts: its key as a witness, and whom the ledger asks to cosign."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from farolito.app.health import Finding
from farolito.audit import Ledger
from farolito.audit.key_file import load_or_create
from farolito.audit.note import COSIGNS, SigningKey
from farolito.audit.own_log import OwnLog
from farolito.audit.witness_book import WitnessBook, witness_name
from farolito.federation import Post
from farolito.federation.witnessing import Witnessing
from farolito.gate import Gate
from farolito.model import Agency, AgencyId, Partner, Person
from farolito.store import Database


def witness_key(keys: Path, agency: AgencyId) -> SigningKey:
    """`keys/witness.key`, made at the first start; its verifier stands on the agency's card."""
    return load_or_create(keys / "witness.key", witness_name(agency), os.urandom, COSIGNS)


class Witnesses:
    """What the node needs of it. `run` belongs among its works."""

    def __init__(  # noqa: PLR0913 - the parts it is made of
        self,
        post: Post,
        partners: Callable[[], Mapping[AgencyId, Partner]],
        ledger: Ledger,
        key: SigningKey,
        database: Database,
        gate: Gate,
        system: Person,
        agency: Agency,
        least: int,
        clock: Callable[[], datetime],
    ) -> None:
        own = OwnLog(ledger, clock)
        book = WitnessBook(database, agency.agency_id, key, clock)
        self.witnessing = Witnessing(post, partners, own, book, gate, system, agency, least)
        self.run = self.witnessing.run
        self._partners = partners
        self._agency = agency
        self._own = own
        ledger.covering = self.witnessing.covering

    async def findings(self) -> list[Finding]:
        """For the health page."""
        return [Finding(*msgspec.structs.astuple(line)) for line in await self.witnessing.lines()]

    async def view(self) -> Mapping[str, Any]:
        """For the auditor: alarms with what they rest on, who may cosign, how far that goes."""
        panel = self.witnessing.panel()
        names = {p.card.ledger_key: p.agency_id for p in self._partners().values()}
        names[self._own.key] = self._agency.agency_id
        return {
            "alarms": [
                {
                    "alarm_id": alarm.alarm_id,
                    "agency_id": names.get(alarm.evidence.log),
                    "own": alarm.evidence.log == self._own.key,
                    "doubt": alarm.evidence.doubt,
                    "state": alarm.state,
                    "raised_by": alarm.raised_by,
                    "at": alarm.at,
                    "notes": alarm.evidence.notes,
                }
                for alarm in await self.witnessing.alarms.all()
            ],
            "witnessed": await self.witnessing.witnessed(),
            "least": panel.least,
            # As `farolito audit verify --witness FILE` wants it.
            "keys": "".join(
                f"{key} {government}\n"
                for key, government in [(self._own.key, panel.own), *panel.witnesses.items()]
            ),
        }
