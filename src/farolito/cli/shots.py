"""`farolito shots evaluate DIR`: live-fire tests through the locator, and the verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from farolito.model import FarolitoError

app = typer.Typer(no_args_is_help=True, help="Gunshots: how well they are located")

SENSORS_LEAST = 3


@app.callback()
def _shots() -> None:
    """Gunshots: how well they are located."""


@app.command("evaluate")
def evaluate(
    directory: Annotated[Path, typer.Argument(help="Holds FP1/test_001/…, FP2/…")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    sensors: Annotated[
        int | None, typer.Option(help="Only so many sensors a test, drawn by a fixed seed")
    ] = None,
    from_wav: Annotated[
        bool, typer.Option("--from-wav", help="From the sound alone, with our own picker")
    ] = False,
) -> None:
    """Locate every live-fire test under DIRECTORY without its truth, then judge.

    Sees pulses (or sound) and weather alone; nothing is fitted on the tests that are judged.
    """
    from rich.console import Console
    from rich.progress import Progress as Bar

    from farolito.cli.live_fire import LiveFire
    from farolito.cli.shots_judging import Asked, ask_all, totals

    if sensors is not None and from_wav:
        raise FarolitoError("--sensors and --from-wav are two questions", "ask one, then the other")
    if sensors is not None and sensors < SENSORS_LEAST:
        raise FarolitoError(
            f"{sensors} sensors cannot make a place", f"give {SENSORS_LEAST} or more"
        )
    live = LiveFire(directory)
    asked = Asked(sensors=sensors, from_wav=from_wav)
    with Bar(console=Console(stderr=True), disable=as_json, transient=True) as bar:
        task = bar.add_task(f"{len(live)} tests", total=1.0)
        told = ask_all(live, asked, lambda done: bar.update(task, completed=done))
    if not told:
        raise FarolitoError(f"no test under {directory} has a WAV file", "leave --from-wav off")
    if all(one.says for one in told):
        raise FarolitoError(f"no test could be used: {told[0].test_id}: {told[0].says}")
    found = {"tests": [_row(one) for one in told], "totals": totals(told, asked)}
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _table(found)


def _row(told: Any) -> dict[str, Any]:
    verdict = told.verdict
    row: dict[str, Any] = {
        "id": told.test_id,
        "located": bool(verdict and verdict.located),
        "error_m": verdict.error_m if verdict else None,
        "rounds_true": verdict.rounds_true if verdict else None,
        "rounds_found": verdict.rounds_found if verdict else None,
        "ellipse95_holds": verdict.ellipse95_holds if verdict else None,
        "extra_events": told.scene.extra_events if told.scene else None,
        "modes": verdict.modes if verdict else None,
        "seconds": round(told.seconds, 4),
    }
    if told.says:
        row["failed"] = told.says
    return row


def _table(found: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title="live fire")
    for heading in ("test", "error m", "rounds", "of", "ellipse", "extra", "places", "s"):
        table.add_column(heading, justify="left" if heading == "test" else "right")
    for row in found["tests"]:
        if "failed" in row:
            table.add_row(row["id"], row["failed"], style="red")
            continue
        table.add_row(
            row["id"],
            "missed" if row["error_m"] is None else f"{row['error_m']:.1f}",
            str(row["rounds_found"]),
            str(row["rounds_true"]),
            {True: "holds", False: "does not", None: "–"}[row["ellipse95_holds"]],
            str(row["extra_events"]),
            str(row["modes"]),
            f"{row['seconds']:.2f}",
        )
    console.print(table)
    for key, value in found["totals"].items():
        if value is not None:
            console.print(
                f"  {key}: {value:,.2f}" if isinstance(value, float) else f"  {key}: {value}"
            )
