"""Who speaks on a TAK connection, which unit that is, and its position in our terms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec

from farolito.ingest import xml
from farolito.ingest.avl.cot import FRIEND, CotEvent
from farolito.ingest.avl.heard import (
    FROM_68_TO_95,
    UNKNOWN_UNIT,
    Clock,
    Hear,
    Origin,
    Strangers,
    Tell,
)
from farolito.ingest.avl.sources import Callsigns
from farolito.ingest.xml import Element
from farolito.model import Rejected, UnitId, UnitPosition

# How a person's own marker on the map is made; what a device says of itself is m-… or h-e.
_DRAWN = "h-g"

_REMOVAL = "t-x-d-d"

OnEvent = Callable[[CotEvent, "TakUser"], Awaitable[None]]


class TakUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent an event. `callsign` and `uid` are the device's own word.

    `name`: the certificate's name (then `is_proven`), the TAK server's name in our configuration,
    or the address of a plain TCP client. `unit`: what the table of units makes of all that.
    """

    name: str
    callsign: str | None = None
    uid: str | None = None
    unit: UnitId | None = None
    is_proven: bool = False


class Roster:
    """Which unit a sender is. A proven name in the table decides; a call sign is a claim."""

    def __init__(
        self,
        units: Mapping[str, str],
        callsigns: Callsigns,
        known: Callable[[UnitId], bool] = lambda _: False,
    ) -> None:
        self._units = units
        self._callsigns = callsigns
        self._known = known

    def unit(self, user: TakUser) -> UnitId | None:
        if user.is_proven and user.name in self._units:
            return UnitId(self._units[user.name])
        for said in (user.uid, user.callsign):
            if said and said in self._units:
                return UnitId(self._units[said])
        if not user.callsign or self._callsigns == "none":
            return None
        unit = UnitId(user.callsign)
        return unit if self._callsigns == "any" or self._known(unit) else None


class TakUnits:
    """Takes positions of units out of what TAK clients send; the rest goes on to `others`."""

    def __init__(
        self, origin: Origin, hear: Hear, tell: Tell, clock: Clock, others: OnEvent | None = None
    ) -> None:
        self._origin = origin
        self._hear = hear
        self._strangers = Strangers(tell, clock)
        self._clock = clock
        self._others = others

    async def on_event(self, event: CotEvent, user: TakUser) -> None:
        if not is_position(event):
            if self._others is not None:
                await self._others(event, user)
            return
        try:
            position = position_from(event, user, self._origin, self._clock())
        except Rejected as why:
            self._strangers.tell(event.uid, why)
            return
        await self._hear((position,))


def is_position(event: CotEvent) -> bool:
    """Whether a friendly ground unit says where it is itself; a drawn marker does not."""
    return event.type.startswith(FRIEND) and not event.how.startswith(_DRAWN)


def with_contact(user: TakUser, event: CotEvent, roster: Roster) -> TakUser:
    """The user as its newest position tells: call sign, uid and so the unit."""
    contact = _detail(event).find("contact")
    callsign = contact.attributes.get("callsign") if contact is not None else None
    if (callsign, event.uid) == (user.callsign, user.uid):
        return user
    told = msgspec.structs.replace(user, callsign=callsign, uid=event.uid)
    return msgspec.structs.replace(told, unit=roster.unit(told))


def sender_uid(event: CotEvent) -> str:
    """The device that made the event: what it links to as its parent (`p-p`), or its own uid."""
    for link in _detail(event).every("link"):
        if link.attributes.get("relation") == "p-p":
            return link.attributes.get("uid", "")
    return event.uid


def removed_uids(event: CotEvent) -> list[str]:
    """The markers that the event takes off the map."""
    if event.type != _REMOVAL:
        return []
    return [link.attributes.get("uid", "") for link in _detail(event).every("link")]


def position_from(
    event: CotEvent, user: TakUser, origin: Origin, received_at: datetime
) -> UnitPosition:
    """Raises Rejected: `unknown_unit`, and as Origin.position."""
    if user.unit is None:
        do = "add its name, uid or call sign to the table units"
        raise Rejected(UNKNOWN_UNIT, "a TAK client that no unit belongs to", do)
    track = _detail(event).find("track")
    said = track.attributes if track is not None else {}
    return origin.position(
        user.unit,
        (event.lat, event.lon),
        event.time,
        received_at,
        _float(said.get("course")),
        _float(said.get("speed")),
        None if event.ce is None else event.ce * FROM_68_TO_95,
    )


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _detail(event: CotEvent) -> Element:
    return xml.parse(f"<detail>{event.detail}</detail>".encode())
