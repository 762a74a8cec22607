"""What the app hands to the console: every room it may ask, made once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from farolito.briefing import Briefing, Words
from farolito.console.agreements import Agreements
from farolito.console.cameras import Cameras
from farolito.console.elsewhere import People
from farolito.console.partners import Partners
from farolito.console.public import Public
from farolito.console.sockets import Hub
from farolito.desk import Desk, Dispatch, NotFound, ShotDesk
from farolito.desk.clips import ClipDesk
from farolito.desk.place_search import PlaceSearch
from farolito.desk.search import PlateSearch
from farolito.gate import Answer, Ask, Gate
from farolito.identity import Identity
from farolito.model import Agency, Device, EntryId, Incident, ListId, ShotAlert
from farolito.model.search import AskedCount
from farolito.review.desk import ReviewDesk


async def _no_witnesses() -> Mapping[str, Any]:
    return {"alarms": [], "witnessed": None, "least": 0, "keys": ""}


async def _no_page(_: str) -> tuple[str, bytes]:
    raise NotFound("this node publishes no figures of shots")


async def _no_reach(_: ShotAlert) -> Mapping[str, Any]:
    raise NotFound("this node does not reckon who is in reach", "see the health page")


async def _nobody_asked(_: int) -> Sequence[AskedCount]:
    return ()


def _nowhere(_: str) -> str:
    return ""


class Tour(Protocol):
    """The guided walk of a demo."""

    def view(self) -> Mapping[str, Any]: ...

    async def walk(self, name: str) -> Mapping[str, Any]: ...

    async def again(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Services:
    """`import_list`, `recall`, `health`, `map_view` and `ways_to` are the app's own doings.

    `ways_to` gives `assigned` and `nearest`: who is on the way, who else could be, how long by
    road. `push_allowed` raises FarolitoError for an address that nothing may be sent to.
    `sensors` and `coverage` tell of the gunshot sensors as the API does, without the permit.
    `shot_reach` gives `units`, `cameras` and `readers` around shots.
    `picture_places` gives what a page from a host may connect to for pictures.
    `asked` gives how often other agencies asked us in the last days.
    `public_page` gives media type and bytes of the public figures: "en", "es" or "json".
    """

    agency: Agency
    node_name: str
    version: str
    demo: bool
    origin: str
    gate: Gate
    desk: Desk
    dispatch: Dispatch
    briefing: Briefing
    words: Words
    identity: Identity
    hub: Hub
    clock: Callable[[], datetime]
    ids: Callable[[], UUID]
    health: Callable[[], Awaitable[Mapping[str, Any]]]
    devices: Callable[[], Awaitable[list[Device]]]
    register: Callable[[Device, bytes | None], Awaitable[str]]
    lists: Callable[[Ask], Awaitable[Answer[list[Mapping[str, Any]]]]]
    find_entries: Callable[[Ask, str], Awaitable[Answer[list[Any]]]]
    import_list: Callable[[Ask, ListId, Mapping[str, Any]], Awaitable[Answer[Any]]]
    recall: Callable[[Ask, ListId, EntryId, str], Awaitable[Answer[int]]]
    map_view: Callable[[], Mapping[str, Any]]
    ways_to: Callable[[Incident], Awaitable[Mapping[str, Any]]]
    units_changed: Callable[[], Awaitable[None]]
    push_key: str | None
    push_allowed: Callable[[str], Awaitable[None]]
    admin_token: str
    shots: ShotDesk
    sensors: Callable[[], Awaitable[Mapping[str, Any]]]
    coverage: Callable[[], Awaitable[Mapping[str, Any]]]
    tiles: Path
    web: Path
    shot_reach: Callable[[ShotAlert], Awaitable[Mapping[str, Any]]] = _no_reach
    public_page: Callable[[str], Awaitable[tuple[str, bytes]]] = _no_page
    clips: ClipDesk | None = None  # None: this node keeps none
    cameras: Cameras | None = None  # None: this node has none
    agreements: Agreements | None = None  # None: this node knows no other agency
    picture_places: Callable[[str], str] = _nowhere
    partners: Partners | None = None  # None: this node knows no other agencies
    public: Public | None = None  # None: this node publishes nothing
    search: PlateSearch | None = None  # where a plate was
    places: PlaceSearch | None = None  # who passed a place
    reviews: ReviewDesk | None = None  # searches that somebody outside looks at
    people: People | None = None  # sign-ins by a provider, proofs, suspension
    asked: Callable[[int], Awaitable[Sequence[AskedCount]]] = _nobody_asked
    witnesses: Callable[[], Awaitable[Mapping[str, Any]]] = _no_witnesses  # who cosigns the ledger
    tour: Callable[[], Tour | None] = lambda: None  # the practice metro's guided walk

    @property
    def its_agreements(self) -> Agreements:
        """Raises NotFound."""
        if self.agreements is None:
            raise NotFound("this node knows no other agency", "see [federation] in farolito.toml")
        return self.agreements

    @property
    def its_cameras(self) -> Cameras:
        """Raises NotFound."""
        if self.cameras is None:
            raise NotFound("this node has no cameras", "see [video] in farolito.toml")
        return self.cameras
