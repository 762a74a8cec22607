"""Which searches somebody must look at: plain rules, each with its sentence, none a verdict.

A search is heard once, in order of time, and a finding comes with the search that completes it.
What explains a search is its case, never what somebody typed (every proven abuser typed a
fine-sounding reason). No rule adds up points of a person. A search is heard a day after it was
made, when what explains it has had its time to be written down (R16); what `AT_ONCE` names does not
wait for that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median

import msgspec

from farolito.model import AgencyId, PersonId, Purpose
from farolito.review.search import (
    Cases,
    Explained,
    Looked,
    Search,
    explained,
    is_same,
    place_of,
)

REPEATS_MAX = 1  # unexplained looks at the same subject after the first; one more is a finding
# Whoever was found once and goes on is found again, seldom enough to stay one review a step.
_REPEATS_TOLD = frozenset((REPEATS_MAX + 1) * 5**step for step in range(6))
AGAIN_AFTER = timedelta(hours=8)  # looks within one shift count once
REMEMBERED = timedelta(days=400)  # misuse goes on for months, with weeks between
SHARE_WINDOW = timedelta(days=30)
SHARE_TIMES = 5.0  # of the median of those who search at all
SHARE_SEARCHES_MIN = 15  # in the window; fewer are nobody's habit
SHARE_PEOPLE_MIN = 5
COPIED_MAX = 20  # subjects that one person looked for under one case that speaks of none of them
TOGETHER = timedelta(minutes=10)  # two devices in use at once
TOGETHER_MAX = 100  # searches of one sign-in held against each other; the oldest are let go
PROHIBITED = frozenset(
    {
        Purpose.IMMIGRATION_ENFORCEMENT,
        Purpose.PROTECTED_HEALTH_CARE,
        Purpose.PROTECTED_ACTIVITY,
        Purpose.PERSONAL,
    }
)


class Rule(StrEnum):
    REPEAT = "repeat"  # the same subject again and again, and no case explains it
    SHARE = "share"  # far more than others search for no case, or for others' cases
    PROTECTED = "protected"  # the plate of an employee, a household, a protected person
    OFF_SHIFT = "off_shift"
    SHARED_SESSION = "shared_session"  # two devices at once under one sign-in's name
    COPIED = "copied"  # one case number for everything
    ON_BEHALF = "on_behalf"  # for somebody else, or for a purpose that the law rules out
    SAMPLE = "sample"  # drawn by lot


AT_ONCE = frozenset({Rule.PROTECTED, Rule.ON_BEHALF, Rule.SHARED_SESSION, Rule.OFF_SHIFT})


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Why somebody must look. `entries`: numbers in the ledger, the newest last."""

    rule: Rule
    person: PersonId
    agency: AgencyId
    at: datetime
    entries: tuple[int, ...]
    says: str

    @property
    def key(self) -> tuple[str, ...]:
        """One review for what belongs together."""
        return (self.rule.value, str(self.person), str(self.entries[0]))


class _Looks(msgspec.Struct):
    """One person's unexplained looks at one subject. `lead`: one of them followed a lead."""

    entries: list[int]
    first: datetime
    last: datetime
    lead: bool
    repeats: int = 0


class _Used(msgspec.Struct):
    """One sign-in's searches of the last minutes; `told`: the first entry of its finding."""

    at: datetime
    recent: list[Search] = []
    told: int | None = None


Duty = Callable[[PersonId, datetime], bool | None]


def _unknown(_: PersonId, __: datetime) -> None:
    return None


class Detectors:
    """Hears searches in order of time.

    `protected`: subjects of employees, households, protected persons. `on_duty`: whether somebody
    was on duty or called back, where a roster is known.
    """

    def __init__(
        self, cases: Cases, protected: frozenset[str] = frozenset(), on_duty: Duty = _unknown
    ) -> None:
        self._cases = cases
        self.protected = protected
        self._on_duty = on_duty
        self._looks: dict[tuple[PersonId, str], _Looks] = {}
        self._places: dict[PersonId, list[str]] = {}  # those among them that are places
        self._copied: dict[tuple[PersonId, str], dict[str, int]] = {}
        self._used: dict[str, _Used] = {}
        self._shares = _Shares()

    def hear(self, search: Search) -> list[Finding]:
        return [*self.at_once(search), *self.later(search)]

    def at_once(self, search: Search, why: Explained | None = None) -> list[Finding]:
        """What does not wait. `why`: what explains it, where that is known already."""
        why = why or explained(search, self._cases)
        return [
            *self._protects(search, why),
            *self._behalf(search),
            *self._off_shift(search),
            *self._together(search),
        ]

    def later(self, search: Search, why: Explained | None = None) -> list[Finding]:
        """What is heard when a search's explanation has had its time."""
        why = why or explained(search, self._cases)
        return [
            *self._repeat(search, why),
            *self._copies(search, why),
            *self._shares.hear(search, why),
        ]

    def looks(self, person: PersonId, subject: str) -> Looked | None:
        """What was heard of one person's looks at one subject that no case explains."""
        looks = self._looks.get((person, self._same(person, subject)))
        return None if looks is None else Looked(len(looks.entries), looks.first)

    def forget(self, before: datetime) -> None:
        """Let go of what is older than any rule looks back."""
        kept = {key: looks for key, looks in self._looks.items() if looks.last >= before}
        self._looks = kept
        self._places = {}
        for person, subject in kept:
            if place_of(subject) is not None:
                self._places.setdefault(person, []).append(subject)
        self._used = {session: used for session, used in self._used.items() if used.at >= before}

    def _same(self, person: PersonId, subject: str) -> str:
        """The place near this one that the person looked at before; every other subject itself."""
        return next((s for s in self._places.get(person, ()) if is_same(s, subject)), subject)

    def _repeat(self, search: Search, why: Explained) -> Iterator[Finding]:
        """The first look is nobody's business; a second one may be a mistake; the third is found.

        One look for a case of one's own that says nothing of the subject is a lead that was
        followed: it counts as no repeat, once. Whoever follows it further writes it down."""
        if why.by_subject:
            return
        key = (search.person, self._same(search.person, search.subject))
        looks = self._looks.get(key)
        if looks is None or search.at - looks.last > REMEMBERED:
            self._looks[key] = _Looks([search.entry], search.at, search.at, lead=why.lead)
            if looks is None and place_of(search.subject) is not None:
                self._places.setdefault(search.person, []).append(search.subject)
            return
        is_again = search.at - looks.last >= AGAIN_AFTER
        looks.last = search.at
        looks.entries.append(search.entry)
        if not is_again:
            return
        if why.lead and not looks.lead:
            looks.lead = True
            return
        looks.repeats += 1
        if looks.repeats not in _REPEATS_TOLD:
            return
        says = (
            f"the same {search.subject.partition(':')[0]} was looked for {len(looks.entries)} times"
            f" and no case explains it: {why.says}"
        )
        yield _finding(Rule.REPEAT, search, says, looks.entries)

    def _protects(self, search: Search, why: Explained) -> Iterator[Finding]:
        if search.subject in self.protected and not why.by_subject:
            says = f"a protected plate, and {why.says}"
            yield _finding(Rule.PROTECTED, search, says)

    def _behalf(self, search: Search) -> Iterator[Finding]:
        if search.purpose in PROHIBITED:
            yield _finding(Rule.ON_BEHALF, search, "asked for a purpose that the law rules out")
        elif search.on_behalf_of:
            yield _finding(Rule.ON_BEHALF, search, "asked on behalf of somebody else")

    def _off_shift(self, search: Search) -> Iterator[Finding]:
        if self._on_duty(search.person, search.at) is False:
            yield _finding(Rule.OFF_SHIFT, search, "off shift, and no call-back is recorded")

    def _together(self, search: Search) -> Iterator[Finding]:
        """One device, another one, and the first again: a device that moved to another network
        does not come back within minutes. One review for each sign-in while it is open."""
        if search.session is None or search.device is None:
            return
        there = self._used.setdefault(search.session, _Used(search.at))
        there.at, there.recent = search.at, [s for s in there.recent if _near(s, search)]
        others = [n for n, s in enumerate(there.recent) if s.device != search.device]
        before = [s for s in there.recent[: max(others, default=0)] if s.device == search.device]
        if before:
            there.told = before[-1].entry if there.told is None else there.told
            entries = dict.fromkeys([there.told, before[-1].entry, there.recent[others[-1]].entry])
            says = "one sign-in was used by two devices within ten minutes, in turn"
            yield _finding(Rule.SHARED_SESSION, search, says, [*entries, search.entry])
        there.recent = [*there.recent[1 - TOGETHER_MAX :], search]

    def _copies(self, search: Search, why: Explained) -> Iterator[Finding]:
        if not search.case or why.by_subject:
            return
        used = self._copied.setdefault((search.person, search.case), {})
        used.setdefault(search.subject, search.entry)
        if len(used) == COPIED_MAX + 1:
            says = f"one case number for {len(used)} plates or places that it says nothing of"
            yield _finding(Rule.COPIED, search, says, list(used.values()))


class _Shares:
    """How much of an agency's searching each person does, over the last 30 days.

    Who works much searches much, so only searches that no case of their own stands behind count."""

    def __init__(self) -> None:
        self._recent: dict[AgencyId, deque[Search]] = {}
        self._counts: dict[AgencyId, dict[PersonId, int]] = {}
        self._told: dict[PersonId, datetime] = {}

    def hear(self, search: Search, why: Explained) -> Iterator[Finding]:
        counts = self._counts.setdefault(search.agency, {})
        counts.setdefault(search.person, 0)
        if why.by_subject or why.lead:
            return
        recent = self._recent.setdefault(search.agency, deque())
        recent.append(search)
        counts[search.person] += 1
        while recent[0].at < search.at - SHARE_WINDOW:
            counts[recent.popleft().person] -= 1
        mine = counts[search.person]
        told = self._told.get(search.person)
        quiet = told is not None and search.at - told < SHARE_WINDOW
        if mine < SHARE_SEARCHES_MIN or len(counts) < SHARE_PEOPLE_MIN or quiet:
            return
        usual = median(counts.values())
        if mine <= SHARE_TIMES * usual:
            return
        self._told[search.person] = search.at
        says = (
            f"{mine} searches in 30 days that no case of their own stands behind; half of those who"
            f" search made {usual:g} or fewer"
        )
        yield _finding(Rule.SHARE, search, says)


def _near(one: Search, other: Search) -> bool:
    return other.at - one.at <= TOGETHER


def _finding(
    rule: Rule, search: Search, says: str, entries: Iterable[int] | None = None
) -> Finding:
    return Finding(
        rule=rule,
        person=search.person,
        agency=search.agency,
        at=search.at,
        entries=tuple(entries) if entries is not None else (search.entry,),
        says=says,
    )


def by_rule(findings: Iterable[Finding]) -> Mapping[Rule, int]:
    counts: dict[Rule, int] = {}
    for one in findings:
        counts[one.rule] = counts.get(one.rule, 0) + 1
    return counts
