"""`farolito unit`: who never leaves the agency, and who may enforce a nation's law."""

from __future__ import annotations

from typing import Annotated

import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask

app = typer.Typer(no_args_is_help=True, help="Units on duty.")


@app.callback()
def _unit() -> None:
    """Units on duty."""


@app.command("mute")
def mute(unit: str, node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """Keep a unit's position inside the agency: never to TAK, partners or the public."""
    _set(unit, True, node, token_file)
    typer.echo(f"{unit} is muted: its position stays inside the agency.")


@app.command("unmute")
def unmute(unit: str, node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """Let a unit's position go where the others' goes."""
    _set(unit, False, node, token_file)
    typer.echo(f"{unit} is shown like the others.")


@app.command("commission")
def commission(
    unit: str,
    nations: Annotated[
        list[str] | None, typer.Argument(help="Agency ids of nations; none: of no nation.")
    ] = None,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Whose commission a unit's officers hold. Calls on a nation's land show it."""
    told = {"unit": unit, "nations": nations or []}
    ask("POST", node, "/api/admin/units/commission", token_file, told)
    typer.echo(f"{unit} holds the commission of {', '.join(nations or []) or 'no nation'}.")


def _set(unit: str, muted: bool, node: str, token_file: TokenFile) -> None:
    ask("POST", node, "/api/admin/units/mute", token_file, {"unit": unit, "muted": muted})
