"""`farolito map import`: street files in, tiles and streets out."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from farolito.model.errors import FarolitoError, Invalid

if TYPE_CHECKING:
    from farolito.ingest.map import Box

app = typer.Typer(no_args_is_help=True, help="Street maps: tiles for the screen, roads to drive.")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


@app.callback()
def _map() -> None:
    """Street maps: tiles for the screen, roads to drive."""


class MapReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an import made. `bounds`: south, west, north, east in degrees."""

    name: str
    source: str
    segments: int
    nodes: int
    areas: int
    buildings: int
    landmarks: int
    bounds: tuple[float, float, float, float]
    tiles: int
    tile_bytes: int
    map_bytes: int
    seconds: float
    files: tuple[str, str]
    skipped: dict[str, int]


class _Order(NamedTuple):
    files: list[Path]
    out: Path
    name: str
    mapping: Path | None
    box: str | None


@app.command("import")
def import_map(  # noqa: PLR0913 - a command's options are its arguments
    files: Annotated[list[Path], typer.Argument(help="Street files, then areas, signals, …")],
    out: Annotated[Path, typer.Option(help="Folder for NAME.pmtiles and NAME.map")],
    name: Annotated[str, typer.Option(help="The map's name: lower case letters, digits, -")],
    mapping: Annotated[Path | None, typer.Option(help="What the columns mean (YAML)")] = None,
    box: Annotated[str | None, typer.Option(help="Only within south,west,north,east")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
) -> None:
    """Read OpenStreetMap, Census TIGER or city street files and build a map for the console.

    Nothing is fetched: get the files first, for example an extract of OpenStreetMap as .osm.pbf
    or the Census' tl_YEAR_FIPS_edges.zip of your county. See docs/maps.md.
    """
    console = Console(stderr=True)
    try:
        report = _import(_Order(files, out, name, mapping, box), console)
    except FarolitoError as error:
        console.print(f"farolito map import: {error}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(msgspec.json.encode(report).decode())
    else:
        _show(report)


def _import(order: _Order, console: Console) -> MapReport:
    from farolito.ingest.map import build, read_map

    name, out = order.name, order.out
    if not _NAME.fullmatch(name):
        raise Invalid(f"{name!r} is no name for a map", "use lower case letters, digits and -")
    box = None if order.box is None else _box(order.box)
    began = time.monotonic()
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console,
        transient=True,
    )  # fmt: skip
    with bar:
        task = bar.add_task("reading", total=None)

        def tell(what: str, done: int, of: int) -> None:
            bar.update(task, description=what, completed=done, total=of or None)

        imported = read_map(order.files, name, order.mapping, box, tell)
        out.mkdir(parents=True, exist_ok=True)
        tiles = build(imported.street_map, out / f"{name}.pmtiles", tell)
    street_map = imported.street_map
    return MapReport(
        name=name,
        source=street_map.source,
        segments=len(street_map.segments),
        nodes=len(street_map.nodes),
        areas=len(street_map.areas),
        buildings=len(street_map.buildings),
        landmarks=len(street_map.landmarks),
        bounds=tiles.bounds,
        tiles=tiles.tiles,
        tile_bytes=tiles.tile_bytes,
        map_bytes=tiles.map_bytes,
        seconds=round(time.monotonic() - began, 3),
        files=(str(out / f"{name}.pmtiles"), str(out / f"{name}.map")),
        skipped=dict(imported.skipped),
    )


def _box(text: str) -> Box:
    from farolito.ingest.map import Box

    do = "write south,west,north,east in degrees, like 34.95,-106.85,35.25,-106.45"
    try:
        south, west, north, east = (float(part) for part in text.split(","))
    except ValueError as error:
        raise Invalid(f"{text!r} is no box", do) from error
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise Invalid(f"{text!r} is no box", do)
    return Box(south, west, north, east)


def _show(report: MapReport) -> None:
    south, west, north, east = report.bounds
    table = Table(show_header=False, box=None)
    rows = {
        "map": report.name,
        "streets": f"{report.segments:,} segments, {report.nodes:,} nodes",
        "shapes": f"{report.areas:,} areas, {report.buildings:,} buildings, "
        f"{report.landmarks:,} landmarks",
        "bounds": f"{south:.5f}, {west:.5f} to {north:.5f}, {east:.5f}",
        "tiles": f"{report.tiles:,} in {report.tile_bytes / 1000:,.0f} kB: {report.files[0]}",
        "roads": f"{report.map_bytes / 1000:,.0f} kB: {report.files[1]}",
        "source": report.source,
        "time": f"{report.seconds:.1f} s",
    }
    for what, says in rows.items():
        table.add_row(what, says)
    for reason, count in report.skipped.items():
        table.add_row("left out", f"{count:,}: {reason}")
    Console().print(table)
