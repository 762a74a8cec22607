"""`farolito agreement`: what is shared with whom, drafted, tried, checked and ended.

Signing is not among these: it wants two people with their passkeys, in the console.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import Because, FarolitoError, Invalid

_PATH = "/api/admin/agreements"

app = typer.Typer(no_args_is_help=True, help="Agreements with other agencies.")

_Id = Annotated[UUID, typer.Argument(help="The agreement's id", metavar="AGREEMENT")]
_File = Annotated[Path, typer.Argument(help="An agreement, as `save` wrote it")]
_Key = Annotated[
    str, typer.Option(help="The giving agency's public key, as `farolito agency show` tells it")
]


@app.callback()
def _agreement() -> None:
    """Agreements with other agencies."""


@app.command("list")
def list_(node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """What this agency gives, and what it is given."""
    with _telling("list"):
        told = ask("GET", node, _PATH, token_file)
        table = Table("", "with", "what", "state", "until", "told", "id")
        for way, other in (("given", "grantee"), ("received", "grantor")):
            for one in told[way]:
                row = (way, one[f"{other}_name"], ", ".join(one["classes"]), one["state"])
                more = (one["expires"][:16], one["told"], one["agreement_id"])
                table.add_row(*row, *more)
        Console().print(table)


@app.command()
def show(agreement: _Id, node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """The document, as people read and sign it."""
    with _telling("show"):
        file = ask("GET", node, f"{_PATH}/{agreement}/file", token_file)
        typer.echo(file["signed"]["document"])
        for one in file["signed"]["signatures"]:
            typer.echo(f"Signed by {one['name']} at {one['at']}.", err=True)
        typer.echo(f"It is {file['signed']['state'].replace('_', ' ')}.", err=True)


@app.command()
def save(
    agreement: _Id,
    file: Annotated[Path, typer.Argument(help="Where to")],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Take it out with all its signatures, for anybody to check."""
    with _telling("save"):
        told = ask("GET", node, f"{_PATH}/{agreement}/file", token_file)
        file.write_bytes(msgspec.json.format(msgspec.json.encode(told)) + b"\n")
        typer.echo(f"Written to {file}; check it with `farolito agreement verify {file}`.")


@app.command()
def verify(
    file: _File,
    key: _Key = "",
    demo: Annotated[bool, typer.Option("--demo", help="Signatures of a demo count")] = False,
) -> None:
    """Check a saved agreement without a node: two passkeys and the agency's key, over these very
    words."""
    with _telling("verify"):
        from farolito.app.agreeing import read_file, verify_file
        from farolito.identity import fingerprint

        found = read_file(_bytes(file))
        if key and key.lower() != found.grantor_key:
            raise Invalid(
                "the file names another key than the one given", "ask the agency which is its own"
            )
        verify_file(found, demo=demo)
        terms = found.signed.agreement
        typer.echo(f"{terms.title}: {terms.grantor} gives, {terms.grantee} receives.")
        for one in found.signed.signatures:
            made = " (in a demo)" if one.demo else ""
            typer.echo(f"  signed by {one.name}, {one.at:%Y-%m-%d %H:%M} UTC{made}")
        typer.echo(f"  countersigned by {terms.grantor}: {fingerprint(found.grantor_key)}")
        typer.echo(f"  from {terms.starts:%Y-%m-%d %H:%M} until {terms.expires:%Y-%m-%d %H:%M} UTC")
        if not key:
            typer.echo(
                f"Compare that fingerprint with what {terms.grantor} tells you; the file itself"
                " cannot vouch for it.",
                err=True,
            )


@app.command()
def draft(
    file: Annotated[Path, typer.Argument(help="The terms, as TOML; see docs/agreements.md")],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Draw up an agreement from a file of terms. It opens nothing until two people sign it."""
    with _telling("draft"):
        made = ask("POST", node, _PATH, token_file, _terms(file))
        typer.echo(made["document"])
        typer.echo(f"Draft {made['agreement_id']}: two people sign it in the console.", err=True)


@app.command()
def simulate(
    agreement: _Id,
    days: Annotated[int, typer.Option(help="That it looks back, up to 90")] = 30,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Who would gain or lose by it, on the questions of the last days."""
    with _telling("simulate"):
        told = ask("GET", node, f"{_PATH}/{agreement}/simulation?days={days}", token_file)
        typer.echo(f"{told['asked']} questions of other agencies since {told['since'][:16]}")
        table = Table("", "agency", "role", "may", "what", "for", "people", "questions")
        for word in ("gains", "losses", "as_if"):
            for one in told.get(word, []):
                table.add_row(word.replace("_", " "), *_changed(one))
        Console().print(table)


@app.command()
def revoke(
    agreement: _Id,
    because: Annotated[Because, typer.Option(help="Chosen, never typed")],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """End it now, on this side at once, whether the other one is there or not."""
    with _telling("revoke"):
        path = f"{_PATH}/{agreement}/revoke"
        told = ask("POST", node, path, token_file, {"because": because.value})
        typer.echo(f"{told['title']} is {told['state']}; entry {told['permit']} of the ledger.")


@contextmanager
def _telling(command: str) -> Iterator[None]:
    """Errors as one sentence on stderr and exit 1."""
    try:
        yield
    except FarolitoError as error:
        text = f"farolito agreement {command}: {error}"
        Console(stderr=True).print(text, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _changed(one: Mapping[str, Any]) -> list[str]:
    names = ("agency", "role", "act", "thing", "purpose", "people", "count")
    return [str(one[name]) for name in names]


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file} cannot be read ({error.strerror})", "check its path") from None


def _terms(file: Path) -> Any:
    try:
        told = tomllib.loads(_bytes(file).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"{file}: {error}", "see docs/agreements.md for the terms") from error
    return msgspec.to_builtins(told)
