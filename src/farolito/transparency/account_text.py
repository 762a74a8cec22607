"""An account as plain text: for paper, a letter, or the office that a state's law names.

Of a year it has the figures that the law asks for, in its order; of a month, all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from textwrap import wrap
from typing import Any

from farolito.transparency.account import KEPT, REVIEWED, Account
from farolito.transparency.counted import (
    ALL,
    HITS,
    OUTCOMES,
    REFUSALS,
    REFUSED,
    SEARCHES,
    STANDINGS,
    cell_of,
)
from farolito.transparency.publisher import Published
from farolito.transparency.sheet import number

WIDTH = 78
# By the words of a state pack (policy.state_pack.Figure), in the order of a page.
EVERYTHING = (
    "searches",
    "searches_by_purpose",
    "searches_by_agency",
    "refusals",
    "hits",
    "stops",
    "unauthorised_access",
    "plate_readers",
    "cameras",
    "other_sensors",
    "reads",
    "keeping",
    "agreements",
)

_Row = tuple[str, str]


class _Text(Account):
    """The pieces of one account in one language."""

    def lines(self) -> Iterable[str]:
        yield from self._head()
        for section in dict.fromkeys(FIGURES[figure] for figure in self._asked()):
            yield from section(self)
        yield from self._foot()

    def _asked(self) -> Sequence[str]:
        report = self.told["law"]["report"]
        return tuple(report["figures"]) if self.is_year and report else EVERYTHING

    def _head(self) -> Iterable[str]:
        yield self.words["year_title" if self.is_year else "title"]
        yield ""
        report = self.told["law"]["report"]
        if self.is_year:
            yield from _wrapped(
                self.fill("year_lead", agency=self.name, ori=self.told["ori"], year=self.period)
            )
            if report:
                yield from _wrapped(self.fill("year_to", to=report["to"]))
            if report and report["due"]:
                yield from _wrapped(self.fill("year_due", due=report["due"]))
        else:
            yield from _wrapped(self.fill("lead", agency=self.name))
        yield from _wrapped(self.period_line())
        if self.told["kind"] == "so_far":
            yield from _wrapped(self.words["so_far"])
        if self.is_year and report and report["unverified"]:
            yield from _wrapped(self.words["year_unverified"])

    def _foot(self) -> Iterable[str]:
        yield from _titled(self.words["method"], self.fill("method_1"), self.words["rest_text"])
        if self.is_year and self.told["law"]["report"]:
            yield from _wrapped(self.fill("whole", page=f"/public/{self.period}"))
        yield from _titled(
            self.words["check"],
            self.fill("check_1", permit=self.permit),
            self.words["check_2"],
        )
        yield ""
        yield f"  farolito audit verify {self.proof} --witness witnesses.txt"
        yield ""
        yield from _wrapped(self.words["check_3"])

    def searches(self) -> Iterable[str]:
        yield from _titled(self.words["brief_searches"], self.words["searches_says"])
        yield from _table([(self.words["all"], self.count(SEARCHES, ALL, ALL))])

    def by_purpose(self) -> Iterable[str]:
        yield from _titled(self.words["by_purpose"])
        purposes = [one for one in self.purposes(self.searchers()) if one != ALL]
        yield from _table((self.purpose(one), self.count(SEARCHES, one, ALL)) for one in purposes)

    def by_agency(self) -> Iterable[str]:
        yield from _titled(self.words["by_agency"])
        agencies = self.searchers()
        purposes = self.purposes(agencies)
        rows = [one for one in agencies if one != ALL and self.has_row(one, purposes)]
        yield from _table((self.agency(one), self.count(SEARCHES, ALL, one)) for one in rows)

    def refusals(self) -> Iterable[str]:
        yield from _titled(self.words["refusals"], self.words["refusals_says"])
        rows = [(self.reason(reason), count) for reason, count in self.rows_of(REFUSALS)]
        yield from _table([*self._refused(), *rows])

    def _refused(self) -> list[_Row]:
        return [
            (self.words["brief_refused"], self.count(REFUSED, ALL, ALL)),
            (self.words["all_refused"], self.count(REFUSALS, ALL, ALL)),
        ]

    def hits(self) -> Iterable[str]:
        yield from _titled(self.words["hits"], self.words["hits_says"])
        yield from _table(
            (self.words[f"hit_{one}"], self.count(HITS, one, ALL)) for one in (ALL, *STANDINGS)
        )

    def stops(self) -> Iterable[str]:
        yield from _titled(self.words["outcomes"])
        said = [cell_of(name)[1] for name in self.values if name.startswith(f"{OUTCOMES}/")]
        yield from _table(
            (self.words[f"outcome_{one}"], self.count(OUTCOMES, one, ALL)) for one in said
        )

    def unauthorised(self) -> Iterable[str]:
        """What was refused, and what came of reviews: misuse that was confirmed among them."""
        yield from _titled(self.words["unauthorised"], self.words["refusals_says"])
        yield from _table(self._refused())
        yield ""
        yield from _wrapped(self.words["reviews_says"])
        counts = self.told["reviews"]
        yield from _table((self.words[f"reviews_{one}"], number(counts[one])) for one in REVIEWED)

    def sensors(self, *kinds: str) -> Iterable[str]:
        for one in self.told["sensors"]:
            if one["kind"] in kinds:
                yield from _titled(self.words[f"kind_{one['kind']}"])
                yield from self._sensor(one)

    def _sensor(self, told: Mapping[str, Any]) -> Iterable[str]:
        if told["count"] is None:
            yield from _wrapped(self.words["not_connected"])
        else:
            rows = [(self.words["count"], number(told["count"]))]
            if told["of_others"]:
                rows.append((self.words["of_others"], number(told["of_others"])))
            yield from _table(rows)
        if told["count"] or told["approvals"]:
            approvals = self.approvals(told) or [self.words["no_approval"]]
            for one in approvals:
                yield from _wrapped(f"{self.words['approval']}: {one}")

    def other_sensors(self) -> Iterable[str]:
        told = [one["kind"] for one in self.told["sensors"]]
        return self.sensors(*(one for one in told if one not in ("plate_reader", "camera")))

    def reads(self) -> Iterable[str]:
        yield from _titled(self.words["reads"], self.words["reads_says"])
        yield from _table([(self.words["how_many"], number(self.told["reads_kept"]))])

    def keeping(self) -> Iterable[str]:
        yield from _titled(self.words["kept"])
        count, kept = number(self.told["reads_kept"]), self.told["keeping"]
        yield from _table(
            (self.words[f"kept_{one}"].format(count=count), self.fill("days", days=kept[one]))
            for one in KEPT
        )

    def agreements(self) -> Iterable[str]:
        yield from _titled(self.words["agreements"], self.words["agreements_says_text"])
        if not self.told["agreements"]:
            yield from _wrapped(self.words["no_agreements"])
        for one in self.told["agreements"]:
            state = self.words[f"state_{one['state']}"]
            yield from _wrapped(f"{one['title']} ({state}): {self.agreement_line(one)}")
        if self.told["aid"]:
            yield from _wrapped(self.fill("aid", count=number(self.told["aid"])))


FIGURES: Mapping[str, Callable[[_Text], Iterable[str]]] = {
    "searches": _Text.searches,
    "searches_by_purpose": _Text.by_purpose,
    "searches_by_agency": _Text.by_agency,
    "refusals": _Text.refusals,
    # One section for the three: a count of the right ones says little without the wrong ones.
    "hits": _Text.hits,
    "confirmed": _Text.hits,
    "wrong": _Text.hits,
    "stops": _Text.stops,
    "unauthorised_access": _Text.unauthorised,
    "plate_readers": lambda text: text.sensors("plate_reader"),
    "cameras": lambda text: text.sensors("camera"),
    "other_sensors": _Text.other_sensors,
    "reads": _Text.reads,
    "keeping": _Text.keeping,
    "agreements": _Text.agreements,
}


def text_of(told: Published, hours_of: tzinfo, language: str) -> str:
    """The whole text in "en" or "es"."""
    return "\n".join(_Text(told, hours_of, language).lines()) + "\n"


def _titled(title: str, *paragraphs: str) -> Iterable[str]:
    yield ""
    yield title
    yield "-" * len(title)
    for one in paragraphs:
        yield from _wrapped(one)


def _wrapped(paragraph: str) -> list[str]:
    return wrap(paragraph, WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(rows: Iterable[_Row]) -> Iterable[str]:
    """Counts stand under each other, at the end of the line."""
    for name, count in rows:
        *before, last = wrap(name, WIDTH - 16) or [""]
        yield from (f"  {one}" for one in before)
        yield f"  {last} ".ljust(WIDTH - 12, ".") + f" {count}".rjust(12, ".")
