"""`farolito report`: the public account of a month, a state's yearly report, and the answer to the
owner of a plate."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask, fetch
from farolito.model import FarolitoError

_PATH = "/api/admin/reports"
CHECK_FIRST = (
    "Before you answer, see with your own eyes:",
    "  1. a photo identification of the person who asks;",
    "  2. the title or registration of the car, with this plate and in this person's name;",
    "  3. for somebody else's car, the owner's signed permission as well.",
    "What you saw, and who you are, goes into the letter and, for an auditor alone, the ledger.",
)

app = typer.Typer(no_args_is_help=True, help="What the public, the state and owners are told.")


class Language(StrEnum):
    EN = "en"
    ES = "es"


_Language = Annotated[Language, typer.Option("--language", help="English or Spanish")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]
_Day = ["%Y-%m-%d"]


@app.callback()
def _report() -> None:
    """What the public, the state and owners are told."""


@app.command("month")
def month(
    period: Annotated[
        str, typer.Argument(help="As 2026-10; the last one that is over. In a demo also: so-far")
    ] = "",
    language: _Language = Language.EN,
    as_json: _Json = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Print a month's public account; publish it first, if the node has not done it yet."""
    asked = {"period": period or _last_month(datetime.now(UTC))}
    told = ask("POST", node, f"{_PATH}/figures", token_file, asked)
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(_text(node, told, language), nl=False)
    typer.echo(f"Published as entry {told['permit']}; its page: {told['page']}", err=True)


@app.command("yearly")
def yearly(  # noqa: PLR0913 - one option each
    year: Annotated[int, typer.Argument(min=2000, max=2999, help="As 2026")],
    out: Annotated[
        Path | None, typer.Option(help="The text; AGENCY-YEAR.txt here, if not given")
    ] = None,
    language: _Language = Language.EN,
    as_json: _Json = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """The yearly report that the state's law asks for: a text to send, and its proof beside it.

    It publishes the year and every month of it that was not yet, from a day after the year ended.
    """
    told = ask("POST", node, f"{_PATH}/yearly", token_file, {"year": year})
    agency, period = told["figures"]["agency"], told["period"]
    text = out or Path(f"{agency}-{period}.txt")
    proof = text.with_name(f"{agency}-{period}.farolito-figures")
    _write(text, _text(node, told, language).encode())
    _write(proof, fetch(node, f"/public/{period}.farolito-figures"))
    if as_json:
        typer.echo(json.dumps({**told, "text": str(text), "proof": str(proof)}))
        return
    report = told["figures"]["told"]["law"]["report"]
    typer.echo(f"{text}\n{proof}")
    _say(f"Published as entry {told['permit']}; its page: {told['page']}")
    if report is None:
        _say("The state pack names no yearly report: the text has all that is counted.")
        return
    due = f", due {report['due']}" if report["due"] else ""
    _say(f"Send both files to: {report['to']}{due}.")
    if report["unverified"]:
        _say("Counsel first: nobody has held these figures against the enacted text of the law.")


@app.command("plate")
def plate(  # noqa: PLR0913 - one option each
    plate: Annotated[str, typer.Argument(help="Asked for, if not given")] = "",
    state: Annotated[str, typer.Option(help="Whose plate, as NM; asked for")] = "",
    owner: Annotated[str, typer.Option(help="Who asks; asked for")] = "",
    checked: Annotated[
        str, typer.Option(help="The papers you saw, and who you are; asked for")
    ] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=_Day, help="The last 365 days, if not given")
    ] = None,
    until: Annotated[datetime | None, typer.Option(formats=_Day, help="Before this day")] = None,
    language: Annotated[
        Language | None, typer.Option("--language", help="One letter; both, if not given")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="A file that this account alone reads")] = None,
    as_json: _Json = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Was my plate searched? The letter to its owner, whose papers somebody at the desk has seen.

    Without arguments it asks for each, so that no plate stands in the shell's history.
    """
    for line in CHECK_FIRST:
        _say(line)
    question = {
        "plate": plate or typer.prompt("Plate", err=True),
        "state": state or typer.prompt("State", err=True),
        "owner": owner or typer.prompt("Who asks", err=True),
        "checked": checked or typer.prompt("What you saw, and who you are", err=True),
    }
    # Days are this computer's, as the person at the desk means them.
    span = {"since": since, "until": until}
    question |= {name: at.astimezone().isoformat() for name, at in span.items() if at}
    told = ask("POST", node, f"{_PATH}/own-plate", token_file, question)
    if as_json:
        said = json.dumps(told) + "\n"
    else:
        # A new page of paper for each letter.
        said = "\f".join(told["letters"][one] for one in ([language] if language else Language))
    if out is None:
        typer.echo(said, nl=False)
    else:
        _write(out, said.encode(), private=True)
        typer.echo(out)
    _say(f"Entry {told['permit']} of the ledger. Give the letter to this person alone.")


def _last_month(now: datetime) -> str:
    """The last that can be published: a month is, from a day after it ended."""
    first = (now - timedelta(days=1)).replace(day=1)
    return f"{first - timedelta(days=1):%Y-%m}"


def _text(node: str, told: dict[str, Any], language: Language) -> str:
    return fetch(node, f"{told['page']}.txt?lang={language}").decode()


def _write(path: Path, content: bytes, *, private: bool = False) -> None:
    from farolito.app.private_file import write_private

    try:
        if private:
            write_private(path, content)
        else:
            path.write_bytes(content)
    except OSError as error:
        raise FarolitoError(
            f"{path} cannot be written ({error.strerror})", "name another with --out"
        ) from error


def _say(line: str) -> None:
    typer.echo(line, err=True)
