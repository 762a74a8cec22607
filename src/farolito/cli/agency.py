"""`farolito agency`: partners joined, compared, left; small agencies hosted, and moved."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from farolito.app import config as configuration
from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import FarolitoError

app = typer.Typer(no_args_is_help=True, help="Other agencies, and those hosted here.")

PARTNERS = "/api/admin/partners"
Partner = Annotated[str, typer.Argument(help="The agency's id, as `farolito agency list` shows it")]
Config = Annotated[Path, typer.Option("--config", "-c", help="The node's file")]


@app.callback()
def _agency() -> None:
    """Other agencies, and those hosted here."""


@app.command("invite")
def invite(
    address: Annotated[
        str, typer.Option(help="Where their node reaches our web; the node's origin if not given")
    ] = "",
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Print a one-time code for another agency's node, good for 24 hours."""
    made = ask("POST", node, f"{PARTNERS}/invite", token_file, {"address": address})
    typer.echo(made["code"])
    typer.echo(f"Good until {made['expires']}, for one agency. On their node:", err=True)
    typer.echo("  farolito agency join CODE", err=True)
    _tell("Our fingerprint, to read out when they ask", made["own"])


@app.command("join")
def join(code: str, node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """Join the agency that made the code. Nothing is shared by that."""
    made = ask("POST", node, f"{PARTNERS}/join", token_file, {"code": code})
    partner = made["partner"]
    typer.echo(f"Joined {partner['name']} ({partner['agency_id']}, ORI {partner['ori']}).")
    _compare(made["own"], partner)
    if sys.stdin.isatty():
        _ask_and_confirm(partner, node, token_file)


@app.command("confirm")
def confirm(
    partner: Partner,
    fingerprint: Annotated[
        str, typer.Option(help="Theirs, as they read it out; the node compares it")
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; needs --fingerprint")] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Confirm a partner whose fingerprint somebody has compared. Both sides must."""
    if yes and not fingerprint:
        raise FarolitoError("--yes without --fingerprint compares nothing", "give --fingerprint")
    known = ask("GET", node, PARTNERS, token_file)
    found = _find(known, partner)
    if fingerprint:
        if not yes:
            typer.confirm(f"Take messages of {found['name']} from now on?", abort=True)
        _confirm(partner, fingerprint, node, token_file)
        return
    _compare(known["own"], found)
    _ask_and_confirm(found, node, token_file)


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document")] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Ourselves, our partners, and the agencies hosted on this machine."""
    known = ask("GET", node, PARTNERS, token_file)
    if as_json:
        typer.echo(json.dumps(known))
        return
    own = known["own"]
    typer.echo(f"{own['agency_id']:24} {own['name']} (this node)  {own['fingerprint']}")
    for one in known["partners"]:
        line = "connected" if one["connected"] else "no line"
        typer.echo(f"{one['agency_id']:24} {one['name']}  {one['state']}, {line}")
    for one in known["hosted"]:
        typer.echo(f"{one['agency_id']:24} hosted here, {one['url']}  {one['problem'] or ''}")


@app.command("show")
def show(partner: Partner, node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """What is known of a partner, and the receipts where it has ended."""
    known = ask("GET", node, PARTNERS, token_file)
    found = _find(known, partner)
    for name, value in found.items():
        if value not in (None, ""):
            typer.echo(f"{name:14} {value if isinstance(value, str) else json.dumps(value)}")
    _tell("Our own fingerprint", known["own"])


@app.command("leave")
def leave(
    partner: Annotated[str, typer.Argument(help="The agency's id; or --all")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Every partner")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing")] = False,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """End it with a partner: both sides delete what they had, and say so with a receipt."""
    if bool(partner) == all_:
        raise FarolitoError("leave whom?", "name one partner, or give --all")
    if not yes:
        whom = "every partner" if all_ else partner
        typer.confirm(f"End all sharing with {whom}, and delete what was shared?", abort=True)
    path = "leave-all" if all_ else f"{quote(partner, safe='')}/leave"
    ended = ask("POST", node, f"{PARTNERS}/{path}", token_file)
    for one in ended["partners"]:
        _tell_end(one)


@app.command("host")
def host(  # noqa: PLR0913 - one option each
    agency_id: Annotated[str, typer.Argument(help="Short, lower case; never changed later")],
    name: Annotated[str, typer.Option(help="As it is shown on every screen")],
    ori: Annotated[str, typer.Option(help="Nine characters, as NCIC assigned it")],
    government: Annotated[
        str, typer.Option(help="city, county, state, tribal, federal, other")
    ] = "city",
    law: Annotated[str, typer.Option(help="The state pack")] = "us-nm",
    zone: Annotated[str, typer.Option(help="IANA zone")] = "America/Denver",
    port: Annotated[int, typer.Option(help="Of its web; 0: a free one")] = 0,
    origin: Annotated[str, typer.Option(help="The https address that its people open")] = "",
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Give a small agency a node of its own on this machine: own keys, ledger, database."""
    told = {
        "agency_id": agency_id, "name": name, "ori": ori, "government": government, "law": law,
        "zone": zone, "port": port, "origin": origin,
    }  # fmt: skip
    made = ask("POST", node, "/api/admin/hosted", token_file, told)["hosted"]
    typer.echo(made["url"])
    typer.echo(f"It runs from {made['folder']}. Its own commands:", err=True)
    typer.echo(
        f"  farolito person invite NAME agency_admin --node {made['url']}"
        f" --token-file {made['token_file']}",
        err=True,
    )


@app.command("pack")
def pack(
    archive: Annotated[Path, typer.Argument(help="The archive to write")],
    hosted: Annotated[str, typer.Option(help="The id of an agency hosted here")] = "",
    config: Config = Path(configuration.FILE),
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Pack a stopped node to be moved: its ledger, keys and data, in one archive.

    With --hosted the host's node stops it first. It does not start again where it was.
    """
    from farolito.app import moving
    from farolito.app.clock import now

    if hosted:
        path = f"/api/admin/hosted/{quote(hosted, safe='')}/retire"
        one = ask("POST", node, path, token_file)["hosted"]
        config = Path(one["folder"]) / configuration.FILE
    typer.echo("Packing …", err=True)
    manifest, digest = moving.pack(config, archive, now())
    typer.echo(digest)
    typer.echo(
        f"{manifest.agency_id}: {len(manifest.files)} files in {archive}. It holds the agency's"
        " keys: carry it as you would carry them, and delete it afterwards. The line above is"
        " shown again where it is unpacked.",
        err=True,
    )


@app.command("unpack")
def unpack(
    archive: Path,
    folder: Annotated[Path, typer.Argument(help="A new folder, for farolito.toml and the state")],
    port: Annotated[int | None, typer.Option(help="Of its web, instead of the packed one")] = None,
    digest: Annotated[str, typer.Option(help="What `pack` printed; another one is refused")] = "",
) -> None:
    """Unpack a node on its new machine; every file is checked."""
    from farolito.app import moving

    manifest, found = moving.unpack(archive, folder, port, digest.strip().lower())
    typer.echo(found)
    typer.echo(f"{manifest.agency_id}: {len(manifest.files)} files, all as packed.", err=True)
    typer.echo(f"  farolito run --config {folder / configuration.FILE}", err=True)


# ---- what people compare


def _compare(own: Mapping[str, Any], partner: Mapping[str, Any]) -> None:
    typer.echo("")
    typer.echo("Call them, by a number that you know. Both read out all eight groups:")
    _tell("Ours", own, err=False)
    _tell("Theirs", partner, err=False)


def _tell(what: str, card: Mapping[str, Any], *, err: bool = True) -> None:
    typer.echo(f"  {what}: {card['fingerprint']}  ({card['name']})", err=err)


def _ask_and_confirm(partner: Mapping[str, Any], node: str, token_file: Path | None) -> None:
    if typer.confirm(f"Does {partner['name']} read out the same as stands under Theirs?"):
        _confirm(partner["agency_id"], partner["fingerprint"], node, token_file)
    else:
        typer.echo("Not confirmed; none of their messages is taken.", err=True)
        typer.echo(f"  farolito agency confirm {partner['agency_id']}", err=True)


def _confirm(partner: str, fingerprint: str, node: str, token_file: Path | None) -> None:
    path = f"{PARTNERS}/{quote(partner, safe='')}/confirm"
    made = ask("POST", node, path, token_file, {"fingerprint": fingerprint})
    typer.echo(
        f"{made['partner']['name']} is confirmed here (permit {made['permit']})."
        " They confirm us on their node; nothing is shared before an agreement is signed."
    )


def _find(known: Mapping[str, Any], partner: str) -> Mapping[str, Any]:
    for one in known["partners"]:
        if one["agency_id"] == partner:
            return dict(one)
    raise FarolitoError(f"there is no partner {partner}", "see `farolito agency list`")


def _tell_end(one: Mapping[str, Any]) -> None:
    typer.echo(f"Ended with {one['name']}.")
    typer.echo(f"  Deleted here: {_counted(one['purged'])}")
    if one["proof"] is None:
        typer.echo("  They are away; they are told when they are back, and then answer.")
    else:
        typer.echo(f"  Deleted there: {_counted(one['proof']['purged'])}")
        typer.echo(f"  Their receipt: {one['proof']['receipt'] or 'none'}")


def _counted(purged: Mapping[str, Any] | None) -> str:
    if purged is None:
        return "not yet; it is tried again"
    return json.dumps(purged) if purged else "there was nothing"
