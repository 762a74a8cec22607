"""What partners let us have ends: when its time is over, when its agreement is, when they ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from farolito.federation import PartnerAway
from farolito.model import Agreement, ShareClass
from farolito.model.shared import EVERYTHING
from tests.federation.sharers import Sharer, Sharers


async def an_alert_is_shared(sharers: Sharers) -> Agreement:
    agreement = sharers.agree(
        sharers.city, sharers.sheriff, classes={ShareClass.ALERT: "full"}, keep_days=7
    )
    await sharers.city.confirmed("ABC123")
    await sharers.city.send(sharers.sheriff)
    assert len(await sharers.sheriff.shown()) == 1
    return agreement


async def stored(sharer: Sharer) -> str:
    """Every table of a node that a shared thing could still lie in, as text."""
    async with sharer.side.database.system() as connection:
        rows = [
            *await connection.fetch("select body::text from shared_items"),
            *await connection.fetch("select body::text from feed"),
        ]
    return " ".join(row[0] for row in rows)


async def receipts(sharer: Sharer) -> list[dict[str, Any]]:
    async with sharer.side.records() as records:
        return await records.sharing.receipts()


async def test_what_was_kept_as_long_as_agreed_is_deleted_with_its_count(sharers: Sharers) -> None:
    sheriff = sharers.sheriff
    await an_alert_is_shared(sharers)
    sheriff.side.later(7 * 86_400 - 1)
    assert await sheriff.receiving.end_due() == 0
    sheriff.side.later(1)
    assert await sheriff.receiving.end_due() == 1
    assert await sheriff.shown() == []
    assert "ABC123" not in await stored(sheriff)
    told = await sheriff.side.ledger.open_field(await newest(sheriff), "query")
    assert told == "1 things that partners shared deleted: their time has ended"


async def newest(sharer: Sharer) -> int:
    return (await sharer.side.ledger.entries(-1, 1_000))[-1].index


async def test_a_revocation_purges_what_the_partner_holds_and_keeps_its_receipt(
    sharers: Sharers,
) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = await an_alert_is_shared(sharers)
    sharers.revoke(agreement)
    await city.sender.ask_purge(sheriff.agency_id, agreement.agreement_id, "revoked")
    await city.send(sheriff)
    assert await sheriff.shown() == []
    assert "ABC123" not in await stored(sheriff)
    assert (await sheriff.fed())[-1]["purged"] is True
    [receipt] = await receipts(city)
    index = int(receipt["receipt"].split("#")[1].split(":")[0])
    assert receipt["receipt"] == await sheriff.side.gate.receipt(index)
    assert receipt["purged"] == 1
    assert (await city.entries())[-1]["counterpart"] == receipt["receipt"]


async def test_a_partner_that_is_away_is_asked_to_purge_until_it_answers(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = await an_alert_is_shared(sharers)
    sharers.revoke(agreement)
    sharers.neighbours.cut(city.side, sheriff.side)
    await city.sender.ask_purge(sheriff.agency_id, agreement.agreement_id, "revoked")
    for _ in range(3):
        with pytest.raises(PartnerAway):
            await city.send(sheriff)
    assert (await receipts(city))[0]["receipt"] is None
    sharers.neighbours.mend(city.side, sheriff.side)
    await city.send(sheriff)
    assert (await receipts(city))[0]["purged"] == 1
    assert await sheriff.shown() == []


async def test_what_was_on_its_way_when_it_was_purged_stays_out(sharers: Sharers) -> None:
    """The sheriff has not heard yet that the agreement is revoked; the purge came first."""
    city, sheriff = sharers.city, sharers.sheriff
    agreement = await an_alert_is_shared(sharers)
    await city.sender.ask_purge(sheriff.agency_id, agreement.agreement_id, "revoked")
    while await city.sender.send_purges(sheriff.agency_id):
        pass
    await city.confirmed("ABC124")
    with pytest.raises(Exception, match="was purged"):
        await city.sender.send_items(sheriff.agency_id)
    assert await sheriff.shown() == []


async def test_who_leaves_purges_what_came_and_says_how_much(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    await an_alert_is_shared(sharers)
    await city.confirmed("ABC124")
    proof = await sheriff.receiving.leave(city.agency_id)
    assert proof["purged"] == 1
    assert await sheriff.shown() == []
    assert (await city.sender.leave(sheriff.agency_id))["dropped"] == 1
    assert await city.waits_for(sheriff) == 0


async def test_a_purge_of_everything_is_of_that_partners_things_alone(sharers: Sharers) -> None:
    city, sheriff, pueblo = sharers.city, sharers.sheriff, sharers.pueblo
    await an_alert_is_shared(sharers)
    sharers.agree(pueblo, sheriff, classes={ShareClass.ALERT: "full"})
    await pueblo.confirmed("XYZ789")
    await pueblo.send(sheriff)
    await city.sender.ask_purge(sheriff.agency_id, EVERYTHING, "left")
    await city.send(sheriff)
    assert [item.grantor for item in await sheriff.shown()] == ["pueblo-pd"]


async def test_what_is_kept_for_the_view_alone_goes_within_the_hour(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"}, keep_days=0)
    await city.confirmed()
    await city.send(sheriff)
    [item] = await sheriff.shown()
    assert item.purge_at - item.received_at == timedelta(hours=1)


async def test_no_other_agencys_transaction_sees_what_was_shared(sharers: Sharers) -> None:
    """Row-level security, as for everything else of an agency."""
    sheriff = sharers.sheriff
    await an_alert_is_shared(sharers)
    async with sheriff.side.database.transaction(sharers.pueblo.agency_id) as connection:
        for table in ("shared_items", "shared_out", "share_outbox", "share_purges"):
            assert await connection.fetchval(f"select count(*) from {table}") == 0


async def test_who_was_told_what_is_forgotten_when_nobody_may_hold_it_any_more(
    sharers: Sharers,
) -> None:
    city = sharers.city
    await an_alert_is_shared(sharers)
    city.side.later(365 * 86_400)
    assert await city.sender.forget() == 0
    city.side.later(86_401)
    assert await city.sender.forget() == 1
