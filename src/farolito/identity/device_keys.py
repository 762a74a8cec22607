"""Keys that devices show at the door: a random token once, its hash for ever.

Cost: a known key is one SHA-256 and one dictionary look-up (about 2 µs), so a hundred thousand
messages a second cost a fifth of a core. The database is asked once in KEY_BELIEVED_FOR for a
key in use, and once for each unknown one. Keys are only ever compared by their SHA-256, so the
time that takes tells nothing about the key.
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from farolito.model import AgencyId, Device, DeviceId
from farolito.store import Database
from farolito.store.devices import Devices

PREFIX = "fk_"
KEY_BYTES = 32
KEY_CHARACTERS = len(PREFIX) + 43
# A key that another process revoked is refused within this time; one revoked here, at once.
KEY_BELIEVED_FOR = timedelta(seconds=10)
KEYS_BELIEVED_MAX = 50_000  # past it the longest believed is asked for again
LOOK_UPS_MAX = 4  # unknown keys in the database at once; the rest wait, and connections stay free


class _Believed(msgspec.Struct, frozen=True):
    device: Device
    until: datetime


class DeviceKeys:
    def __init__(
        self,
        db: Database,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        self._db = db
        self._clock = clock
        self._random = random
        self._believed: dict[bytes, _Believed] = {}
        self._changes = 0
        self._look_ups = asyncio.Semaphore(LOOK_UPS_MAX)

    async def issue(self, device: Device) -> str:
        """Register the device (or rewrite it) and give it a key. Shown once: keep it now.

        Its older keys stay in force until `revoke`, so that a key can be changed without a gap.
        """
        key = PREFIX + urlsafe_b64encode(self._random(KEY_BYTES)).rstrip(b"=").decode()
        async with self._db.system() as connection:
            devices = Devices(connection)
            await devices.keep(device)
            await devices.add_key(_hash(key), device.agency, device.device_id, self._clock())
        self._forget(device.agency, device.device_id)
        return key

    async def register(self, device: Device) -> None:
        async with self._db.system() as connection:
            await Devices(connection).keep(device)
        self._forget(device.agency, device.device_id)

    async def device_for_key(self, key: str) -> Device | None:
        """Whose key this is; None for a key that is unknown, revoked, or no key at all."""
        if len(key) != KEY_CHARACTERS or not key.startswith(PREFIX) or not key.isascii():
            return None
        key_hash, now = _hash(key), self._clock()
        believed = self._believed.get(key_hash)
        if believed and now < believed.until:
            return believed.device
        changes = self._changes
        async with self._look_ups:
            device = await Devices(self._db.pool).of_key(key_hash)
        self._believed.pop(key_hash, None)
        # What was looked up before a revocation must not be believed after it.
        if device is not None and changes == self._changes:
            if len(self._believed) >= KEYS_BELIEVED_MAX:
                del self._believed[next(iter(self._believed))]
            self._believed[key_hash] = _Believed(device, now + KEY_BELIEVED_FOR)
        return device

    async def revoke(self, agency: AgencyId, device_id: DeviceId) -> int:
        """End all keys of a device now. Returns how many there were."""
        async with self._db.system() as connection:
            ended = await Devices(connection).revoke(agency, device_id, self._clock())
        self._forget(agency, device_id)
        return ended

    async def remove(self, agency: AgencyId, device_id: DeviceId) -> bool:
        async with self._db.system() as connection:
            was_there = await Devices(connection).remove(agency, device_id, self._clock())
        self._forget(agency, device_id)
        return was_there

    async def devices(self, agency: AgencyId) -> list[Device]:
        return await Devices(self._db.pool).all(agency)

    def _forget(self, agency: AgencyId, device_id: DeviceId) -> None:
        self._changes += 1
        self._believed = {
            h: b
            for h, b in self._believed.items()
            if (b.device.agency, b.device.device_id) != (agency, device_id)
        }


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()
