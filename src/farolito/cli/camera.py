"""`farolito camera`: bring cameras into the register of the running node, from files or one by one.

A password is never an option of a command: it is asked for, read from a file, or taken from
FAROLITO_CAMERA_PASSWORD.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import AgencyId, Camera, CameraOwner, FarolitoError, Invalid, Login, OwnerId
from farolito.model.camera import Consent, OwnerKind

if TYPE_CHECKING:
    from farolito.ingest.video.onvif import ClockError, Device, Offered
    from farolito.ingest.video.register import Register

AGENCY = AgencyId("own")  # the node knows which it is
AT_ONCE = 5_000  # cameras of one message
BAD_ROWS_SHOWN_MAX = 50
PASSWORD_ENV = "FAROLITO_CAMERA_PASSWORD"  # noqa: S105 - its name, not its value
_PATH = "/api/admin/cameras"

app = typer.Typer(no_args_is_help=True, help="Cameras: check, import, add, discover, remove.")
owner_app = typer.Typer(no_args_is_help=True, help="Whose cameras they are.")
app.add_typer(owner_app, name="owner")

_File = Annotated[Path, typer.Argument(help="The register or list, as its maker wrote it")]
_MappingName = Annotated[
    str, typer.Option(help="Mapping file (YAML), or a ready one: austin, illinois", metavar="FILE")
]
_Format = Annotated[str, typer.Option(help="A published list: nmroads, caltrans, 511")]
_Owner = Annotated[str, typer.Option(help="Owner's id, where the file names none")]
_Prefix = Annotated[str, typer.Option(help="Stands before each id")]
_ConsentOption = Annotated[
    Consent | None, typer.Option(help="What the owner lets us do, where the file does not say it")
]
_User = Annotated[str, typer.Option("--user", help="The cameras' user; its password is asked for")]
_PasswordFile = Annotated[Path | None, typer.Option(help="Read the password from its first line")]


@app.callback()
def _camera() -> None:
    """Cameras: check, import, add, discover, remove."""


@owner_app.callback()
def _owner() -> None:
    """Whose cameras they are."""


@app.command()
def check(  # noqa: PLR0913 - one option each
    file: _File,
    mapping: _MappingName = "",
    format: _Format = "",
    owner: _Owner = "",
    prefix: _Prefix = "",
    consent: _ConsentOption = None,
) -> None:
    """Read a register without importing it: what would go in, and what not, row by row."""
    with _telling("check"):
        found = _read(file, mapping, format, owner, prefix, consent)
        _show(found)


@app.command("import")
def import_(  # noqa: PLR0913 - a command's options are its arguments
    file: _File,
    mapping: _MappingName = "",
    format: _Format = "",
    owner: _Owner = "",
    prefix: _Prefix = "",
    consent: _ConsentOption = None,
    user: _User = "",
    password_file: _PasswordFile = None,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Import a register into the running node. Good rows go in, bad ones are listed."""
    with _telling("import"):
        found = _read(file, mapping, format, owner, prefix, consent)
        logins = dict(found.logins)
        if user:
            common = Login(user=user, word=_password(password_file))
            logins = {c.camera_id: common for c in found.cameras if c.main} | logins
        told: Counter[str] = Counter()
        for begin in range(0, max(len(found.cameras), 1), AT_ONCE):
            some = found.cameras[begin : begin + AT_ONCE]
            theirs = {c.camera_id: logins[c.camera_id] for c in some if c.camera_id in logins}
            told += _send(node, token_file, found.owners if not begin else (), some, theirs)
        _show(found)
        _show_told(told)


@app.command()
def add(  # noqa: PLR0913 - one option each
    camera_id: Annotated[str, typer.Argument(help="Such as central-4th-ptz")],
    name: Annotated[str, typer.Option(help="As people say it: 'Central @ 4th'")],
    owner: Annotated[str, typer.Option(help="Owner's id")],
    url: Annotated[str, typer.Option(help="rtsp://, rtsps://, srt://, or http(s)://")] = "",
    sub_url: Annotated[str, typer.Option(help="A leaner H.264 stream of it")] = "",
    snapshot_url: Annotated[str, typer.Option(help="A JPEG of it")] = "",
    onvif_url: Annotated[str, typer.Option(help="Its device service, to turn it")] = "",
    lat: Annotated[float | None, typer.Option()] = None,
    lon: Annotated[float | None, typer.Option()] = None,
    bearing: Annotated[str, typer.Option(help="Where it looks: degrees from north, or NE")] = "",
    height: Annotated[float | None, typer.Option(help="Metres above ground")] = None,
    ptz: Annotated[bool, typer.Option("--ptz", help="It turns")] = False,
    consent: Annotated[Consent, typer.Option()] = Consent.REGISTRY_ONLY,
    hours: Annotated[str, typer.Option(help="mon-fri 07:00-16:00; sat 9:00-12:00")] = "",
    approval: Annotated[str, typer.Option(help="The impact approval it stands under")] = "",
    site: Annotated[str, typer.Option(help="Where its cable ends")] = "",
    switch: Annotated[str, typer.Option()] = "",
    user: _User = "",
    password_file: _PasswordFile = None,
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Register one camera."""
    with _telling("add"):
        told = {
            "name": name, "owner": owner, "main_url": url, "sub_url": sub_url,
            "snapshot_url": snapshot_url, "onvif_url": onvif_url, "bearing": bearing,
            "lat": _told(lat), "lon": _told(lon), "height_m": _told(height),
            "ptz": "yes" if ptz else "no", "consent": consent.value, "hours": hours,
            "approval": approval, "site": site, "switch": switch,
        }  # fmt: skip
        camera, login = _camera_of(camera_id, told)
        if user:
            login = Login(user=user, word=_password(password_file))
        _send(node, token_file, (), [camera], {camera.camera_id: login} if login else {})
        typer.echo(f"{camera.camera_id} is in the register: {camera.consent.value}.")


@owner_app.command("add")
def owner_add(
    owner_id: Annotated[str, typer.Argument(help="Such as public-schools")],
    name: Annotated[str, typer.Option(help="As people say it")],
    kind: Annotated[OwnerKind, typer.Option()],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Make an owner of cameras known."""
    with _telling("owner add"):
        made = CameraOwner(owner_id=OwnerId(owner_id), agency=AGENCY, name=name, kind=kind)
        _send(node, token_file, (made,), (), {})
        typer.echo(f"{owner_id} is known. Somebody who speaks for it:", err=True)
        typer.echo(f"  farolito person invite NAME camera_owner --owner {owner_id}", err=True)


@app.command()
def discover(  # noqa: PLR0913 - one option each
    host: Annotated[str, typer.Argument(help="The camera's address; nothing else is looked for")],
    user: Annotated[str, typer.Option("--user", help="Its ONVIF user; its password is asked for")],
    port: Annotated[int, typer.Option()] = 80,
    tls: Annotated[bool, typer.Option("--tls", help="https")] = False,
    bearing: Annotated[float, typer.Option(help="Where it looks when it says 0")] = 0.0,
    network: Annotated[
        list[str] | None, typer.Option(help="A further network that may be asked, 127.0.0.0/8")
    ] = None,
    password_file: _PasswordFile = None,
    save_as: Annotated[str, typer.Option(help="Register it under this id")] = "",
    name: Annotated[str, typer.Option(help="With --save-as: as people say it")] = "",
    owner: Annotated[str, typer.Option(help="With --save-as: owner's id")] = "",
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Ask an ONVIF camera what it is, for its streams, and how wrong its clock is."""
    with _telling("discover"):
        from farolito.ingest.video.guard import Guard
        from farolito.ingest.video.onvif import device_url

        if save_as and not (name and owner):
            raise Invalid("a camera needs a name and an owner", "give --name and --owner")
        login = Login(user=user, word=_password(password_file))
        url = device_url(host, port, tls=tls)
        guard = Guard([_network(one) for one in network or ()])
        device, offered, clock = asyncio.run(_ask_camera(url, login, guard, bearing))
        _show_offered(device, offered, clock)
        if save_as:
            told = {
                "name": name, "owner": owner, "main_url": offered.main.url,
                "sub_url": offered.sub.url if offered.sub else "",
                "snapshot_url": offered.snapshot_url, "onvif_url": url,
                "bearing": str(bearing), "lens": f"{device.maker} {device.model}",
            }  # fmt: skip
            camera, _ = _camera_of(save_as, told)
            camera = msgspec.structs.replace(camera, ptz=offered.ptz)
            _send(node, token_file, (), [camera], {camera.camera_id: login})
            typer.echo(f"{save_as} is in the register: {camera.consent.value}.")


@app.command()
def remove(
    camera_ids: Annotated[list[str], typer.Argument(help="Ids of cameras")],
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Take cameras out of the register. What was watched and kept stays in the ledger."""
    with _telling("remove"):
        told = ask("POST", node, _PATH, token_file, {"remove": camera_ids})
        _show_told(_counts(told))


@app.command("list")
def list_(node: NodeUrl = URL, token_file: TokenFile = None) -> None:
    """The cameras of the running node."""
    with _telling("list"):
        told = ask("GET", node, _PATH, token_file)
        table = Table("id", "name", "owner", "consent", "state", "changed")
        for one in told.get("cameras", []):
            words = ("camera_id", "name", "owner", "consent", "state", "changed_at")
            table.add_row(*(str(one.get(word) or "") for word in words))
        Console().print(table)


@contextmanager
def _telling(command: str) -> Iterator[None]:
    """Errors as one sentence on stderr and exit 1."""
    try:
        yield
    except FarolitoError as error:
        text = f"farolito camera {command}: {error}"
        Console(stderr=True).print(text, style="red", markup=False, soft_wrap=True)
        raise typer.Exit(1) from error


def _read(  # noqa: PLR0913 - what both commands are told
    file: Path, mapping: str, format: str, owner: str, prefix: str, consent: Consent | None
) -> Register:
    from farolito.ingest.video.entry import About
    from farolito.ingest.video.lists import FORMATS
    from farolito.ingest.video.mapping import READY, load_mapping, ready_mapping
    from farolito.ingest.video.register import read_list, read_register

    about = About(
        agency=AGENCY,
        owner=OwnerId(owner) if owner else None,
        prefix=prefix,
        defaults={"consent": consent.value} if consent else {},
    )
    if bool(mapping) == bool(format):
        raise Invalid("nothing says how to read the file", "give --mapping or --format")
    data = _bytes(file)
    if format:
        if format not in FORMATS:
            raise Invalid(f"{format!r} is no format", f"use {', '.join(sorted(FORMATS))}")
        return read_list(format, data, about)
    is_ready = mapping in READY and not Path(mapping).exists()
    rules = ready_mapping(mapping) if is_ready else load_mapping(Path(mapping))
    return read_register(data, rules, about)


def _bytes(file: Path) -> bytes:
    from farolito.ingest.video.lists.json_text import FILE_BYTES_MAX

    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise Invalid(f"{file.name} is larger than {FILE_BYTES_MAX} bytes", "split it")
        return file.read_bytes()
    except OSError as error:
        raise Invalid(f"{file.name} cannot be read ({error.strerror})", "check its path") from None


def _camera_of(camera_id: str, told: Mapping[str, str]) -> tuple[Camera, Login | None]:
    from farolito.ingest.video.entry import About, RowFault, camera_of

    try:
        found = camera_of({"key": camera_id, **told}, About(agency=AGENCY))
    except RowFault as fault:
        raise Invalid(fault.says, f"see --{(fault.word or 'help').replace('_', '-')}") from None
    if found.camera.camera_id != camera_id:
        raise Invalid(f"camera id {camera_id!r}", "use lower case letters, digits, -")
    return found.camera, found.login


def _told(number: float | None) -> str:
    return "" if number is None else str(number)


def _password(file: Path | None) -> str:
    """From the file, the environment, or whoever sits there. Raises FarolitoError."""
    if file is not None:
        try:
            return file.read_text().splitlines()[0]
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise Invalid("the password file cannot be read", "check its path") from error
    if PASSWORD_ENV in os.environ:
        return os.environ[PASSWORD_ENV]
    return str(typer.prompt("Password of the camera", hide_input=True, default="", err=True))


def _network(text: str) -> Any:
    try:
        return ip_network(text)
    except ValueError:
        raise Invalid(f"{text!r} is no network", "write it as 10.20.0.0/16") from None


def _send(
    node: str,
    token_file: Path | None,
    owners: Sequence[CameraOwner],
    cameras: Sequence[Camera],
    logins: Mapping[Any, Login],
) -> Counter[str]:
    body = {"owners": owners, "cameras": cameras, "logins": logins, "remove": []}
    plain: Any = msgspec.to_builtins(body, str_keys=True)
    return _counts(ask("POST", node, _PATH, token_file, plain))


def _counts(told: Mapping[str, Any]) -> Counter[str]:
    """How many of what, out of the node's answer."""
    return Counter({word: n for word, n in told.items() if isinstance(n, int) and word != "permit"})


def _show(found: Register) -> None:
    console = Console()
    streams = Counter(c.main.protocol if c.main else "no picture" for c in found.cameras)
    counts = {
        "rows": found.rows,
        "cameras": len(found.cameras),
        "bad": found.bad_count,
        "out of service": len(found.out_of_service),
        "without a place": sum(c.place is None for c in found.cameras),
        "with a login": len(found.logins),
        **{f"by {protocol}": count for protocol, count in sorted(streams.items())},
    }
    for word, count in counts.items():
        console.print(f"{count:>9}  {word}", highlight=False)
    if found.bad:
        console.print("\nbad rows:")
    for row in found.bad[:BAD_ROWS_SHOWN_MAX]:
        where = f" ({row.word})" if row.word else ""
        text = f"  line {row.line}: {row.says}{where} [{row.reason}]"
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if found.bad_count > BAD_ROWS_SHOWN_MAX:
        console.print(f"  and {found.bad_count - BAD_ROWS_SHOWN_MAX} more")


def _show_told(told: Mapping[str, int]) -> None:
    kept = told.get("kept_consent", 0)
    words = ", ".join(
        f"{count} {word}" for word, count in told.items() if count and word != "kept_consent"
    )
    typer.echo(f"the node says: {words or 'nothing changed'}")
    if kept:
        typer.echo(f"{kept} keep the narrower consent that their owner gave.")


async def _ask_camera(
    url: str, login: Login, guard: Any, bearing: float
) -> tuple[Device, Offered, ClockError]:
    from farolito.ingest.video.onvif import OnvifCamera

    async with OnvifCamera(url, login, guard, lambda: datetime.now(UTC)) as camera:
        return await camera.device(), await camera.offered(bearing), await camera.clock()


def _show_offered(device: Device, offered: Offered, clock: ClockError) -> None:
    typer.echo(f"{device.maker} {device.model}, firmware {device.firmware}, {device.serial}")
    typer.echo(f"  main      {offered.main.url}")
    if offered.sub is not None:
        typer.echo(f"  sub       {offered.sub.url}")
    if offered.snapshot_url:
        typer.echo(f"  snapshot  {offered.snapshot_url}")
    typer.echo(f"  turns     {'yes' if offered.ptz else 'no'}")
    typer.echo(f"  clock     {clock.error_s:+.1f} s, ± {clock.bound_s:.1f} s, against ours")
