"""`farolito cad`: what a mapping file makes of a CAD's file, before it is watched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
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
_AHEAD_MAX = timedelta(minutes=2)
# Samples may be of any day, and their times are shown as they are told: so they are read as if
# long after them. What would be the time of arrival then lies here, and is not shown.
_END = datetime(9000, 1, 1, tzinfo=UTC)

app = typer.Typer(no_args_is_help=True, help="Dispatch systems: check a mapping file.")

_DOUBTS = {
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
    decoded = decode_file(rules, _bytes(file), device, _END)
    if as_json:
        typer.echo(msgspec.json.encode(decoded).decode())
        return
    console = Console()
    for update in decoded.updates[:CALLS_SHOWN_MAX]:
        console.print(_call(update))
        for doubt in _doubts(update, datetime.now(UTC)):
            console.print(Text(f"{update.number} is doubtful: {doubt}", style="yellow"))
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


def _call(update: CallUpdate) -> Table:
    """One call, a line for each fact: what is not in it was not told."""
    table = Table(title=f"call {update.number}", title_justify="left", show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in _facts(update):
        if value:
            table.add_row(Text(name), Text(value))
    return table


def _facts(update: CallUpdate) -> Iterator[tuple[str, str]]:
    yield "sent", _told(update.sent_at)
    yield "taken", _told(update.taken_at)
    yield "kind", update.kind or ""
    yield "in their words", update.kind_says or ""
    yield "priority", "" if update.priority is None else str(int(update.priority))
    yield "state", update.state or ""
    yield "address", update.address or ""
    yield "place", f"{update.place.lat}, {update.place.lon}" if update.place else ""
    for unit in update.units or ():
        yield "unit", f"{unit.unit} {unit.status} {_told(unit.at)}"
    for note in update.notes:
        yield "note", f"{note.says} {_told(note.at)}"
    for vehicle in update.vehicles or ():
        parts = (vehicle.says, vehicle.colour, vehicle.make, vehicle.model, vehicle.plate)
        yield "vehicle", ", ".join(part for part in (*parts, vehicle.state) if part)
    for hazard in update.hazards:
        yield "hazard", f"{hazard.kind}: {hazard.says}, {hazard.source} {_told(hazard.as_of)}"
    yield "going", update.going.says if update.going else ""
    for name in ("people", "ori", "duplicate_of", "transferred_to", "transferred_from"):
        yield name, getattr(update, name) or ""


def _told(at: datetime | None) -> str:
    return "" if at is None or at >= _END else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _doubts(update: CallUpdate, now: datetime) -> Iterator[str]:
    yield from (_DOUBTS[doubt] for doubt in update.doubts if doubt in _DOUBTS)
    if now + _AHEAD_MAX < update.sent_at < _END:
        yield "it was sent in the future: look at zone: and format: under times:"


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
