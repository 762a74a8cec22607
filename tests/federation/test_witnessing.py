"""Neighbours cosign each other's ledgers; one that was rewritten is found, and everybody hears."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from farolito.app.witnesses import Witnesses, witness_key
from farolito.audit import (
    Checkpoint,
    Ledger,
    LedgerDamaged,
    Note,
    Proof,
    VerifierKey,
    verify,
    witness_book,
)
from farolito.audit.evidence import Doubt, Evidence, Standing, bare
from farolito.audit.own_log import LATE_AFTER, OwnLog
from farolito.audit.panel import Panel
from farolito.audit.tree import root_of
from farolito.audit.verify_figures import verify_figures
from farolito.audit.witness import write_request
from farolito.audit.witness_book import Alarm, WitnessBook
from farolito.federation.witnessing import Compare, Witnessing
from farolito.gate.figures import Figure, Figures, LedgerFigures, time_of
from farolito.model import Invalid, PartnerState, Purpose, Refused, Role, Thing
from tests.audit.ledger_builders import chance, entry
from tests.federation.neighbours import Neighbours, Side


def witnessing_of(side: Side) -> Witnessing:
    book = WitnessBook(side.database, side.agency_id, side.witness_key, side.clock)
    own = OwnLog(side.ledger, side.clock)
    return Witnessing(
        side.post, lambda: side.partners, own, book, side.gate, side.system, side.agency, 2
    )


class Three:
    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours
        self.city, self.sheriff, self.pueblo = (
            witnessing_of(side) for side in neighbours.sides.values()
        )

    async def write(self, side: Side, count: int = 5) -> None:
        await asyncio.gather(*(side.ledger.append(entry(count=i)) for i in range(count)))


@pytest.fixture
def three(neighbours: Neighbours) -> Three:
    return Three(neighbours)


async def told(witnessing: Witnessing) -> list[tuple[str, str]]:
    return sorted((a.evidence.doubt.value, a.state.value) for a in await witnessing.alarms.all())


async def words_of(side: Side) -> list[str]:
    return [one.entry["reason"] for one in await side.ledger.entries(limit=500)]


async def tamper(side: Side, sql: str) -> None:
    """What a superuser with the database's terminal can do: switch the triggers off and write."""
    async with side.database.system() as connection:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute(sql)


async def test_a_ledger_is_cosigned_by_both_neighbours(three: Three) -> None:
    city = three.neighbours.city
    await three.write(city)
    assert await three.city.round() == 5
    witnessed = await three.city.witnessed()
    assert witnessed.by == ("county-so", "pueblo-pd")
    keys = [
        side.witness_key.verifier for side in (three.neighbours.sheriff, three.neighbours.pueblo)
    ]
    verdict = verify(await city.ledger.bundle(), city.ledger.verifier_key, keys)
    assert verdict.problems == ()
    assert len(verdict.witnesses) == 2


async def test_a_cosignature_makes_no_entry(three: Three) -> None:
    """Or two idle ledgers would make each other grow for ever."""
    await three.write(three.neighbours.city)
    await three.city.round()
    await three.city.round()
    assert three.neighbours.sheriff.ledger.status().size == 0
    assert three.neighbours.city.ledger.status().size == 5


async def test_it_goes_on_as_the_ledger_grows(three: Three) -> None:
    for size in (3, 260, 700):
        city = three.neighbours.city
        await three.write(city, size - city.ledger.status().size)
        assert await three.city.round() == size


async def test_a_witness_that_is_away_is_made_up_for(three: Three) -> None:
    neighbours = three.neighbours
    city, pueblo = neighbours.city, neighbours.pueblo
    await three.write(city)
    neighbours.cut(city, pueblo)
    assert await three.city.round() is None, "one witness is too few"
    city.later(LATE_AFTER.total_seconds() + 1)
    assert any(line.level == "look" for line in await three.city.lines())
    neighbours.mend(city, pueblo)
    assert await three.city.round() == 5
    assert [line.level for line in await three.city.lines()] == ["fine"]


async def test_neighbours_of_one_government_alone_are_not_enough(three: Three) -> None:
    city = three.neighbours.city
    for agency_id, partner in city.partners.items():
        card = msgspec.structs.replace(partner.card, government="city", land=())
        city.partners[agency_id] = msgspec.structs.replace(partner, card=card)
    await three.write(city)
    assert await three.city.round() is None
    assert not (await three.city.witnessed()).could


async def test_who_left_is_asked_for_nothing(three: Three) -> None:
    city, sheriff = three.neighbours.city, three.neighbours.sheriff
    left = city.partners[sheriff.agency_id]
    city.partners[sheriff.agency_id] = msgspec.structs.replace(left, state=PartnerState.LEFT)
    await three.write(city)
    await three.city.round()
    assert {to for _, to, _ in three.neighbours.wire.log} == {"pueblo-pd"}


async def test_a_partner_cannot_speak_for_another_s_ledger(three: Three) -> None:
    """The sheriff sends the city's own checkpoint, rightly signed, as if it were his."""
    city, sheriff = three.neighbours.city, three.neighbours.sheriff
    await three.write(city)
    sheriff.ledger._key = city.ledger._key  # what it would sign with, had it stolen the key
    await three.write(sheriff, 3)
    await three.sheriff.round()
    refused = [line.what for line in await three.sheriff.lines() if line.level == "wrong"]
    assert refused == [
        f"{agency} does not cosign our ledger (status 404)" for agency in ("city-pd", "pueblo-pd")
    ]
    assert await told(three.pueblo) == []
    assert (await three.city.round()) == 5


REWRITE = """
update ledger_entries set entry = replace(convert_from(entry, 'UTF8'), '"count":2', '"count":9')
  ::bytea where entry_index = 2;
update ledger_entries set leaf = sha256('\\x00'::bytea || entry);
"""


async def rewritten(side: Side, *, forget: bool) -> None:
    """The insider's whole work: entry, leaf hash, root; with `forget` the checkpoints as well."""
    await side.ledger.close()
    await tamper(side, REWRITE)
    async with side.database.transaction(side.agency_id) as connection:
        leaves = await connection.fetch("select leaf from ledger_entries order by entry_index")
    root = root_of(row["leaf"] for row in leaves).hex()
    await tamper(side, f"update ledger_heads set root = '\\x{root}'::bytea")
    if forget:
        await tamper(side, "delete from ledger_cosignatures; delete from ledger_checkpoints")


async def reopened(side: Side, folder: Any) -> None:
    ledger = await Ledger.open(
        side.database, side.agency_id, folder / side.agency_id / "ledger.key", side.clock, chance(3)
    )
    side.ledger = side.gate._ledger = ledger


async def test_a_rewritten_ledger_does_not_open_while_it_remembers_what_it_signed(
    three: Three, tmp_path: Any
) -> None:
    city = three.neighbours.city
    await three.write(city)
    await three.city.round()
    await rewritten(city, forget=False)
    with pytest.raises(LedgerDamaged, match="not those that it signed"):
        await reopened(city, tmp_path)


async def test_an_insider_who_rewrites_all_of_it_is_refused_and_exposed_everywhere(
    three: Three, tmp_path: Any
) -> None:
    """He changes an entry, its leaf, the head, and deletes what was signed. Everything on his own
    node fits together again; only the neighbours remember."""
    city = three.neighbours.city
    await three.write(city)
    assert await three.city.round() == 5
    await rewritten(city, forget=True)
    await reopened(city, tmp_path)
    assert await city.ledger.check() == [], "nothing at home tells"
    three.city._own = three.city.alarms._own = OwnLog(city.ledger, city.clock)
    await three.write(city, 3)
    assert await three.city.round() is None
    await asyncio.gather(three.sheriff.alarms.tell(), three.pueblo.alarms.tell())
    for one in (three.city, three.sheriff, three.pueblo):
        assert await told(one) == [("two_histories", "proven")]
        assert (await one.lines())[0].level == "wrong"
    assert "OUR OWN LEDGER" in (await three.city.lines())[0].what
    assert "City Police" in (await three.pueblo.lines())[0].what
    assert "alarm_raised" in await words_of(three.neighbours.sheriff)
    assert "alarm_taken" in await words_of(city)


async def test_a_change_under_a_running_writer_is_confessed_by_the_node_itself(
    three: Three,
) -> None:
    city = three.neighbours.city
    await three.write(city)
    await three.city.round()
    await tamper(city, REWRITE)
    await three.write(city, 1)
    with pytest.raises(LedgerDamaged):
        await three.city.round()
    await three.city.alarms.tell()
    assert "the root signed at size 5 is of another history" in await city.ledger.check()
    for one in (three.city, three.sheriff, three.pueblo):
        assert await told(one) == [("confessed", "confessed")]


async def test_a_ledger_wound_back_to_an_old_backup_confesses(three: Three, tmp_path: Any) -> None:
    city = three.neighbours.city
    await three.write(city)
    await three.city.round()
    await city.ledger.close()
    await tamper(city, "delete from ledger_cosignatures; delete from ledger_checkpoints;"
                       " delete from ledger_entries where entry_index > 1")  # fmt: skip
    async with city.database.transaction(city.agency_id) as connection:
        leaves = await connection.fetch("select leaf from ledger_entries order by entry_index")
    root = root_of(row["leaf"] for row in leaves).hex()
    await tamper(city, f"update ledger_heads set size = 2, root = '\\x{root}'::bytea")
    await reopened(city, tmp_path)
    three.city._own = three.city.alarms._own = OwnLog(city.ledger, city.clock)
    await three.city.round()
    await three.city.alarms.tell()
    assert await told(three.pueblo) == [("confessed", "confessed")]


async def two_faced(three: Three, tmp_path: Any) -> tuple[Side, bytes]:
    """A city that shows the sheriff one history and keeps another for the pueblo: the second
    checkpoint, of four entries, signed with the right key."""
    city = three.neighbours.city
    await three.write(city, 4)
    three.neighbours.cut(city, three.neighbours.pueblo)
    await three.city.round()
    text = Checkpoint(city.ledger.verifier_key.name, 4, b"\7" * 32).text
    return city, f"{text}\n{city.ledger._key.sign(text)}".encode()


async def test_a_ledger_that_shows_two_histories_is_found_by_comparing(
    three: Three, tmp_path: Any
) -> None:
    city, other = await two_faced(three, tmp_path)
    key = city.ledger.verifier_key
    answer, _ = await three.pueblo._book.cosign(key, write_request(0, [], other))
    assert answer.status == 200, "alone the pueblo cannot know"
    await three.sheriff.compare()
    await three.pueblo.alarms.tell()
    for one in (three.sheriff, three.pueblo):
        assert await told(one) == [("two_histories", "proven")]
    three.neighbours.mend(city, three.neighbours.pueblo)
    await three.pueblo.alarms.tell()
    assert await told(three.city) == [("two_histories", "proven")], "told once it is back"


async def test_two_histories_of_different_length_are_put_to_the_ledger(
    three: Three, tmp_path: Any
) -> None:
    """Nobody saw both of one size: only the ledger could show how one continues the other."""
    city, other = await two_faced(three, tmp_path)
    await three.pueblo._book.cosign(city.ledger.verifier_key, write_request(0, [], other))
    await three.write(city, 3)
    await three.city.round()
    three.neighbours.mend(city, three.neighbours.pueblo)
    await three.sheriff.compare()
    await three.pueblo.alarms.tell()
    assert await told(three.pueblo) == [("no_proof", "unanswered")]
    assert await told(three.sheriff) == [("no_proof", "unanswered")]


async def test_two_lengths_of_one_history_are_no_alarm(three: Three) -> None:
    neighbours = three.neighbours
    city, pueblo = neighbours.city, neighbours.pueblo
    await three.write(city, 4)
    await three.city.round()
    neighbours.cut(city, pueblo)
    await three.write(city, 5)
    await three.city.round()
    neighbours.mend(city, pueblo)
    await three.sheriff.compare()
    await three.pueblo.compare()
    for one in (three.sheriff, three.pueblo):
        assert await told(one) == []


async def test_a_false_alarm_is_refused(three: Three) -> None:
    """The sheriff cries wolf with what the city really signed."""
    city, sheriff, pueblo = (getattr(three.neighbours, n) for n in ("city", "sheriff", "pueblo"))
    await three.write(city, 3)
    first = bare(await city.ledger.checkpoint(), city.ledger.verifier_key).decode()
    await three.write(city, 3)
    second = bare(await city.ledger.checkpoint(), city.ledger.verifier_key).decode()
    key = str(city.ledger.verifier_key)
    forged = second.replace(second.split("\n")[2], "A" * 43 + "=")
    for doubt, notes in [
        (Doubt.TWO_HISTORIES, (first, first)),
        (Doubt.TWO_HISTORIES, (first, second)),
        (Doubt.TWO_HISTORIES, (second, forged)),
        (Doubt.NO_PROOF, (second, second)),
        (Doubt.CONFESSED, (first,)),
    ]:
        with pytest.raises(Refused) as no:
            await sheriff.post.ask(pueblo.agency_id, "alarm", Evidence(key, doubt, notes))
        assert no.value.reason == "unproved"
    back = await sheriff.post.ask(
        pueblo.agency_id, "alarm", Evidence(key, Doubt.NO_PROOF, (first, second))
    )
    assert msgspec.json.decode(back.body)["proof"], "the city answered, and the pueblo shows how"
    assert await told(three.pueblo) == []


async def test_who_cried_out_learns_that_the_ledger_has_answered(three: Three) -> None:
    city = three.neighbours.city
    await three.write(city, 3)
    key = city.ledger.verifier_key
    first = bare(await city.ledger.checkpoint(), key).decode()
    await three.write(city, 3)
    second = bare(await city.ledger.checkpoint(), key).decode()
    await three.sheriff.alarms.found(Evidence(str(key), Doubt.NO_PROOF, (first, second)))
    assert await told(three.sheriff) == [("no_proof", "unanswered")]
    await three.sheriff.alarms.tell()
    assert await told(three.sheriff) == [("no_proof", "explained")]
    assert all(line.level != "wrong" for line in await three.sheriff.lines())


async def test_an_alarm_about_a_stranger_s_ledger_is_refused(three: Three) -> None:
    stranger = VerifierKey("farolito/nobody/ledger", 1, b"\1" * 32)
    note = Checkpoint("farolito/nobody/ledger", 1, b"\1" * 32).text + "\n"
    sheriff = three.neighbours.sheriff
    with pytest.raises(Refused) as no:
        await sheriff.post.ask(
            three.neighbours.city.agency_id,
            "alarm",
            Evidence(str(stranger), Doubt.CONFESSED, (note,)),
        )
    assert no.value.reason == "unknown_log"


async def test_comparing_what_nobody_signed_is_refused(three: Three) -> None:
    city, sheriff = three.neighbours.city, three.neighbours.sheriff
    note = Checkpoint(city.ledger.verifier_key.name, 1, b"\1" * 32).text + "\n— x AAAAAAA=\n"
    asked = Compare(((str(city.ledger.verifier_key), note),))
    with pytest.raises(Refused) as no:
        await sheriff.post.ask(three.neighbours.pueblo.agency_id, "witness", asked)
    assert no.value.reason == "unsigned"


async def test_screens_follow_an_alarm(three: Three) -> None:
    shown: list[Alarm] = []

    async def show(alarm: Alarm) -> None:
        shown.append(alarm)

    three.pueblo.alarms.followers.append(show)
    city = three.neighbours.city
    await three.write(city, 2)
    await three.city.round()
    await three.city._confess()
    await three.city.alarms.tell()
    await three.city.alarms.tell()
    assert [one.state for one in shown] == [Standing.CONFESSED], "once"


async def test_what_is_taken_out_is_proved_by_what_witnesses_cosigned(three: Three) -> None:
    """A bundle and a proof want no waiting for the next round: who is there is asked at once."""
    city, pueblo = three.neighbours.city, three.neighbours.pueblo
    city.ledger.covering = three.city.covering
    await three.write(city, 6)
    panel = three.city.panel()
    verdict = verify(await city.ledger.bundle(), city.ledger.verifier_key, panel=panel)
    assert (verdict.problems, verdict.size) == ((), 6)
    await three.write(city, 2)
    three.neighbours.cut(city, pueblo)
    proof = Proof.parse(await city.ledger.proof(3))
    assert Note.parse(proof.checkpoint).text.split("\n")[1] == "6", "the older one is cosigned"
    alone = verify(await city.ledger.bundle(), city.ledger.verifier_key, panel=panel)
    assert alone.size == 8, "all of it, though only one has cosigned"
    assert alone.problems == (
        "the checkpoint: 1 of the witnesses that you named cosigned it; 2 must have",
    )


async def test_the_auditor_sees_alarms_and_can_check_with_what_the_page_gives(
    neighbours: Neighbours, tmp_path: Any
) -> None:
    city = neighbours.city
    key = witness_key(tmp_path, city.agency_id)
    assert str(key.verifier) == str(witness_key(tmp_path, city.agency_id).verifier), "kept"
    parts = Witnesses(
        city.post, lambda: city.partners, city.ledger, key, city.database, city.gate,
        city.system, city.agency, 2, city.clock,
    )  # fmt: skip
    for side in (neighbours.sheriff, neighbours.pueblo):
        witnessing_of(side)
    await asyncio.gather(*(city.ledger.append(entry(count=i)) for i in range(3)))
    bundle = await city.ledger.bundle()
    view = await parts.view()
    panel = Panel.parse(view["keys"])
    assert panel.log == city.ledger.verifier_key
    assert verify(bundle, panel.log, panel=panel).problems == ()
    await parts.witnessing._confess()
    told = (await parts.view())["alarms"]
    assert [(a["agency_id"], a["own"], a["doubt"]) for a in told] == [
        ("city-pd", True, "confessed")
    ]
    assert (await parts.findings())[0].level == "wrong"


async def test_figures_are_counted_fixed_and_proved_under_two_cosignatures(
    three: Three,
) -> None:
    city = three.neighbours.city
    city.ledger.covering = three.city.covering
    await three.write(city, 30)
    since, until = city.clock() - timedelta(days=400), city.clock() + timedelta(days=1)
    figures = LedgerFigures(city.gate, city.ledger)
    ask = city.ask(city.person(Role.AUDITOR), Thing.REPORT, Purpose.AUDIT)
    counted = (await figures.count(ask, since, until)).value
    searches = {"act": "read", "thing": "plate_read"}
    document = Figures(
        agency=city.agency_id,
        since=time_of(since),
        until=time_of(until),
        first=counted.first,
        end=counted.end,
        figures=(Figure("searches", searches, counted.tally.value(searches)),),
    ).document()
    answer = await figures.publish(ask, document)
    whole = await city.ledger.bundle()
    verdict = verify_figures(
        answer.value, city.ledger.verifier_key, panel=three.city.panel(), bundles=[whole]
    )
    assert verdict.problems == ()
    assert verdict.recounted == 1
    assert verdict.figures is not None
    assert verdict.figures.figures[0].value == 30
    assert await figures.again(answer.permit, document)
    with pytest.raises(Invalid, match="other figures"):
        await figures.again(answer.permit - 1, document)


async def test_an_operator_publishes_no_figures(three: Three) -> None:
    city = three.neighbours.city
    figures = LedgerFigures(city.gate, city.ledger)
    ask = city.ask(city.person(Role.OPERATOR), Thing.REPORT, Purpose.IN_PROGRESS_CALL)
    with pytest.raises(Refused):
        await figures.count(ask, city.clock(), city.clock())


async def test_a_witness_killed_and_risen_never_cosigns_a_second_history(three: Three) -> None:
    """What was seen is in the database before the cosignature leaves, whoever holds the book."""
    city, sheriff = three.neighbours.city, three.neighbours.sheriff
    await three.write(city, 4)
    await three.city.round()
    text = Checkpoint(city.ledger.verifier_key.name, 4, b"\7" * 32).text
    other = f"{text}\n{city.ledger._key.sign(text)}".encode()
    risen = WitnessBook(sheriff.database, sheriff.agency_id, sheriff.witness_key, sheriff.clock)
    for old in (0, 4):
        answer, _ = await risen.cosign(city.ledger.verifier_key, write_request(old, [], other))
        assert answer.status == 409
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="does not forget"):
        await sheriff.database.pool.execute("update witnessed_logs set size = 0")


async def test_two_tasks_that_ask_at_once_get_one_history(three: Three) -> None:
    city, sheriff = three.neighbours.city, three.neighbours.sheriff
    key = city.ledger.verifier_key
    book = WitnessBook(sheriff.database, sheriff.agency_id, sheriff.witness_key, sheriff.clock)
    requests = []
    for n in range(6):
        text = Checkpoint(key.name, 4, bytes([n]) * 32).text
        note = f"{text}\n{city.ledger._key.sign(text)}".encode()
        requests.append(write_request(0, [], note))
    answers = await asyncio.gather(*(book.cosign(key, request) for request in requests))
    assert sorted(answer.status for answer, _ in answers) == [200, 409, 409, 409, 409, 409]
    assert sum(1 for _, evidence in answers if evidence) == 5, "and each is proof"


async def test_the_rounds_go_by_themselves_and_cry_out_with_the_ledger_damaged(
    three: Three,
) -> None:
    city = three.neighbours.city
    await three.write(city)
    rounds = asyncio.create_task(three.city.run())
    while (await three.city.witnessed()).size < 5:
        await asyncio.sleep(0.01)
    await tamper(city, REWRITE)
    await three.write(city, 1)
    rounds.cancel()
    rounds = asyncio.create_task(three.city.run())  # the next round comes after half a minute
    while not await told(three.pueblo):
        await asyncio.sleep(0.01)
    rounds.cancel()
    assert await told(three.pueblo) == [("confessed", "confessed")]
    await asyncio.gather(rounds, return_exceptions=True)


async def test_a_message_of_witnesses_that_is_none_is_refused(three: Three) -> None:
    city, sheriff = three.neighbours.city, three.neighbours.sheriff
    for kind, body in [
        ("witness", {}),
        ("witness", {"type": "cosign"}),
        ("witness", {"type": "prove", "old": "x", "new": 1}),
        ("alarm", {"log": "x", "doubt": "no_proof", "notes": []}),
        ("alarm", {"log": "x", "doubt": "gossip", "notes": ["a"]}),
    ]:
        with pytest.raises(Refused) as no:
            await sheriff.post.ask(city.agency_id, kind, body)
        assert no.value.reason == "malformed"
    back = await sheriff.post.ask(city.agency_id, "witness", {"type": "cosign", "request": "old"})
    assert msgspec.json.decode(back.body)["status"] == 400
    back = await sheriff.post.ask(
        city.agency_id, "witness", {"type": "prove", "old": 2**62, "new": -1}
    )
    assert msgspec.json.decode(back.body)["proof"] is None


async def test_an_alarm_that_the_ledger_could_not_answer_while_away_ends_when_it_is_back(
    three: Three,
) -> None:
    """The sheriff doubts the city while nobody can reach it: kept, shown, and asked again."""
    neighbours = three.neighbours
    city, sheriff, pueblo = neighbours.city, neighbours.sheriff, neighbours.pueblo
    key = city.ledger.verifier_key
    await three.write(city, 3)
    first = bare(await city.ledger.checkpoint(), key).decode()
    await three.write(city, 3)
    second = bare(await city.ledger.checkpoint(), key).decode()
    neighbours.cut(city, pueblo)
    doubt = Evidence(str(key), Doubt.NO_PROOF, (first, second))
    await sheriff.post.ask(pueblo.agency_id, "alarm", doubt)
    await three.pueblo.alarms.ask_again()
    assert await told(three.pueblo) == [("no_proof", "unanswered")]
    neighbours.mend(city, pueblo)
    await three.pueblo.alarms.ask_again()
    assert await told(three.pueblo) == [("no_proof", "explained")]


async def test_doubts_that_lead_nowhere_crowd_out_no_proof(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_book, "ALARMS_OF_A_LOG_MAX", 2)
    neighbours = three.neighbours
    city, sheriff, pueblo = neighbours.city, neighbours.sheriff, neighbours.pueblo
    key = city.ledger.verifier_key
    notes = []
    for _ in range(4):
        await three.write(city, 2)
        notes.append(bare(await city.ledger.checkpoint(), key).decode())
    neighbours.cut(city, pueblo)
    for note in notes[:3]:
        doubt = Evidence(str(key), Doubt.NO_PROOF, (note, notes[3]))
        await sheriff.post.ask(pueblo.agency_id, "alarm", doubt)
    assert len(await told(three.pueblo)) == 2
    text = Checkpoint(key.name, 2, b"\7" * 32).text
    other = f"{text}\n{city.ledger._key.sign(text)}"
    proof = Evidence(str(key), Doubt.TWO_HISTORIES, (notes[0], other))
    await sheriff.post.ask(pueblo.agency_id, "alarm", proof)
    assert ("two_histories", "proven") in await told(three.pueblo)


async def test_one_checkpoint_of_a_ledger_at_a_time_is_compared(three: Three) -> None:
    city, sheriff = three.neighbours.city, three.neighbours.sheriff
    await three.write(city, 1)
    note = (await city.ledger.checkpoint()).decode()
    asked = Compare(((str(city.ledger.verifier_key), note),) * 2)
    with pytest.raises(Refused) as no:
        await sheriff.post.ask(three.neighbours.pueblo.agency_id, "witness", asked)
    assert no.value.reason == "malformed"
