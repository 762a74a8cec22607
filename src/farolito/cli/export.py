"""`farolito export timings`: the honest clocks as a file that others can check."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask

app = typer.Typer(no_args_is_help=True, help="Take figures out of the node, through its gate.")

COLUMNS = (
    "incident_id", "label", "kind", "level", "unit", "by_alert", "call_at", "here_at",
    "assigned_at", "composed_at", "delivered_at", "opened_at", "heard_at", "on_scene_at",
    "on_scene_by", "freed_at",
)  # fmt: skip


@app.callback()
def _export() -> None:
    """Take figures out of the node, through its gate."""


@app.command("timings")
def timings(
    out: Annotated[Path | None, typer.Argument(help="A .csv file; none: a table")] = None,
    hours: Annotated[float, typer.Option(min=0, help="How far back")] = 24.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Each unit on each incident: call, here, assigned, brief, delivered, opened, on scene."""
    found = ask("GET", node, f"/api/admin/timings?hours={hours:g}", token_file)
    if as_json:
        typer.echo(json.dumps(found))
        return
    if out is not None:
        out.write_text(_csv(found["rows"]), "utf-8")
        typer.echo(f"{len(found['rows'])} rows in {out}, permit {found['permit']}.", err=True)
        return
    _show(found)


def _csv(rows: list[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _show(found: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{len(found['rows'])} units on incidents, permit {found['permit']}")
    for heading in ("step", "cases", "median s", "95 % s"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for step, spread in found["steps"].items():
        table.add_row(
            step.replace("_", " "),
            str(spread["n"]),
            _seconds(spread["p50_s"]),
            _seconds(spread["p95_s"]),
        )
    console = Console()
    console.print(table)
    delay = found["p1_delay"]
    console.print(
        f"Priority-1 calls: {delay['calls']}. Of them {delay['waited']} waited while an alert"
        f" bound a unit, {delay['waited_s']:.0f} s altogether: at most so much did alerts delay"
        " them. It is no proof that they did."
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"
