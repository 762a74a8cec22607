"""The public page: one document without script, for screens of any size, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from html import escape

from farolito.geo import OUTSIDE
from farolito.transparency.shot_words import LANGUAGES, WORDS
from farolito.transparency.shots import Count, PublicFigures, PublicRow, PublicShare

Words = Mapping[str, str]

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1d21;--soft:#555b64;--paper:#fff;--line:#c9cdd4;
--head:#f1f3f6}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--soft:#a9b0bb;--paper:#14161a;--line:#3a3f48;
--head:#1f2329}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.2rem;margin:2rem 0 .5rem}
p,dd{max-width:40rem}
.soft{color:var(--soft)}
a{color:inherit}
dl{margin:0}
dt{font-weight:600;margin-top:1rem}
dd{margin:0}
.big{font-size:1.6rem;font-weight:600;font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;position:absolute;clip-path:inset(50%);height:1px;overflow:hidden}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child{text-align:left;white-space:normal}
thead th{background:var(--head)}
@media print{:root{color-scheme:light}}
"""


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
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words['title'])} · {escape(figures.agency)}</title>"
        f"<style>{_STYLE}</style></head>\n<body><main>\n" + "\n".join(parts) + "\n</main></body>"
        "</html>\n"
    )


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
    yield _table(
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
        yield _table(
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
    yield _table(
        words["by_kind"],
        (words["kind"], words["how_many"]),
        ((words[one.name], [_count(one.alerts, words)]) for one in figures.by_kind),
    )


def _method(figures: PublicFigures, words: Words) -> Iterable[str]:
    yield f"<h2>{escape(words['method'])}</h2>"
    for number in range(1, 6):
        yield f"<p>{escape(words[f'method_{number}'].format(small=figures.smallest_shown))}</p>"


def _table(caption: str, headings: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in headings)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
        for name, cells in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _name(first: str, name: str, words: Words) -> str:
    if first == "hour":
        return f"{name}:00"
    return words["outside"] if name == OUTSIDE else name


def _count(count: Count, words: Words) -> str:
    if count is None:
        return _withheld(words)
    return escape(f"{count:,}" if isinstance(count, int) else count)


def _share(told: PublicShare | None, words: Words) -> str:
    if told is None:
        return _withheld(words)
    return f"{_percent(told.share)} ({_percent(told.low)}–{_percent(told.high)})"


def _withheld(words: Words) -> str:
    says = escape(words["withheld_says"])
    return f'<abbr title="{says}" aria-label="{says}">{escape(words["withheld"])}</abbr>'


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
