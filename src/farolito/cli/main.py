"""Puts the commands together."""

from __future__ import annotations

import logging
import sys

import typer

from farolito import __version__
from farolito.cli import (
    agency,
    agreement,
    audit,
    bench,
    cad,
    camera,
    clip,
    demo,
    doctor,
    door,
    export,
    hotlist,
    locator,
    map,
    people,
    pictures,
    readers,
    replay,
    report,
    run,
    sensor,
    shots,
    simulate_cameras,
    sweep,
    units,
)
from farolito.model import FarolitoError

app = typer.Typer(
    name="farolito",
    help="The open real time crime center.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run.run)
app.command("demo")(demo.demo)
app.command("demo-neighbour", hidden=True)(demo.demo_neighbour)
app.command("simulate", hidden=True)(demo.simulate)
app.command("simulate-cameras", hidden=True)(simulate_cameras.simulate_cameras)
app.command("door", hidden=True)(door.door)
app.command("locator", hidden=True)(locator.locator)
app.command("pictures", hidden=True)(pictures.pictures)
app.command("sweep", hidden=True)(sweep.sweep)
app.command("doctor")(doctor.doctor)
app.command("replay")(replay.replay)
app.command("bench")(bench.bench)
app.add_typer(hotlist.app, name="hotlist")
app.add_typer(map.app, name="map")
app.add_typer(audit.app, name="audit")
app.add_typer(readers.app, name="reader")
app.add_typer(people.app, name="person")
app.add_typer(agreement.app, name="agreement")
app.add_typer(cad.app, name="cad")
app.add_typer(camera.app, name="camera")
app.add_typer(agency.app, name="agency")
app.add_typer(units.app, name="unit")
app.add_typer(shots.app, name="shots")
app.add_typer(sensor.app, name="sensor")
app.add_typer(clip.app, name="clip")
app.add_typer(export.app, name="export")
app.add_typer(report.app, name="report")


def _version(value: bool) -> None:
    if value:
        typer.echo(f"farolito {__version__}")
        raise typer.Exit


@app.callback()
def _farolito(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True),
) -> None:
    """The open real time crime center."""


def main() -> None:
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    for noisy in ("httpx", "uvicorn", "uvicorn.error", "alembic", "nats", "litestar", "pyogrio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        app()
    except FarolitoError as error:
        typer.secho(f"farolito: {error}", err=True, fg="red")
        raise SystemExit(1) from None
