"""Rhythm: how many rounds, how far apart, how even."""

from __future__ import annotations

import numpy as np
import pytest

from farolito.acoustics.cadence import rhythm


def test_a_single_round_has_no_rhythm() -> None:
    one = rhythm([5.0])
    assert (one.interval_s, one.variation, one.resembles()) == (None, None, "")
    assert "no rhythm" in one.says()


def test_five_aimed_rounds_read_as_a_semi_automatic_pistol() -> None:
    string = rhythm([0.0, 0.21, 0.47, 0.70, 0.91])
    assert f"{string.says()}, {string.resembles()}" == (
        "5 rounds 0.21–0.26 s apart, as a semi-automatic pistol"
    )


def test_even_rounds_ten_a_second_are_automatic_fire_even_where_one_went_unheard() -> None:
    times = [0.085 * number for number in range(12) if number != 6]
    assert rhythm(times).variation == pytest.approx(0, abs=1e-6)
    assert rhythm(times).resembles() == "as automatic fire"


def test_a_hammer_is_evener_than_a_finger() -> None:
    rng = np.random.default_rng(3)
    hammer = rhythm(list(1.2 * np.arange(12) + rng.normal(0, 0.01, 12)))
    assert hammer.resembles() == "as even as a machine at work"


def test_firecrackers_keep_no_time() -> None:
    rng = np.random.default_rng(4)
    crackers = rhythm(list(np.cumsum(rng.exponential(0.07, 40) + 0.005)))
    assert crackers.resembles() == "irregular, as a string of firecrackers"


def test_three_even_rounds_of_a_trained_shooter_are_no_machine() -> None:
    assert rhythm([0.0, 0.55, 1.10]).variation is None
    assert rhythm([0.0, 0.55, 1.10]).resembles() == "as a semi-automatic pistol"
