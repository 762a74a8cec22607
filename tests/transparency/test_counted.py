"""Counts of a period: each names its entries, and what is withheld cannot be reckoned."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from farolito.audit import seal
from farolito.gate.figures import Tally, time_of
from farolito.model import Act, AgencyId, Purpose, Role, Thing
from farolito.transparency.counted import Earlier, cell_of, counts_of, name_of, shown, sums_of
from farolito.transparency.suppress import SMALL
from tests.audit.ledger_builders import chance, entry

CITY, SHERIFF, PUEBLO = (AgencyId(name) for name in ("city-pd", "county-so", "pueblo-pd"))
AGENCIES = [CITY, SHERIFF, PUEBLO]
REASONS = ["prohibited_purpose", "case", "no_agreement"]
SINCE = datetime(2026, 10, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)


def search(**more: object) -> bytes:
    fields = {
        "act": Act.READ, "thing": Thing.PLATE_READ, "decision": "permit", "reason": "permit",
        "actor_role": Role.DETECTIVE, "agency": CITY, "purpose": Purpose.CRIMINAL_INVESTIGATION,
        "at": SINCE + timedelta(days=3), **more,
    }  # fmt: skip
    return seal(entry(**fields), chance(1)).raw


def refused(reason: str, **more: object) -> bytes:
    return search(decision="refusal", reason=reason, **more)


def tally(raw: list[bytes]) -> Tally:
    made = Tally(time_of(SINCE), time_of(UNTIL))
    made.add(raw)
    return made


def values(raw: list[bytes]) -> dict[str, int]:
    return {one.name: one.value for one in counts_of(tally(raw), AGENCIES, REASONS, {})}


def test_a_search_is_the_entry_that_permits_it_and_not_what_came_back() -> None:
    raw = [search()] * 6
    raw += [search(reason=word) for word in ("answered", "nothing", "pointer", "away")]
    raw += [search(act=Act.ACT), search(thing=Thing.ALERT), search(at=UNTIL)]
    counted = values(raw)
    assert counted["searches/all/all"] == 6
    assert counted["searches/criminal_investigation/city-pd"] == 6
    assert counted["searches/criminal_investigation/county-so"] == 0


def test_searches_of_others_count_under_their_own_names() -> None:
    counted = values([search(agency=SHERIFF)] * 3 + [search(agency=AgencyId("gone-pd"))] * 2)
    assert counted["searches/all/county-so"] == 3
    assert counted["searches/all/other"] == 2
    assert counted["searches/all/all"] == 5


def test_refusals_count_by_their_reason_and_a_search_that_was_refused_by_agency() -> None:
    raw = [refused("prohibited_purpose", agency=SHERIFF)] * 4
    raw += [refused("case")] * 2 + [refused("unheard_of", thing=Thing.CAMERA, act=Act.WATCH)]
    counted = values(raw)
    assert counted["refused/all/all"] == 6
    assert counted["refused/all/county-so"] == 4
    assert counted["refusals/all/all"] == 7
    assert counted["refusals/other/all"] == 1
    assert counted["searches/all/all"] == 0


def test_hits_count_by_how_they_stand_and_what_the_officer_said() -> None:
    alerts = {
        ("confirmed", ""): 3, ("closed", "right_car"): 9, ("closed", "gone"): 6,
        ("rejected", "wrong_plate"): 7, ("recalled", "right_car"): 1, ("waiting", ""): 2,
    }  # fmt: skip
    counted = {one.name: one.value for one in counts_of(tally([]), AGENCIES, REASONS, alerts)}
    assert counted["hits/all/all"] == 28
    assert counted["hits/confirmed/all"] == 18
    assert counted["hits/wrong/all"] == 7
    assert counted["hits/recalled/all"] == 1
    assert counted["outcomes/right_car/all"] == 10


def test_every_sum_that_a_reader_knows_holds() -> None:
    raw = [search()] * 6 + [search(agency=SHERIFF)] * 3 + [refused("case")] * 2
    counts = counts_of(tally(raw), AGENCIES, REASONS, {("closed", "gone"): 3})
    told = {one.cell: one.value for one in counts}
    sums = sums_of(told)
    assert len(sums) > 12
    for one in sums:
        assert one.least <= sum(n * told[cell] for cell, n in one.weights.items()) <= one.most


def test_a_count_under_five_is_withheld_and_so_is_what_would_tell_it() -> None:
    raw = [search()] * 40 + [search(agency=SHERIFF)] * 30 + [search(agency=PUEBLO)] * 2
    counts = counts_of(tally(raw), AGENCIES, REASONS, {})
    told = shown(counts)
    by_name = {one.name: one.value for one in told.figures}
    assert by_name["searches/all/all"] == 72
    assert by_name["searches/all/pueblo-pd"] is None
    assert "searches/all/pueblo-pd" in told.few
    hidden = [by_name[f"searches/all/{agency}"] for agency in AGENCIES].count(None)
    rest = by_name["searches/all/other"]
    assert hidden >= 2 or rest is None, "or the pueblo's were all less the others"
    assert all(one.value is None or one.value >= SMALL for one in told.figures)


@pytest.mark.parametrize("seed", range(4))
def test_no_withheld_count_of_a_year_or_its_months_has_one_possible_value(seed: int) -> None:
    """Attacked by trying: with everything shown, some other numbers fit as well."""
    rng = random.Random(seed)
    months, whole = [], []
    for number in range(3):
        raw = [
            search(agency=agency, purpose=purpose)
            for agency, purpose in product(
                AGENCIES, (Purpose.CRIMINAL_INVESTIGATION, Purpose.MISSING_PERSON)
            )
            for _ in range(rng.choice((0, 1, 2, 3, 5, 8, 20)))
        ]
        whole += raw
        counts = counts_of(tally(raw), AGENCIES, ["case"], {})
        public = shown(counts)
        told = {one.name: one.value for one in public.figures} | dict(public.records)
        months.append(Earlier(f"2026-{number:02d}", {c.cell: c.value for c in counts}, told))
    counts = counts_of(tally(whole), AGENCIES, ["case"], {})
    year = {one.name: one.value for one in shown(counts, months).figures}
    for name, value in year.items():
        lacking = [m for m in months if m.shown[name] is None]
        if value is not None and len(lacking) == 1:
            pytest.fail(f"{name} of {lacking[0].period} is the year less the other months")
    assert year["searches/all/all"] == len(whole)


def test_a_year_that_would_tell_a_month_withholds_that_count() -> None:
    """Eleven shown months and one withheld: the year's sum would give it away."""
    raw = [search()] * 9
    counts = counts_of(tally(raw), AGENCIES, REASONS, {})
    one = {c.cell: c.value for c in counts}
    public = shown(counts)
    told = {f.name: f.value for f in public.figures} | dict(public.records)
    few = counts_of(tally([search()] * 2), AGENCIES, REASONS, {})
    hidden = shown(few)
    dark = {f.name: f.value for f in hidden.figures} | dict(hidden.records)
    months = [Earlier("2026-01", one, told)]
    months += [Earlier("2026-02", {c.cell: c.value for c in few}, dark)]
    year = shown(counts_of(tally([search()] * 11), AGENCIES, REASONS, {}), months)
    assert {f.name: f.value for f in year.figures}["searches/all/all"] is None


def test_names_and_cells_are_the_same_thing() -> None:
    for one in counts_of(tally([]), AGENCIES, REASONS, {}):
        assert cell_of(name_of(one.cell)) == one.cell
