import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farolito.model import Invalid
from farolito.model.plates import ALPHABET
from farolito.plates import SEED

PLATES = st.text(ALPHABET, min_size=1, max_size=8)


def test_the_readings_of_a_character_are_a_distribution() -> None:
    for true in ALPHABET:
        assert sum(SEED.reads_as(true, read) for read in ALPHABET) == pytest.approx(1)
        assert SEED.reads_as(true, true) > 0.9


def test_the_shares_of_what_a_wrong_character_was_sum_to_one() -> None:
    told = SEED.errors
    for read in ALPHABET:
        assert sum(told.shares[read]) == pytest.approx(1)
        assert 0 < told.wrong[read] < 0.1


def test_the_misreads_that_reached_a_court_or_the_press_are_look_alikes() -> None:
    assert {"2", "3"} <= set(SEED.errors.look_alikes["7"])


def test_a_misread_confirmed_again_and_again_becomes_the_likeliest() -> None:
    learnt = SEED.learn([("BMK419", "BMK417")] * 60)

    assert learnt.errors.truths["9"][0][0] == "7"
    assert learnt.errors.wrong["9"] > SEED.errors.wrong["9"]


def test_right_reads_make_a_character_more_trusted() -> None:
    assert SEED.learn([("7777777", "7777777")] * 200).errors.wrong["7"] < SEED.errors.wrong["7"]


def test_a_rejected_read_without_its_truth_adds_one_error_shared_over_its_characters() -> None:
    learnt = SEED.learn_rejected(["BMK417"])

    added = sum(map(sum, learnt.counts)) - sum(map(sum, SEED.counts))
    assert added == pytest.approx(1)
    assert learnt.errors.wrong["7"] > SEED.errors.wrong["7"]
    assert learnt.errors.wrong["2"] == pytest.approx(SEED.errors.wrong["2"], rel=1e-3)


@given(st.lists(st.tuples(PLATES, PLATES), max_size=20))
def test_learning_keeps_the_table_a_distribution(pairs: list[tuple[str, str]]) -> None:
    learnt = SEED.learn(pairs)

    for true in ALPHABET:
        assert sum(learnt.reads_as(true, read) for read in ALPHABET) == pytest.approx(1)


def test_a_table_that_rules_a_confusion_out_is_refused() -> None:
    counts = tuple((0.0, *line[1:]) for line in SEED.counts)

    with pytest.raises(Invalid, match="rare, not impossible"):
        msgspec.structs.replace(SEED, counts=counts)
