"""`farolito doctor`: what is wrong, and what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import FarolitoError


def doctor(
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Check this file")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Ask the node how it is; check the machine and the file where it does not answer."""
    findings = [*_file(config), *_node(node, token_file)]
    ok = not any(f.get("level", "wrong") == "wrong" for f in findings)
    if as_json:
        said = [{"what": f["what"], "do": f["do"]} for f in findings]
        typer.echo(json.dumps({"ok": ok, "findings": said}))
    else:
        for finding in findings:
            mark = "✗" if finding.get("level", "wrong") == "wrong" else "•"
            typer.echo(f"{mark} {finding['what']}\n    → {finding['do']}")
        typer.echo("All is well." if ok and not findings else "" if not ok else "Nothing is wrong.")
    raise typer.Exit(0 if ok else 1)


def _file(config: Path | None) -> list[dict[str, Any]]:
    from farolito.app import config as configuration
    from farolito.app.law import forbidden_categories

    if config is None:
        return []
    try:
        read = configuration.load(config)
        forbidden_categories(read.agency.law)
        _ = read.own_agency
    except FarolitoError as error:
        return [{"what": error.says, "do": error.do}]
    return []


def _node(node: str, token_file: Path | None) -> list[dict[str, Any]]:
    try:
        return list(ask("GET", node, "/api/admin/health", token_file)["findings"])
    except FarolitoError as error:
        return [{"what": error.says, "do": error.do}]
