"""All of a node that shares: what goes out, what came, whose land it is. Made once, by build."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

import asyncpg
import msgspec

from farolito.app.handing_over import HandingOver
from farolito.app.list_desk import ListDesk
from farolito.app.listening import Listening, keep_sound
from farolito.app.partner_lists import PartnerLists
from farolito.bus import Bus, ReadBatch
from farolito.desk import Desk, Dispatch, ShotDesk
from farolito.federation import Line, Post
from farolito.federation.flows import Flows
from farolito.federation.land import LandBook
from farolito.federation.lanes import Lanes
from farolito.federation.receiving import Receiving
from farolito.federation.sending import Sender
from farolito.federation.sharing import Outbox
from farolito.federation.sharing_words import HandedRead, HandedShot
from farolito.gate import AWAY, Gate
from farolito.ingest.gunshot.clip import read_wav
from farolito.media import Pictures
from farolito.model import (
    AgencyCard,
    AgencyId,
    AgreementId,
    DeviceId,
    FarolitoError,
    HotListEntry,
    Partner,
    Person,
    PlateRead,
    Refused,
    Rejected,
    ShareClass,
    Sharing,
    Shot,
    SignedAgreement,
    SoundClip,
    Unit,
)
from farolito.store import Records, hot_lists

log = logging.getLogger(__name__)

DEVICE_CHARACTERS_MAX = 63
BEGIN_EVERY_S = 5.0


class Rooms(NamedTuple):
    """What the node has made already.

    `share`: the bus's way for what an agreement lets flow: partner, class, bytes, seconds.
    `agreements`: every one that this node keeps, given and received.
    """

    gate: Gate
    post: Post
    system: Person
    desk: Desk
    dispatch: Dispatch
    shots: ShotDesk
    listening: Listening
    pictures: Pictures
    bus: Bus
    own_card: Callable[[], AgencyCard]
    partners: Callable[[], Mapping[AgencyId, Partner]]
    agreements: Callable[[], Iterable[SignedAgreement]]
    agreement: Callable[[AgreementId], SignedAgreement | None]
    units: Callable[[], Sequence[Unit]]
    share: Callable[[AgencyId, ShareClass, bytes, float], Awaitable[bytes]] | None = None


class SharingRooms:
    """The app adds `follow` to what changes, `nudge` to what is durable, and runs `work`."""

    def __init__(self, rooms: Rooms, zone: tzinfo, clock: Callable[[], datetime]) -> None:
        self._rooms = rooms
        self._clock = clock
        gate, system = rooms.gate, rooms.system
        self.flows = Flows(lambda: gate.policies, rooms.partners, clock, zone)
        self.sender = Sender(gate, rooms.post, system, self.flows, clock, self._line_of)
        self.lanes = Lanes(self.sender, gate, self.flows, clock, rooms.units)
        self.outbox = Outbox(gate, system, self.flows, clock, rooms.units)
        self.outbox.put = self.lanes.mark
        self.receiving = Receiving(gate, system, rooms.partners, rooms.agreement, clock)
        self.receiving.take_reads = self._take_reads
        self.receiving.take_shots = self._take_shots
        self.land = LandBook(rooms.own_card, rooms.partners, rooms.agreements, clock, rooms.units)
        self.handing_over = HandingOver(self.land, gate, system, clock, self.lanes.wake)
        self.lists: PartnerLists | None = None
        self._follow()

    def use_lists(self, list_desk: ListDesk, lists: PartnerLists) -> None:
        """Rows of ours flow, and our reads are held against partners' rows."""
        list_desk.followers.append(self.outbox.follow_rows)
        self.receiving.settle = lists.settle
        self.lists = lists

    async def start(self) -> None:
        """Once partners and agreements are known."""
        self.land.changed()
        if self.lists is not None:
            await self.lists.start()

    def nudge(self) -> None:
        """An act is durable: the gate's `after_act`."""
        self.lanes.nudge()

    def partners_changed(self) -> None:
        self.land.changed()

    def partner_is_back(self, partner: AgencyId) -> None:
        self.lanes.wake(partner)

    def work(self) -> Mapping[str, Callable[[], Awaitable[Any]]]:
        return {
            "sharing with partners": self.lanes.run,
            "end of what partners shared": self.receiving.run,
            "agreements that begin": self._keep_beginning,
        }

    # What agreements do: the hooks of the book that keeps them.

    async def on_changed(self, signed: SignedAgreement) -> None:
        """In force: what is going on now flows."""
        own, terms = self._rooms.gate.owner, signed.agreement
        if terms.grantor == own and signed.in_force(self._clock()):
            await self.outbox.begin(terms, _rows_in_force)
            self.lanes.wake(terms.grantee)

    async def on_revoked(self, signed: SignedAgreement) -> None:
        """Ended before its time. The grantee's copies were asked back with that change itself; what
        another agreement still lets flow is told anew. As the grantee: delete what came by it."""
        own, terms = self._rooms.gate.owner, signed.agreement
        if terms.grantor == own:
            self.lanes.wake(terms.grantee)
            await self.begin()
        else:
            because = signed.revoked_because or "revoked"
            await self.receiving.purge_here(terms.grantor, terms.agreement_id, because)

    async def on_leave(self, partner: AgencyId) -> Mapping[str, Any]:
        """The end of a partnership, on this side: nothing of theirs is left here, and nothing waits
        for them. The proof, which the parting itself tells them."""
        proof = await self.receiving.leave(partner)
        return {**proof, **await self.sender.leave(partner)}

    async def _keep_beginning(self) -> None:
        """Agreements that were signed for later, and those whose begin a stop of the node cut."""
        while True:
            try:
                await self.begin()
            except (*AWAY, asyncpg.PostgresError, FarolitoError) as why:
                log.warning("what goes on is not shared by a new agreement yet: %s", why)
            await asyncio.sleep(BEGIN_EVERY_S)

    async def begin(self) -> None:
        """What goes on flows by every agreement of ours whose beginning is not made yet."""
        begun = await self._rooms.gate.following(lambda r: r.sharing.begun())
        for signed in list(self._rooms.agreements()):
            terms = signed.agreement
            if terms.agreement_id not in begun and Sharing.FOLLOW in terms.sharing:
                await self.on_changed(signed)

    def _follow(self) -> None:
        """After dispatch and the briefs, so that the incident of an alert is known."""
        rooms, outbox = self._rooms, self.outbox
        rooms.desk.followers.append(outbox.follow_alert)
        rooms.shots.followers.append(outbox.follow_shot)
        rooms.dispatch.followers.append(outbox.follow_incident)
        rooms.dispatch.use_jurisdiction(self.land.jurisdiction)
        rooms.shots.elsewhere = self.handing_over.shot
        rooms.listening.elsewhere = self.handing_over.sound
        self.handing_over.want_sound = rooms.listening.want_sound
        rooms.post.on("share", self.receiving.take)
        rooms.post.on("purge", self.receiving.purge)

    def _line_of(self, share_class: ShareClass) -> Line | None:
        share = self._rooms.share
        return None if share is None else _ClassLine(share, share_class)

    async def _take_reads(self, sender: AgencyId, handed: Sequence[HandedRead]) -> None:
        """Made on our land: ours, matched and kept as if our own reader had sent them."""
        own = self._rooms.gate.owner
        if not all(self.land.is_own(one.read.place) for one in handed):
            raise Refused("not_our_land", "a read that was not made on our land", "keep it")
        now = self._clock()
        reads: list[PlateRead] = []
        pictures: dict[str, bytes] = {}
        for one in handed:
            reader = DeviceId(f"{sender}-{one.read.reader}"[:DEVICE_CHARACTERS_MAX])
            reads.append(
                msgspec.structs.replace(one.read, agency=own, reader=reader, received_at=now)
            )
            pictures.update(one.pictures)
        await self._rooms.bus.reads.publish(ReadBatch(tuple(reads), pictures))

    async def _take_shots(self, sender: AgencyId, handed: Sequence[HandedShot]) -> None:
        own = self._rooms.gate.owner
        if not all(self.land.is_own(one.shot.place) for one in handed):
            raise Refused("not_our_land", "a shot that was not fired on our land", "keep it")
        for one in handed:
            shot, track = msgspec.structs.replace(one.shot, agency=own), f"{sender}:{one.track}"
            await self._rooms.shots.hear(shot, track)
            for clip in one.clips:
                await self._take_sound(shot, track, clip, one.sounds.get(clip.sha256, b""))

    async def _take_sound(self, shot: Shot, track: str, clip: SoundClip, sound: bytes) -> None:
        """Raises Refused for what is no recording, or one of another shot."""
        try:
            wav = read_wav(sound)
        except Rejected as no:
            raise Refused("malformed", no.says, no.do) from no
        if hashlib.sha256(sound).hexdigest() != clip.sha256 or not shot.is_in(clip):
            raise Refused("malformed", "a recording of something else", "send the shot's own")
        clip = msgspec.structs.replace(clip, seconds=wav.seconds, rate_hz=wav.rate_hz)
        known = await self._rooms.gate.following(lambda r: r.shots.track(track))
        if known is not None:
            rooms = self._rooms
            await keep_sound(rooms.pictures, rooms.shots, known.alert_id, clip, sound)


class _ClassLine:
    """A Line over the subject that an agreement opened for one class."""

    def __init__(
        self,
        share: Callable[[AgencyId, ShareClass, bytes, float], Awaitable[bytes]],
        share_class: ShareClass,
    ) -> None:
        self._share = share
        self._class = share_class

    async def request(self, partner: AgencyId, raw: bytes, timeout_s: float) -> bytes:
        return await self._share(partner, self._class, raw, timeout_s)


def _rows_in_force(records: Records) -> AsyncIterator[HotListEntry]:
    return hot_lists.all_in_force(records.connection, records.agency)
