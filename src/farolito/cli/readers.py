"""`farolito reader add`: make a plate reader, or another device, known and get its key."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import AgencyId, Device, DeviceId, FarolitoError, Point


class Kind(StrEnum):
    PLATE_READER = "plate_reader"
    POSITIONS = "positions"
    CAD = "cad"
    GUNSHOT_SENSOR = "gunshot_sensor"


_DOORS = {
    Kind.PLATE_READER: "lpr", Kind.POSITIONS: "avl", Kind.CAD: "cad", Kind.GUNSHOT_SENSOR: "gunshot"
}  # fmt: skip
app = typer.Typer(no_args_is_help=True, help="Plate readers and other devices.")


@app.callback()
def _reader() -> None:
    """Plate readers and other devices."""


@app.command("add")
def add(  # noqa: PLR0913 - one option each
    device_id: str,
    format: Annotated[str, typer.Option(help="The wire format: hikvision, openalpr, farolito …")],
    name: Annotated[str, typer.Option(help="As people say it: 'Central @ 4th, eastbound'")],
    lat: Annotated[float | None, typer.Option()] = None,
    lon: Annotated[float | None, typer.Option()] = None,
    heading: Annotated[float | None, typer.Option(help="Degrees from north")] = None,
    zone: Annotated[str, typer.Option(help="IANA zone of times sent without one")] = "UTC",
    recording: Annotated[bool, typer.Option(help="For `farolito replay` only")] = False,
    kind: Annotated[Kind, typer.Option(help="What it is")] = Kind.PLATE_READER,
    public_key: Annotated[
        str, typer.Option(help="Of a gunshot sensor: Ed25519 in base64, or a file with it or PEM")
    ] = "",
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Register a device. Its key is shown this once."""
    key = register(
        Device(
            device_id=DeviceId(device_id),
            agency=AgencyId("own"),
            kind=kind.value,
            name=name,
            format=format,
            place=Point(lat, lon) if lat is not None and lon is not None else None,
            heading_deg=heading,
            zone=zone,
            is_recording=recording,
        ),
        node,
        token_file,
        _read(public_key),
    )
    door = f"{node}/ingest/{_DOORS[kind]}/{format}"
    if public_key:
        typer.echo(f"{device_id} is known. It signs what it sends to", err=True)
        typer.echo(f"  {door}\nas docs/sensor-protocol.md describes.", err=True)
        return
    typer.echo(key)
    if kind is Kind.CAD and format == "cloudevents":
        typer.echo("\nSign with this secret (Standard Webhooks) and send to", err=True)
        typer.echo(f"  {door}?device={device_id}\nIt is not shown again.", err=True)
        return
    typer.echo(f"\nSend to {door} with the header", err=True)
    typer.echo(f"  Authorization: Bearer {key}\nThis key is not shown again.", err=True)


def register(device: Device, node: str, token_file: Path | None, public_key: str = "") -> str:
    """The new key of a device of the node's own agency; empty for one that signs."""
    body: Any = msgspec.to_builtins(device) | {"public_key": public_key}
    return str(ask("POST", node, "/api/admin/devices", token_file, body)["key"])


def _read(public_key: str) -> str:
    """The text of a key, where a file is named. Raises FarolitoError."""
    try:
        is_file = bool(public_key) and Path(public_key).is_file()
        return Path(public_key).read_text().strip() if is_file else public_key
    except (OSError, ValueError) as error:
        do = "name a file with the public key, or give it in base64"
        raise FarolitoError("the public key cannot be read", do) from error
