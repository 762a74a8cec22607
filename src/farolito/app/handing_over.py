"""Records that our sensors made on a nation's land: out of our pipeline, into its outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from farolito.app.listening import CLIP_FITS
from farolito.bus import Delivery, ReadBatch
from farolito.federation.land import LandBook
from farolito.federation.sharing_words import HandedRead, HandedShot
from farolito.gate import Gate, Records, system_ask
from farolito.model import AgencyId, Person, PlateRead, ShareClass, Shot, SoundClip, Thing
from farolito.model.ids import digest_id
from farolito.model.shared import Waiting
from farolito.store import sharing

PICTURES_BYTES_MAX = 5_000_000  # of one read, the plate's first: what is more fits no message
SOUND_WITHIN = timedelta(minutes=10)  # after a shot its sensors have sent what was asked for

_encode = msgspec.json.Encoder().encode
_decode_shot = msgspec.json.Decoder(HandedShot).decode


class HandingOver:
    """`handed` is called with the nation for which something new is durable; `want_sound` with a
    shot and its track, whose sensors are to send what they recorded."""

    def __init__(
        self,
        land: LandBook,
        gate: Gate,
        system: Person,
        clock: Callable[[], datetime],
        handed: Callable[[AgencyId], None] = lambda _: None,
    ) -> None:
        self._land = land
        self._gate = gate
        self._system = system
        self._clock = clock
        self.handed = handed
        self.want_sound: Callable[[Shot, str], None] = lambda *_: None
        self.reads = 0
        self.shots = 0

    def sort(self, deliveries: Sequence[Delivery[ReadBatch]]) -> tuple[Handed, frozenset[UUID]]:
        """Which reads go to which nation, with their pictures, and which of them are not ours to
        keep, match or show."""
        handed: dict[AgencyId, dict[UUID, HandedRead]] = {}
        withheld: set[UUID] = set()
        for delivery in deliveries:
            for read in delivery.batch.reads:
                belongs = self._land.belongs(read.place, ShareClass.PLATE_READ)
                if belongs is None:
                    continue
                of_nation = handed.setdefault(belongs.nation, {})
                of_nation[read.read_id] = _with_pictures(read, delivery.batch.pictures)
                if not belongs.may_have:
                    withheld.add(read.read_id)
        return handed, frozenset(withheld)

    async def record(self, connection: Any, handed: Handed, fresh: Iterable[PlateRead]) -> None:
        """In the transaction that moves the pipeline's position past them: none is lost."""
        new = {read.read_id for read in fresh}
        for nation, of_nation in handed.items():
            rows = [
                Waiting(0, ShareClass.PLATE_READ, read_id, 1, _encode(one))
                for read_id, one in of_nation.items()
                if read_id in new
            ]
            await sharing.hand_over(connection, self._gate.owner, nation, rows, self._clock())
            self.reads += len(rows)

    def durable(self, handed: Handed) -> None:
        for nation in handed:
            self.handed(nation)

    async def shot(self, shot: Shot, track: str) -> bool:
        """Hand a located shot over where it belongs to a nation; whether it is not ours to keep."""
        belongs = self._land.belongs(shot.place, ShareClass.SHOT)
        if belongs is None:
            return False
        item = digest_id(0, "shot", self._gate.owner, track)
        body = _encode(HandedShot(shot, track))
        row = Waiting(0, ShareClass.SHOT, item, shot.revision, body)
        now = self._clock()

        async def work(records: Records, permit: int) -> None:
            await records.sharing.hand_over(belongs.nation, [row], now)
            await records.sharing.keep_handed(belongs.nation, item, body, shot.discharged_at)
            await records.sharing.forget_handed(now - SOUND_WITHIN)

        query = f"shot {track} revision {shot.revision} is made on the land of {belongs.nation}"
        await self._gate.act(system_ask(self._system, Thing.SHARED, query), work)
        self.shots += 1
        self.handed(belongs.nation)
        self.want_sound(shot, track)
        return not belongs.may_have

    async def sound(self, clip: SoundClip, sound: bytes) -> None:
        """A recording of a shot that was handed over follows it. Sent twice, it is kept once."""
        around = await self._gate.following(
            lambda r: r.sharing.handed(clip.starts_at - CLIP_FITS, clip.starts_at + CLIP_FITS)
        )
        for nation, body in around:
            one = _decode_shot(body)
            if not one.shot.is_in(clip):
                continue
            item = digest_id(0, "sound", self._gate.owner, one.track, clip.sha256)
            whole = HandedShot(one.shot, one.track, (clip,), {clip.sha256: sound})
            row = Waiting(0, ShareClass.SHOT, item, 1, _encode(whole))

            async def work(
                records: Records, permit: int, nation: AgencyId = nation, row: Waiting = row
            ) -> None:
                await records.sharing.hand_over(nation, [row], self._clock())

            query = f"sound of shot {one.track} by {clip.sensor} is {nation}'s"
            await self._gate.act(system_ask(self._system, Thing.SHARED, query), work)
            self.handed(nation)


Handed = Mapping[AgencyId, Mapping[UUID, HandedRead]]


def _with_pictures(read: PlateRead, sent: Mapping[str, bytes]) -> HandedRead:
    crossing: dict[str, bytes] = {}
    left = PICTURES_BYTES_MAX
    for picture in sorted(read.pictures, key=lambda one: one.shows != "plate"):
        content = sent.get(picture.sha256)
        if content is not None and len(content) <= left:
            crossing[picture.sha256] = content
            left -= len(content)
    return HandedRead(read, crossing)
