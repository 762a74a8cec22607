"""Messages between agencies: what is right arrives, everything else is refused by its name."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.federation import Envelope, PartnerAway, opened, sealed
from farolito.federation.envelope import OLD_MAX, raw_of
from farolito.federation.post import BURST
from farolito.model import AgencyId, EnvelopeId, Refused
from tests.federation.neighbours import Neighbours


async def _echo(envelope: Envelope) -> Any:
    return {"you_said": msgspec.json.decode(envelope.body)}


async def test_a_question_comes_back_answered(neighbours: Neighbours) -> None:
    city, sheriff = neighbours.city, neighbours.sheriff
    sheriff.post.on("hello", _echo)
    back = await city.post.ask(sheriff.agency_id, "hello", {"a": 1})
    assert msgspec.json.decode(back.body) == {"you_said": {"a": 1}}
    assert back.sender == sheriff.agency_id


async def test_a_partner_that_is_away_is_away_and_nothing_else(neighbours: Neighbours) -> None:
    neighbours.sheriff.post.on("hello", _echo)
    neighbours.cut(neighbours.city, neighbours.sheriff)
    with pytest.raises(PartnerAway):
        await neighbours.city.post.ask(neighbours.sheriff.agency_id, "hello", {})
    neighbours.mend(neighbours.city, neighbours.sheriff)
    await neighbours.city.post.ask(neighbours.sheriff.agency_id, "hello", {})


async def test_a_message_is_taken_once(neighbours: Neighbours) -> None:
    city, sheriff = neighbours.city, neighbours.sheriff
    sheriff.post.on("hello", _echo)
    await city.post.ask(sheriff.agency_id, "hello", {})
    _, _, raw = neighbours.wire.log[-1]
    assert _refusal(await sheriff.post.take(city.agency_id, raw)) == "replayed"


async def test_an_altered_message_is_refused(neighbours: Neighbours) -> None:
    city, sheriff = neighbours.city, neighbours.sheriff
    sheriff.post.on("hello", _echo)
    await city.post.ask(sheriff.agency_id, "hello", {"plate": "ABC123"})
    _, _, raw = neighbours.wire.log[-1]
    assert _refusal(await sheriff.post.take(city.agency_id, raw.replace(b"ABC123", b"ABC124"))) == (
        "altered"
    )


async def test_another_agencys_name_helps_nobody(neighbours: Neighbours) -> None:
    """The pueblo's key under the city's name, by either line."""
    city, sheriff, pueblo = neighbours.city, neighbours.sheriff, neighbours.pueblo
    sheriff.post.on("hello", _echo)
    claimed = msgspec.structs.replace(
        pueblo.post.write(sheriff.agency_id, "hello", raw_of({})), sender=city.agency_id
    )
    raw = sealed(claimed, pueblo.key)
    assert _refusal(await sheriff.post.take(pueblo.agency_id, raw)) == "forged_agency"
    assert _refusal(await sheriff.post.take(city.agency_id, raw)) == "altered"


async def test_who_was_not_confirmed_is_no_partner(neighbours: Neighbours) -> None:
    city, sheriff = neighbours.city, neighbours.sheriff
    sheriff.post.on("hello", _echo)
    sheriff.post.keys = {}
    with pytest.raises(Refused) as no:
        await city.post.ask(sheriff.agency_id, "hello", {})
    assert no.value.reason == "not_a_partner"


@pytest.mark.parametrize("wrong", ["receiver", "kind"])
async def test_a_message_for_somebody_else_is_refused(neighbours: Neighbours, wrong: str) -> None:
    city, sheriff = neighbours.city, neighbours.sheriff
    right = city.post.write(sheriff.agency_id, "hello", raw_of({}))
    told = msgspec.structs.replace(right, **{wrong: "pueblo-pd"})
    assert _refusal(await sheriff.post.take(city.agency_id, sealed(told, city.key))) == "not_for_us"


@pytest.mark.parametrize("age", [OLD_MAX + timedelta(seconds=1), -OLD_MAX - timedelta(seconds=1)])
async def test_a_message_of_another_time_is_refused(neighbours: Neighbours, age: timedelta) -> None:
    city, sheriff = neighbours.city, neighbours.sheriff
    right = city.post.write(sheriff.agency_id, "hello", raw_of({}))
    told = msgspec.structs.replace(right, at=right.at - age)
    assert _refusal(await sheriff.post.take(city.agency_id, sealed(told, city.key))) == "stale"


async def test_a_flood_is_held_back_and_others_go_on(neighbours: Neighbours) -> None:
    city, sheriff, pueblo = neighbours.city, neighbours.sheriff, neighbours.pueblo
    sheriff.post.on("hello", _echo)
    results = await asyncio.gather(
        *(city.post.ask(sheriff.agency_id, "hello", {}) for _ in range(BURST + 50)),
        return_exceptions=True,
    )
    refused = [r for r in results if isinstance(r, Refused)]
    assert len(refused) == 50
    assert {r.reason for r in refused} == {"flood"}
    await pueblo.post.ask(sheriff.agency_id, "hello", {})
    sheriff.later(10)
    await city.post.ask(sheriff.agency_id, "hello", {})


async def test_noise_never_raises(neighbours: Neighbours) -> None:
    city, sheriff = neighbours.city, neighbours.sheriff
    for raw in (b"", b"\n", b"x", b"\xff\xfe\n{}", b64encode(b"1" * 64) + b"\n[]", b"\n" * 100):
        assert _refusal(await sheriff.post.take(city.agency_id, raw)) == "malformed"


async def test_an_answer_to_another_question_is_no_answer(neighbours: Neighbours) -> None:
    """Whoever stands in the line cannot give yesterday's answer to today's question."""
    city, sheriff = neighbours.city, neighbours.sheriff
    sheriff.post.on("hello", _echo)
    kept: list[bytes] = []
    real = sheriff.post.take

    async def again(line_of: AgencyId, raw: bytes) -> bytes:
        kept.append(await real(line_of, raw))
        return kept[0]

    sheriff.post.take = again  # type: ignore[method-assign]
    await city.post.ask(sheriff.agency_id, "hello", {"n": 1})
    with pytest.raises(PartnerAway, match="answers something else"):
        await city.post.ask(sheriff.agency_id, "hello", {"n": 2})


def test_a_signature_is_for_one_kind_of_thing(neighbours: Neighbours) -> None:
    """What the key signed as an agreement is no envelope."""
    city, sheriff = neighbours.city, neighbours.sheriff
    envelope = city.post.write(sheriff.agency_id, "hello", raw_of({}), EnvelopeId(_id(city)))
    _, _, content = sealed(envelope, city.key).partition(b"\n")
    raw = b64encode(city.key.sign("agreement", content)) + b"\n" + content
    with pytest.raises(Refused) as no:
        opened(raw, city.agency_id, sheriff.post.keys, sheriff.agency_id, city.clock())
    assert no.value.reason == "altered"


def _id(side: Any) -> Any:
    return side.post.write(side.agency_id, "hello", raw_of({})).envelope_id


def _refusal(raw: bytes) -> str | None:
    envelope = msgspec.json.decode(raw.partition(b"\n")[2])
    refused: str | None = envelope["body"]["refused"]
    return refused
