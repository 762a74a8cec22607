"""How each camera is at this moment: from the lines that are open, else from the last sweep.

Three numbers are told apart: registered, reachable (a picture came in the last round of the
sweep, or comes now), live (pictures come now).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from farolito.app.camera_book import CameraBook
from farolito.media.control import Pulling
from farolito.model import CameraHealth, CameraId, OwnerId, PictureState
from farolito.store import Database, Records

COUNT_EVERY = timedelta(seconds=1)
ROUNDS_COUNT = 1.5  # a sweep's picture counts so many rounds long


class Counts(msgspec.Struct, frozen=True):
    registered: int = 0
    reachable: int = 0
    live: int = 0


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Of one camera that is pulled now. `bitrate` in bits a second, `loss` in packets since it
    opened, `age_ms` of its newest byte."""

    viewers: int
    fps: float
    bitrate: float
    loss: int
    age_ms: int | None
    quality: str


class _Rate(NamedTuple):
    at: datetime
    bytes: int
    bits_per_s: float


class CameraStates:
    """`round_s`: of the sweep. `news` is for live screens: what changed since a number."""

    def __init__(
        self,
        book: CameraBook,
        database: Database,
        clock: Callable[[], datetime],
        round_s: float = 300.0,
    ) -> None:
        self._book = book
        self._database = database
        self._clock = clock
        self.round_s = round_s
        self._health: dict[CameraId, CameraHealth] = {}
        self._lines: Mapping[CameraId, Sequence[Pulling]] = {}
        self._rates: dict[tuple[CameraId, str], _Rate] = {}
        self._told: OrderedDict[CameraId, tuple[int, PictureState]] = OrderedDict()
        self._counts = Counts()
        self._counted_at: datetime | None = None
        self._of_owner: dict[OwnerId, Counts] = {}
        self.revision = 0

    async def load(self) -> None:
        agency = self._book.agency
        async with self._database.transaction(agency) as connection:
            found = await Records(connection, agency).cameras.health()
        self._health = {one.camera_id: one for one in found}
        self._note(self._health)

    async def hear_health(self, found: Iterable[CameraHealth]) -> None:
        """What the sweep found: kept, and shown."""
        some = list(found)
        agency = self._book.agency
        async with self._database.transaction(agency) as connection:
            await Records(connection, agency).cameras.keep_health(some)
        self._health |= {one.camera_id: one for one in some}
        self._note({one.camera_id for one in some})

    def hear_lines(self, lines: Mapping[CameraId, Sequence[Pulling]]) -> None:
        """Every open line there is, once a second."""
        now = self._clock()
        changed = self._lines.keys() | lines.keys()
        self._lines = lines
        self._rates = {
            (camera_id, line.quality): self._rate(camera_id, line, now)
            for camera_id, some in lines.items()
            for line in some
        }
        self._note(changed)

    def state(self, camera_id: CameraId) -> PictureState:
        lines = self._lines.get(camera_id)
        if lines:
            return _best(lines).state
        health = self._health.get(camera_id)
        return PictureState.UNKNOWN if health is None else health.state

    def says(self, camera_id: CameraId) -> str:
        lines = self._lines.get(camera_id)
        if lines:
            return _best(lines).says
        health = self._health.get(camera_id)
        return "" if health is None else health.says

    def health(self, camera_id: CameraId) -> CameraHealth | None:
        return self._health.get(camera_id)

    def all_health(self) -> list[CameraHealth]:
        return list(self._health.values())

    def live(self, camera_id: CameraId) -> Live | None:
        lines = self._lines.get(camera_id)
        if not lines:
            return None
        best = _best(lines)
        rate = self._rates.get((camera_id, best.quality))
        return Live(
            viewers=sum(line.viewers for line in lines),
            fps=round(best.figures.fps, 1),
            bitrate=round(rate.bits_per_s) if rate else 0,
            loss=sum(line.figures.lost for line in lines),
            age_ms=best.age_ms,
            quality=best.quality,
        )

    def counts(self) -> Counts:
        self._count()
        return self._counts

    def counts_of(self, owner: OwnerId) -> Counts:
        return self._of_owner.get(owner, Counts())

    def news(self, after: int | None) -> tuple[int, Mapping[str, Any] | None]:
        """What changed after a number, and the number from which to ask again; None: nothing did.

        Without a number, the counts alone: whoever begins has just fetched the whole.
        """
        if after is not None and after >= self.revision:
            return self.revision, None
        states = {} if after is None else self.changed(after)
        self._count()
        return self.revision, {"k": "cameras", "counts": self._counts, "states": states}

    def changed(self, after: int) -> dict[CameraId, PictureState]:
        """Who is in another state than at this number."""
        found: dict[CameraId, PictureState] = {}
        for camera_id, (number, state) in reversed(self._told.items()):
            if number <= after:
                break
            found[camera_id] = state
        return found

    def _note(self, cameras: Iterable[CameraId]) -> None:
        """Remember which of these are in another state than was told."""
        for camera_id in cameras:
            state = self.state(camera_id)
            told = self._told.get(camera_id)
            if told is None or told[1] is not state:
                self.revision += 1
                self._told[camera_id] = (self.revision, state)
                self._told.move_to_end(camera_id)

    def _count(self) -> None:
        """All anew, 20,000 cameras in some 20 ms: once a second, whoever asks."""
        now = self._clock()
        if self._counted_at is not None and now - self._counted_at < COUNT_EVERY:
            return
        self._counted_at = now
        since = now - timedelta(seconds=self.round_s * ROUNDS_COUNT)
        whole: dict[OwnerId, list[int]] = {}
        for camera in self._book.all():
            counts = whole.setdefault(camera.owner, [0, 0, 0])
            is_live = self._is_live(camera.camera_id)
            counts[0] += 1
            counts[1] += is_live or self._answered(camera.camera_id, since)
            counts[2] += is_live
        self._of_owner = {owner: Counts(*counts) for owner, counts in whole.items()}
        self._counts = Counts(*(sum(c[i] for c in whole.values()) for i in range(3)))

    def _is_live(self, camera_id: CameraId) -> bool:
        return any(line.state is PictureState.LIVE for line in self._lines.get(camera_id, ()))

    def _answered(self, camera_id: CameraId, since: datetime) -> bool:
        health = self._health.get(camera_id)
        if health is None or health.looked_at is None or health.state is not PictureState.LIVE:
            return False
        return health.looked_at >= since

    def _rate(self, camera_id: CameraId, line: Pulling, now: datetime) -> _Rate:
        before = self._rates.get((camera_id, line.quality))
        total = line.figures.bytes
        if before is None or total < before.bytes:
            return _Rate(now, total, 0.0)
        seconds = (now - before.at).total_seconds()
        if seconds <= 0:
            return before
        return _Rate(now, total, (total - before.bytes) * 8 / seconds)


def _best(lines: Sequence[Pulling]) -> Pulling:
    """The line that is spoken of: one that delivers, and of those the fuller one."""
    return min(lines, key=lambda line: line.state is not PictureState.LIVE)
