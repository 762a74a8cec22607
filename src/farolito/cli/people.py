"""`farolito person`: invite, list, suspend, restore, roster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import FarolitoError, Role
from farolito.model.suspension import Because

ROSTER_BYTES_MAX = 12 * 2**20  # the node takes 16 MiB of JSON

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


@app.command("list")
def list_(node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """Who may sign in here, and who may not."""
    told = ask("GET", node, "/api/admin/people", token_file)
    for one in told["people"]:
        state = "suspended" if one["suspended_at"] else "locked" if one["locked_at"] else ""
        line = f"{one['person_id']}  {one['role']:<13} {one['name']}  {one['unit'] or ''}"
        typer.echo(f"{line}  {state}".rstrip())


@app.command("suspend")
def suspend(
    person: Annotated[str, typer.Argument(help="Id or name, as `farolito person list` has it")],
    because: Annotated[Because, typer.Option(help="Why; it stands in the ledger")],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """End every sign-in, screen, picture and push of a person, here and at every partner."""
    person_id = _found(person, node, token_file)
    path = f"/api/admin/people/{person_id}/suspend"
    told = ask("POST", node, path, token_file, {"because": because.value})
    typer.echo(f"Suspended. {told['ended']} sign-ins ended.")
    if because is Because.LOST_KEY:
        typer.echo("Their passkeys and unused codes of today never count again.")
    _say_partners(told)


@app.command("restore")
def restore(
    person: Annotated[str, typer.Argument(help="Id or name, as `farolito person list` has it")],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Lift a suspension, a lock after failures, or 90 days without a sign-in."""
    person_id = _found(person, node, token_file)
    told = ask("POST", node, f"/api/admin/people/{person_id}/restore", token_file)
    if told["passkeys"]:
        typer.echo("Restored. They sign in anew.")
    else:
        typer.echo("Restored. They have no passkey: by the agency's provider they make a new one,")
        typer.echo(f"or with a code: farolito person invite NAME ROLE --person {person_id}")
    _say_partners(told)


@app.command("roster")
def roster(
    file: Annotated[Path, typer.Argument(help="CSV with the columns person, starts, ends")],
    add: Annotated[
        bool, typer.Option("--add", help="Beside the roster, as for a call-back, not in its place")
    ] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Say who is on duty when, so that a search off shift is looked at.

    A person is named as `farolito person list` has it, by name or id; times are ISO 8601 with
    their offset. The file takes the place of all shifts that start on the days it covers.
    """
    body = {"file": _text(file), "add": add}
    told = ask("POST", node, "/api/admin/roster", token_file, body)
    days = f"{told['first']} to {told['last']}"
    typer.echo(f"Shifts: {told['shifts']}; people: {told['people']}; days: {days}.")


def _text(file: Path) -> str:
    """Raises FarolitoError."""
    try:
        if file.stat().st_size > ROSTER_BYTES_MAX:
            raise FarolitoError(f"{file} is larger than 12 MiB", "give it in pieces")
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise FarolitoError(f"{file} is not UTF-8", "save it as CSV UTF-8") from error
    except OSError as error:
        raise FarolitoError(f"{file} cannot be read: {error.strerror}", "check its path") from error


def _found(person: str, node: str, token_file: Path | None) -> str:
    """The id. Raises FarolitoError where none or several are meant."""
    people = ask("GET", node, "/api/admin/people", token_file)["people"]
    found = [one["person_id"] for one in people if person in (one["person_id"], one["name"])]
    if len(found) != 1:
        says = "several people have that name" if found else "there is no such person"
        raise FarolitoError(says, "name the id that `farolito person list` shows")
    return str(found[0])


def _say_partners(told: dict[str, Any]) -> None:
    if told["told"]:
        typer.echo(f"Told: {', '.join(told['told'])}.")
    if told["not_told"]:
        away = ", ".join(told["not_told"])
        typer.secho(f"Not reached yet, told as soon as they are: {away}.", fg="yellow", err=True)
