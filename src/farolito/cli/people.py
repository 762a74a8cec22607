"""`farolito person invite`: a one-time code to register a passkey with."""

from __future__ import annotations

from typing import Annotated

import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import Role

app = typer.Typer(no_args_is_help=True, help="People who sign in.")


@app.callback()
def _person() -> None:
    """People who sign in."""


@app.command("invite")
def invite(  # noqa: PLR0913 - one option each
    name: str,
    role: Role,
    unit: Annotated[str | None, typer.Option(help="Call sign, for an officer")] = None,
    owner: Annotated[
        str | None, typer.Option(help="Whose cameras, for a camera owner: the owner's id")
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="The id of somebody known, for a further passkey")
    ] = None,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Print a one-time code; the person opens the console and registers a passkey with it."""
    body = {"name": name, "role": role.value, "unit": unit, "owner": owner, "person_id": person}
    made = ask("POST", node, "/api/admin/people", token_file, body)
    typer.echo(made["code"])
    typer.echo(f"Person {made['person_id']}.", err=True)
    typer.echo(f"Open {node} and choose “I have an invitation code”.", err=True)
