"""The practice metro around a node: its map, readers, lists and units, and the traffic itself.

The traffic is a process of its own that knows nothing of the node but its address and the
readers' keys, exactly as a city's devices would.
"""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from farolito.app import demo_cameras, demo_neighbours
from farolito.app.build import Node
from farolito.app.config import AgencyConfig, Config, Video
from farolito.app.config import Node as NodeConfig
from farolito.app.demo_tour import Tour
from farolito.app.list_desk import DEAD_AFTER_S, STALE_AFTER_S
from farolito.app.private_file import write_private
from farolito.app.rooms import MAP_NAME
from farolito.app.supervise import Child
from farolito.gate import Ask
from farolito.identity import CREW, PERSONAS, Persona, local_admin, person_for
from farolito.ingest.map import tiles
from farolito.model import Device, DeviceId, ListId, Purpose, Thing, Unit, UnitId
from farolito.simulator.cad_message import CAD
from farolito.simulator.metro import lat_lon
from farolito.simulator.run import AVL_KEY, Access, World, drive, make_world
from farolito.simulator.world import SimulatorConfig
from farolito.store import Records

AGENCY = "luminaria-pd"
ORI = "NM9990100"
LEAD = timedelta(seconds=8)  # for the processes of traffic and cameras to begin, on two cores


class Drive(msgspec.Struct, frozen=True, kw_only=True):
    """What the traffic's process is told, in a file that only this account can read."""

    url: str
    seed: int
    agency: str
    ori: str
    keys: Mapping[str, str]
    cad_secret: str  # what the dispatch system signs with
    personas: Mapping[str, str]  # unit → the name by which its phone signs in
    ears_around: tuple[float, float] | None  # the middle of the gunshot sensors
    homes: Mapping[str, str]  # the address of the node that a neighbour's device sends to
    start: datetime  # of the world: traffic and cameras live in the same one


def config(state: Path, port: int) -> Config:
    return Config(
        agency=AgencyConfig(
            id=AGENCY,
            name="Luminaria Police Department",
            ori=ORI,
        ),
        node=NodeConfig(name="practice metro", state_dir=str(state), port=port),
        video=Video(networks=demo_cameras.NETWORKS),
        federation=demo_neighbours.federation(state),
    )


def default_state() -> Path:
    from farolito.app.config import default_state as state

    return state() / "demo"


async def prepare(node: Node, seed: int) -> None:
    """Furnish the node once it is up, then let the traffic drive."""
    start = datetime.now(UTC)
    world = await asyncio.to_thread(
        make_world, SimulatorConfig(start=start, seed=seed, neighbours=True)
    )
    await _map(node, world)
    neighbours = await demo_neighbours.host(node, world)
    await demo_neighbours.join(node, neighbours)
    theirs, homes = await demo_neighbours.readers(neighbours, world)
    keys = {**await _devices(node, world), **theirs}
    await _sensors(node, world)
    await _lists(node, world)
    await _units(node, world)
    node.tour = Tour(node.agency, f"http://localhost:{node.config.node.port}", neighbours)
    told = await _traffic(node, seed, (keys, homes), world)
    await demo_cameras.furnish(node, world, _same_world(told))


async def _map(node: Node, world: World) -> None:
    folder = node.state / "maps"
    folder.mkdir(exist_ok=True)
    await asyncio.to_thread(tiles.build, world.street_map, folder / f"{MAP_NAME}.pmtiles")
    node.new_map()


async def _devices(node: Node, world: World) -> dict[str, str]:
    radio = Device(
        device_id=AVL_KEY,
        agency=node.agency.agency_id,
        kind="positions",
        name="Unit positions",
        format="farolito",
    )
    cad = Device(
        device_id=CAD,
        agency=node.agency.agency_id,
        kind="cad",
        name="Dispatch",
        format="cloudevents",
    )
    keys = {}
    on_their_land = (n.reader.device for n in world.neighbours if n.agency == AGENCY)
    for device in (*world.devices, *on_their_land, radio, cad):
        await node.identity.revoke_device_keys(device.device_id)
        keys[str(device.device_id)] = await node.register(device)
    return keys


async def _sensors(node: Node, world: World) -> None:
    """Gunshot sensors with the keys that they sign with."""
    ears = await asyncio.to_thread(lambda: world.ears)
    for ear in ears.ears if ears else ():
        await node.identity.register_sensor(ear.device, ear.public_key)
    await node.devices_changed()


async def _lists(node: Node, world: World) -> None:
    ask = Ask(
        person=local_admin(node.agency.agency_id),
        thing=Thing.HOT_LIST,
        purpose=Purpose.ADMINISTRATION,
        query="import the practice metro's lists",
    )
    for one in world.lists:
        await node.list_desk.import_list(
            ask,
            ListId(one.list_id),
            {
                "file": base64.b64encode(one.content).decode(),
                "mapping": one.mapping.decode(),
                "name": one.name,
                "folded": one.folded,
                "stale_after_s": STALE_AFTER_S,
                "dead_after_s": DEAD_AFTER_S,
                "shrunk": True,
            },
        )


async def _units(node: Node, world: World) -> None:
    agency = node.agency.agency_id
    officers = {p.unit: person_for(p, agency).person_id for p in _officers()}
    units = [Unit(unit_id=u, agency=agency, officer=officers.get(u)) for u in world.config.units]
    async with node.database.transaction(agency) as connection:
        await Records(connection, agency).units.hear(units)
    await node.positions.load()


def _officers() -> Sequence[Persona]:
    return [p for p in (*PERSONAS, *CREW) if p.unit is not None]


async def _traffic(
    node: Node, seed: int, doors: tuple[Mapping[str, str], Mapping[str, str]], world: World
) -> Drive:
    """`doors`: the key of each device, and the address of those that send to a neighbour."""
    keys, homes = doors
    told = node.state / "traffic.json"
    content = Drive(
        url=f"http://{node.config.node.host}:{node.config.node.port}",
        seed=seed,
        agency=node.agency.agency_id,
        ori=node.agency.ori,
        keys={device: key for device, key in keys.items() if device != CAD},
        cad_secret=keys[CAD],
        personas={str(p.unit): p.persona for p in CREW},
        ears_around=lat_lon(world.ears.centre) if world.ears else None,
        homes=homes,
        start=datetime.now(UTC) + LEAD,
    )
    write_private(told, msgspec.json.encode(content))
    started = node.state / "traffic.started"
    started.unlink(missing_ok=True)

    async def ready() -> bool:
        return started.exists()

    await node.supervisor.start(
        Child(
            name="traffic",
            argv=[sys.executable, "-m", "farolito", "simulate", str(told)],
            directory=node.state,
            ready=ready,
            log_file=node.state / "log" / "traffic.log",
        )
    )
    return content


def _same_world(told: Drive) -> SimulatorConfig:
    return SimulatorConfig(
        start=told.start,
        seed=told.seed,
        ori=told.ori,
        ears_around=told.ears_around,
        neighbours=True,
    )


async def traffic(told: Path, stop: asyncio.Event) -> None:
    """The traffic's own process."""
    content = _begun(told)
    access = Access(
        keys={DeviceId(device): key for device, key in content.keys.items()},
        cad_secret=content.cad_secret,
        personas={UnitId(unit): persona for unit, persona in content.personas.items()},
        sensors=content.ears_around is not None,
        homes={DeviceId(device): url for device, url in content.homes.items()},
    )
    await drive(_same_world(content), content.url, access, stop, told.parent / "truth.jsonl")


def _begun(told: Path) -> Drive:
    """What to drive; from here on the node knows that this process is up."""
    content = msgspec.json.decode(told.read_bytes(), type=Drive)
    (told.parent / "traffic.started").touch()
    return content
