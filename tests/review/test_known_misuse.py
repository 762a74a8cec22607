"""The known cases, planted among a year of honest work: found at the second repeat."""

from __future__ import annotations

import pytest

from farolito.review.detectors import AGAIN_AFTER, Detectors, Finding, Rule
from tests.review.year import OFFENDERS, Year, a_year, person

FALSE_PER_10_000_MAX = 1.0


@pytest.fixture(scope="module", params=[1, 2, 3])
def heard(request: pytest.FixtureRequest) -> tuple[Year, list[Finding]]:
    year = a_year(request.param)
    detectors = Detectors(year.cases.get)
    return year, [found for search in year.searches for found in detectors.hear(search)]


def test_every_offender_is_found_by_the_second_repeat(heard: tuple[Year, list[Finding]]) -> None:
    year, findings = heard
    told = {f.entries[-1] for f in findings if f.rule is Rule.REPEAT}
    for offender in OFFENDERS:
        subjects = {s for name, s in year.wrong.values() if name == offender.name}
        assert len(subjects) == len(offender.looks)
        for subject in subjects:
            assert _looks_until_found(year, offender.name, subject, told) <= 3


def _looks_until_found(year: Year, name: str, subject: str, told: set[int]) -> int:
    """Looks at one subject until one was a finding; those within a shift are one."""
    looks, last = 0, None
    for search in year.searches:
        if search.person != person(name) or search.subject != subject:
            continue
        if last is None or search.at - last >= AGAIN_AFTER:
            looks += 1
        last = search.at
        if search.entry in told:
            return looks
    return 10**9


def test_honest_work_is_left_in_peace(heard: tuple[Year, list[Finding]]) -> None:
    year, findings = heard
    honest = len(year.searches) - len(year.wrong)
    false = [f for f in findings if not set(f.entries) & year.wrong.keys()]
    assert honest >= 79_000
    assert len(false) / honest * 10_000 <= FALSE_PER_10_000_MAX, [f.says for f in false[:5]]


def test_counting_days_alone_would_flag_honest_people(heard: tuple[Year, list[Finding]]) -> None:
    """Why the case matters: without it, the same rule finds hundreds who did nothing wrong."""
    year, _ = heard
    detectors = Detectors(lambda _: None)
    flagged = {
        (f.person, f.entries[0])
        for search in year.searches
        for f in detectors.hear(search)
        if f.rule is Rule.REPEAT and not set(f.entries) & year.wrong.keys()
    }
    assert len(flagged) > 500
