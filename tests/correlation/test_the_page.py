"""docs/incidents.md tells the operator and the reviewer what the code does."""

from __future__ import annotations

from pathlib import Path

from farolito.correlation import TABLE
from farolito.correlation.correlate import (
    FLED_M_MAX,
    NO_ROAD_M_MAX,
    SLACK_M_MAX,
    SPREAD_M_MAX,
)
from farolito.correlation.kinds import word
from farolito.model import Doubt, LinkBy

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "incidents.md").read_text()


def test_the_page_has_every_pair_of_kinds_and_no_other() -> None:
    told = [line for line in PAGE.splitlines() if line.startswith("| ") and " min | " in line]
    expected = []
    for pair, together in TABLE.items():
        first, *rest = sorted(word(kind) for kind in pair)
        expected.append(
            f"| {first} | {rest[0] if rest else 'the same'} | {together.minutes:g} min"
            f" | {together.metres:g} m | {together.reason} |"
        )
    assert sorted(told) == sorted(expected)


def test_the_page_names_every_reason_and_every_doubt_of_a_call() -> None:
    assert all(f"| {by.value} |" in PAGE for by in LinkBy)
    of_calls = set(Doubt) - {Doubt.IMPOSSIBLE_SPEED, Doubt.TWO_PLACES}
    assert all(f"`{doubt.value}`" in PAGE for doubt in of_calls)


def test_the_page_has_the_limits_of_the_code() -> None:
    assert f"within {SPREAD_M_MAX:g} m of each other" in PAGE
    assert f"up to {SLACK_M_MAX:g} m each" in PAGE
    assert f"knows no road, {NO_ROAD_M_MAX:g} m is the limit" in PAGE
    assert f"{FLED_M_MAX / 1000:g} km by road" in PAGE
