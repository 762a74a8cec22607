"""What the phone says back: receipts and answers reach the log, each once, also over a bad line."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import msgspec
import pytest

from farolito.model import AnswerKind, FarolitoError, ReceiptKind, Refused, Thing, UnitStatus
from tests.briefing.scene import CAR, OTHER_CAR, Scene
from tests.desk.city import spot


async def test_a_receipt_is_a_line_of_the_log_once(scene: Scene) -> None:
    incident = await scene.told("26-1", scene.on())
    brief = await scene.brief()
    ask = scene.ask(Thing.BRIEF, scene.officer)
    for kind in (ReceiptKind.DELIVERED, ReceiptKind.OPENED, ReceiptKind.OPENED):
        await scene.briefing.receive(ask, brief.brief_id, 1, kind)
    log = [said for what, said in await scene.city.log(incident) if what == "receipt"]
    assert log == ["2A14 got version 1", "2A14 opened version 1"]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (AnswerKind.EN_ROUTE, UnitStatus.EN_ROUTE),
        (AnswerKind.ON_SCENE, UnitStatus.ON_SCENE),
        (AnswerKind.CLEAR, UnitStatus.CLEARED),
    ],
)
async def test_one_tap_is_the_units_status_and_the_others_are_told(
    scene: Scene, kind: AnswerKind, status: UnitStatus
) -> None:
    await scene.told("26-1", scene.on(), scene.on(OTHER_CAR))
    answer = (await scene.reply(await scene.brief(), kind)).value
    assert (answer.unit, answer.kind) == (CAR, kind)
    units = {u.unit: u.status for u in (await scene.city.incident_of("26-1")).units}
    assert units[CAR] is status
    assert (await scene.brief(OTHER_CAR)).version == 2
    assert ((await scene.brief()).ended_at is not None) == (kind is AnswerKind.CLEAR)


async def test_an_answer_sent_five_times_over_a_bad_line_is_one(scene: Scene) -> None:
    incident = await scene.told("26-1", scene.on())
    brief, answer_id = await scene.brief(), uuid4()
    answers = await asyncio.gather(
        *(scene.reply(brief, AnswerKind.ON_SCENE, answer_id=answer_id) for _ in range(5))
    )
    assert len({msgspec.json.encode(a.value) for a in answers}) == 1
    words = await scene.city.words(incident)
    assert words.count("unit_on_scene") == 1


async def test_a_question_to_the_rtcc_waits_in_the_log_and_on_the_feed(scene: Scene) -> None:
    incident = await scene.told("26-1", scene.on())
    await scene.reply(await scene.brief(), AnswerKind.ASK_RTCC, "which door?")
    assert ("ask_rtcc", "2A14 asks the RTCC: which door?") in await scene.city.log(incident)
    async with scene.city.records() as records:
        items = await records.feed.after(0)
        kept = await records.briefs.answers(incident.incident_id)
    assert items is not None
    assert [i.unit for i in items if i.kind == "answer"] == [CAR]
    assert [a.says for a in kept] == ["which door?"]


async def test_an_answer_after_the_end_is_kept_and_changes_no_status(scene: Scene) -> None:
    incident = await scene.told("26-1", scene.on())
    brief = await scene.brief()
    await scene.reply(brief, AnswerKind.CLEAR)
    await scene.reply(brief, AnswerKind.ON_SCENE)
    units = {u.unit: u.status for u in (await scene.city.incident_of("26-1")).units}
    assert units[CAR] is UnitStatus.CLEARED
    assert ("answer", "2A14: on scene") in await scene.city.log(incident)


async def test_nobody_answers_for_another_unit(scene: Scene) -> None:
    await scene.told("26-1", scene.on(OTHER_CAR))
    theirs = await scene.brief(OTHER_CAR)
    with pytest.raises(Refused):
        await scene.reply(theirs, AnswerKind.ON_SCENE)
    with pytest.raises(Refused):
        await scene.briefing.receive(
            scene.ask(Thing.BRIEF, scene.officer), theirs.brief_id, 1, ReceiptKind.OPENED
        )


async def test_one_answers_number_on_two_briefs_is_named(scene: Scene) -> None:
    await scene.told("26-1", scene.on())
    first, answer_id = await scene.brief(), uuid4()
    await scene.reply(first, AnswerKind.CLEAR, answer_id=answer_id)
    await scene.told("26-2", scene.on(), place=spot(1080, 300), address="400 Bank Rd")
    second = next(b for b in await scene.briefs() if b.brief_id != first.brief_id)
    with pytest.raises(FarolitoError, match="answer in another way"):
        await scene.reply(second, AnswerKind.ON_SCENE, answer_id=answer_id)


async def test_a_phone_that_was_away_gets_every_version(scene: Scene) -> None:
    await scene.told("26-1", scene.on())
    for people in ("one man", "two men", "three men"):
        await scene.told("26-1", people=people)
    ask = scene.ask(Thing.BRIEF, scene.officer)
    seq, [(brief, receipts, versions)] = (await scene.briefing.mine(ask)).value
    assert (brief.version, receipts) == (4, [])
    assert [v.version for v in versions] == [4, 3, 2, 1]
    assert versions[0] == brief
    async with scene.city.records() as records:
        assert seq == await records.feed.end()


async def test_without_the_ledger_a_call_still_briefs_and_the_spool_keeps_the_entry(
    scene: Scene,
) -> None:
    await scene.city.ledger.close()
    await scene.told("26-1", scene.on())
    assert (await scene.brief()).version == 1
    async with scene.completing():
        await scene.heard(2)
    ask = scene.ask(Thing.BRIEF, scene.officer)
    receipt = await scene.briefing.receive(
        ask, (await scene.brief()).brief_id, 1, ReceiptKind.OPENED
    )
    assert receipt.permit == -1, "spooled: it gets its number when the ledger is back"
