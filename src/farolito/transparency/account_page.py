"""The public account of a month or a year: a page made of the published document and nothing else.

What stands on it is what the ledger fixed, so that the page and its proof cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from html import escape
from typing import Any

from farolito.transparency.account import KEPT, REVIEWED, Account
from farolito.transparency.account_words import WORDS
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
from farolito.transparency.sheet import Words, document, number, table, withheld
from farolito.transparency.shot_words import LANGUAGES


class _Page(Account):
    """The pieces of one account in one language."""

    def parts(self) -> Iterable[str]:
        yield from self._head()
        yield from self._brief()
        yield from self._searches()
        yield from self._refusals()
        yield from self._hits()
        yield from self._reviews()
        yield from self._sensors()
        yield from self._kept()
        yield from self._agreements()
        yield from own_plate(self.words, self.name)
        yield from self._check()
        yield from self._method()

    def _says(self, key: str, **more: object) -> str:
        return escape(self.fill(key, **more))

    def _count(self, *cell: str) -> str:
        return withheld(self.words) if self.is_withheld(*cell) else escape(self.count(*cell))

    def _head(self) -> Iterable[str]:
        yield f"<h1>{self._says('year_title' if self.is_year else 'title')}</h1>"
        if self.is_year:
            yield from self._addressed()
        yield f"<p>{self._says('lead', agency=self.name)}</p>"
        yield f"<p><strong>{escape(self.period_line())}</strong></p>"
        if self.told["kind"] == "so_far":
            yield f'<p class="note">{self._says("so_far")}</p>'
        other = next(one for one in LANGUAGES if one != self.language)
        own = self._says("own_plate_title")
        yield (
            f'<p><a href="?lang={other}" hreflang="{other}" lang="{other}">'
            f"{self._says('language')}</a>"
            f' · <a href="/public/{self.period}.json">{self._says("json")}</a>'
            f' · <a href="/public/{self.period}.farolito-figures">{self._says("proof")}</a>'
            f' · <a href="#own-plate">{own}</a></p>'
        )

    def _addressed(self) -> Iterable[str]:
        """To whom a year's report goes, by which law."""
        lead = self._says("year_lead", agency=self.name, ori=self.told["ori"], year=self.period)
        report = self.told["law"]["report"]
        if report is None:
            yield f"<p>{lead}</p>"
            return
        due = f" {self._says('year_due', due=report['due'])}" if report["due"] else ""
        yield f"<p>{lead} {self._says('year_to', to=report['to'])}{due}</p>"
        if report["unverified"]:
            yield f'<p class="note">{self._says("year_unverified")}</p>'

    def _brief(self) -> Iterable[str]:
        hits = self._count(HITS, ALL, ALL)
        yield f"<h2>{self._says('brief')}</h2><dl class='brief'>"
        for key, value, more in (
            ("searches", self._count(SEARCHES, ALL, ALL), ""),
            ("refused", self._count(REFUSED, ALL, ALL), ""),
            ("hits", self._count(HITS, "confirmed", ALL), hits),
            ("misuse", number(self.told["reviews"]["misuse"]), ""),
        ):
            says = self.words[f"brief_{key}_says"]
            filled = escape(says).replace("{all}", more)
            yield f'<div><dt>{self._says(f"brief_{key}")}</dt><dd><span class="big">{value}</span>'
            yield f'<div class="soft">{filled}</div></dd></div>'
        yield "</dl>"

    def _searches(self) -> Iterable[str]:
        """A row an agency; a purpose or agency of which nothing may be told has none."""
        yield f"<h2>{self._says('searches')}</h2><p>{self._says('searches_says')}</p>"
        agencies = self.searchers()
        columns = self.purposes(agencies)
        rows = [one for one in agencies if self.has_row(one, columns)]
        yield table(
            self.words["searches"],
            (self.words["agency"], *map(self.purpose, columns), self.words["refused"]),
            (
                (
                    self.agency(one),
                    [self._count(SEARCHES, c, one) for c in columns]
                    + [self._count(REFUSED, ALL, one)],
                )
                for one in rows
            ),
        )

    def _refusals(self) -> Iterable[str]:
        yield f"<h2>{self._says('refusals')}</h2><p>{self._says('refusals_says')}</p>"
        yield table(
            self.words["refusals"],
            (self.words["reason"], self.words["how_many"]),
            [
                (self.words["all"], [self._count(REFUSALS, ALL, ALL)]),
                *((self.reason(one), [count]) for one, count in self.rows_of(REFUSALS)),
            ],
        )
        yield f'<p class="soft">{self._says("rest")}</p>'

    def _hits(self) -> Iterable[str]:
        yield f"<h2>{self._says('hits')}</h2><p>{self._says('hits_says')}</p>"
        yield table(
            self.words["hits"],
            (self.words["what"], self.words["how_many"]),
            (
                (self.words[f"hit_{one}"], [self._count(HITS, one, ALL)])
                for one in (ALL, *STANDINGS)
            ),
        )
        said = [cell_of(name)[1] for name in self.values if name.startswith(f"{OUTCOMES}/")]
        yield f"<h3>{self._says('outcomes')}</h3>"
        yield table(
            self.words["outcomes"],
            (self.words["what"], self.words["how_many"]),
            ((self.words[f"outcome_{one}"], [self._count(OUTCOMES, one, ALL)]) for one in said),
        )

    def _reviews(self) -> Iterable[str]:
        yield f"<h2>{self._says('reviews')}</h2><p>{self._says('reviews_says')}</p>"
        counts = self.told["reviews"]
        yield table(
            self.words["reviews"],
            (self.words["what"], self.words["how_many"]),
            ((self.words[f"reviews_{one}"], [number(counts[one])]) for one in REVIEWED),
        )

    def _sensors(self) -> Iterable[str]:
        yield f"<h2>{self._says('sensors')}</h2>"
        words = self.words
        yield table(
            words["sensors"],
            (words["sensor"], words["count"], words["of_others"], words["approval"]),
            (
                (
                    words[f"kind_{one['kind']}"],
                    [*self._how_many(one), self._approvals(one)],
                )
                for one in self.told["sensors"]
            ),
            text=(words["approval"],),
        )

    def _how_many(self, sensor: Mapping[str, Any]) -> list[str]:
        if sensor["count"] is None:
            return [f'<span class="soft">{self._says("not_counted")}</span>', ""]
        return [number(sensor["count"]), number(sensor["of_others"])]

    def _approvals(self, sensor: Mapping[str, Any]) -> str:
        if sensor["approvals"]:
            lines = list(map(escape, self.approvals(sensor)))
            if sensor["count"] is None:
                lines.append(f'<span class="soft">{self._says("not_connected")}</span>')
            return "<br>".join(lines)
        if not sensor["count"]:
            return f'<span class="soft">{self._says("none_here")}</span>'
        return f'<strong class="bad">{self._says("no_approval")}</strong>'

    def _kept(self) -> Iterable[str]:
        yield f"<h2>{self._says('kept')}</h2>"
        count = number(self.told["reads_kept"])
        yield table(
            self.words["kept"],
            (self.words["what"], ""),
            (
                (
                    self.words[f"kept_{one}"].format(count=count),
                    [self._says("days", days=self.told["keeping"][one])],
                )
                for one in KEPT
            ),
        )

    def _agreements(self) -> Iterable[str]:
        yield f"<h2>{self._says('agreements')}</h2><p>{self._says('agreements_says')}</p>"
        agreements = self.told["agreements"]
        if not agreements:
            yield f"<p>{self._says('no_agreements')}</p>"
        for one in agreements:
            state = self._says(f"state_{one['state']}")
            yield (
                f"<details><summary><strong>{escape(one['title'])}</strong> · {state}"
                f'<div class="soft">{escape(self.agreement_line(one))}</div></summary>'
                f'<pre lang="en" tabindex="0">{escape(one["document"])}</pre></details>'
            )
        if self.told["aid"]:
            yield f"<p>{self._says('aid', count=number(self.told['aid']))}</p>"

    def _check(self) -> Iterable[str]:
        # As the browser saves it: the name in the route's Content-Disposition.
        file = escape(self.proof)
        yield f'<h2 id="check">{self._says("check")}</h2>'
        yield f"<p>{self._says('check_1', permit=self.permit)}</p>"
        yield f"<p>{self._says('check_2')}</p>"
        yield (
            f'<ul><li><a href="/public/{self.period}.farolito-figures">{file}</a></li>'
            f'<li><a href="/public/witnesses.txt">witnesses.txt</a>: {self._says("witnesses")}</li>'
            "</ul>"
            f'<pre tabindex="0">farolito audit verify {file} --witness witnesses.txt</pre>'
        )
        yield f"<p>{self._says('check_3')}</p>"

    def _method(self) -> Iterable[str]:
        yield f"<h2>{self._says('method')}</h2>"
        for one in range(1, 4):
            yield f"<p>{self._says(f'method_{one}')}</p>"
        yield f'<p><a href="/public/shots?lang={self.language}">{self._says("shots")}</a></p>'


def html_of(told: Published, periods: Sequence[str], hours_of: tzinfo, language: str) -> str:
    """The whole page in "en" or "es", with the way to the other `periods`."""
    page = _Page(told, hours_of, language)
    title = "year_title" if page.told["kind"] == "year" else "title"
    body = [*page.parts(), *_others(periods, told.period, language)]
    return document(language, page.words[title], page.name, body)


def own_plate(words: Words, agency: str) -> Iterable[str]:
    """How the owner of a plate asks, and what for."""
    yield f'<h2 id="own-plate">{escape(words["own_plate_title"])}</h2>'
    for one in range(1, 4):
        yield f"<p>{escape(words[f'own_plate_{one}'].format(agency=agency))}</p>"


def empty_html(agency: str, language: str) -> str:
    """Before anything was published."""
    words = WORDS[language]
    other = next(one for one in LANGUAGES if one != language)
    body = [
        f"<h1>{escape(words['title'])}</h1>",
        f"<p>{escape(words['lead'].format(agency=agency))}</p>",
        f'<p><a href="?lang={other}" hreflang="{other}" lang="{other}">{words["language"]}</a></p>',
        f"<p>{escape(words['nothing_yet'])}</p>",
        *own_plate(words, agency),
        f'<p><a href="/public/shots?lang={language}">{escape(words["shots"])}</a></p>',
    ]
    return document(language, words["title"], agency, body)


def _others(periods: Sequence[str], this: str, language: str) -> Iterable[str]:
    yield f"<h2>{escape(WORDS[language]['all_periods'])}</h2><ul class='periods'>"
    for one in periods:
        if one == this:
            yield f'<li aria-current="page"><strong>{escape(one)}</strong></li>'
        else:
            yield f'<li><a href="/public/{escape(one)}?lang={language}">{escape(one)}</a></li>'
    yield "</ul>"
