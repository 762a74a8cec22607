"""`farolito clip`: check a clip that was taken out, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from farolito.model import FarolitoError

if TYPE_CHECKING:
    from farolito.app.clip_check import Verdict

FILE_BYTES_MAX = 2**31

app = typer.Typer(no_args_is_help=True, help="Clips: check one that was taken out.")


@app.callback()
def _clip() -> None:
    """Clips: check one that was taken out."""


@app.command("verify")
def verify(  # noqa: PLR0913 - one option each
    file: Path,
    manifest: Annotated[
        Path | None,
        typer.Option(help="What is signed beside it; the .json of the same name if left out"),
    ] = None,
    anchor: Annotated[
        Path | None, typer.Option(help="The agency's evidence authority, a certificate (PEM)")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="The ledger's published verifier key, or a file that holds it"),
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="A bundle of the ledger")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout")] = False,
) -> None:
    """Check a clip offline, and say what is proved and what is not. Exit status 1 where it is not
    as it was kept."""
    from farolito.app.clip_check import check_clip, read_beside

    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise FarolitoError(f"{file} is larger than any clip")
        verdict = check_clip(
            file.read_bytes(),
            read_beside(file, manifest),
            anchor=anchor.read_text("ascii") if anchor else None,
            key=_key(key) if key else None,
            bundle=bundle.read_bytes() if bundle else None,
        )
    except OSError as error:
        raise FarolitoError(f"{error.filename} cannot be read ({error.strerror})") from error
    if as_json:
        typer.echo(msgspec.json.encode(verdict).decode())
    else:
        _tell(verdict)
    if not verdict.ok:
        raise typer.Exit(1)


def _key(told: str) -> Any:
    from farolito.app.clip_check import key_of

    try:
        return key_of(told if "+" in told else Path(told).read_text("utf-8").strip())
    except ValueError as error:
        raise FarolitoError(
            f"{told!r} is no verifier key, nor a file that holds one",
            "it looks like name+1a2b3c4d+AbC…; copy the line that the agency publishes",
        ) from error


def _tell(verdict: Verdict) -> None:
    if verdict.ok:
        typer.secho("OK: this clip is as it was kept", fg="green")
    else:
        typer.secho("NOT OK: this clip is not as it was kept, or does not prove it", fg="red")
    for name in ("clip", "kind", "since", "until", "case"):
        if value := verdict.evidence.get(name):
            typer.echo(f"  {name}: {value}")
    for word, told in (
        ("problem", verdict.problems),
        ("proved", verdict.proved),
        ("not proved", verdict.not_proved),
        ("note", verdict.notes),
    ):
        for one in told:
            typer.echo(f"  {word}: {one}")
