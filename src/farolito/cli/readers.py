"""`farolito reader add`: make a plate reader known and get its key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from farolito.cli.node_client import URL, NodeUrl, TokenFile, ask
from farolito.model import AgencyId, Device, DeviceId, Point

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
    node: NodeUrl = URL,
    token_file: TokenFile = None,
) -> None:
    """Register a device. Its key is shown this once."""
    key = register(
        Device(
            device_id=DeviceId(device_id),
            agency=AgencyId("own"),
            kind="plate_reader",
            name=name,
            format=format,
            place=Point(lat, lon) if lat is not None and lon is not None else None,
            heading_deg=heading,
            zone=zone,
            is_recording=recording,
        ),
        node,
        token_file,
    )
    typer.echo(f"{key}\n\nSend to {node}/ingest/lpr/{format} with the header")
    typer.echo(f"  Authorization: Bearer {key}\nThis key is not shown again.", err=True)


def register(device: Device, node: str, token_file: Path | None) -> str:
    """The new key of a device of the node's own agency."""
    body: Any = msgspec.to_builtins(device)
    return str(ask("POST", node, "/api/admin/devices", token_file, body)["key"])
