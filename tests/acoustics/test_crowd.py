"""Leftovers of others are not told; what stands alone is told at once."""

from __future__ import annotations

from farolito.acoustics import Ear, Place, Round, Source
from farolito.acoustics.crowd import Crowd

NOW = 100.0


def source(
    track: int, ears: int, rounds: int = 1, *, explains: float = 0.9, probability: float = 0.95
) -> Source:
    return Source(
        track=track, revision=1, places=(Place(x_m=0, y_m=0, xx=9, xy=0, yy=9),),
        rounds=tuple(Round(at_s=NOW - 2 + 0.3 * at, sensors=ears) for at in range(rounds)),
        rounds_low=rounds, rounds_high=rounds, score=100 * explains, expected=100,
        probability=probability,
        ears=tuple(
            Ear(sensor=f"S{at}", at_s=NOW, rounds=rounds, residual_s=0, metres=300)
            for at in range(ears)
        ),
    )  # fmt: skip


def lets(crowd: Crowd, one: Source, *others: Source, at_s: float) -> bool:
    return crowd.lets(one, {other.track: other for other in (one, *others)}, at_s)


def found(*sources: Source) -> Crowd:
    crowd = Crowd()
    for at, one in enumerate(sources):
        crowd.found(one.track, NOW + 0.01 * at)
    return crowd


def test_a_source_that_stands_alone_is_told_at_once() -> None:
    string = source(1, 12, 4)
    assert lets(found(string), string, at_s=NOW)


def test_one_that_few_sensors_heard_is_told_when_it_stands_for_half_a_second() -> None:
    weak = source(1, 4)
    assert not lets(found(weak), weak, at_s=NOW)
    assert lets(found(weak), weak, at_s=NOW + 0.5)


def test_a_leftover_of_a_string_is_never_told() -> None:
    string, leftover = source(1, 20, 5), source(2, 6, explains=0.35)
    crowd = found(string, leftover)
    assert not any(lets(crowd, leftover, string, at_s=NOW + after) for after in range(15))
    assert lets(crowd, string, leftover, at_s=NOW)


def test_a_leftover_that_came_first_does_not_hold_up_the_string() -> None:
    leftover, string = source(1, 4, explains=0.35), source(2, 14, 3)
    assert lets(found(leftover, string), string, leftover, at_s=NOW + 0.02)


def test_a_second_shooter_is_told_a_moment_later() -> None:
    one, other = source(1, 20, 5), source(2, 15, 5, explains=0.7)
    crowd = found(one, other)
    assert not lets(crowd, other, one, at_s=NOW + 0.25)
    assert lets(crowd, other, one, at_s=NOW + 1.1)


def test_a_string_among_others_that_took_half_of_its_pulses_is_told_for_its_rounds() -> None:
    one, other = source(1, 21, 8), source(2, 15, 4, explains=0.3, probability=1.0)
    assert lets(found(one, other), other, one, at_s=NOW + 1.1)


def test_what_was_taken_back_before_anybody_heard_of_it_stays_so() -> None:
    gone = source(1, 8, probability=0.02)
    assert not lets(found(gone), gone, at_s=NOW + 5)


def test_in_a_crowd_even_the_strongest_waits() -> None:
    crowd = found(*(source(track, 5) for track in range(6)))
    string = source(9, 20, 5)
    crowd.found(9, NOW + 1)
    assert not lets(crowd, string, at_s=NOW + 3.5)
    assert lets(crowd, string, at_s=NOW + 4.0)
    crowd.forget(NOW + 61.5)
    crowd.found(10, NOW + 61.5)
    assert lets(crowd, source(10, 20, 5), at_s=NOW + 61.5), "the crowd has gone"


def test_only_what_explains_enough_for_long_enough_is_a_sign_of_a_storm() -> None:
    burst, leftover = source(1, 20), source(2, 9, explains=0.5)
    crowd = found(burst, leftover)
    assert not crowd.is_firm(burst, NOW + 1)
    assert crowd.is_firm(burst, NOW + 3.5)
    assert not crowd.is_firm(leftover, NOW + 3.5)
