"""Was my plate searched? Answered to its owner alone, by a person who has seen the papers.

In: a question with who asks and what was seen. Out: counts by month, agency and purpose.
Never: who searched, for which case, at what hour, what was found; a plate that was not asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Literal, Protocol

import msgspec

from farolito.gate import Answer, Ask, Gate, Records
from farolito.gate.looking import Asked, searches_of
from farolito.model import Agency, AgencyId, CallState, Invalid, Purpose, Role
from farolito.model.figures import OwnPlateAnswer, OwnPlateQuestion, SearchesOfPlate

SEARCHES_MAX = 50_000
SPAN_MAX = timedelta(days=5 * 366)
_OWN = ", in own records"


class OpenCases(Protocol):
    """What the law says of searches for open cases (policy.state_pack.OwnPlate)."""

    @property
    def open_cases(self) -> Literal["told", "counted", "left_out"]: ...

    @property
    def unknown_days(self) -> int: ...


class PlateDesk:
    """`names`: of every agency that this node knows, its own among them."""

    def __init__(
        self,
        gate: Gate,
        agency: Agency,
        hours_of: tzinfo,
        law: OpenCases,
        names: Callable[[], Mapping[str, str]],
    ) -> None:
        self._gate = gate
        self._agency = agency
        self._hours_of = hours_of
        self._law = law
        self._names = names

    async def answer(
        self, ask: Ask, question: OwnPlateQuestion, now: datetime
    ) -> Answer[OwnPlateAnswer]:
        """The counts for a letter. Its entry holds, for the auditor alone, who asked and what was
        seen; it wants a sign-in of the last five minutes. Raises Refused, Invalid."""
        ask = msgspec.structs.replace(ask, query=_query(question))
        if ask.person.role is not Role.AGENCY_ADMIN:
            await self._gate.refuse(
                ask, "role", "the records desk alone answers the owners of plates", "ask them"
            )
        if question.until - question.since > SPAN_MAX:
            raise Invalid("a time that is too long", f"ask for {SPAN_MAX.days} days at most")

        async def work(records: Records, permit: int) -> OwnPlateAnswer:
            return await self._answer(records, question, now)

        return await self._gate.export(ask, work)

    async def _answer(
        self, records: Records, question: OwnPlateQuestion, now: datetime
    ) -> OwnPlateAnswer:
        # Of this state, or of any: a search for the same letters of another state is for another
        # car.
        beginnings = [f"plate {question.plate} of {s}, " for s in (question.state, "any state")]
        asked = await records.figures.questions(
            beginnings, question.since, question.until, SEARCHES_MAX
        )
        owners = {number: _put_to(query) for number, query in asked}
        found = [
            one
            for one in await searches_of(records, list(owners))
            if one.plate == question.plate or one.altered
        ]
        told, not_yet = [], 0
        for one in found:
            if await self._is_open(records, one, now):
                not_yet += 1
            else:
                told.append(one)
        names = self._names()
        mode = self._law.open_cases
        return OwnPlateAnswer(
            question=question,
            rows=self._rows(told, owners),
            not_yet=None if mode == "left_out" else not_yet,
            open_cases=mode,
            ask_too=tuple(sorted(n for a, n in names.items() if a != self._agency.agency_id)),
            names=names,
            answered_at=now,
        )

    async def _is_open(self, records: Records, one: Asked, now: datetime) -> bool:
        """Whether its case is open, as far as this node knows."""
        if self._law.open_cases == "told" or not one.permitted:
            return False
        call = await records.calls.by_number(one.case) if one.case else None
        if call is not None:
            return call.state is CallState.OPEN
        return now - one.at < timedelta(days=self._law.unknown_days)

    def _rows(
        self, found: list[Asked], owners: Mapping[int, tuple[AgencyId, ...]]
    ) -> tuple[SearchesOfPlate, ...]:
        groups: dict[tuple[str, AgencyId, Purpose | None], list[Asked]] = {}
        for one in found:
            month = f"{one.at.astimezone(self._hours_of):%Y-%m}"
            groups.setdefault((month, one.agency, one.purpose), []).append(one)
        return tuple(
            SearchesOfPlate(
                month=month,
                agency=agency,
                purpose=purpose,
                searches=sum(1 for one in ones if one.permitted),
                refused=sum(1 for one in ones if not one.permitted),
                put_to=tuple(
                    sorted({owner for one in ones if one.permitted for owner in owners[one.index]})
                ),
            )
            for (month, agency, purpose), ones in sorted(
                groups.items(), key=lambda group: tuple(map(str, group[0]))
            )
        )


def _query(question: OwnPlateQuestion) -> str:
    """What stands in the entry: a personal value, opened by an auditor with a reason."""
    return (
        f"own plate {question.plate} of {question.state}, {question.since:%Y-%m-%d} to"
        f" {question.until:%Y-%m-%d}, asked by {question.owner}; seen: {question.checked}"
    )


def _put_to(query: str) -> tuple[AgencyId, ...]:
    """The other owners that a question of our own people named."""
    _, own, rest = query.partition(_OWN)
    return tuple(AgencyId(one) for one in rest.split(", ") if one) if own else ()
