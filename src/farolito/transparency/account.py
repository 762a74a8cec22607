"""What an account tells, read from the published document alone: its words, counts and rows.

What stands on a page is what the ledger fixed, so that no page can disagree with its proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from farolito.transparency.account_words import WORDS
from farolito.transparency.counted import ALL, PURPOSES, REFUSED, REST, SEARCHES, cell_of
from farolito.transparency.publisher import Published
from farolito.transparency.sheet import Words, number
from farolito.transparency.suppress import SMALL

REVIEWED = ("raised", "open", "overdue", "explained", "training", "misuse", "referred")
KEPT = ("reads", "hits", "calls", "clips", "ledger")


def proof_name(agency: str, period: str) -> str:
    """Of the proof, as a browser saves it: that of two agencies lie in one folder."""
    return f"{agency}-{period}.farolito-figures"


class Account:
    """One account in one language. `hours_of`: the agency's own clock."""

    def __init__(self, told: Published, hours_of: tzinfo, language: str) -> None:
        self.period = told.period
        self.permit = told.permit
        self.published_at = told.published_at
        self.language = language
        self.words: Words = WORDS[language]
        self.told: Mapping[str, Any] = told.figures.told
        self.figures = told.figures
        self.hours_of = hours_of
        self.values = {one.name: one.value for one in told.figures.figures}
        self.values |= self.told["records"]
        self._few = frozenset(self.told["few"])

    @property
    def name(self) -> str:
        return str(self.told["name"])

    @property
    def is_year(self) -> bool:
        return bool(self.told["kind"] == "year")

    @property
    def proof(self) -> str:
        return proof_name(self.figures.agency, self.period)

    def fill(self, key: str, **more: object) -> str:
        """A sentence of the catalogue."""
        return self.words[key].format(**{"small": SMALL, **more})

    def period_line(self) -> str:
        return self.fill(
            "period",
            since=self._day(self.figures.since),
            until=self._day(self.figures.until, last=True),
            at=f"{self.published_at.astimezone(self.hours_of):%Y-%m-%d}",
        )

    def _day(self, text: str, *, last: bool = False) -> str:
        at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
        at = at - timedelta(seconds=1) if last else at
        return f"{at.astimezone(self.hours_of):%Y-%m-%d}"

    def count(self, *cell: str) -> str:
        """As it may be shown; "" where this account has no such count."""
        name = "/".join(cell)
        if name not in self.values:
            return ""
        value = self.values[name]
        if value is not None:
            return number(value)
        return f"<{SMALL}" if name in self._few else self.words["withheld"]

    def is_withheld(self, *cell: str) -> bool:
        """Hidden since a smaller one could be reckoned from it."""
        name = "/".join(cell)
        return name in self.values and self.values[name] is None and name not in self._few

    def is_shown(self, *cell: str) -> bool:
        return self.values.get("/".join(cell)) is not None

    def agency(self, agency: str) -> str:
        if agency in (ALL, REST):
            return self.words["all" if agency == ALL else "other"]
        return str(self.told["names"].get(agency, agency))

    def purposes(self, agencies: Sequence[str]) -> list[str]:
        """All together first."""
        found = [ALL, *(p.value for p in PURPOSES), REST]
        return [one for one in found if one != REST or self._any(one, agencies)]

    def purpose(self, purpose: str) -> str:
        return self.words["all" if purpose == ALL else f"purpose_{purpose}"]

    def searchers(self) -> list[str]:
        """Whoever may have searched: all together, then our own people."""
        cells = [cell_of(name) for name in self.values if name.startswith(f"{SEARCHES}/")]
        agencies = list(dict.fromkeys(column for _, _, column in cells))
        return [ALL, *sorted((one for one in agencies if one != ALL), key=self._order)]

    def has_row(self, agency: str, purposes: Sequence[str]) -> bool:
        """Other agencies together have a row where anything of it may be told."""
        return (
            agency != REST
            or self.is_shown(REFUSED, ALL, agency)
            or any(self.is_shown(SEARCHES, one, agency) for one in purposes)
        )

    def _any(self, purpose: str, agencies: Sequence[str]) -> bool:
        return any(self.is_shown(SEARCHES, purpose, one) for one in agencies)

    def _order(self, agency: str) -> tuple[bool, bool, str]:
        return (agency == REST, agency != self.figures.agency, self.agency(agency))

    def rows_of(self, table: str) -> list[tuple[str, str]]:
        """What may be told of a table's rows, the frequent ones first; what is hidden has no row,
        so that none tells anything."""
        shown = [
            (value, cell_of(name)[1])
            for name, value in self.values.items()
            if name.startswith(f"{table}/") and value is not None
        ]
        rows = sorted((one for one in shown if one[1] != ALL), key=lambda row: (-row[0], row[1]))
        return [(row, number(value)) for value, row in rows]

    def reason(self, reason: str) -> str:
        return self.words.get(f"reason_{reason}", reason.replace("_", " "))

    def approvals(self, sensor: Mapping[str, Any]) -> list[str]:
        """Impact report, vote and day, a line each."""
        return [
            " · ".join(
                part for part in (one["impact_report"], one["council_approval"], one["on"]) if part
            )
            for one in sensor["approvals"]
        ]

    def agreement_line(self, agreement: Mapping[str, Any]) -> str:
        """Who gives to whom, how long, by which declaration."""
        names = {word: self.agency(agreement[word]) for word in ("grantor", "grantee")}
        line = self.fill("agreement_line", **{**agreement, **names})
        declared = agreement["declaration"]
        return f"{line} · {self.fill('declaration', declaration=declared)}" if declared else line
