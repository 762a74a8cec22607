"""Counts out of the ledger for the public and for statutes: by permit, fixed by an entry, proved.

In: an Ask, and a time. Out: a Tally to make figures of; then the figures' file, which proves them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from hashlib import sha256

import msgspec

from farolito.audit import Ledger
from farolito.audit.figures import Figure, Figures, Tally, parse, time_of
from farolito.gate.gate import Answer, Ask, Gate
from farolito.model import Purpose
from farolito.store import Records

__all__ = ["Counted", "Figure", "Figures", "LedgerFigures", "Tally", "parse", "time_of"]

Keep = Callable[[Records, int], Awaitable[None]]


class Counted(msgspec.Struct, frozen=True):
    """The entries [first, end) were looked through; `tally` knows those of the time asked for."""

    first: int
    end: int
    tally: Tally


class LedgerFigures:
    """A person counts by `read` and publishes by `export`. The node itself, which publishes each
    month by a standing rule, does both by `act`: nobody is shown anything but what is published.
    """

    def __init__(self, gate: Gate, ledger: Ledger) -> None:
        self._gate = gate
        self._ledger = ledger

    async def count(self, ask: Ask, since: datetime, until: datetime) -> Answer[Counted]:
        """Count the entries of a time, some 50,000 a second; what is asked for with this very
        question stands after them, and is not counted."""

        async def work(_: Records, permit: int) -> Counted:
            first, end, tally = await self._ledger.tally(since, until)
            return Counted(first, end, tally)

        if ask.purpose is Purpose.SYSTEM:
            return await self._gate.act(ask, work)
        return await self._gate.read(ask, work)

    async def fix(self, ask: Ask, document: bytes, keep: Keep) -> int:
        """Fix figures for ever by an entry, and keep them in the same step; the entry's number.

        Raises Invalid for what is no document of figures.
        """
        parse(document)
        fixing = msgspec.structs.replace(ask, fixes=sha256(document).hexdigest())
        if ask.purpose is Purpose.SYSTEM:
            return (await self._gate.act(fixing, keep)).permit
        return (await self._gate.export(fixing, keep)).permit

    async def publish(self, ask: Ask, document: bytes) -> Answer[bytes]:
        """Fix figures for ever by an entry, and answer with the file that proves them.

        Under a checkpoint that enough witnesses cosigned, where they are there; `again` makes the
        file anew once they are. Raises Invalid for what is no document of figures.
        """
        parse(document)
        fixing = msgspec.structs.replace(ask, fixes=sha256(document).hexdigest())

        async def work(_: Records, permit: int) -> bytes:
            return await self._ledger.figures_file(permit, document)

        return await self._gate.export(fixing, work)

    async def again(self, permit: int, document: bytes) -> bytes:
        """The file of figures that entry `permit` fixed, by the newest proof. It tells nothing
        that was not published. Raises Invalid where that entry fixes others."""
        return await self._ledger.figures_file(permit, document)
