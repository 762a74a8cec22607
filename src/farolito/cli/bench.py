"""`farolito bench NAME`: figures beside a rival's, measured in the same run."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from farolito.model import FarolitoError

Progress = Callable[[float], None]
Bench = Callable[[bool, int, Progress], Mapping[str, Any]]


def bench(
    name: str,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    quick: Annotated[bool, typer.Option("--quick/--full", help="Within 45 s on 2 cores")] = True,
    seed: Annotated[int, typer.Option(help="The same seed asks the same questions")] = 7,
) -> None:
    """Measure. NAME is one of: plates, brief, positions, shots, cameras, video, metro."""
    benches = _benches()
    if name not in benches:
        raise FarolitoError(f"no bench {name!r}", f"choose one of {', '.join(benches)}")
    found = dict(_run(benches[name], quick, seed, show=not as_json))
    found = {"name": name, **found, "machine": _machine(), "seed": seed}
    if as_json:
        typer.echo(json.dumps(found))
    else:
        _table(found)


def _benches() -> Mapping[str, Bench]:
    from farolito.cli import (
        bench_brief,
        bench_cameras,
        bench_metro,
        bench_plates,
        bench_positions,
        bench_shots,
        bench_video,
    )

    return {
        "plates": bench_plates.run,
        "brief": bench_brief.run,
        "positions": bench_positions.run,
        "shots": bench_shots.run,
        "video": bench_video.run,
        "cameras": bench_cameras.run,
        "metro": bench_metro.run,
    }


def _run(bench: Bench, quick: bool, seed: int, *, show: bool) -> Mapping[str, Any]:
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), disable=not show, transient=True) as bar:
        task = bar.add_task("measuring", total=1.0)
        return bench(quick, seed, lambda done: bar.update(task, completed=done))


def _table(found: Mapping[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"bench {found['name']}")
    for heading in ("figure", "ours", *(b["what"] for b in found["baselines"])):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    keys = [*found["figures"], *(k for b in found["baselines"] for k in b["figures"])]
    for key in dict.fromkeys(keys):
        values = [found["figures"].get(key), *(b["figures"].get(key) for b in found["baselines"])]
        table.add_row(key, *(_text(value) for value in values))
    console.print(table)
    for key, ratio in found["ratios"].items():
        console.print(f"  {key}: {_text(ratio)}")


def _text(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,.3g}" if isinstance(value, float) and value < 100 else f"{value:,.0f}"


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "load_1min": round(os.getloadavg()[0], 1),
    }
