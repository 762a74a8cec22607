"""What a node listens to besides its HTTP doors: dispatch, where units are, brokers of plates."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from farolito.app.config import Config
from farolito.app.positions import Positions
from farolito.app.secrets import Secrets
from farolito.app.watch import Watch
from farolito.desk import Dispatch
from farolito.identity import Identity
from farolito.ingest.avl.gps import GpsServer
from farolito.ingest.avl.gtfs import GtfsSource
from farolito.ingest.avl.heard import Origin, Tell
from farolito.ingest.avl.mqtt import MqttSource as PositionsMqtt
from farolito.ingest.cad.conveyance import Conveyance
from farolito.ingest.cad.door import CadDoor
from farolito.ingest.cad.folder import Folder
from farolito.ingest.cad.heartbeat import STALE_AFTER_S, Heartbeats
from farolito.ingest.cad.mapping import load_mapping
from farolito.ingest.cad.schema import EidoSchema
from farolito.ingest.cad.sources import CadConveyance, CadFolder
from farolito.ingest.door import Door
from farolito.ingest.lpr import mqtt as lpr_mqtt
from farolito.ingest.run import CALLS_BACK_OFF_S, keep_listening, keep_running
from farolito.ingest.signature import Signer
from farolito.model import AgencyId, CallUpdate, Device, DeviceId, FarolitoError, Rejected
from farolito.store.database import AWAY

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[Any]]


class Rooms(NamedTuple):
    """What takes in what comes."""

    dispatch: Dispatch
    identity: Identity
    positions: Positions
    watch: Watch


class _WatchedFolder:
    """One folder, made once its device is registered, and then the same for good: it remembers
    which files it has dealt with."""

    def __init__(self, config: CadFolder, make: Callable[[CadFolder], Awaitable[Folder]]) -> None:
        self.name = config.device
        self._config = config
        self._make = make
        self._folder: Folder | None = None

    async def __call__(self) -> None:
        if self._folder is None:
            self._folder = await self._make(self._config)
        await self._folder.run()


class Incoming:
    """`door` is the HTTP door of calls; `work` what must run for the rest to come in."""

    def __init__(
        self, config: Config, rooms: Rooms, state: Path, clock: Callable[[], datetime]
    ) -> None:
        self._config = config
        self._rooms = rooms
        self._clock = clock
        self._agency = AgencyId(config.agency.id)
        self.secrets = Secrets(state / "keys")
        self.heartbeats = Heartbeats()
        self.door = CadDoor(
            self.take,
            rooms.watch,
            away=AWAY,
            alive=self.heartbeats.beat,
            signer_for=self.signer_for,
            schema=EidoSchema(Path(config.cad.eido_schema)) if config.cad.eido_schema else None,
        )
        # A wrong mapping is told at the start, in words, not found out by a call that is missing.
        self._mappings = {c.device: load_mapping(Path(c.mapping)) for c in config.cad_folder}
        self._folders = [_WatchedFolder(c, self._folder) for c in config.cad_folder]
        for device, stale_after_s in (
            *((c.device, c.stale_after_s) for c in config.cad_webhook),
            *((c.device, c.stale_after_s) for c in config.cad_folder),
            *((c.device, c.stale_after_s) for c in config.cad_conveyance),
        ):
            if stale_after_s:
                self.heartbeats.expect(device, stale_after_s, clock())

    async def expect_signers(self) -> None:
        """Dispatch systems with a secret that we made are expected to show themselves as well,
        whether the configuration names them or not."""
        for device in await self._rooms.identity.devices():
            if device.kind == "cad" and self.secrets.of(device.device_id) is not None:
                self._expect(device.device_id)

    def new_secret(self, device_id: DeviceId) -> str:
        """What a dispatch system signs with from now on; it is expected to do so."""
        secret = self.secrets.make(device_id)
        self._expect(device_id)
        return secret

    def _expect(self, device_id: DeviceId) -> None:
        if device_id not in {hook.device for hook in self._config.cad_webhook}:
            self.heartbeats.expect(device_id, STALE_AFTER_S, self._clock())

    async def take(self, device: Device, updates: Sequence[CallUpdate], mark: str) -> bool:
        """Calls, durable when this returns; False where this message was taken in before."""
        return await self._rooms.dispatch.hear(updates, (device.device_id, mark))

    def work(self, door: Door) -> Mapping[str, Work]:
        """By name, each supervised: it is begun again when its source comes back."""
        config = self._config
        runs: dict[str, Work] = {}
        for gps in config.gps:
            name = f"{gps.protocol} {gps.transport} {gps.port}"
            origin = Origin(self._agency, gps.protocol)
            hear, tell = self._rooms.positions.hear, self.tell(gps.protocol)
            runs[name] = GpsServer(gps, origin, hear, tell, self._clock).run
        for feed in config.gtfs:
            origin = Origin(self._agency, f"gtfs {feed.name}")
            hear, tell = self._rooms.positions.hear, self.tell("gtfs")
            runs[f"gtfs {feed.name}"] = GtfsSource(feed, origin, hear, tell, self._clock).run
        for broker in config.positions_mqtt:
            origin = Origin(self._agency, f"mqtt {broker.name}")
            hear, tell = self._rooms.positions.hear, self.tell("mqtt")
            runs[f"positions {broker.name}"] = PositionsMqtt(
                broker, origin, hear, tell, self._clock
            ).run
        supervised = {name: partial(keep_running, name, run) for name, run in runs.items()}
        calls: dict[str, Work] = {f"cad folder {one.name}": one for one in self._folders}
        for talk in config.cad_conveyance:
            calls[f"cad {talk.device}"] = partial(self._converse, talk)
        for name, run in calls.items():
            supervised[name] = partial(keep_running, name, run, CALLS_BACK_OFF_S)
        for mqtt in config.mqtt:
            source = lpr_mqtt.MqttSource(
                host=mqtt.host,
                port=mqtt.port,
                topics=mqtt.topics,
                client_id=f"farolito-{self._agency}-{mqtt.device}",
            )
            hand_in = partial(self._plate_event, door, DeviceId(mqtt.device))
            supervised[f"mqtt {mqtt.host}"] = partial(keep_listening, source, hand_in)
        return supervised

    async def _plate_event(self, door: Door, device_id: DeviceId, body: bytes) -> None:
        """A broker's message of a plate reader; one that could not be kept is delivered again."""
        device = await self._device(device_id)
        status, _ = await door.take(device, device.format, "application/json", body, self._clock())
        if status == 503:
            raise Rejected("bus_down", "the bus is away", "it is delivered again", 503)

    def tell(self, format_: str) -> Tell:
        """Where a source without a device of its own says what it did not take in."""

        def not_taken(why: Rejected, body: bytes) -> None:
            self._rooms.watch.rejected(None, format_, why, body, self._clock())

        return not_taken

    async def _folder(self, config: CadFolder) -> Folder:
        return Folder(
            config,
            self._mappings[config.device],
            await self._device(DeviceId(config.device)),
            self.take,
            self._rooms.watch,
            alive=self.heartbeats.beat,
            clock=self._clock,
        )

    async def _converse(self, config: CadConveyance) -> None:
        await Conveyance(
            config,
            await self._device(DeviceId(config.device)),
            self.take,
            self._rooms.watch,
            away=AWAY,
            alive=self.heartbeats.beat,
            clock=self._clock,
        ).run()

    async def _device(self, device_id: DeviceId) -> Device:
        for device in await self._rooms.identity.devices():
            if device.device_id == device_id:
                return device
        raise FarolitoError(
            f"the device {device_id} is not registered", f"farolito reader add {device_id} …"
        )

    async def signer_for(self, device_id: DeviceId) -> Signer | None:
        """What a dispatch system, or a gunshot vendor, signs with."""
        configured = {hook.device: hook.secret_file for hook in self._config.cad_webhook}
        configured |= {
            v.device: v.secret_file for v in self._config.gunshot_vendor if v.secret_file
        }
        secret = self.secrets.of(device_id)
        if device_id in configured:
            secret = await asyncio.to_thread(_secret_in, Path(configured[device_id]))
        if secret is None:
            return None
        try:
            return Signer(await self._device(device_id), secret)
        except FarolitoError:
            return None


def _secret_in(file: Path) -> str | None:
    """None where the file cannot be read: the message is then refused, and the log says why."""
    try:
        return file.read_text().strip()
    except OSError as why:
        log.error("the secret of a dispatch system cannot be read: %s", why.strerror)
        return None
