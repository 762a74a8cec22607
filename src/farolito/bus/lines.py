"""The lines to partners that this node's bus knows, kept in one file beside the server's.

The file is on disk before the server hears of a change: what was revoked stays revoked through
`kill -9` at any moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from farolito.bus.claims import write_secret
from farolito.model import AgencyId, BusCard, FarolitoError


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`shares`: the classes that may flow to the partner, and until when."""

    partner: AgencyId
    own: BusCard
    theirs: BusCard
    shares: Mapping[str, datetime] = {}

    @property
    def dials(self) -> bool:
        """Whether this node connects to the partner's, and not the other way."""
        return bool(self.theirs.user_jwt and self.theirs.address)


class LineBook:
    """All lines, by partner."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.lines: dict[AgencyId, Line] = {}
        if path.exists():
            try:
                kept = msgspec.json.decode(path.read_bytes(), type=list[Line])
            except (msgspec.DecodeError, OSError) as error:
                raise FarolitoError(
                    f"{path} cannot be read: {error}", "restore it from the backup"
                ) from error
            self.lines = {line.partner: line for line in kept}

    def keep(self, line: Line) -> None:
        self.lines = {**self.lines, line.partner: line}
        self._write()

    def drop(self, partner: AgencyId) -> None:
        self.lines = {p: line for p, line in self.lines.items() if p != partner}
        self._write()

    def _write(self) -> None:
        kept = msgspec.json.format(msgspec.json.encode(list(self.lines.values())))
        write_secret(self._path, kept.decode())
