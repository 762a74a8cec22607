"""The practice metro's neighbours: the sheriff's and the pueblo's nodes, hosted beside the city's.

Each is a whole node of its own, with its own database, bus, keys and ledger, that is told what its
administrator would tell it, over its own HTTP door. They are joined, and nothing is shared yet.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from farolito.app.build import Node
from farolito.app.hosting import Hosted, Hosting, NewHosted, name_of
from farolito.model import AgencyId, Device, FarolitoError, Government
from farolito.simulator.neighbours import PUEBLO, SHERIFF, pueblo_land
from farolito.simulator.world import World

log = logging.getLogger(__name__)

COMMAND = ("demo-neighbour",)
CONFIRM_S_MAX = 20.0  # until a partner's word of its confirmation is here


class Neighbour(msgspec.Struct, frozen=True):
    agency_id: AgencyId
    name: str
    ori: str
    government: Government
    contact: str


NEIGHBOURS = (
    Neighbour(
        SHERIFF, "Cuesta County Sheriff", "NM9990200", "county", "watch commander, 505 555 0142"
    ),
    Neighbour(
        PUEBLO, "Pueblo of Agua Serena Police", "NM9990300", "tribal", "police desk, 505 555 0177"
    ),
)


class Neighbouring(msgspec.Struct, frozen=True):
    """A hosted node as its own administrator reaches it."""

    told: Neighbour
    hosted: Hosted

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.hosted.port}"

    async def admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask its node as the local administrator. Raises FarolitoError with its own words."""
        token = (self.hosted.folder / "state" / "admin.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=self.url, timeout=30.0, trust_env=False) as http:
            answer = await http.request(method, path, json=body, headers=headers)
        said = answer.json()
        if answer.is_error:
            raise FarolitoError(f"{self.told.name}: {said.get('says')}", said.get("do", ""))
        return dict(said)


async def host(node: Node, world: World, ports: Sequence[int] = ()) -> list[Neighbouring]:
    """Make their folders at the first start, and run them. `ports`: 0 or none takes free ones."""
    hosting = Hosting(node.state, node.supervisor, COMMAND)
    made = []
    for number, told in enumerate(NEIGHBOURS):
        hosted = next((h for h in hosting.hosted() if h.agency_id == told.agency_id), None)
        if hosted is None or not _is_free(hosted.port):
            if hosted is not None:
                shutil.rmtree(hosted.folder)
            hosted = _make(hosting, node, told, ports[number] if number < len(ports) else 0, world)
        _share_map(node.state, hosted.folder / "state")
        made.append(Neighbouring(told, hosted))
    await asyncio.gather(*(hosting.start(one.hosted) for one in made))
    return made


async def readers(
    neighbours: Sequence[Neighbouring], world: World
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Register each neighbour's readers at its own node: keys, and which node each sends to."""
    keys, homes = {}, {}
    by_agency = {one.told.agency_id: one for one in neighbours}
    for one in world.neighbours:
        owner = by_agency.get(one.agency)
        if owner is None:
            continue  # the city's own
        body = _device(one.reader.device)
        answer = await owner.admin("POST", "/api/admin/devices", body)
        keys[str(one.reader.device.device_id)] = str(answer["key"])
        homes[str(one.reader.device.device_id)] = owner.url
    return keys, homes


def _device(device: Device) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(device)
    told.pop("agency")
    return {**told, "agency": device.agency}


def _make(hosting: Hosting, node: Node, told: Neighbour, port: int, world: World) -> Hosted:
    hosted = hosting.make(
        NewHosted(
            agency_id=told.agency_id,
            name=told.name,
            ori=told.ori,
            government=told.government,
            law=node.agency.law,
            port=port or _free_port(),
        )
    )
    lines = ["", "[federation]", f'contact = "{told.name}, {told.contact}"']
    if told.agency_id == SHERIFF:  # of two partners one must listen: the sheriff for the pueblo
        listening = _free_port()
        lines += [f"port = {listening}", 'host = "127.0.0.1"', f'address = "127.0.0.1:{listening}"']
    if told.agency_id == PUEBLO:
        land = hosted.folder / "land.geojson"
        land.write_bytes(msgspec.json.encode(_geojson(world)))
        classes = ", ".join(f'"{one}"' for one in ("plate_read", "alert", "shot"))
        lines += [f'land = "{land}"', f"consent_classes = [{classes}]"]
    lines += ["", "[video]", "sweep_minutes = 0.0", ""]
    with hosted.file.open("a") as file:
        file.write("\n".join(lines))
    return hosted


def _geojson(world: World) -> dict[str, Any]:
    ring = [[lon, lat] for lat, lon in pueblo_land(world.street_map)]
    feature = {
        "type": "Feature",
        "properties": {"name": "Pueblo of Agua Serena"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    return {"type": "FeatureCollection", "features": [feature]}


def _share_map(here: Path, there: Path) -> None:
    """The same streets: a practice map is drawn once."""
    folder = there / "maps"
    folder.mkdir(parents=True, exist_ok=True)
    there.chmod(0o711)
    for file in (here / "maps").iterdir():
        if not (folder / file.name).exists():
            shutil.copyfile(file, folder / file.name)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


__all__ = ["NEIGHBOURS", "Neighbouring", "host", "name_of", "readers"]
