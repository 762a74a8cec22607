"""The public page of shots: how good the alerts were, in one document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from html import escape

from farolito.geo import OUTSIDE
from farolito.transparency.sheet import Words, document, table, withheld
from farolito.transparency.shot_words import LANGUAGES, WORDS
from farolito.transparency.shots import Count, PublicFigures, PublicRow, PublicShare


def html_of(figures: PublicFigures, hours_of: tzinfo, language: str) -> str:
    """The whole page in "en" or "es"."""
    words = WORDS[language]
    other = next(one for one in LANGUAGES if one != language)
    parts = [
        f"<h1>{escape(words['title'])}</h1>",
        f"<p>{escape(words['lead'].format(agency=figures.agency))}</p>",
        f"<p>{escape(_period(figures, hours_of, words))}</p>",
        f'<p><a href="?lang={other}" hreflang="{other}" lang="{other}">{words["language"]}</a>'
        f' · <a href="/public/shots.json">{escape(words["json"])}</a></p>',
        *_rates(figures, words),
        *_totals(figures, words),
        *_broken_down(figures, words),
        *_kinds(figures, words),
        *_method(figures, words),
    ]
    return document(language, words["title"], figures.agency, parts)


def _period(figures: PublicFigures, hours_of: tzinfo, words: Words) -> str:
    """Whole days of the agency's own time; the last one is the day before the end."""

    def day(at: datetime) -> str:
        return f"{at.astimezone(hours_of):%Y-%m-%d}"

    last = figures.until - timedelta(seconds=1)
    return words["period"].format(since=day(figures.since), until=day(last))


def _rates(figures: PublicFigures, words: Words) -> Iterable[str]:
    total = figures.all
    yield f"<h2>{escape(words['rates'])}</h2><dl>"
    for name, told in (
        ("rate_confirmed", total.confirmed_of_all),
        ("rate_found", total.found),
        ("rate_precision", total.precision),
    ):
        yield f"<dt>{escape(words[name])}</dt><dd>{_big(told, words)}"
        yield f'<div class="soft">{escape(words[f"{name}_says"])}</div></dd>'
    yield "</dl>"


def _big(told: PublicShare | None, words: Words) -> str:
    if told is None:
        return f'<span class="big">{escape(words["no_rate"])}</span>'
    interval = words["interval"].format(low=_percent(told.low), high=_percent(told.high))
    return f'<span class="big">{_percent(told.share)}</span> <span>{escape(interval)}</span>'


def _totals(figures: PublicFigures, words: Words) -> Iterable[str]:
    total = figures.all
    rows: Sequence[tuple[str, Count]] = (
        ("alerts_full", total.alerts),
        ("confirmed_full", total.confirmed),
        ("unfounded_full", total.unfounded),
        ("unknown_full", total.unknown),
        ("open_full", total.open),
        ("misses_full", total.misses),
    )
    yield f"<h2>{escape(words['counts'])}</h2>"
    yield table(
        words["counts"],
        (words["what"], words["how_many"]),
        ((words[name], [_count(count, words)]) for name, count in rows),
    )


def _broken_down(figures: PublicFigures, words: Words) -> Iterable[str]:
    names = ("alerts", "confirmed", "share_confirmed", "misses", "share_found")
    for title, first, rows in (
        ("by_zone", "zone", figures.by_zone),
        ("by_hour", "hour", figures.by_hour),
    ):
        yield f"<h2>{escape(words[title])}</h2>"
        if not rows:
            yield f"<p>{escape(words['none_yet'])}</p>"
            continue
        yield table(
            words[title],
            (words[first], *(words[name] for name in names)),
            ((_name(first, row.name, words), _cells(row, words)) for row in rows),
        )


def _cells(row: PublicRow, words: Words) -> list[str]:
    return [
        _count(row.alerts, words),
        _count(row.confirmed, words),
        _share(row.confirmed_of_all, words),
        _count(row.misses, words),
        _share(row.found, words),
    ]


def _kinds(figures: PublicFigures, words: Words) -> Iterable[str]:
    yield f"<h2>{escape(words['by_kind'])}</h2>"
    yield table(
        words["by_kind"],
        (words["kind"], words["how_many"]),
        ((words[one.name], [_count(one.alerts, words)]) for one in figures.by_kind),
    )


def _method(figures: PublicFigures, words: Words) -> Iterable[str]:
    yield f"<h2>{escape(words['method'])}</h2>"
    for number in range(1, 6):
        yield f"<p>{escape(words[f'method_{number}'].format(small=figures.smallest_shown))}</p>"


def _name(first: str, name: str, words: Words) -> str:
    if first == "hour":
        return f"{name}:00"
    return words["outside"] if name == OUTSIDE else name


def _count(count: Count, words: Words) -> str:
    if count is None:
        return withheld(words)
    return escape(f"{count:,}" if isinstance(count, int) else count)


def _share(told: PublicShare | None, words: Words) -> str:
    if told is None:
        return withheld(words)
    return f"{_percent(told.share)} ({_percent(told.low)}–{_percent(told.high)})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
