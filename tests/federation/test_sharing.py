"""What happens at one agency reaches the other by agreement: in order, once, and taken back."""

from __future__ import annotations

from datetime import time, timedelta

import msgspec
import pytest

from farolito.federation import PartnerAway
from farolito.federation.items import list_of_partner
from farolito.model import LineKind, Point, ShareClass, SoundKind, Thing, UnitStatus, Zone
from farolito.model.call import CalledUnit
from farolito.model.camera import Hours
from tests.federation.sharers import DOWNTOWN, Sharers


async def test_without_an_agreement_nothing_waits_for_anybody(sharers: Sharers) -> None:
    await sharers.city.confirmed()
    await sharers.city.call("1")
    assert await sharers.city.waits_for(sharers.sheriff) == 0


async def test_a_confirmed_alert_reaches_the_partner_with_where_it_came_from(
    sharers: Sharers,
) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    alert = await city.confirmed("ABC123")
    await city.send(sheriff)
    [item] = await sheriff.shown()
    assert (item.kind, item.item_id, item.grantor, item.grantor_name, item.agreement_id) == (
        ShareClass.ALERT, alert.alert_id, "city-pd", "City Police", agreement.agreement_id,
    )  # fmt: skip
    assert item.detail["plate"] == "ABC123"
    assert (item.lat, item.lon) == (DOWNTOWN.lat, DOWNTOWN.lon)
    assert item.purge_at == item.received_at + timedelta(days=7)
    assert [fed["item_id"] for fed in await sheriff.fed()] == [str(alert.alert_id)]


async def test_what_no_person_confirmed_is_not_shared(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff)
    await city.seen("ABC123")
    await city.heard()
    assert await city.waits_for(sheriff) == 0


async def test_what_its_source_restricts_or_another_partner_gave_is_not_shared(
    sharers: Sharers,
) -> None:
    """Hop limit 0: a row of the pueblo's makes no alert of ours that the sheriff may have."""
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    await city.confirmed("ABC123", restricted=True)
    await city.confirmed("ABC124", list_id=list_of_partner(sharers.pueblo.agency_id))
    assert await city.waits_for(sheriff) == 0


async def test_only_what_lies_in_the_agreed_zone_and_hours_waits(sharers: Sharers) -> None:
    """The clock stands at Monday 10:00."""
    city, sheriff = sharers.city, sharers.sheriff
    corners = ((35.0, -106.7), (35.0, -106.6), (35.1, -106.6), (35.1, -106.7))
    zone = Zone("Downtown", tuple(Point(lat, lon) for lat, lon in corners))
    mornings = Hours(days=(0,), since=time(9), until=time(11))
    sharers.agree(
        city, sheriff, classes={ShareClass.ALERT: "full"}, zones=(zone,), hours=(mornings,)
    )
    await city.confirmed("ABC123", Point(35.5, -106.65))
    assert await city.waits_for(sheriff) == 0
    await city.confirmed("ABC124", DOWNTOWN)
    assert await city.waits_for(sheriff) == 1
    city.side.later(3601)
    await city.send(sheriff)
    assert dict(city.sender.dropped) == {("county-so", "outside_hours"): 1}
    assert sharers.neighbours.wire.log == []


async def test_both_ledgers_hold_the_others_receipt(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    await city.confirmed()
    await city.send(sheriff)
    ours = [e for e in await city.entries() if e["agreement"] == str(agreement.agreement_id)]
    theirs = [e for e in await sheriff.entries() if e["agreement"] == str(agreement.agreement_id)]
    assert [e["counterpart"] and e["counterpart"][:9] for e in ours] == [None, "county-so"]
    assert [e["counterpart"][:7] for e in theirs] == ["city-pd"]


async def test_a_partner_that_was_away_gets_all_of_it_in_order_and_once(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    sharers.neighbours.cut(city.side, sheriff.side)
    plates = [f"ABC12{n}" for n in range(5)]
    for plate in plates:
        await city.confirmed(plate)
    with pytest.raises(PartnerAway):
        await city.send(sheriff)
    city.side.later(3600)
    sharers.neighbours.mend(city.side, sheriff.side)
    await city.send(sheriff)
    await city.send(sheriff)
    assert [fed["detail"]["plate"] for fed in await sheriff.fed()] == plates
    assert await city.waits_for(sheriff) == 0


async def test_an_answer_that_was_lost_makes_nothing_twice(sharers: Sharers) -> None:
    """The partner took it, and the line broke before its receipt came."""
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    await city.confirmed()
    real = sheriff.side.post.take

    async def lost(line_of: object, raw: bytes) -> bytes:
        await real(line_of, raw)  # type: ignore[arg-type]
        raise PartnerAway("the line broke")

    sheriff.side.post.take = lost  # type: ignore[method-assign]
    with pytest.raises(PartnerAway):
        await city.send(sheriff)
    sheriff.side.post.take = real  # type: ignore[method-assign]
    assert await city.waits_for(sheriff) == 1
    await city.send(sheriff)
    assert len(await sheriff.fed()) == 1
    assert await city.waits_for(sheriff) == 0


async def test_what_was_revoked_while_the_partner_was_away_never_leaves(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    sharers.neighbours.cut(city.side, sheriff.side)
    await city.confirmed()
    sharers.revoke(agreement)
    sharers.neighbours.mend(city.side, sheriff.side)
    await city.send(sheriff)
    assert await sheriff.shown() == []
    assert sum(city.sender.dropped.values()) == 1
    assert sharers.neighbours.wire.log == []


async def test_a_revocation_during_the_entry_stops_what_was_about_to_go(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    await city.confirmed()
    city.side.gate.after_act = lambda: sharers.revoke(agreement)
    await city.send(sheriff)
    assert sharers.neighbours.wire.log == []
    assert await sheriff.shown() == []


async def test_a_recall_reaches_whoever_was_told(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    alert = await city.confirmed()
    await city.send(sheriff)
    city.side.later(60 * 60 * 24 * 40)  # the agreement has ended by itself since
    assert not sharers.agreed[agreement.agreement_id].in_force(city.side.clock())
    await city.recalled(alert, "plate was misread")
    await city.send(sheriff)
    [item] = await sheriff.shown()
    assert item.recalled_at is not None
    assert item.recall_says == "plate was misread"
    before, newest = await sheriff.fed()
    assert newest["recall_says"] == "plate was misread"
    assert "detail" not in before, "the feed forgets what it told before"


async def test_a_recall_overtakes_and_what_comes_after_it_stays_out(sharers: Sharers) -> None:
    """The thing itself is on its way, in the line, when the recall is told."""
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    alert = await city.confirmed()
    held: list[bytes] = []
    real = sheriff.side.post.take

    async def slow(line_of: object, raw: bytes) -> bytes:
        held.append(raw)
        raise PartnerAway("slow")

    sheriff.side.post.take = slow  # type: ignore[method-assign]
    with pytest.raises(PartnerAway):
        await city.sender.send_items(sheriff.agency_id)
    sheriff.side.post.take = real  # type: ignore[method-assign]
    await city.recalled(alert)
    await city.send(sheriff)
    await real(city.agency_id, held[0])
    assert await sheriff.shown() == []
    assert await sheriff.fed() == []


async def test_a_partner_recalls_only_its_own(sharers: Sharers) -> None:
    city, sheriff, pueblo = sharers.city, sharers.sheriff, sharers.pueblo
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    sharers.agree(pueblo, sheriff, classes={ShareClass.ALERT: "full"})
    alert = await city.confirmed()
    await city.send(sheriff)
    forged = msgspec.structs.replace(alert, version=99)
    await pueblo.side.post.ask(
        sheriff.agency_id, "share",
        {
            "what": "recall", "share_class": "alert", "receipt": "pueblo-pd#1:ab",
            "items": [{"kind": "alert", "item_id": forged.alert_id, "version": 99,
                       "at": pueblo.side.clock(), "recalled": True}],
        },
    )  # fmt: skip
    [item] = await sheriff.shown()
    assert item.recalled_at is None


async def test_a_shot_that_turns_out_none_is_recalled(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.SHOT: "full"})
    alert = await city.reviewed(await city.heard())
    await city.send(sheriff)
    [item] = await sheriff.shown()
    assert (item.detail["rounds"], item.recalled_at) == (5, None)
    await city.reviewed(alert, SoundKind.FIREWORK)
    await city.send(sheriff)
    [item] = await sheriff.shown()
    assert item.recalled_at is not None


async def test_an_incident_is_shared_without_its_muted_units(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.INCIDENT: "full"})
    city.unit("UC1", muted=True)
    city.unit("2A14")
    now = city.side.clock()
    units = tuple(
        CalledUnit(unit=u, status=UnitStatus.EN_ROUTE, at=now)  # type: ignore[arg-type]
        for u in ("UC1", "2A14")
    )
    incident = await city.call("77", units=units)
    for says in ("UC1 is inside", "two men, one long gun"):
        ask = city.ask(Thing.INCIDENT)
        await city.dispatch.add_fact(ask, incident.incident_id, LineKind.HAZARDS, says)
    await city.send(sheriff)
    [item] = await sheriff.shown()
    assert [one["unit"] for one in item.detail["units"]] == ["2A14"]
    assert [one["says"] for one in item.detail["facts"]] == ["two men, one long gun"]


async def test_an_agreement_opens_what_goes_on_when_it_begins(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    await city.call("1")
    alert = await city.confirmed("ABC123")
    await city.seen("ABC124")
    agreement = sharers.agree(city, sheriff)
    await city.outbox.begin(agreement)
    await city.send(sheriff)
    kinds = [item.kind for item in await sheriff.shown()]
    assert sorted(kinds) == [ShareClass.ALERT, ShareClass.INCIDENT, ShareClass.INCIDENT]
    assert alert.alert_id in {item.item_id for item in await sheriff.shown()}


async def test_mutual_aid_opens_one_incident_and_what_belongs_to_it(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    far = Point(DOWNTOWN.lat + 0.1, DOWNTOWN.lon)
    other = await city.call("2", far)
    one = await city.call("1")
    now = city.side.clock()
    agreement = sharers.agree(
        city, sheriff, incident=one.incident_id, expires=now + timedelta(hours=2)
    )
    await city.outbox.begin(agreement)
    await city.call("2", far, address="400 Elsewhere")
    await city.send(sheriff)
    assert {item.item_id for item in await sheriff.shown()} == {one.incident_id}
    city.side.later(2 * 3600 + 1)
    await city.call("1", address="100 Central Ave")
    await city.send(sheriff)
    [item] = await sheriff.shown()
    assert item.version == one.version, "it ended by itself"
    assert other.incident_id != one.incident_id


async def test_a_thing_that_the_partner_refuses_for_good_blocks_nobody(sharers: Sharers) -> None:
    """Here the sheriff knows of no agreement that the city believes in force."""
    city, sheriff = sharers.city, sharers.sheriff
    sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    sheriff.receiving._agreements = lambda _: None
    await city.confirmed()
    for _ in range(8):
        with pytest.raises(Exception, match="no agreement in force"):
            await city.sender.send_items(sheriff.agency_id)
    await city.send(sheriff)
    assert await city.waits_for(sheriff) == 0
    assert dict(city.sender.dropped) == {("county-so", "refused_there_no_agreement"): 1}


async def test_a_thing_waits_for_a_partner_that_has_not_heard_of_its_agreement_yet(
    sharers: Sharers,
) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    known, sheriff.receiving._agreements = sheriff.receiving._agreements, lambda _: None
    async with city.side.records() as records:
        await records.agreements.keep(sharers.agreed[agreement.agreement_id], 1)
        await records.agreements.will_tell(
            agreement.agreement_id, sheriff.agency_id, "city-pd#1:00"
        )
    await city.confirmed()
    for _ in range(20):
        with pytest.raises(Exception, match="no agreement in force"):
            await city.sender.send_items(sheriff.agency_id)
    sheriff.receiving._agreements = known
    await city.send(sheriff)
    assert len(await sheriff.shown()) == 1


async def test_what_was_not_agreed_is_not_taken_in(sharers: Sharers) -> None:
    city, sheriff = sharers.city, sharers.sheriff
    agreement = sharers.agree(city, sheriff, classes={ShareClass.ALERT: "full"})
    item = {
        "kind": "shot", "item_id": agreement.agreement_id, "version": 1,
        "at": city.side.clock(), "title": "x",
    }  # fmt: skip
    body = {
        "what": "items", "share_class": "shot", "agreement_id": agreement.agreement_id,
        "receipt": "city-pd#1:ab", "items": [item],
    }  # fmt: skip
    with pytest.raises(Exception, match="does not name this class"):
        await city.side.post.ask(sheriff.agency_id, "share", body)
    with pytest.raises(Exception, match="between others"):
        await sharers.pueblo.side.post.ask(sheriff.agency_id, "share", body)
