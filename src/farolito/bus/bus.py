"""The node's connection to the bus, and what each of its lanes carries.

Sums: 10 M reads a day are 116/s; a burst of 50,000 reads/s in messages of 100 is 500 messages/s
of about 25 kB. With `sync_interval: always` the server takes 0.8–2 k awaited messages/s, so reads
travel in batches and single ones are gathered by the door. 100 gunshot sensors send a message
each second at most, of 200 bytes a pulse; a clip of 2 s is 48 kB.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import msgspec
import nats
import nats.errors
from nats.aio.client import Client

from farolito.bus.lane import Lane, Stream
from farolito.model import AgencyId, Impulse, PlateRead, SensorReport, SoundClip


class ReadBatch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Reads of one hand-in and the pictures they name, by SHA-256."""

    reads: tuple[PlateRead, ...]
    pictures: Mapping[str, bytes] = {}


class SoundBatch(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What gunshot sensors told in one message, and the WAV bytes of its clips by SHA-256.

    `name`: of the sender's own message, so that it is stored once however often it is handed in.
    """

    name: str
    impulses: tuple[Impulse, ...] = ()
    reports: tuple[SensorReport, ...] = ()
    clips: tuple[SoundClip, ...] = ()
    sounds: Mapping[str, bytes] = {}


def _name_of_reads(batch: ReadBatch) -> str:
    return blake2b(b"".join(r.read_id.bytes for r in batch.reads), digest_size=16).hexdigest()


READS = Stream(
    name="READS",
    subject="reads",
    bytes_max=8 * 2**30,
    kind=ReadBatch,
    name_of=_name_of_reads,
)
SOUND = Stream(
    name="SOUND",
    subject="sound",
    bytes_max=2**30,
    kind=SoundBatch,
    name_of=lambda batch: batch.name,
)


class Bus:
    """Each lane publishes durably, and is read in order from any place in its stream."""

    def __init__(self, client: Client, agency: AgencyId) -> None:
        self._client = client
        self.reads = Lane(client, agency, READS)
        self.sound = Lane(client, agency, SOUND)

    @classmethod
    async def connect(cls, url: str, credentials: Path, agency: AgencyId) -> Bus:
        """Connect and make the streams where there are none. Reconnects for ever by itself."""
        client = await nats.connect(
            url,
            user_credentials=str(credentials),
            name="farolito-node",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.2,
            pending_size=64 * 2**20,
            error_cb=_quiet,
        )
        bus = cls(client, agency)
        await bus.reads.make()
        await bus.sound.make()
        return bus

    async def close(self) -> None:
        with suppress(nats.errors.Error):
            await self._client.close()

    @property
    def is_connected(self) -> bool:
        return bool(self._client.is_connected)


async def _quiet(error: Exception) -> None:
    """Connection trouble shows on the health page, from `is_connected`, not a line each."""
