"""`farolito hotlist`: check a list with its mapping, import it into the running node, recall."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import AgencyId, FarolitoError, HotList, Invalid, ListId

if TYPE_CHECKING:
    from farolito.ingest.hotlist import Mapping as ListMapping
    from farolito.ingest.hotlist import Parsed

LIST_BYTES_MAX = 1024**3  # a larger file is not even read
BAD_ROWS_SHOWN_MAX = 50
ROWS_SHOWN = 3

app = typer.Typer(no_args_is_help=True, help="Hot lists: check, import, recall, show.")

_File = Annotated[Path, typer.Argument(help="The list as its maker wrote it")]
_MappingName = Annotated[
    str, typer.Option(help="Mapping file (YAML), or a ready one: flock, genetec", metavar="FILE")
]
_ListName = Annotated[str, typer.Option("--list", help="The list's id, such as state-stolen")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, as the node answers."""

    rows: int
    added: int
    changed: int
    removed: int
    unchanged: int
    forbidden: int
    bad: Sequence[Mapping[str, Any]]
    bad_count: int
    warnings: Sequence[Mapping[str, Any]] = ()
    duplicates: int = 0


@app.callback()
def _hotlist() -> None:
    """Hot lists: check, import, recall, show."""


@app.command()
def check(
    file: _File,
    mapping: _MappingName,
    law: Annotated[str, typer.Option(help="The agency's state pack")] = "us-nm",
    as_json: _Json = False,
) -> None:
    """Read a list without importing it: what would go in, what would not, line by line.

    Exit 1 where the file or the mapping as a whole is wrong; bad rows alone are exit 0.
    """
    with _telling("check"):
        from farolito.app.law import forbidden_categories
        from farolito.ingest.hotlist import parse

        rules = _mapping(mapping)
        now = datetime.now(UTC)
        parsed = parse(_bytes(file), rules, _any_list(rules), forbidden_categories(law), now)
        if as_json:
            typer.echo(msgspec.json.encode(_checked(parsed)).decode())
        else:
            _show_checked(parsed)


@app.command("import")
def import_(  # noqa: PLR0913 - a command's options are its arguments
    file: _File,
    list_: _ListName,
    mapping: _MappingName,
    shrunk: Annotated[
        bool, typer.Option("--shrunk", help="The list did lose more than half of its rows")
    ] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
    as_json: _Json = False,
) -> None:
    """Import a list into the running node. Good rows go in, bad ones are listed by line."""
    with _telling("import"):
        rules = _mapping(mapping)
        body: dict[str, object] = {
            "file": base64.b64encode(_bytes(file)).decode(),
            "name": rules.name,
            "shrunk": shrunk,
        }
        if _is_ready(mapping):
            body["ready"] = mapping
        else:
            body["mapping"] = Path(mapping).read_text("utf-8-sig")
        path = f"/api/admin/lists/{quote(list_, safe='')}/import"
        answer = ask("POST", node, path, token_file, body)
        told = msgspec.convert(answer["imported"], Told)
        if as_json:
            typer.echo(msgspec.json.encode(answer).decode())
        else:
            _show_imported(told)


@app.command()
def recall(
    entry: Annotated[UUID, typer.Argument(help="The row's id, as the console shows it")],
    list_: _ListName,
    reason: Annotated[str, typer.Option(help="Why; every officer who was told reads it")],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Withdraw a row: it stops matching at once, and everybody who was told is told."""
    with _telling("recall"):
        path = f"/api/admin/lists/{quote(list_, safe='')}/entries/{entry}/recall"
        answer = ask("POST", node, path, token_file, {"reason": reason})
        typer.echo(f"recalled; alerts turned: {answer.get('alerts_recalled', 0)}")


@app.command()
def show(node: NodeUrl = URL, token_file: TokenFile = None, as_json: _Json = False) -> None:
    """The lists of the running node, their rows and how old they are."""
    with _telling("show"):
        lists = ask("GET", node, "/api/admin/health", token_file).get("lists", [])
        if as_json:
            typer.echo(msgspec.json.encode(lists).decode())
            return
        table = Table("list", "name", "rows", "imported", "state")
        for found in lists:
            age, is_dead, is_stale = found.get("age_s"), found.get("dead"), found.get("stale")
            state = "dead: matches nothing" if is_dead else "stale" if is_stale else "fresh"
            ago = "never" if age is None else f"{age / 3600:.1f} h ago"
            table.add_row(
                str(found.get("list_id")),
                str(found.get("name")),
                str(found.get("rows")),
                ago,
                state,
            )
        Console().print(table)


@contextmanager
def _telling(command: str) -> Iterator[None]:
    """Errors as one sentence on stderr and exit 1."""
    try:
        yield
    except FarolitoError as error:
        text = f"farolito hotlist {command}: {error}"
        Console(stderr=True).print(text, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _is_ready(mapping: str) -> bool:
    from farolito.ingest.hotlist import READY

    return mapping in READY and not Path(mapping).exists()


def _mapping(mapping: str) -> ListMapping:
    from farolito.ingest.hotlist import load_mapping, ready_mapping

    return ready_mapping(mapping) if _is_ready(mapping) else load_mapping(Path(mapping))


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > LIST_BYTES_MAX:
            raise Invalid(f"{file.name} is larger than {LIST_BYTES_MAX} bytes", "split it")
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file.name} cannot be read ({error.strerror})", "check its path") from None


def _any_list(rules: ListMapping) -> HotList:
    """Stands in for the node's list: ids are of no matter to a check."""
    day = timedelta(days=1)
    return HotList(
        list_id=ListId("check"),
        agency=AgencyId("check"),
        name=rules.name,
        stale_after=day,
        dead_after=day,
        folded=rules.folded,
    )


def _checked(parsed: Parsed) -> dict[str, object]:
    """What a check tells programs: counts and bad rows, no row of the list."""
    return {
        "rows": parsed.rows,
        "good": len(parsed.entries),
        "bad_count": parsed.bad_count,
        "bad": parsed.bad,
        "warning_count": parsed.warning_count,
        "warnings": parsed.warnings,
        "forbidden": parsed.forbidden,
        "left_out": parsed.left_out,
        "duplicates": parsed.duplicates,
        "categories": dict(Counter(entry.category for entry in parsed.entries)),
    }


def _show_checked(parsed: Parsed) -> None:
    console = Console()
    counts = {
        "rows": parsed.rows,
        "would go in": len(parsed.entries),
        "bad": parsed.bad_count,
        "forbidden by law": parsed.forbidden,
        "left out by the mapping": parsed.left_out,
        "the same row again": parsed.duplicates,
    }
    _show_counts(console, counts)
    _show_bad(console, "bad rows", [msgspec.structs.asdict(b) for b in parsed.bad])
    _show_bad(console, "warnings", [msgspec.structs.asdict(b) for b in parsed.warnings])
    if parsed.entries:
        console.print(f"\nThe first rows, as they would go in ({ROWS_SHOWN} at most):")
    for entry in parsed.entries[:ROWS_SHOWN]:
        told = msgspec.to_builtins(entry)
        told |= told.pop("vehicle") or {}
        for word, value in told.items():
            if value is not None and word not in {"entry_id", "list_id", "agency"}:
                text = f"  {word}: {value}"
                console.print(text, markup=False, highlight=False, soft_wrap=True)
        console.print()


def _show_imported(told: Told) -> None:
    console = Console()
    counts = {
        "rows": told.rows,
        "added": told.added,
        "changed": told.changed,
        "struck off": told.removed,
        "unchanged": told.unchanged,
        "bad": told.bad_count,
        "forbidden by law": told.forbidden,
        "the same row again": told.duplicates,
    }
    _show_counts(console, counts)
    _show_bad(console, "bad rows", told.bad)
    _show_bad(console, "warnings", told.warnings)


def _show_counts(console: Console, counts: Mapping[str, int]) -> None:
    for word, count in counts.items():
        console.print(f"{count:>9}  {word}", highlight=False)


def _show_bad(console: Console, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    console.print(f"\n{title}:")
    for row in rows[:BAD_ROWS_SHOWN_MAX]:
        text = f"  line {row['line']}: {row['says']} [{row['reason']}]"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if len(rows) > BAD_ROWS_SHOWN_MAX:
        console.print(f"  and more; {BAD_ROWS_SHOWN_MAX} are shown, --json has them")
