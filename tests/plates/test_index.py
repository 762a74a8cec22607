import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.model import Candidate, EntryId
from farolito.plates import Index, is_worth_judging

from .plate_builders import CITY, FLOCK, LISTS, read, row

SURE = (0.99,) * 6
# Few characters, many of them look-alikes: chance hits and near ones are common.
PLATES = st.text("0O18B7", min_size=2, max_size=5)
CONFIDENCES = st.sampled_from([1.0, 0.98, 0.9, 0.75, 0.6])


def plates_found(index: Index, plate: str, **told: object) -> set[str]:
    return {e.plate for e in index.probe_read(read(plate, **told))}  # type: ignore[arg-type]


def test_the_same_text_is_found_once_for_each_row_and_no_other_is() -> None:
    rows = [row("BMK413", number=1), row("BMK413", "TX", number=2), row("BMK418", number=3)]
    index = Index.build(rows, LISTS)

    found = index.probe_read(read("BMK413", characters=SURE, candidates=[Candidate("BMK413", 0.9)]))

    assert sorted(e.entry_id.int for e in found) == [1, 2]
    assert index.probe("BMK411") == ()


def test_a_look_alike_is_found_only_where_the_reader_offers_or_doubts_it() -> None:
    index = Index.build([row("BMK413")], LISTS)

    assert plates_found(index, "BMK418", characters=SURE) == set()
    assert plates_found(index, "BMK418", confidence=0.2) == set()
    assert plates_found(index, "BMK418", characters=(*SURE[:5], 0.6)) == {"BMK413"}
    offered = [Candidate("BMK413", 0.75)]
    assert plates_found(index, "BMK418", confidence=0.8, candidates=offered) == {"BMK413"}
    outsider = [Candidate("BMK413", 0.1)]
    assert plates_found(index, "BMK418", confidence=0.8, candidates=outsider) == set()


def test_a_recalled_row_is_out_from_the_next_probe_on() -> None:
    index = Index.build([row("BMK413", number=1), row("BMK413", "TX", number=2)], LISTS)

    assert index.remove(EntryId(row("X", number=1).entry_id))
    assert [e.state for e in index.probe("BMK413")] == ["TX"]
    assert not index.remove(row("X", number=1).entry_id)
    assert len(index) == 1


def test_a_row_added_again_replaces_itself() -> None:
    index = Index.build([row("BMK413", number=1)], LISTS)

    index.add(row("ABC123", number=1))

    assert index.probe("BMK413") == ()
    assert [e.plate for e in index.probe("ABC123")] == ["ABC123"]


def test_o_and_0_are_one_only_in_lists_and_reads_that_fold_them() -> None:
    index = Index.build([row("AB0123", number=1, hot_list=FLOCK), row("KLO456", number=2)], LISTS)

    assert plates_found(index, "ABO123") == {"AB0123"}
    assert plates_found(index, "KL0456") == set()
    assert plates_found(index, "KL0456", folded=True) == {"KLO456"}


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_the_index_finds_what_the_definition_says_and_nothing_else(data: st.DataObject) -> None:
    listed = data.draw(st.lists(st.tuples(PLATES, st.sampled_from([CITY, FLOCK])), max_size=30))
    rows = [row(p, number=i, hot_list=where) for i, (p, where) in enumerate(listed)]
    text = data.draw(PLATES)
    told = data.draw(st.none() | st.lists(CONFIDENCES, min_size=len(text), max_size=len(text)))
    seen = read(
        text,
        confidence=data.draw(st.none() | st.just(0.8)),
        characters=told,
        candidates=[
            Candidate(p, c)
            for p, c in data.draw(
                st.lists(st.tuples(PLATES, st.none() | st.sampled_from([0.2, 0.79])), max_size=3)
            )
        ],
        folded=data.draw(st.booleans()),
    )

    found = {e.entry_id.int for e in Index.build(rows, LISTS).probe_read(seen)}

    def folds(list_folded: bool) -> bool:
        return list_folded or seen.folded is not None

    expected = {
        e.entry_id.int
        for e in rows
        if is_worth_judging(seen, e.plate, folds(LISTS[e.list_id].folded))
    }
    assert found == expected


@settings(max_examples=100, deadline=None)
@given(
    steps=st.lists(st.tuples(st.booleans(), PLATES, st.integers(0, 8)), max_size=30), probe=PLATES
)
def test_rows_that_come_and_go_leave_the_index_as_if_built_anew(
    steps: list[tuple[bool, str, int]], probe: str
) -> None:
    changed, kept = Index.build([], LISTS), {}
    for coming, plate, number in steps:
        entry = row(plate, number=number, hot_list=FLOCK if number % 2 else CITY)
        if coming:
            changed.add(entry)
            kept[number] = entry
        else:
            assert changed.remove(entry.entry_id) == (kept.pop(number, None) is not None)

    built = Index.build(kept.values(), LISTS)

    assert len(changed) == len(kept)
    assert {e.entry_id for e in changed.probe(probe)} == {e.entry_id for e in built.probe(probe)}


@pytest.mark.parametrize("certainty", [0.0, 0.02])
def test_a_read_of_noise_costs_a_bounded_number_of_look_ups(certainty: float) -> None:
    index = Index.build([row("BMK413")], LISTS)

    assert len(index.probe("ZZZZZZZZZZ", 0.0, (certainty,) * 10)) <= 1
