"""Whatever a dispatch system tells, a brief is composed: bounded, whole, and in every language."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farolito.briefing import Around, History, Known, Spot, compose, spoken
from farolito.briefing.change import differences
from farolito.briefing.spoken import WORDS_MAX
from farolito.model import (
    AnswerKind,
    Brief,
    BriefId,
    Call,
    CallKind,
    CallVehicle,
    Doubt,
    HazardKind,
    Level,
    LineKind,
    Point,
    ReceiptKind,
    Thing,
    UnitStatus,
)
from tests.briefing.briefing_builders import AGENCY, CAR, NOW, SAID, call, flag, going, known, note
from tests.briefing.scene import OTHER_CAR, Scene

LINE_CHARACTERS_MAX = 2_500

texts = st.text(max_size=400) | st.sampled_from(["", "@", "@kind.fire", "{kind}", "{0}", "4th @ D"])
headings = st.none() | st.floats(-720, 720, allow_nan=False)
places = st.none() | st.builds(Point, st.floats(34, 36), st.floats(-107, -105))
vehicles = st.builds(
    CallVehicle, says=texts, plate=st.none() | texts, state=st.none() | texts,
    colour=st.none() | texts, make=st.none() | texts, kind=st.none() | texts,
)  # fmt: skip
flags = st.builds(flag, texts, source=texts, kind=st.sampled_from(HazardKind))


@st.composite
def calls(draw: st.DrawFn) -> Call:
    return call(
        draw(st.sampled_from(["1", "2", "3"])),
        kind=draw(st.sampled_from(CallKind)),
        kind_says=draw(texts),
        priority=draw(st.sampled_from(Level)),
        address=draw(st.none() | texts),
        place=draw(places),
        place_from=draw(st.sampled_from([None, "cad", "map"])),
        within_m=draw(st.none() | st.floats(0, 1e6)),
        people=draw(st.none() | texts),
        notes=tuple(map(note, draw(st.lists(texts, max_size=3)))),
        vehicles=tuple(draw(st.lists(vehicles, max_size=5))),
        hazards=tuple(draw(st.lists(flags, max_size=6))),
        going=draw(st.none() | st.builds(going, texts, headings)),
        doubts=tuple(draw(st.lists(st.sampled_from(Doubt), max_size=3))),
    )


@st.composite
def anything_known(draw: st.DrawFn) -> Known:
    told = draw(st.lists(calls(), max_size=4))
    spot = draw(st.none() | st.builds(Spot, street=texts, cross=st.none() | texts))
    history = draw(st.none() | st.just(History(calls=told, days=draw(st.integers(1, 365)))))
    return known(*told, around=Around(spot=spot, eta_s=draw(st.none() | st.floats(0, 1e5))),
                 history=history, is_complete=draw(st.booleans()))  # fmt: skip


@settings(
    max_examples=120, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(anything_known(), anything_known(), st.sampled_from(["en", "es"]), st.booleans())
def test_anything_told_makes_seven_bounded_lines_and_a_short_speech(
    before: Known, after: Known, language: str, moving: bool
) -> None:
    was, now = (compose(told, SAID, language) for told in (before, after))
    assert [line.kind for line in now] == list(LineKind)
    assert all(line.says.strip() and line.source.strip() for line in now)
    assert all(len(line.says) < LINE_CHARACTERS_MAX for line in now)
    brief = Brief(
        brief_id=BriefId(uuid4()), agency=AGENCY, unit=CAR, version=2, composed_at=NOW, lines=now,
        change="", change_phrases=differences(was, now),
    )  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(brief), type=Brief) == brief
    assert len(spoken(brief, SAID, language, moving=moving).split()) <= WORDS_MAX


async def test_everything_at_once_makes_no_version_twice_and_waits_for_nobody(
    scene: Scene,
) -> None:
    """A CAD, two officers, an operator and the lookup, all on one incident."""
    incident = await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    brief = await scene.brief()
    waiting = await scene.confirmed("GHOST77")
    ask = scene.ask(Thing.BRIEF, scene.officer)
    dispatch = scene.city.dispatch

    async def tell(n: int) -> None:
        await dispatch.hear([scene.city.update("26-1", people=f"{n} men", told_at=NOW,
                                               sent_at=scene.city.later(1))])  # fmt: skip

    async with scene.completing(), asyncio.timeout(30):
        await asyncio.gather(
            *(tell(n) for n in range(6)),
            *(scene.reply(brief, kind) for kind in (AnswerKind.EN_ROUTE, AnswerKind.ON_SCENE)),
            *(scene.briefing.receive(ask, brief.brief_id, 1, kind) for kind in ReceiptKind),
            *(
                dispatch.add_fact(scene.city.ask(), incident.incident_id, LineKind.WHAT, f"{n}")
                for n in range(3)
            ),
            scene.recall(waiting),
        )
        await scene.heard(3)
    numbers = [v.version for v in await scene.versions(brief)]
    assert numbers == list(range(len(numbers), 0, -1))
    units = {u.unit: u.status for u in (await scene.city.incident_of("26-1")).units}
    assert units[CAR] in (UnitStatus.EN_ROUTE, UnitStatus.ON_SCENE)
