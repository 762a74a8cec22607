"""The pieces of every public page: one document without script, for screens of any size, light and
dark, and for paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

Words = Mapping[str, str]

_TEXT = ' class="text"'

STYLE = """
:root{color-scheme:light dark;--ink:#1b1d21;--soft:#555b64;--paper:#fff;--line:#c9cdd4;
--head:#f1f3f6;--bad:#b00020}
@media(prefers-color-scheme:dark){:root{--ink:#e8eaee;--soft:#a9b0bb;--paper:#14161a;--line:#3a3f48;
--head:#1f2329;--bad:#ff8a80}}
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
thead th{background:var(--head);white-space:normal;vertical-align:bottom}
th.text,td.text{text-align:left;white-space:normal}
h3{font-size:1rem;margin:1.25rem 0 .5rem}
.note{border-left:4px solid var(--line);padding-left:.75rem}
.bad{color:var(--bad)}
.brief{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.25rem 1.5rem}
pre{background:var(--head);padding:.75rem;overflow:auto;max-height:30rem;font-size:.875rem;
white-space:pre-wrap;overflow-wrap:anywhere}
details{border-bottom:1px solid var(--line);padding:.5rem 0}
summary{cursor:pointer}
summary .soft{padding-left:1.1rem}
.periods{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
@media print{:root{color-scheme:light}}
"""


def document(language: str, title: str, agency: str, body: Iterable[str]) -> str:
    """The whole page around its body."""
    return (
        f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · {escape(agency)}</title>"
        f"<style>{STYLE}</style></head>\n<body><main>\n" + "\n".join(body) + "\n</main></body>"
        "</html>\n"
    )


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[tuple[str, Sequence[str]]],
    text: Sequence[str] = (),
) -> str:
    """Cells are HTML; caption, headings and names are text. `text`: headings of columns that hold
    words, not numbers."""
    is_text = [one in text for one in headings]
    head = "".join(
        f'<th scope="col"{_TEXT if said else ""}>{escape(one)}</th>'
        for one, said in zip(headings, is_text, strict=True)
    )
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(
            f"<td{_TEXT if said else ''}>{cell}</td>"
            for cell, said in zip(cells, is_text[1:], strict=True)
        )
        + "</tr>"
        for name, cells in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def number(count: int) -> str:
    return f"{count:,}"


def withheld(words: Words) -> str:
    says = escape(words["withheld_says"])
    return f'<abbr title="{says}" aria-label="{says}">{escape(words["withheld"])}</abbr>'
