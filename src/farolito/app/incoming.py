"""What a node listens to besides plate readers: dispatch systems, and where units are."""

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
from farolito.ingest.cad.heartbeat import Heartbeats
from farolito.ingest.cad.mapping import load_mapping
from farolito.ingest.cad.schema import EidoSchema
from farolito.ingest.cad.signature import Signer
from farolito.ingest.run import keep_running
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
            signer_for=self._signer_for,
            schema=EidoSchema(Path(config.cad.eido_schema)) if config.cad.eido_schema else None,
        )
        for device, stale_after_s in (
            *((c.device, c.stale_after_s) for c in config.cad_webhook),
            *((c.device, c.stale_after_s) for c in config.cad_folder),
            *((c.device, c.stale_after_s) for c in config.cad_conveyance),
        ):
            if stale_after_s:
                self.heartbeats.expect(device, stale_after_s, clock())

    async def take(self, device: Device, updates: Sequence[CallUpdate], mark: str) -> bool:
        """Calls, durable when this returns; False where this message was taken in before."""
        return await self._rooms.dispatch.hear(updates, (device.device_id, mark))

    def work(self) -> Mapping[str, Work]:
        """By name, each supervised: it is begun again when its source comes back."""
        config = self._config
        runs: dict[str, Work] = {
            **{f"cad folder {c.device}": partial(self._watch_folder, c) for c in config.cad_folder},
            **{f"cad {c.device}": partial(self._converse, c) for c in config.cad_conveyance},
        }
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
        return {name: partial(keep_running, name, run) for name, run in runs.items()}

    def tell(self, format_: str) -> Tell:
        """Where a source without a device of its own says what it did not take in."""

        def not_taken(why: Rejected, body: bytes) -> None:
            self._rooms.watch.rejected(None, format_, why, body, self._clock())

        return not_taken

    async def _watch_folder(self, config: Any) -> None:
        device = await self._device(DeviceId(config.device))
        mapping = load_mapping(Path(config.mapping))
        await Folder(
            config,
            mapping,
            device,
            self.take,
            self._rooms.watch,
            alive=self.heartbeats.beat,
            clock=self._clock,
        ).run()

    async def _converse(self, config: Any) -> None:
        device = await self._device(DeviceId(config.device))
        await Conveyance(
            config,
            device,
            self.take,
            self._rooms.watch,
            alive=self.heartbeats.beat,
            clock=self._clock,
        ).run()

    async def _device(self, device_id: DeviceId) -> Device:
        for device in await self._rooms.identity.devices():
            if device.device_id == device_id:
                return device
        raise FarolitoError(
            f"the device {device_id} is not registered",
            f"farolito reader add {device_id} --kind cad",
        )

    async def _signer_for(self, device_id: DeviceId) -> Signer | None:
        configured = {hook.device: hook.secret_file for hook in self._config.cad_webhook}
        if device_id in configured:
            file = Path(configured[device_id])
            secret: str | None = (await asyncio.to_thread(file.read_text)).strip()
        else:
            secret = self.secrets.of(device_id)
        if secret is None:
            return None
        try:
            return Signer(await self._device(device_id), secret)
        except FarolitoError:
            return None
