import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.model import Candidate, Standing
from farolito.model.plates import ALPHABET
from farolito.plates import NO_TRAFFIC, Fleet, Traffic, judge, strings_that_matter
from farolito.plates.evidence import weigh
from farolito.plates.posterior import RIVALS_MAX, posterior

from .plate_builders import CITY, FLOCK, NOW, read, row

PLATES = st.text(ALPHABET, min_size=1, max_size=9)
SHARES = st.floats(0, 1)
STATES = st.sampled_from([None, "NM", "TX", "CO"])
FLEET = Fleet.counted([("NM", "LLLDDD", 90_000), ("TX", "LLLDDDD", 7_000), ("CO", "LLLDDD", 3_000)])


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_posterior_is_a_probability_whatever_is_read_listed_and_counted(
    data: st.DataObject,
) -> None:
    text = data.draw(PLATES)
    listed = data.draw(st.just(text) | PLATES)
    hot_list = data.draw(st.sampled_from([CITY, FLOCK]))
    seen = read(
        text,
        characters=data.draw(st.none() | st.lists(SHARES, min_size=len(text), max_size=len(text))),
        confidence=data.draw(st.none() | SHARES),
        candidates=[
            Candidate(p, c)
            for p, c in data.draw(st.lists(st.tuples(PLATES, st.none() | SHARES), max_size=4))
        ],
        state=data.draw(STATES),
        state_confidence=data.draw(st.none() | SHARES),
        folded=data.draw(st.booleans()),
    )
    entry = row(listed, data.draw(STATES), hot_list=hot_list)
    counts = {q: data.draw(st.integers(0, 500)) for q in strings_that_matter(seen, entry)[:5]}
    fleet = data.draw(st.sampled_from([Fleet(), FLEET]))
    traffic = Traffic(counts, data.draw(st.integers(0, 10_000_000)), {}, fleet)

    result = posterior(seen, entry, hot_list, traffic)
    match = judge(seen, entry, hot_list, traffic, NOW)

    assert 0 <= result.listed <= 1
    assert 0 <= result.other_state <= 1
    assert all(0 <= share <= 1 + 1e-9 for _, share in result.rivals)
    assert len(match.doubtful) == len(match.alternatives)
    assert all(0 <= j < len(listed) for j in (*match.doubtful, *match.differing))
    assert all(
        entry.plate[j] not in a for j, a in zip(match.doubtful, match.alternatives, strict=True)
    )
    if match.standing is Standing.LEAD:
        assert match.posterior >= hot_list.threshold


@given(
    told=st.lists(st.floats(0.05, 1), min_size=6, max_size=6),
    j=st.integers(0, 5),
    more=st.floats(0, 1),
)
def test_surer_characters_never_make_the_read_plate_less_likely(
    told: list[float], j: int, more: float
) -> None:
    surer = [c + (1 - c) * more if i == j else c for i, c in enumerate(told)]
    entry = row("BMK413")

    low = posterior(read("BMK413", characters=told), entry, CITY, NO_TRAFFIC).listed
    high = posterior(read("BMK413", characters=surer), entry, CITY, NO_TRAFFIC).listed

    assert high >= low - 1e-9


@given(few=st.integers(0, 200), more=st.integers(0, 200))
def test_a_look_alike_seen_more_often_never_makes_the_listed_plate_likelier(
    few: int, more: int
) -> None:
    def listed(times: int) -> float:
        traffic = Traffic({"BMK418": times}, 100_000, {"BMK418": {"NM": times}}, FLEET)
        return posterior(
            read("BMK413", characters=(0.95,) * 6), row("BMK413"), CITY, traffic
        ).listed

    assert listed(few + more) <= listed(few) + 1e-12


def test_a_listed_plate_seen_here_before_is_likelier_than_one_that_never_was() -> None:
    seen, entry = read("BMK413", characters=(0.9,) * 6), row("BMK413")

    before = Traffic({"BMK413": 5}, 1_000_000, {"BMK413": {"NM": 5}}, FLEET)

    never = posterior(seen, entry, CITY, Traffic({}, 1_000_000, {}, FLEET)).listed
    assert posterior(seen, entry, CITY, before).listed > never


def test_a_neighbours_daily_misread_does_not_make_the_listed_plate_a_regular() -> None:
    seen, entry = read("BMK413", characters=(0.9,) * 6), row("BMK413")
    twin = {"BMK418": 250}
    both = {**twin, "BMK413": 2}

    explained = posterior(seen, entry, CITY, Traffic(both, 1_000_000)).listed

    assert explained == pytest.approx(
        posterior(seen, entry, CITY, Traffic(twin, 1_000_000)).listed, rel=1e-6
    )


def test_shapes_that_a_state_does_not_issue_are_weak_rivals() -> None:
    unread = read("BMK4131", characters=(0.99,) * 7, state=None)
    entry = row("BMK4131", "TX")

    counted = posterior(unread, entry, CITY, Traffic({}, 1_000_000, {}, FLEET)).listed
    every = Fleet(FLEET.states, dict.fromkeys(FLEET.states, frozenset({"LLLDDDD"})))
    anywhere = posterior(unread, entry, CITY, Traffic({}, 1_000_000, {}, every)).listed

    assert counted > 0.8 > anywhere


def test_the_strings_that_matter_are_few_and_begin_with_the_listed_one() -> None:
    seen = read("B0K4I3", characters=(0.4,) * 6, candidates=[Candidate("BOK413", 0.5)])

    wanted = strings_that_matter(seen, row("BOK413"))

    assert wanted[0] == "BOK413"
    assert {"B0K4I3", "BOK418", "BOK4I3"} <= set(wanted)
    assert len(wanted) == len(set(wanted)) <= RIVALS_MAX


@given(text=PLATES, folded=st.booleans(), data=st.data())
def test_the_evidence_at_a_position_sums_to_one(
    text: str, folded: bool, data: st.DataObject
) -> None:
    told = data.draw(st.none() | st.lists(SHARES, min_size=len(text), max_size=len(text)))
    offered = [
        Candidate(p, c) for p, c in data.draw(st.lists(st.tuples(PLATES, SHARES), max_size=4))
    ]

    evidence = weigh(read(text, characters=told, confidence=0.7, candidates=offered, folded=folded))

    for spread in evidence.spread:
        assert sum(spread) == pytest.approx(1)
        assert min(spread) >= 0


def test_no_reader_is_believed_to_be_certain() -> None:
    evidence = weigh(read("BMK417", characters=(1.0,) * 6))

    assert max(max(spread) for spread in evidence.spread) < 1
