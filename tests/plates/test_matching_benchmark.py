"""The scorer is scored: a metro in which nothing is missed or invented unless it really was."""

from farolito.cli.bench_plates_matching import (
    Metro,
    Reader,
    Tally,
    _passes,
    _Pen,
    run_stream,
    stream,
)
from farolito.plates import Index

FLAWLESS = Reader(classes=((1.0, 0.0, True),), wrong_length=0.0)


def _tally(reader: Reader, seed: int, *, listed_only: bool = False) -> Tally:
    metro = Metro(seed, rows=4_000, residents=2_000)
    index = Index.build(metro.entries, {metro.hot_list.list_id: metro.hot_list})
    exact: dict[str, set[str]] = {}
    for entry in metro.entries:
        exact.setdefault(entry.plate, set()).add(entry.state or "")
    pen = _Pen(metro, reader, seed)
    glimpses = _passes(metro, pen, 400, seed) if listed_only else stream(metro, pen, 3_000, seed)
    return run_stream(metro, index, pen, glimpses, exact)


def test_the_same_seed_gives_the_same_figures() -> None:
    assert _tally(Reader.voting(), 3) == _tally(Reader.voting(), 3)


def test_readers_without_flaw_read_every_listed_car_and_miss_few_of_them() -> None:
    tally = _tally(FLAWLESS, 4, listed_only=True)

    assert tally.listed == tally.readable == tally.exact == 400
    assert tally.missed <= 12  # by a state or a car that was seen wrong, never by the text


def test_worse_readers_miss_more() -> None:
    still = _tally(Reader.still(), 5, listed_only=True)

    assert still.exact < 400
    assert still.missed > _tally(FLAWLESS, 5, listed_only=True).missed
