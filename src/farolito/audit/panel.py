"""Who must vouch for a ledger: at least so many witnesses, one of another government than its own.

As a file, a line a key, its government behind it; the line of the log's own key says whose ledger
it is:

    farolito/city-pd/ledger+1a2b3c4d+AbC… city
    farolito/county-so/witness+5e6f7a8b+BCd… county
    farolito/pueblo-pd/witness+9c0d1e2f+BDe… tribal
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from farolito.audit.note import COSIGNS, VerifierKey
from farolito.model import Invalid

LEAST = 2  # R32


class Panel(msgspec.Struct, frozen=True):
    """`witnesses`: verifier keys with their governments' words; `own`: the ledger's government."""

    witnesses: Mapping[str, str]
    own: str
    least: int = LEAST
    log: VerifierKey | None = None

    @classmethod
    def parse(cls, text: str, least: int = LEAST) -> Panel:
        """From such a file. Raises Invalid."""
        witnesses: dict[str, str] = {}
        logs: list[tuple[VerifierKey, str]] = []
        for line in text.splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            key, _, government = line.strip().rpartition(" ")
            parsed = VerifierKey.parse(key.strip())
            if not government.isalpha():
                raise Invalid(f"{parsed.name} without its government", "write it behind the key")
            if parsed.type == COSIGNS:
                witnesses[str(parsed)] = government
            else:
                logs.append((parsed, government))
        if len(logs) != 1:
            raise Invalid("a file of witnesses that does not name one ledger", "add its key")
        return cls(witnesses, logs[0][1], least, logs[0][0])

    @property
    def others(self) -> list[str]:
        """The witnesses of other governments."""
        return [key for key, government in self.witnesses.items() if government != self.own]

    @property
    def could(self) -> bool:
        """Whether enough of them exist."""
        return len(self.witnesses) >= self.least and bool(self.others)

    def problem(self, cosigners: Iterable[VerifierKey]) -> str | None:
        """What is missing under a checkpoint that these have cosigned."""
        by = {str(key) for key in cosigners} & set(self.witnesses)
        if len(by) < self.least:
            return f"{len(by)} of the witnesses that you named cosigned it; {self.least} must have"
        if not by & set(self.others):
            return f"no witness of another government than {self.own} cosigned it"
        return None
