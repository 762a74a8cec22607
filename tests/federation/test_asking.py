"""One agency asks another about a plate: what comes back, what stands in both ledgers."""

from __future__ import annotations

import asyncio
import re
from datetime import time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from farolito.audit.tree import leaf_hash
from farolito.federation import PartnerAway
from farolito.federation.questions import Found, Question
from farolito.gate import LedgerDown
from farolito.model import Answering, Hours, Point, Purpose, Refused, Role, ShareClass, Zone
from farolito.model.search import AnswerState, Provenance
from farolito.policy import Policies
from farolito.store.envelopes import Envelopes
from farolito.store.reads import Reads
from tests.federation.askers import PLATE, Askers
from tests.federation.neighbours import START, Neighbours
from tests.federation.reads import IN_TOWN, seen

DOWNTOWN = Zone(
    "Downtown", (Point(35.0, -106.7), Point(35.0, -106.6), Point(35.2, -106.6), Point(35.2, -106.7))
)
FULL, POINTER, SILENT = (
    {ShareClass.PLATE_READ: mode} for mode in (Answering.FULL, Answering.POINTER, Answering.SILENT)
)


@pytest.fixture
def askers(neighbours: Neighbours) -> Askers:
    return Askers(neighbours)


async def test_without_an_agreement_nothing_leaves_either_node(askers: Askers) -> None:
    await seen(askers.city.side, PLATE)
    answer = await askers.sheriff.one(askers.city)
    assert (answer.state, answer.reason, answer.reads) == ("refused", "no_agreement", ())
    assert askers.neighbours.wire.log == []


async def test_an_agreement_opens_just_that_plate_with_its_provenance(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    by = askers.agree(city, sheriff)
    read = await seen(city.side, PLATE)
    await seen(city.side, "XYZ9876")
    await seen(city.side, "A8C1234")  # a look-alike is nobody's business elsewhere
    answer = await sheriff.one(city)
    assert (answer.state, answer.agreement_id) == ("answered", by)
    (got,) = answer.reads
    assert (got.read_id, got.plate, got.reader, got.own) == (
        read.read_id, PLATE, read.reader, False,
    )  # fmt: skip
    assert got.provenance == Provenance(
        owner=city.side.agency_id, agreement_id=by, keep_until=START + timedelta(days=7)
    )


async def test_both_ledgers_hold_each_others_receipt(askers: Askers) -> None:
    """And the asker's entry is durable before the owner hears of it."""
    city, sheriff = askers.city, askers.sheriff
    by = askers.agree(city, sheriff)
    await seen(city.side, PLATE)
    found = await sheriff.find(city)
    answer = found.value[1]
    first, last = (await sheriff.entries())[-2:]
    (owned,) = await city.asked_of()
    assert owned.entry["counterpart"] == f"county-so#{first.index}:{first.leaf}"
    assert last.entry["counterpart"] == f"city-pd#{owned.index}:{owned.leaf}" == answer.receipt
    assert (first.index, answer.permit) == (found.permit, owned.index)
    assert leaf_hash(await city.side.ledger.entry(owned.index)).hex() == owned.leaf
    assert (last.entry["reason"], last.entry["count"], last.entry["agreement"]) == (
        "answered", 1, str(by),
    )  # fmt: skip


async def test_the_owner_can_open_who_asked_for_what_and_why(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    by = askers.agree(city, sheriff)
    await sheriff.one(city)
    (owned,) = await city.asked_of()
    entry = owned.entry
    told = ("agency", "ori", "actor_role", "purpose", "decision")
    assert [entry[name] for name in told] == [
        "county-so", "NM9990200", "detective", "criminal_investigation", "permit",
    ]  # fmt: skip
    assert (entry["agreement"], entry["thing"], entry["act"]) == (str(by), "plate_read", "read")
    opened = {f: await city.side.ledger.open_field(owned.index, f) for f in owned.openable}
    assert opened["user"].startswith(str(sheriff.detective.person_id))
    assert "Rivera, detective of county-so" in opened["user"]
    assert opened["case"] == "2026-0117"
    assert PLATE in opened["query"]
    assert PLATE.encode() not in await city.side.ledger.entry(owned.index)


@pytest.mark.parametrize(
    ("terms", "more", "reason"),
    [
        ({"roles": (Role.SUPERVISOR,)}, {}, "role_not_agreed"),
        ({"purposes": (Purpose.MISSING_PERSON,)}, {}, "purpose_not_agreed"),
        ({"record_days": 5}, {"days_ago": 9}, "too_old_records"),
    ],
)
async def test_a_refusal_has_a_reason_and_a_receipt_of_the_owner(
    askers: Askers, terms: dict[str, Any], more: dict[str, Any], reason: str
) -> None:
    city, sheriff = askers.city, askers.sheriff
    by = askers.agree(city, sheriff, **terms)
    await seen(city.side, PLATE, minutes_ago=10 * 24 * 60)
    if days_ago := more.pop("days_ago", 0):
        sheriff.side.later(days_ago * 86_400)
    answer = await sheriff.one(city, days=20, **more)
    assert (answer.state, answer.reason, answer.reads) == ("refused", reason, ())
    assert answer.says
    (owned,) = await city.asked_of()
    assert (owned.entry["decision"], owned.entry["reason"]) == ("refusal", reason)
    assert owned.entry["agreement"] == str(by)
    last = (await sheriff.entries())[-1]
    assert last.entry["counterpart"] == f"city-pd#{owned.index}:{owned.leaf}"
    assert last.entry["reason"] == reason


async def test_zone_age_and_keeping_are_limits_of_the_query_itself(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff, zones=(DOWNTOWN,), record_days=5)
    inside = await seen(city.side, PLATE)
    await seen(city.side, PLATE, place=Point(36.0, IN_TOWN.lon))
    await seen(city.side, PLATE, place=None)
    await seen(city.side, PLATE, minutes_ago=6 * 24 * 60)
    answer = await sheriff.one(city, days=20)
    assert [r.read_id for r in answer.reads] == [inside.read_id]
    assert (answer.since, answer.zones) == (START - timedelta(days=5), ("Downtown",))


async def test_hours_count_by_the_owners_clock(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    nights = Hours(days=(0,), since=time(2, 30), until=time(3, 30))
    askers.agree(city, sheriff, hours=(nights,))
    answer = await sheriff.one(city)  # Monday, 10:00 in UTC
    assert (answer.state, answer.reason) == ("refused", "outside_hours")
    city.side.gate.zone = ZoneInfo("America/Denver")  # where it is 03:00
    assert (await sheriff.one(city)).state == "nothing"


async def test_a_pointer_tells_whom_to_call_and_silence_tells_nothing(askers: Askers) -> None:
    city, sheriff, pueblo = askers.city, askers.sheriff, askers.pueblo
    askers.agree(city, sheriff, classes=POINTER)
    askers.agree(pueblo, sheriff, classes=SILENT)
    await seen(city.side, PLATE)
    await seen(pueblo.side, PLATE)
    found = (await sheriff.find(city, pueblo)).value
    assert (found[1].state, found[1].reads) == ("pointer", ())
    assert "505 555" in found[1].contact
    empty = await sheriff.one(pueblo, plate="XYZ9876")
    told = found[2]
    assert told.state == "nothing"
    for name in ("state", "reason", "says", "do", "contact", "reads", "more", "since", "zones"):
        assert getattr(told, name) == getattr(empty, name), name
    assert (await sheriff.one(city, plate="XYZ9876")).state == "nothing"


async def test_the_owner_is_told_of_the_first_question_and_of_what_stayed_silent(
    askers: Askers,
) -> None:
    city, sheriff = askers.city, askers.sheriff
    by = askers.agree(city, sheriff, classes=SILENT)
    await seen(city.side, PLATE)

    async def told() -> list[tuple[str, str]]:
        async with city.side.records() as records:
            items = [i for i in await records.feed.after(0) or () if i.kind == "asker"]
        assert all(PLATE not in str(i.body) for i in items)
        bodies = [msgspec.json.decode(i.body) for i in items]
        return [(body["agency_id"], body["because"]) for body in bodies]

    await sheriff.one(city, plate="XYZ9876")
    assert await told() == [("county-so", "first")]
    await sheriff.one(city, plate="XYZ9876")
    assert await told() == [("county-so", "first")]
    await sheriff.one(city)
    assert await told() == [("county-so", "first"), ("county-so", "silent")]
    askers.revoke(by, city)
    await sheriff.one(city)
    counts = {c.outcome: (c.questions, c.reads) for c in await city.answers.asked(1)}
    assert counts == {"nothing": (2, 0), "silent": (1, 0), "no_agreement": (1, 0)}
    assert list(await city.answers.new_askers()) == ["county-so"]
    city.side.later(86_401)
    assert await city.answers.new_askers() == {}


async def test_an_owner_who_is_away_is_not_one_who_found_nothing(askers: Askers) -> None:
    city, sheriff, pueblo = askers.city, askers.sheriff, askers.pueblo
    askers.agree(city, sheriff)
    askers.agree(pueblo, sheriff)
    await seen(pueblo.side, PLATE)
    askers.neighbours.cut(city.side, sheriff.side)
    own, away, there = (await sheriff.find(city, pueblo)).value
    assert (own.state, away.state, there.state) == ("nothing", "away", "answered")
    assert (away.reason, away.receipt) == ("away", None)
    reasons = {e.entry["reason"]: e.entry["counterpart"] for e in (await sheriff.entries())[-2:]}
    assert reasons["away"] is None
    askers.neighbours.mend(city.side, sheriff.side)
    assert (await sheriff.one(city)).state == "nothing"


async def test_an_agreement_that_ends_while_it_is_read_gives_nothing(
    askers: Askers, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, sheriff = askers.city, askers.sheriff
    by = askers.agree(city, sheriff)
    await seen(city.side, PLATE)
    counting = city.answers._count

    async def ends_it(*args: Any) -> None:
        askers.revoke(by, city)
        await counting(*args)

    monkeypatch.setattr(city.answers, "_count", ends_it)
    answer = await sheriff.one(city)
    assert (answer.state, answer.reason, answer.reads) == ("refused", "no_agreement", ())
    entries = await city.asked_of()
    assert [e.entry["decision"] for e in entries] == ["permit", "refusal"]


async def test_without_the_owners_ledger_there_is_no_answer(
    askers: Askers, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    await seen(city.side, PLATE)

    async def down(_: Any) -> Any:
        raise LedgerDown("away")

    monkeypatch.setattr(city.side.ledger, "append", down)
    answer = await sheriff.one(city)
    assert (answer.state, answer.reason, answer.reads) == ("away", "away", ())


@pytest.mark.parametrize("error", [RuntimeError("ours"), OSError("the store"), TimeoutError()])
@pytest.mark.parametrize("where", ["terms", "decide", "search", "asked", "receipt"])
async def test_whatever_fails_at_the_owner_is_no_answer_and_never_an_empty_one(
    askers: Askers, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    await seen(city.side, PLATE)
    part: dict[str, Any] = {
        "terms": Policies, "decide": Policies, "search": Reads, "asked": Envelopes,
        "receipt": city.side.gate,
    }  # fmt: skip
    works, answering = getattr(part[where], where), city.side.post._handlers["ask"]
    assert len((await sheriff.one(city)).reads) == 1
    at_the_owner = []

    async def answered(envelope: Any) -> Any:
        at_the_owner.append(True)
        try:
            return await answering(envelope)
        finally:
            at_the_owner.clear()

    def fails(*args: Any, **more: Any) -> Any:
        if at_the_owner:
            raise error
        return works(*args, **more)

    monkeypatch.setitem(city.side.post._handlers, "ask", answered)
    monkeypatch.setattr(part[where], where, fails)
    answer = await sheriff.one(city)
    assert (answer.state, answer.reads) == ("away", ())


async def test_an_owner_that_takes_too_long_says_so(
    askers: Askers, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    never = asyncio.Event()

    async def hangs(*_: Any) -> Any:
        await never.wait()

    monkeypatch.setattr(city.answers, "_found", hangs)
    monkeypatch.setattr("farolito.federation.answering.ANSWER_S_MAX", 0.2)
    answer = await sheriff.one(city)
    assert (answer.state, answer.reason) == ("away", "away")


async def test_without_the_askers_ledger_nobody_is_asked_or_shown(
    askers: Askers, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    append, left = sheriff.side.ledger.append, [1]

    async def down_after(entry: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise LedgerDown("away")
        return await append(entry)

    monkeypatch.setattr(sheriff.side.ledger, "append", down_after)
    with pytest.raises(LedgerDown):
        await sheriff.find(city)  # asked, and yet not shown: the owner's receipt has no place
    before = len(askers.neighbours.wire.log)
    with pytest.raises(LedgerDown):
        await sheriff.find(city)
    assert len(askers.neighbours.wire.log) == before == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"agency": "pueblo-pd"}, "forged_agency"),
        ({"ori": "NM9990300"}, "forged_agency"),
        ({"receipt": f"pueblo-pd#0:{'0' * 64}"}, "no_receipt"),
        ({"plate": "*"}, "malformed"),
        ({"plate": "ABC12345678"}, "malformed"),
        ({"until": START - timedelta(days=30)}, "malformed"),
        ({"signed_in_s": 43_201}, "sign_in_too_old"),
        ({"signed_in_s": -60}, "sign_in_too_old"),
        ({"purpose": Purpose.IMMIGRATION_ENFORCEMENT}, "prohibited_purpose"),
        ({"case": None}, "case"),
        ({"case": " "}, "case"),
        ({"on_behalf_of": "A friend"}, "on_behalf_of"),
        ({"on_behalf_of": "A friend", "on_behalf_agency": "pueblo-pd"}, "on_behalf_of"),
        ({"role": Role.SYSTEM}, "logs_not_data"),
    ],
)
async def test_the_owner_believes_its_own_rules_and_not_the_askers(
    askers: Askers, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], reason: str
) -> None:
    """A partner whose node has been changed sends what no honest one would."""
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    await seen(city.side, PLATE)
    body = sheriff.asking._body

    def lies(*args: Any) -> Any:
        return msgspec.structs.replace(body(*args), **change)

    monkeypatch.setattr(sheriff.asking, "_body", lies)
    answer = await sheriff.one(city)
    assert (answer.state, answer.reason, answer.reads) == ("refused", reason, ())
    (owned,) = await city.asked_of()
    assert (owned.entry["decision"], owned.entry["reason"]) == ("refusal", reason)
    assert owned.entry["agency"] == "county-so"


async def test_somebody_elses_agreement_opens_nothing(
    askers: Askers, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, sheriff, pueblo = askers.city, askers.sheriff, askers.pueblo
    askers.agree(city, sheriff, purposes=(Purpose.MISSING_PERSON,))
    others = askers.agree(city, pueblo)
    await seen(city.side, PLATE)
    body = sheriff.asking._body
    monkeypatch.setattr(
        sheriff.asking, "_body", lambda *a: msgspec.structs.replace(body(*a), agreement_id=others)
    )
    answer = await sheriff.one(city)
    assert answer.reads == ()
    (owned,) = await city.asked_of()
    assert (owned.entry["decision"], owned.entry["reason"]) == ("refusal", "no_agreement")


@pytest.mark.parametrize(
    "change",
    [
        {"receipt": f"pueblo-pd#0:{'0' * 64}"},
        {"state": AnswerState.NOTHING},
        {"state": AnswerState.AWAY},
        {"state": AnswerState.REFUSED},
        {"reads": ()},
    ],
)
async def test_an_answer_that_cannot_be_is_none(
    askers: Askers, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    await seen(city.side, PLATE)
    answering = city.side.post._handlers["ask"]

    async def lies(envelope: Any) -> Found:
        found: Found = await answering(envelope)
        return msgspec.structs.replace(found, **change)

    monkeypatch.setitem(city.side.post._handlers, "ask", lies)
    answer = await sheriff.one(city)
    assert (answer.state, answer.reason, answer.reads) == ("away", "malformed", ())


@pytest.mark.parametrize(
    "change",
    [
        {"plate": "XYZ9876"},
        {"own": True},
        {"provenance": None},
        {"captured_at": START + timedelta(days=1)},
    ],
)
async def test_a_record_that_nobody_asked_for_is_not_taken(
    askers: Askers, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    await seen(city.side, PLATE)
    answering = city.side.post._handlers["ask"]

    async def lies(envelope: Any) -> Found:
        found: Found = await answering(envelope)
        reads = tuple(msgspec.structs.replace(r, **change) for r in found.reads)
        return msgspec.structs.replace(found, reads=reads)

    monkeypatch.setitem(city.side.post._handlers, "ask", lies)
    answer = await sheriff.one(city)
    assert (answer.state, answer.reason, answer.reads) == ("away", "malformed", ())


async def test_owners_are_asked_at_once_and_a_slow_one_holds_up_nobodys_answer(
    askers: Askers, monkeypatch: pytest.MonkeyPatch
) -> None:
    city, sheriff, pueblo = askers.city, askers.sheriff, askers.pueblo
    askers.agree(city, sheriff)
    askers.agree(pueblo, sheriff)
    await seen(pueblo.side, PLATE)
    there = asyncio.Event()
    request = sheriff.side.post._line.request

    async def slow(partner: Any, raw: bytes, timeout_s: float) -> bytes:
        if partner == city.side.agency_id:
            async with asyncio.timeout(30):  # lets go once the other was asked
                await there.wait()
            raise PartnerAway("too late")
        answer: bytes = await request(partner, raw, timeout_s)
        there.set()
        return answer

    monkeypatch.setattr(sheriff.side.post._line, "request", slow)
    _, late, answered = (await sheriff.find(city, pueblo)).value
    assert (late.state, answered.state) == ("away", "answered")


async def test_who_can_be_asked_is_told_by_agreement(askers: Askers) -> None:
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    whom = await sheriff.asking.whom()
    assert [(w["agency_id"], w["purposes"]) for w in whom] == [
        ("city-pd", ["criminal_investigation"]), ("pueblo-pd", []),
    ]  # fmt: skip
    assert await city.asking.whom() != whom


async def test_the_same_question_twice_is_two_entries_and_a_replay_none(askers: Askers) -> None:
    """The store of taken messages is the node's own here, and holds over a restart."""
    city, sheriff = askers.city, askers.sheriff
    askers.agree(city, sheriff)
    city.side.post._is_new = city.side.gate.is_new
    await sheriff.one(city)
    await sheriff.one(city)
    raw = next(r for sender, _, r in askers.neighbours.wire.log if sender == "county-so")
    back = await city.side.post.take(sheriff.side.agency_id, raw)
    assert re.search(rb'"refused":"replayed"', back)
    assert len(await city.asked_of()) == 2


async def test_no_question_between_nodes_can_be_about_a_place(askers: Askers) -> None:
    """Decision 0024: who signed `ask` signed it for one plate."""
    city, pueblo = askers.city, askers.pueblo
    agreement_id = askers.agree(city, pueblo)
    told = Question(
        person_id=pueblo.detective.person_id, name="A. Chee", role=Role.DETECTIVE,
        agency=pueblo.side.agency_id, ori=pueblo.side.card.ori,
        purpose=Purpose.CRIMINAL_INVESTIGATION, case="2026-0117", on_behalf_of=None,
        on_behalf_agency=None, signed_in_s=60, agreement_id=agreement_id, plate=PLATE, state=None,
        since=START - timedelta(days=1), until=START,
        receipt=f"{pueblo.side.agency_id}#1:{'0' * 64}",
    )  # fmt: skip
    post, city_id = pueblo.side.post, city.side.agency_id
    assert (await post.ask(city_id, "ask", told)).body
    place = {"place": {"lat": 35.1, "lon": -106.63}, "radius_m": 250}
    with pytest.raises(Refused) as no:
        await post.ask(city_id, "ask", {**msgspec.to_builtins(told), **place})
    assert no.value.reason == "malformed"
