"""What the machine makes of the drill: the standings that a stranger is to see."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from itertools import islice

import pytest

from farolito.ingest.hotlist import ForbiddenCategories, load_mapping, parse
from farolito.ingest.lpr import FORMATS
from farolito.model import (
    CheckName,
    CheckOutcome,
    HotList,
    HotListEntry,
    ListId,
    Match,
    PlateRead,
    Standing,
)
from farolito.plates import NO_TRAFFIC, Index, judge
from farolito.simulator.scenario import Cue
from farolito.simulator.vendors import encode
from farolito.simulator.world import Happening, World


def _lists(world: World) -> tuple[dict[ListId, HotList], list[HotListEntry]]:
    lists: dict[ListId, HotList] = {}
    entries: list[HotListEntry] = []
    for one in world.lists:
        hot_list = HotList(
            list_id=ListId(one.list_id),
            agency=world.config.agency,
            name=one.name,
            stale_after=timedelta(days=1),
            dead_after=timedelta(days=2),
            folded=one.folded,
            imported_at=world.config.start,
        )
        lists[hot_list.list_id] = hot_list
        law = ForbiddenCategories(frozenset())
        mapping = load_mapping(one.mapping)
        entries += parse(one.content, mapping, hot_list, law, world.config.start).entries
    return lists, entries


def _read(happening: Happening) -> PlateRead:
    assert happening.report is not None
    message = encode(happening.report, happening.reader)[0]
    at = happening.report.at + timedelta(seconds=message.after_s)
    adapter = FORMATS[message.format]
    return adapter.decode(message.body, message.content_type, happening.reader.device, at).reads[0]


@pytest.fixture(scope="module")
def matches(world: World) -> dict[Cue, list[list[Match]]]:
    """For each scripted passage what the machine found, by the drill's case."""
    lists, entries = _lists(world)
    index = Index.build(entries, lists)
    found: dict[Cue, list[list[Match]]] = defaultdict(list)
    for happening in islice(world.happenings(), 2_500):
        if happening.truth.cue is None:
            continue
        read = _read(happening)
        rows = index.probe(
            read.plate, read.confidence, read.characters, read.candidates, read.folded
        )
        judged = [
            judge(read, row, lists[row.list_id], NO_TRAFFIC, read.captured_at) for row in rows
        ]
        found[Cue(happening.truth.cue)].append(judged)
    return found


@pytest.mark.parametrize(
    ("cue", "standing"),
    [
        (Cue.LEAD, Standing.LEAD),
        (Cue.AGAIN, Standing.LEAD),
        (Cue.CALLED, Standing.LEAD),
        (Cue.CANDIDATE, Standing.POSSIBLE),
        (Cue.TWIN, Standing.STOPPED),
        (Cue.STALE, Standing.STOPPED),
    ],
)
def test_each_case_stands_as_the_drill_means_it(
    matches: dict[Cue, list[list[Match]]], cue: Cue, standing: Standing
) -> None:
    assert matches[cue]
    for judged in matches[cue]:
        assert {m.standing for m in judged} == {standing}


def test_a_misread_that_hits_a_row_still_waits_for_a_person(
    matches: dict[Cue, list[list[Match]]],
) -> None:
    for cue in (Cue.MISREAD_HONEST, Cue.MISREAD_CERTAIN):
        assert matches[cue]
        for judged in matches[cue]:
            for match in judged:
                last = match.checks[-1]
                assert (last.name, last.outcome) == (CheckName.PERSON, CheckOutcome.WAITING)
