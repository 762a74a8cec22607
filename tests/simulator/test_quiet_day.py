"""A day without a shot: what there is in it, and that it can be told again."""

from __future__ import annotations

import pytest

from farolito.model import SoundKind
from farolito.simulator.quiet_day import DAY_S, STARTS_S, QuietDay


def test_no_gun_is_in_it_and_every_other_kind_is() -> None:
    day = QuietDay(3, strays_s=60)
    kinds = {event.kind for group in day._groups for event in group}
    assert kinds == set(SoundKind) - {SoundKind.GUNSHOT}
    assert 250 < day.sounds < 600


def test_a_share_of_it_is_the_same_pieces_each_time() -> None:
    one, other = (list(QuietDay(3, 0.02, 60).pieces()) for _ in range(2))
    assert [piece.heard.pulses for piece in one] == [piece.heard.pulses for piece in other]
    assert 1 < len(one) < 20


def test_pieces_hold_their_sounds_and_lie_apart() -> None:
    pieces = list(QuietDay(4, 0.1, 120).pieces())
    for piece in pieces:
        for event in piece.events:
            for bang in event.bangs:
                assert piece.span_s[0] < bang.at_s < piece.span_s[1]
    strays = [piece for piece in pieces if not piece.events]
    assert sum(end - start for start, end in (p.span_s for p in strays)) == pytest.approx(120)
    assert all(made.event < 0 for piece in strays for made in piece.heard.made)
    assert all(piece.span_s[0] >= STARTS_S + DAY_S for piece in strays)
