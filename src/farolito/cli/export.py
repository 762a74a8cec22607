"""`farolito export`: the honest clocks, and how good the alerts of shots were, as files that others
can check."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import Share, ShotRecord

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


@app.command("shots")
def shots(
    out: Annotated[Path | None, typer.Argument(help="A .csv file; none: a table")] = None,
    days: Annotated[float, typer.Option(min=0.01, max=1826, help="How far back")] = 365.0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Alerts of shots by zone, hour and kind: confirmed, unfounded, unknown, and the misses."""
    found = ask("GET", node, f"/api/admin/shots/record?days={days:g}", token_file)
    if as_json:
        typer.echo(json.dumps(found))
        return
    record = msgspec.convert(found["record"], ShotRecord)
    if out is not None:
        from farolito.desk.shot_record import csv_of

        out.write_text(csv_of(record), "utf-8")
        typer.echo(f"{record.all.alerts} alerts in {out}, permit {found['permit']}.", err=True)
        return
    _show_shots(record, found["permit"])


def _show_shots(record: ShotRecord, permit: int) -> None:
    from rich.console import Console
    from rich.table import Table

    title = f"Shots from {record.since:%Y-%m-%d} to {record.until:%Y-%m-%d}, permit {permit}"
    table = Table(title=title)
    headings = ("", "alerts", "confirmed", "unfounded", "unknown", "open", "misses",
                "confirmed of all", "found")  # fmt: skip
    for heading in headings:
        table.add_column(heading, justify="right" if heading else "left")
    for by, group in (
        ("all", (record.all,)), ("zone ", record.by_zone), ("hour ", record.by_hour),
        ("heard as ", record.by_kind),
    ):  # fmt: skip
        for one in group:
            counts = (one.alerts, one.confirmed, one.unfounded, one.unknown, one.open, one.misses)
            shares = (one.confirmed_of_all, one.found)
            table.add_row(f"{by}{one.name}", *map(str, counts), *map(_share, shares))
    Console().print(table)


def _share(told: Share) -> str:
    if told.share is None or told.low is None or told.high is None:
        return "–"
    return f"{told.share:.0%} ({told.low:.0%}–{told.high:.0%})"


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
