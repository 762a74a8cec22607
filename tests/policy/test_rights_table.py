"""The table in git is what the rules say, line for line."""

from __future__ import annotations

from pathlib import Path

import pytest

from farolito.model import Act, Role, Thing
from farolito.policy.table import HEAD, PURPOSES, VARIANTS, rights

TABLE = Path(__file__).parents[2] / "docs" / "rights.tsv"


# A hundred thousand decisions: about eight seconds on a quiet core.
@pytest.mark.timeout(300)
def test_a_changed_right_is_a_changed_line_in_git() -> None:
    computed = rights()
    assert len(computed) < 300_000
    assert computed == TABLE.read_text("utf-8"), (
        "rights have changed; if that is meant: python -m farolito.policy.table docs/rights.tsv"
    )


def test_the_table_has_a_line_for_every_role_act_and_thing() -> None:
    head, *lines = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines()]
    assert tuple(head) == HEAD
    assert [tuple(line[:3]) for line in lines] == [
        (r, a, t) for r in Role for a in Act for t in Thing
    ]
    purposes = {p.value if p else "none" for p in PURPOSES}
    for line in lines:
        permitted = set(line[3].split()) - {"-"}
        refused = purposes if line[4] == "all" else set(line[4].split())
        assert permitted | refused == purposes
        assert not permitted & refused
    assert len(VARIANTS) >= 12
