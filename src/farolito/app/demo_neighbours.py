"""The practice metro's neighbours: the sheriff's and the pueblo's nodes, hosted beside the city's.

Each is a whole node of its own, with its own database, bus, keys and ledger, that is told what its
administrator would tell it, over its own HTTP door. They are joined, and nothing is shared yet.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from farolito.app.build import Node
from farolito.app.config import Federation
from farolito.app.hosting import Hosted, Hosting, NewHosted
from farolito.gate import Ask
from farolito.identity import fingerprint, local_admin
from farolito.model import AgencyId, Device, FarolitoError, Government, Purpose, Thing
from farolito.simulator.neighbours import PUEBLO, SHERIFF, pueblo_land
from farolito.simulator.world import World

COMMAND = ("demo-neighbour",)


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
        if hosted is not None and not _is_free(hosted.port):
            raise FarolitoError(
                f"port {hosted.port} of {told.name} is taken",
                "stop what has it, or start the demo with another --state",
            )
        if hosted is None:
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


async def join(node: Node, neighbours: Sequence[Neighbouring]) -> None:
    """Each with each, as administrators would: a code, and both compare the fingerprints. Those
    that joined at an earlier start find each other by themselves."""
    for one in neighbours:
        if one.told.agency_id not in node.federation.book.partners():
            code = await _invited(node)
            joined = await one.admin("POST", "/api/admin/partners/join", {"code": code})
            await _confirm(one, joined["partner"])
            known = node.federation.book.partners()[one.told.agency_id]
            ask = _ask(node, f"confirm {one.told.agency_id}")
            said = fingerprint(known.card.key)
            await node.federation.book.confirm(ask, one.told.agency_id, said)
    sheriff, pueblo = neighbours
    told = await sheriff.admin("GET", "/api/admin/partners")
    if not any(one["agency_id"] == PUEBLO for one in told["partners"]):
        invited = await sheriff.admin(
            "POST", "/api/admin/partners/invite", {"address": sheriff.url}
        )
        joined = await pueblo.admin("POST", "/api/admin/partners/join", {"code": invited["code"]})
        await _confirm(pueblo, joined["partner"])
        told = await sheriff.admin("GET", "/api/admin/partners")
        await _confirm(sheriff, next(p for p in told["partners"] if p["agency_id"] == PUEBLO))


async def _invited(node: Node) -> str:
    address = f"http://127.0.0.1:{node.config.node.port}"
    ask = _ask(node, "invite a neighbour")
    code, _ = (await node.federation.partners.joining.invite(ask, address)).value
    return code


def _ask(node: Node, query: str) -> Ask:
    return Ask(
        person=local_admin(node.agency.agency_id),
        thing=Thing.PARTNER,
        purpose=Purpose.ADMINISTRATION,
        query=query,
    )


async def _confirm(at: Neighbouring, partner: Mapping[str, Any]) -> None:
    path = f"/api/admin/partners/{partner['agency_id']}/confirm"
    await at.admin("POST", path, {"fingerprint": partner["fingerprint"]})


def federation(state: Path) -> Federation:
    """Where the neighbours' nodes connect to the city's: the same port at every start."""
    state.mkdir(parents=True, exist_ok=True)
    kept = state / "federation-port"
    if not kept.exists():
        kept.write_text(str(_free_port()))
    port = int(kept.read_text())
    return Federation(
        port=port,
        host="127.0.0.1",
        address=f"127.0.0.1:{port}",
        contact="Luminaria Police, real time crime center, 505 555 0100",
    )


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
