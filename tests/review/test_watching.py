"""The node looks at its own searches: real gates, real ledgers, real databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from farolito.app.clock import ids
from farolito.audit.sample import drawn_by
from farolito.desk.place_search import PlaceSearch
from farolito.gate import Answer, Ask
from farolito.model import (
    Person,
    Point,
    Purpose,
    Refused,
    Review,
    ReviewDecision,
    ReviewId,
    Role,
    Thing,
)
from farolito.model.search import OwnerAnswer, PlaceQuestion
from farolito.review.desk import Decided, NoReview, ReviewDesk, Shown
from farolito.review.detectors import Rule
from farolito.review.roster import Roster
from farolito.review.search import Looked
from farolito.review.watching import Watching
from tests.federation.askers import PLATE, Asker, Askers
from tests.federation.neighbours import Neighbours, Side
from tests.federation.reads import IN_TOWN

DAY_S = 86_400.0
CASE = "2026-0117"
ADMINISTRATION = Purpose.ADMINISTRATION


class Watched:
    """One side with its reviews."""

    def __init__(self, asker: Asker, *, block: int = 1_000) -> None:
        self.asker, self.side, self.block = asker, asker.side, block
        self.crew: list[Person] = [asker.detective]
        self.start()

    def start(self) -> None:
        """As a node's start: what was in memory is gone."""
        side = self.side
        self.watching = Watching(
            side.gate, side.system, self._crew, side.clock, ids, block=self.block
        )
        self.desk = ReviewDesk(side.gate, self._crew, side.clock, ids, self.watching.looked)

    async def _crew(self) -> Sequence[Person]:
        return self.crew

    async def look(self) -> None:
        while await self.watching.step():
            pass

    async def searched(self, *days: float, **more: Any) -> Answer[list[OwnerAnswer]]:
        """One search after each of these many days."""
        for wait in days:
            self.side.later(wait * DAY_S)
            answer = await self.asker.find(**more)
        return answer

    async def near(self, place: Point, **more: Any) -> int:
        """One search around a place; its entry."""
        search = PlaceSearch(self.side.gate, self.side.agency, lambda _: None, lambda _: None, list)
        now = self.side.clock()
        question = PlaceQuestion(
            place=place, radius_m=200, since=now - timedelta(hours=1), until=now
        )
        return (await search.near(self.asker.ask(**more), question)).permit

    async def heard(self) -> None:
        """Look now, and again a day later."""
        await self.look()
        self.side.later(DAY_S + 1)
        await self.look()

    async def roster(self, *shifts: tuple[Person, str, str], add: bool = False) -> Roster:
        """Kept as the command line hands it in."""
        lines = [f"{who.person_id},{starts},{ends}" for who, starts, ends in shifts]
        text = "\n".join(["person,starts,ends", *lines])
        ask = self.side.ask(self.side.person(Role.AGENCY_ADMIN), Thing.PERSON, ADMINISTRATION)
        people = {who.person_id: who for who, _, _ in shifts}.values()
        return (await self.desk.keep_roster(ask, text, people, add=add)).value

    async def at(self, day: int, hour: int) -> None:
        """Wind the clock to this hour of November, UTC, and search."""
        then = self.side.clock().replace(day=day, hour=hour, minute=0)
        self.side.later((then - self.side.clock()).total_seconds())
        await self.searched(0, plate=f"N{day}{hour}")
        await self.look()

    async def all(self) -> list[Review]:
        async with self.side.records() as records:
            rows = await records.connection.fetch("select review_id from reviews order by 1")
            found = [await records.reviews.get(ReviewId(row["review_id"])) for row in rows]
        return [one for one in found if one is not None]

    def reviewer(self, role: Role = Role.AUDITOR) -> Person:
        return self.side.person(role, "Chavez")

    def ask(self, person: Person, thing: Thing = Thing.REVIEW, **more: Any) -> Ask:
        return self.side.ask(person, thing, Purpose.AUDIT, **more)

    async def queue(self, person: Person) -> list[Shown]:
        return (await self.desk.queue(self.ask(person))).value


@pytest.fixture
def askers(neighbours: Neighbours) -> Askers:
    return Askers(neighbours)


@pytest.fixture
def city(askers: Askers) -> Watched:
    return Watched(askers.city)


def rules(found: Sequence[Review]) -> list[str]:
    return [one.rule for one in found]


async def test_a_third_look_is_found_a_day_later_and_not_before(city: Watched) -> None:
    await city.searched(0, 1, 1)
    await city.look()
    assert await city.all() == []
    await city.heard()
    (found,) = await city.all()
    assert (found.rule, found.about, found.assigned) == (
        Rule.REPEAT, city.asker.detective.person_id, Role.AUDITOR,
    )  # fmt: skip
    assert found.due - found.raised_at == timedelta(days=7)
    assert len(found.entries) == 3
    assert PLATE not in found.says


async def test_who_asks_again_on_another_day_is_reminded_of_it(city: Watched) -> None:
    def looked() -> int | None:
        told = city.desk.looked(city.asker.ask(), PLATE)
        return told.times if told else None

    assert looked() is None
    await city.searched(0)
    await city.look()
    assert looked() is None, "looks of one shift are one"
    city.side.later(DAY_S / 2)
    assert looked() == 2
    await city.searched(0)
    await city.heard()
    assert looked() == 3
    city.start()
    await city.look()
    assert looked() == 3, "a start forgets nobody's looks"
    other = city.asker.ask(person=city.side.person(Role.DETECTIVE, "Montoya"))
    assert city.desk.looked(other, PLATE) is None


async def test_where_nothing_was_asked_the_node_writes_nothing(city: Watched) -> None:
    await city.heard()
    before = len(await city.asker.entries())
    await city.heard()
    assert len(await city.asker.entries()) == before


async def test_a_start_forgets_nothing_and_finds_nothing_twice(city: Watched) -> None:
    await city.searched(0, 1)
    await city.heard()
    city.start()
    await city.searched(1)
    city.start()
    await city.heard()
    (found,) = await city.all()
    assert len(found.entries) == 3
    city.start()
    await city.heard()
    assert await city.all() == [found]


async def test_a_step_that_was_lost_is_done_again_once(
    city: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction breaks after the rules have heard the searches."""
    await city.searched(0, 1, 1)
    city.side.later(DAY_S + 1)

    async def broken(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as broke:
        broke.setattr(city.watching, "_escalate", broken)
        with pytest.raises(ConnectionResetError):
            await city.watching.step()
    assert await city.all() == []
    await city.look()
    assert [len(one.entries) for one in await city.all()] == [3]


async def test_a_case_that_two_people_put_on_record_explains_all(city: Watched) -> None:
    first = city.asker.detective
    second = city.side.person(Role.DETECTIVE, "Montoya")
    told = (await city.desk.explain(city.asker.ask(), PLATE)).value
    with pytest.raises(Refused, match="themselves"):
        await city.desk.confirm(city.asker.ask(person=first), told.explanation_id)
    assert not (await city.desk.explains(city.asker.ask(), PLATE)).value.about
    await city.desk.confirm(city.asker.ask(person=second), told.explanation_id)
    assert (await city.desk.explains(city.asker.ask(), PLATE)).value.about
    await city.searched(0, 1, 1, 1)
    await city.heard()
    assert await city.all() == []
    # And it still did when the case is gone.
    async with city.side.records() as records:
        await records.connection.execute("delete from explanations")
    city.start()
    await city.heard()
    assert await city.all() == []


async def test_what_one_person_put_on_record_alone_explains_nothing(city: Watched) -> None:
    await city.desk.explain(city.asker.ask(), PLATE)
    await city.searched(0, 1, 1)
    await city.heard()
    assert rules(await city.all()) == [Rule.REPEAT]


async def test_the_same_corner_again_and_again_is_found_unless_two_people_say_why(
    city: Watched,
) -> None:
    for wait in (0, 1, 1):
        city.side.later(wait * DAY_S)
        permit = await city.near(IN_TOWN)
    await city.heard()
    (found,) = await city.all()
    assert (found.rule, found.entries[-1]) == (Rule.REPEAT, permit)
    assert "the same place was looked for 3 times" in found.says
    assert city.desk.looked(city.asker.ask(), IN_TOWN) == Looked(
        4, found.raised_at - timedelta(days=3, seconds=1)
    )
    ask = city.asker.ask(case="2026-0200")
    told = (await city.desk.explain(ask, IN_TOWN)).value
    near = Point(IN_TOWN.lat + 0.001, IN_TOWN.lon)
    assert (await city.desk.explains(ask, near)).value.waiting == (told,)
    second = city.side.person(Role.DETECTIVE, "Montoya")
    await city.desk.confirm(city.asker.ask(person=second, case="2026-0200"), told.explanation_id)
    assert (await city.desk.explains(ask, near)).value.about
    for wait in (1, 1, 1):
        city.side.later(wait * DAY_S)
        await city.near(near, case="2026-0200")
    await city.heard()
    assert len(await city.all()) == 1


async def test_a_prohibited_purpose_is_told_at_once_though_it_was_refused(city: Watched) -> None:
    with pytest.raises(Refused):
        await city.searched(0, purpose=Purpose.IMMIGRATION_ENFORCEMENT)
    await city.look()
    (found,) = await city.all()
    assert (found.rule, found.due - found.raised_at) == (Rule.ON_BEHALF, timedelta(days=1))
    (shown,) = await city.queue(city.reviewer())
    (search,) = shown.searches
    assert (search.purpose, search.permitted) == (Purpose.IMMIGRATION_ENFORCEMENT, False)


async def test_a_search_at_night_off_shift_is_told_at_once(city: Watched) -> None:
    mine = city.asker.detective
    await city.roster(
        (mine, "2026-11-24T07:00Z", "2026-11-24T15:00Z"),
        (mine, "2026-11-25T22:00Z", "2026-11-26T06:00Z"),
    )
    await city.at(24, 9)
    await city.at(24, 15)  # writing it up, within the hour
    assert await city.all() == []
    await city.at(25, 3)
    (found,) = await city.all()
    assert (found.rule, found.about) == (Rule.OFF_SHIFT, mine.person_id)
    assert found.due - found.raised_at == timedelta(days=1)
    await city.at(25, 23)
    assert len(await city.all()) == 1


async def test_a_call_back_on_the_roster_is_on_duty(city: Watched) -> None:
    mine = city.asker.detective
    await city.roster((mine, "2026-11-24T07:00Z", "2026-11-24T15:00Z"))
    await city.roster((mine, "2026-11-24T20:30Z", "2026-11-25T00:30Z"), add=True)
    await city.at(24, 9)
    await city.at(24, 21)
    assert await city.all() == []


async def test_nobody_is_off_shift_whom_no_roster_speaks_of(city: Watched) -> None:
    other = city.side.person(Role.OFFICER, "Montoya")
    await city.at(24, 3)
    await city.roster((other, "2026-11-24T07:00Z", "2026-11-24T15:00Z"))
    await city.at(24, 4)  # others are rostered, this one is not
    await city.roster((city.asker.detective, "2026-11-25T07:00Z", "2026-11-25T15:00Z"))
    await city.at(27, 3)  # this one is, but not on these days
    assert await city.all() == []


async def test_a_roster_takes_the_place_of_the_days_it_covers(city: Watched) -> None:
    mine = city.asker.detective
    await city.roster(
        (mine, "2026-11-24T07:00Z", "2026-11-24T15:00Z"),
        (mine, "2026-11-25T07:00Z", "2026-11-25T15:00Z"),
    )
    await city.roster((mine, "2026-11-25T14:00Z", "2026-11-25T22:00Z"))
    await city.at(24, 9)
    assert await city.all() == []
    await city.at(25, 9)
    assert rules(await city.all()) == [Rule.OFF_SHIFT]


async def test_a_protected_plate_is_told_at_the_first_look(city: Watched) -> None:
    auditor = city.reviewer()
    assert (await city.desk.protect(city.ask(auditor), "abc-1234", on=True)).value == 1
    await city.searched(0)
    await city.look()
    assert rules(await city.all()) == [Rule.PROTECTED]
    assert (await city.desk.protect(city.ask(auditor), PLATE, on=False)).value == 0


async def test_the_letter_for_a_zero_is_the_same_plate(city: Watched) -> None:
    for plate in ("ABC120", "ABC12O", "ABC120"):
        await city.searched(1, plate=plate)
    await city.heard()
    assert rules(await city.all()) == [Rule.REPEAT]


@pytest.mark.parametrize(
    ("role", "reviewer", "other"),
    [
        (Role.DETECTIVE, Role.AUDITOR, Role.OVERSIGHT),
        (Role.SUPERVISOR, Role.OVERSIGHT, Role.AUDITOR),
    ],
)
async def test_who_commands_is_looked_at_from_outside(
    city: Watched, role: Role, reviewer: Role, other: Role
) -> None:
    about = city.side.person(role)
    purpose = Purpose.PERSONAL
    with pytest.raises(Refused):
        await city.searched(0, person=about, purpose=purpose)
    await city.look()
    (found,) = await city.all()
    assert found.assigned is reviewer
    assert len(await city.queue(city.reviewer(reviewer))) == 1
    assert await city.queue(city.reviewer(other)) == []
    ask = city.ask(city.reviewer(other))
    with pytest.raises(Refused, match="somebody else"):
        await city.desk.decide(ask, found.review_id, ReviewDecision.EXPLAINED)


async def test_nobody_sees_or_decides_a_review_about_themselves(city: Watched) -> None:
    """A detective who became an auditor."""
    await city.searched(0, 1, 1)
    await city.heard()
    (found,) = await city.all()
    now_auditor = Person(
        person_id=city.asker.detective.person_id,
        agency=city.side.agency_id,
        name="Rivera",
        role=Role.AUDITOR,
    )
    assert await city.queue(now_auditor) == []
    with pytest.raises(Refused, match="somebody else"):
        await city.desk.decide(city.ask(now_auditor), found.review_id, ReviewDecision.EXPLAINED)
    field = city.ask(now_auditor, Thing.LEDGER_FIELD, facts={"reason_code": "complaint"})
    with pytest.raises(Refused, match="somebody else"):
        await city.desk.open_field(field, found.review_id, found.entries[0], "user")


async def test_a_field_is_opened_with_a_reason_and_a_trace(city: Watched) -> None:
    await city.searched(0, 1, 1)
    await city.heard()
    (shown,) = await city.queue(city.reviewer())
    review = shown.review
    auditor = city.reviewer()
    assert [one.openable for one in shown.searches] == [("case", "query", "user")] * 3
    bare = city.ask(auditor, Thing.LEDGER_FIELD)
    with pytest.raises(Refused, match="reason"):
        await city.desk.open_field(bare, review.review_id, review.entries[0], "case")
    why = city.ask(auditor, Thing.LEDGER_FIELD, facts={"reason_code": "routine_review"})
    told = await city.desk.open_field(why, review.review_id, review.entries[0], "case")
    assert told.value == CASE
    (entry,) = await city.side.ledger.entries(told.permit - 1, 1)
    assert (entry.entry["thing"], entry.entry["actor_role"]) == ("ledger_field", "auditor")
    with pytest.raises(NoReview):
        await city.desk.open_field(why, review.review_id, 10**6, "case")


async def test_a_decision_is_made_once_by_a_named_person(city: Watched) -> None:
    await city.searched(0, 1, 1)
    await city.heard()
    (found,) = await city.all()
    auditor = city.reviewer()
    ask = city.ask(auditor)
    done = (await city.desk.decide(ask, found.review_id, ReviewDecision.TRAINING)).value
    assert (done.decided_by, done.decided_by_name) == (auditor.person_id, "Chavez")
    with pytest.raises(Decided):
        await city.desk.decide(ask, found.review_id, ReviewDecision.MISUSE)
    assert await city.queue(auditor) == []
    (count,) = (await city.desk.digest(ask, 7)).value
    assert (count.rule, count.raised, count.open, count.decided) == (
        "repeat", 1, 0, {"training": 1},
    )  # fmt: skip


async def test_who_goes_on_is_found_again(city: Watched) -> None:
    await city.searched(0, 1, 1)
    await city.heard()
    (found,) = await city.all()
    ask = city.ask(city.reviewer())
    await city.desk.decide(ask, found.review_id, ReviewDecision.EXPLAINED)
    await city.searched(*[1] * 8)
    await city.heard()
    assert len(await city.all()) == 2


async def test_what_nobody_decides_goes_to_oversight_once(city: Watched) -> None:
    await city.searched(0, 1, 1)
    await city.heard()
    city.side.later(8 * DAY_S)
    await city.look()
    (late,) = await city.all()
    assert late.assigned is Role.OVERSIGHT
    assert late.escalated_at == city.side.clock()
    before = len(await city.asker.entries())
    city.side.later(30 * DAY_S)
    await city.look()
    assert len(await city.asker.entries()) == before
    (count,) = (await city.desk.digest(city.ask(city.reviewer()), 90)).value
    assert (count.open, count.overdue) == (1, 1)


async def test_one_entry_in_fifty_is_drawn_as_anybody_can_draw_it(askers: Askers) -> None:
    city = Watched(askers.city, block=50)
    await city.look()
    for number in range(50):
        await city.searched(0, plate=f"DRAW{number}")
    await city.look()
    assert await city.all() == []
    checkpoint = await city.side.ledger.checkpoint()
    await city.look()
    (drawn,) = await city.all()
    _, entries = drawn_by([checkpoint], 0, 50, 1)
    assert (drawn.rule, drawn.entries) == (Rule.SAMPLE, tuple(entries))


async def test_a_changed_opening_is_noticed(city: Watched) -> None:
    await city.searched(0)
    (asked,) = [e for e in await city.asker.entries() if e.entry["thing"] == "plate_read"]
    async with city.side.database.system() as connection:
        await connection.execute(
            "update ledger_personal set value = 'somebody else' where field = 'user'"
        )
    await city.look()
    assert city.watching.altered == {asked.index}


async def test_another_agencys_case_number_is_not_ours(askers: Askers) -> None:
    """Its people are found here though a case of ours with that number is about the plate."""
    city, sheriff = Watched(askers.city), askers.sheriff
    askers.agree(askers.city, sheriff)
    other = city.side.person(Role.DETECTIVE)
    told = (await city.desk.explain(city.asker.ask(), PLATE)).value
    await city.desk.confirm(city.asker.ask(person=other), told.explanation_id)
    for _ in range(3):
        city.side.later(DAY_S)
        await sheriff.find(askers.city)
    await city.heard()
    (found,) = await city.all()
    assert (found.rule, found.agency, found.about) == (
        Rule.REPEAT, "county-so", sheriff.detective.person_id,
    )  # fmt: skip
    assert len(found.receipts) == 3
    assert all(one.startswith("county-so#") for one in found.receipts)
    side: Side = sheriff.side
    assert found.receipts[0] == await side.gate.receipt(
        int(found.receipts[0].split("#")[1].split(":")[0])
    )
