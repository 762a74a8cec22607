"""`farolito audit`: check what a ledger gave out, offline; draw a sample of it; fetch a bundle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import httpx
import msgspec
import typer

from farolito.cli.node_client import URL, NodeUrl
from farolito.model import FarolitoError, Invalid

if TYPE_CHECKING:
    from farolito.audit.note import VerifierKey
    from farolito.audit.panel import Panel
    from farolito.audit.verify import Verdict

BUNDLE_BYTES_MAX = 1024**3  # a larger file is not even read
EXPORT_S_MAX = 600.0
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

app = typer.Typer(no_args_is_help=True, help="The ledger: check what it gave out, fetch it.")

_Key = Annotated[
    str | None,
    typer.Option("--key", help="The log's published verifier key, or a file that holds it"),
]
_Witnesses = Annotated[
    list[str] | None,
    typer.Option(
        "--witness",
        help="A witness's key that must have cosigned (repeatable), or a file: the ledger's key"
        " and its witnesses', each with its government behind it",
    ),
]
_Least = Annotated[
    int, typer.Option("--least", help="So many of the file's witnesses must have cosigned")
]
_Recount = Annotated[
    list[Path] | None,
    typer.Option("--recount", help="Count figures anew from a bundle's entries; repeatable"),
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]


@app.callback()
def _audit() -> None:
    """The ledger: check what it gave out, draw a sample, fetch a bundle."""


@app.command("verify")
def verify(  # noqa: PLR0913 - one option each
    file: Path,
    key: _Key = None,
    witness: _Witnesses = None,
    least: _Least = 2,
    recount: _Recount = None,
    as_json: _Json = False,
) -> None:
    """Check a bundle, or figures, offline. Exit status 1 where anything was changed."""
    from farolito.audit.verify import verify as check
    from farolito.audit.verify_figures import is_figures, verify_figures

    raw = _read(file)
    keys, panel = _witnesses(witness or [], least)
    log = _log(key, panel)
    if is_figures(raw):
        pieces = [_read(bundle) for bundle in recount or []]
        verdict: Verdict = verify_figures(raw, log, keys, panel, pieces)
    else:
        verdict = check(raw, log, keys, panel)
    if as_json:
        typer.echo(msgspec.json.encode(verdict).decode())
    else:
        _tell(verdict)
    if not verdict.ok:
        raise typer.Exit(1)


@app.command("sample")
def sample(  # noqa: PLR0913 - one option each
    bundle: Path,
    before: Annotated[int, typer.Option(help="Draw from the entries below this number")],
    count: Annotated[int, typer.Option(help="How many")] = 20,
    first: Annotated[int, typer.Option(help="From this entry on")] = 0,
    by: Annotated[
        str | None,
        typer.Option(help="A witness (key or file) whose cosignature goes into the draw"),
    ] = None,
    key: _Key = None,
    as_json: _Json = False,
) -> None:
    """Draw entries at random by the next checkpoint after them, which nobody could foresee.

    The bundle must hold a checkpoint of more than --before entries. Everybody draws the same.
    """
    from farolito.audit.sample import drawn_by
    from farolito.audit.verify import checkpoints_of
    from farolito.audit.verify import verify as check

    raw = _read(bundle)
    verdict = check(raw, _key(key) if key else None)
    if not verdict.ok:
        _tell(verdict)
        raise typer.Exit(1)
    checkpoints = checkpoints_of(raw)
    size, drawn = drawn_by(checkpoints, first, before, count, _key(by) if by else None)
    if as_json:
        told = {"drawn_by": size, "first": first, "before": before, "entries": drawn}
        typer.echo(msgspec.json.encode(told).decode())
    else:
        typer.secho(f"drawn by the checkpoint of {size} entries:", err=True)
        typer.echo("\n".join(map(str, drawn)))


def _witnesses(told: list[str], least: int) -> tuple[list[VerifierKey], Panel | None]:
    """The keys that are insisted on one by one, and the file of which enough must have cosigned."""
    from farolito.audit.panel import Panel

    keys, panels = [], []
    for one in told:
        text = one if "+" in one else _text(one)
        if len(text.split()) == 1:
            keys.append(_key(one))
        else:
            panels.append(Panel.parse(text, least))
    if len(panels) > 1:
        raise FarolitoError("two files of witnesses", "put them into one")
    return keys, panels[0] if panels else None


def _log(key: str | None, panel: Panel | None) -> VerifierKey | None:
    """The ledger's key, from the option or the file; both must agree."""
    named = panel.log if panel else None
    given = _key(key) if key else None
    if given and named and given != named:
        raise FarolitoError("--key and the file of witnesses name two ledgers", "use one")
    return given or named


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise FarolitoError(f"{path!r} is no key, nor a file that can be read") from error


def _read(bundle: Path) -> bytes:
    """The file's bytes; of an unreadable or far too large one none, which verifies as nothing."""
    try:
        if bundle.stat().st_size > BUNDLE_BYTES_MAX:
            raise FarolitoError(f"{bundle} is larger than any bundle", "ask for a smaller range")
        return bundle.read_bytes()
    except OSError as error:
        raise FarolitoError(f"{bundle} cannot be read ({error.strerror})") from error


def _key(told: str) -> VerifierKey:
    from farolito.audit.note import VerifierKey

    try:
        text = told if "+" in told else Path(told).read_text("utf-8").strip()
        return VerifierKey.parse(text)
    except (OSError, ValueError) as error:
        raise FarolitoError(
            f"{told!r} is no verifier key, nor a file that holds one",
            "it looks like name+1a2b3c4d+AbC…; copy the line that the agency publishes",
        ) from error


def _tell(verdict: Verdict) -> None:
    if verdict.ok:
        last = verdict.first + verdict.entries - 1
        what = f"entries {verdict.first} to {last}" if verdict.entries else "no entries"
        typer.secho(f"OK: {what} of {verdict.size}, root {verdict.root}", fg="green")
        for line in _figures(verdict):
            typer.echo(f"  {line}")
    else:
        typer.secho("NOT OK: this file has been changed or does not prove itself", fg="red")
    for problem in verdict.problems:
        typer.echo(f"  problem: {problem}")
    for note in verdict.notes:
        typer.echo(f"  note: {note}")


def _figures(verdict: Verdict) -> list[str]:
    from farolito.audit.verify_figures import FiguresVerdict

    if not isinstance(verdict, FiguresVerdict) or verdict.figures is None:
        return []
    told = verdict.figures
    lines = [f"{told.agency}, {told.since} to {told.until}"]
    lines += [f"{f.name}: {'withheld' if f.value is None else f.value}" for f in told.figures]
    return [*lines, f"{verdict.recounted} of {len(told.figures)} figures counted anew"]


@app.command("export")
def export(
    out: Path,
    first: Annotated[int, typer.Option(help="The first entry")] = 0,
    last: Annotated[int | None, typer.Option(help="The last entry; the newest if left out")] = None,
    cookie_file: Annotated[
        Path | None,
        typer.Option(
            envvar="FAROLITO_COOKIE_FILE", help="A signed-in auditor's Cookie header, in a file"
        ),
    ] = None,
    node: NodeUrl = URL,
) -> None:
    """Fetch a bundle from the running node, through its gate, as a signed-in auditor.

    Without a cookie it works with a demo on this machine only, as the demo's auditor.
    """
    if urlsplit(node).scheme != "https" and urlsplit(node).hostname not in _LOOPBACK:
        raise FarolitoError(f"the session would travel in the clear to {node}", "use https://")
    asked: dict[str, Any] = {"first": first} | ({} if last is None else {"last": last})
    try:
        # No proxy from the environment: the session is for this node alone.
        with httpx.Client(base_url=node, timeout=EXPORT_S_MAX, trust_env=False) as client:
            headers = _session(client, cookie_file)
            answer = client.get("/api/ledger/bundle", params=asked, headers=headers)
    except httpx.HTTPError as error:
        raise FarolitoError(f"no node answers at {node}", "start it with `farolito run`") from error
    _check(answer)
    _write(out, answer.content)
    permit = answer.headers.get("x-farolito-permit", "?")
    typer.echo(f"{out}: {len(answer.content)} bytes, permit {permit}", err=True)


def _session(client: httpx.Client, cookie_file: Path | None) -> dict[str, str]:
    """The headers of a signed-in auditor's request."""
    if cookie_file:
        return {"cookie": cookie_file.read_text("utf-8").strip()}
    _check(client.post("/api/session/demo", json={"persona": "auditor"}))
    return {}


def _check(answer: httpx.Response) -> None:
    if not answer.is_error:
        return
    said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    raise FarolitoError(said.get("says", f"HTTP {answer.status_code}"), said.get("do", ""))


def _write(out: Path, content: bytes) -> None:
    """Never over a file that is there: it may be the only copy of an earlier state."""
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    except FileExistsError as error:
        raise Invalid(f"{out} exists", "choose another name") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
