"""Which cars passed here: our own reads around one place within hours.

Never anybody else's: an agreement lets a plate be asked for, and a circle on the map holds the
journeys of everyone who drove through it. What a case is about, and how often one person comes
back to the same place, is watched as it is for plates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from farolito.desk.search import found
from farolito.gate import Answer, Ask, Gate, Records
from farolito.geo.distance import distance_m
from farolito.model import Agency, Invalid, Point
from farolito.model.search import FOUND_MAX, AnswerState, OwnerAnswer, PlaceQuestion


class Place(msgspec.Struct, frozen=True):
    """A place that an address was taken for. `within_m`: the circle that holds it."""

    at: Point
    within_m: float


class Readers(msgspec.Struct, frozen=True):
    """Our own that stand in a circle, and how far away the nearest of all stands, in metres.

    Where none does, nothing read there says nothing. Readers in cars are not counted.
    """

    inside: int
    nearest_m: float | None


class PlaceSearch:
    """`find`: a place for an address, as the map has it; `describe`: words for a place; `readers`:
    where our own stand."""

    def __init__(
        self,
        gate: Gate,
        agency: Agency,
        find: Callable[[str], tuple[Point, float] | None],
        describe: Callable[[Point], str | None],
        readers: Callable[[], Iterable[Point]],
    ) -> None:
        self._gate = gate
        self._agency = agency
        self._find = find
        self._describe = describe
        self._readers = readers

    def place_of(self, address: str) -> Place:
        """Raises Invalid where the map has no such place."""
        found_at = self._find(address)
        if found_at is None:
            raise Invalid(
                f"the map has no place called {address!r}",
                "write a crossing, as Central & 4th, or a house, as 1200 Central; or take it from"
                " the map",
            )
        return Place(*found_at)

    def words(self, place: Point) -> str:
        return self._describe(place) or ""

    def readers(self, question: PlaceQuestion) -> Readers:
        here = (question.place.lat, question.place.lon)
        away = [distance_m(here, (at.lat, at.lon)) for at in self._readers()]
        inside = sum(metres <= question.radius_m for metres in away)
        return Readers(inside, min(away, default=None))

    async def near(self, ask: Ask, question: PlaceQuestion) -> Answer[OwnerAnswer]:
        """The newest reads. Raises Refused."""
        ask = msgspec.structs.replace(ask, query=_query(question))

        async def work(records: Records, permit: int) -> OwnerAnswer:
            reads = await records.reads.near(question, FOUND_MAX + 1)
            return OwnerAnswer(
                agency_id=self._agency.agency_id,
                name=self._agency.name,
                state=AnswerState.ANSWERED if reads else AnswerState.NOTHING,
                own=True,
                reads=tuple(found(read, own=True) for read in reads[:FOUND_MAX]),
                more=len(reads) > FOUND_MAX,
                permit=permit,
                receipt=await self._gate.receipt(permit),
            )

        return await self._gate.read(ask, work)


def _query(question: PlaceQuestion) -> str:
    place = question.place
    return (
        f"place {place.lat:.5f},{place.lon:.5f} within {question.radius_m:.0f} m,"
        f" {question.since.isoformat(timespec='seconds')} to"
        f" {question.until.isoformat(timespec='seconds')}, in own records"
    )
