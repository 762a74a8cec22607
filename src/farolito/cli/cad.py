"""`farolito cad`: what a mapping file makes of a CAD's file, before it is watched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from farolito.model import AgencyId, CallUpdate, Device, DeviceId, Invalid

if TYPE_CHECKING:
    from farolito.ingest.cad import Decoded, RejectedRecord

CALLS_SHOWN_MAX = 20
FAULTS_SHOWN_MAX = 50

app = typer.Typer(no_args_is_help=True, help="Dispatch systems: check a mapping file.")

_DOUBTS = {
    "clock_skew": "its times are off, or it is an old sample",
    "no_place": "its coordinates are no place on Earth",
    "places_differ": "its coordinates are no place on Earth: the address is looked up",
    "about": "its place is about there",
}


@app.callback()
def _cad() -> None:
    """Dispatch systems: check a mapping file."""


@app.command()
def check(
    mapping: Annotated[Path, typer.Argument(help="The mapping file (YAML)")],
    file: Annotated[Path, typer.Argument(help="A file as the CAD wrote it")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
) -> None:
    """Show the calls that a mapping reads from a file, and what it could not read.

    Nothing is taken in. Exit 1 where the mapping or the file as a whole is wrong.
    """
    from farolito.ingest.cad.mapping import load_mapping
    from farolito.ingest.cad.records import decode_file

    rules = load_mapping(mapping)
    device = Device(
        device_id=DeviceId("cad-check"),
        agency=AgencyId("check"),
        kind="cad",
        name=rules.name,
        format="farolito",
    )
    decoded = decode_file(rules, _bytes(file), device, datetime.now(UTC))
    if as_json:
        typer.echo(msgspec.json.encode(decoded).decode())
        return
    console = Console()
    if decoded.updates:
        console.print(_calls(decoded.updates))
    for update in decoded.updates[:CALLS_SHOWN_MAX]:
        for doubt in update.doubts:
            console.print(Text(f"{update.number}: doubtful, {_DOUBTS.get(doubt, doubt)}"))
    _faults(console, "not taken in", decoded.rejected)
    _faults(console, "taken in, with a flaw", decoded.flaws)
    console.print(Text(_summary(rules.name, decoded)))


def _bytes(file: Path) -> bytes:
    from farolito.ingest.cad.records import FILE_BYTES_MAX

    try:
        with file.open("rb") as opened:
            return opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise Invalid(f"{file.name} cannot be read ({error.strerror})", "check its path") from None


def _calls(updates: Sequence[CallUpdate]) -> Table:
    table = Table(title="What the mapping reads", title_justify="left")
    for name in ("call", "what", "priority", "state", "where", "units", "also told"):
        table.add_column(name, overflow="fold")
    for update in updates[:CALLS_SHOWN_MAX]:
        cells = (
            update.number,
            _what(update),
            "" if update.priority is None else str(int(update.priority)),
            update.state or "",
            _where(update),
            "\n".join(f"{one.unit} {one.status}" for one in update.units or ()),
            _also(update),
        )
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _what(update: CallUpdate) -> str:
    words = [update.kind or "", f"({update.kind_says})" if update.kind_says else ""]
    return " ".join(word for word in words if word)


def _where(update: CallUpdate) -> str:
    place = f"{update.place.lat}, {update.place.lon}" if update.place else ""
    return "\n".join(line for line in (update.address or "", place) if line)


def _also(update: CallUpdate) -> str:
    """How much more is told, and the times: those go wrong most often."""
    lines = [f"sent {update.sent_at:%Y-%m-%d %H:%M:%S} UTC"]
    if update.taken_at:
        lines.append(f"taken {update.taken_at:%Y-%m-%d %H:%M:%S} UTC")
    for name in ("notes", "vehicles", "hazards"):
        count = len(getattr(update, name) or ())
        if count:
            lines.append(f"{count} {name if count > 1 else name[:-1]}")
    told = ("ori", "people", "duplicate_of", "transferred_to", "transferred_from")
    lines += [f"{name}: {getattr(update, name)}" for name in told if getattr(update, name)]
    return "\n".join(lines)


def _faults(console: Console, title: str, records: Sequence[RejectedRecord]) -> None:
    if not records:
        return
    table = Table(title=title, title_justify="left")
    for name in ("record", "why", "what to do"):
        table.add_column(name, overflow="fold")
    for one in records[:FAULTS_SHOWN_MAX]:
        table.add_row(Text(str(one.item + 1)), Text(f"{one.says} ({one.reason})"), Text(one.do))
    console.print(table)


def _summary(name: str, decoded: Decoded) -> str:
    parts = [f"{len(decoded.updates)} calls read"]
    if decoded.rejected:
        parts.append(f"{len(decoded.rejected)} not taken in")
    if decoded.flaws:
        parts.append(f"{len(decoded.flaws)} flaws")
    if decoded.others:
        parts.append(f"{decoded.others} of other agencies left alone")
    return f"{name}: {', '.join(parts)}"
