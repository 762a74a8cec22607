"""Joining: what two nodes tell each other with a code, and who gets nothing by it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.federation import PartnerAway, Post
from farolito.federation.card import signed_card
from farolito.federation.invitation import (
    Code,
    Offer,
    Sealed,
    offer_sealed,
)
from farolito.identity import AgencyKey
from farolito.model import Invalid, PartnerState, Refused, Role
from tests.federation.neighbours import Neighbours
from tests.federation.strangers import Stranger, join, strangers

Strangers = tuple[Stranger, Stranger, Stranger]


@pytest.fixture
async def three(neighbours: Neighbours) -> Strangers:
    return await strangers(neighbours)


async def _reason(doing: Any) -> str:
    with pytest.raises(Refused) as refused:
        await doing
    return refused.value.reason


async def test_two_agencies_join_and_nothing_is_taken_before_people_confirm(
    three: Strangers,
) -> None:
    city, sheriff, _ = three
    joined = await sheriff.joining.join(sheriff.ask(), await city.code())
    assert joined.value.state is PartnerState.JOINED
    assert joined.value.card == city.side.card
    assert city.book.partners()[sheriff.agency_id].card == sheriff.side.card
    assert city.side.post.keys == sheriff.side.post.keys == {}

    await city.confirm(sheriff)
    # Ours is confirmed there; theirs is not confirmed here, so what they send is refused.
    assert await _reason(city.side.post.ask(sheriff.agency_id, "hello", {})) == "not_a_partner"
    await sheriff.confirm(city)
    await sheriff.greeting.round()
    known = sheriff.book.known()[city.agency_id]
    assert known.is_confirmed
    assert known.partner.confirmed_by == "Admin Begay"
    assert known.told


async def test_nothing_is_sent_to_whom_nobody_here_has_confirmed(
    neighbours: Neighbours, three: Strangers
) -> None:
    city, sheriff, _ = three
    await sheriff.joining.join(sheriff.ask(), await city.code())
    with pytest.raises(PartnerAway):
        await city.side.post.ask(sheriff.agency_id, "alarm", {"secret": "of the city"})
    assert neighbours.wire.log == []


async def test_the_side_that_listens_gives_its_leave_to_the_other(three: Strangers) -> None:
    city, sheriff, pueblo = three
    await sheriff.joining.join(sheriff.ask(), await city.code())  # the inviter listens
    await city.joining.join(city.ask(), await pueblo.code())  # who joins listens
    for other in (sheriff, pueblo):
        own, theirs = city.cables.ends[other.agency_id]
        assert own.user_jwt == f"leave.{theirs.user}.x"
        assert other.cables.ends[city.agency_id] == (theirs, own)
        assert other.book.partners()[city.agency_id].listens
        assert not city.book.partners()[other.agency_id].listens


async def test_two_that_cannot_be_connected_to_are_told_so(three: Strangers) -> None:
    _, sheriff, pueblo = three
    code = await pueblo.code()
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "nobody_listens"
    assert not pueblo.book.partners()


async def test_nothing_secret_crosses_and_no_copy_of_it_is_kept(three: Strangers) -> None:
    city, sheriff, _ = three
    text = await city.code()
    secret = Code.read(text).secret
    await sheriff.joining.join(sheriff.ask(), text)
    crossed = b"".join(city.web.seen)
    for written in (secret, secret.hex().encode(), msgspec.json.encode(secret).strip(b'"')):
        assert written not in crossed
    async with city.side.records() as records:
        rows = await records.connection.fetch(
            "select invitations_to_join::text from invitations_to_join"
        )
    assert all(secret.hex() not in row[0] for row in rows)


async def test_a_code_is_used_once(three: Strangers) -> None:
    city, sheriff, pueblo = three
    code = await city.code()
    await sheriff.joining.join(sheriff.ask(), code)
    assert await _reason(pueblo.joining.join(pueblo.ask(), code)) == "no_invitation"
    assert set(city.book.partners()) == {sheriff.agency_id}


async def test_whose_answer_was_lost_may_ask_again_with_the_same_code(three: Strangers) -> None:
    city, sheriff, _ = three
    code = await city.code()
    city.web.on_the_way_back = lambda raw: b""
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "malformed"
    city.web.on_the_way_back = lambda raw: raw
    await sheriff.joining.join(sheriff.ask(), code)
    own, theirs = city.cables.ends[sheriff.agency_id]
    assert sheriff.cables.ends[city.agency_id] == (theirs, own)


async def test_a_code_ends_after_a_day(three: Strangers) -> None:
    city, sheriff, _ = three
    code = await city.code()
    city.side.later(timedelta(hours=24).total_seconds())
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "no_invitation"


async def test_five_wrong_tries_lock_a_code(three: Strangers) -> None:
    city, sheriff, _ = three
    code = await city.code()
    before = city.side.ledger.status().size
    for _ in range(5):
        wrong = _with_secret(code, b"\0" * 20)
        assert await _reason(sheriff.joining.join(sheriff.ask(), wrong)) == "no_invitation"
    assert city.side.ledger.status().size == before + 5
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "no_invitation"
    # From here on tries leave no entry: nobody fills the ledger from outside.
    assert city.side.ledger.status().size == before + 5


async def test_a_number_that_was_never_given_out_opens_nothing(three: Strangers) -> None:
    city, sheriff, pueblo = three
    other = msgspec.structs.replace(
        Code.read(await pueblo.code()), address=city.url, agency=city.agency_id
    )
    before = city.side.ledger.status().size
    assert await _reason(sheriff.joining.join(sheriff.ask(), other.written())) == "no_invitation"
    assert city.side.ledger.status().size == before


def _with_secret(text: str, secret: bytes) -> str:
    return msgspec.structs.replace(Code.read(text), secret=secret).written()


def _altered(raw: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The same message with something else in it, as somebody in between writes it."""
    sealed = msgspec.json.decode(raw, type=Sealed)
    said = msgspec.json.decode(sealed.said)
    change(said)
    return msgspec.json.encode(Sealed(msgspec.json.encode(said).decode(), sealed.mac))


async def test_somebody_between_both_can_change_nothing_on_the_way(three: Strangers) -> None:
    city, sheriff, _ = three
    code = await city.code()
    city.web.on_the_way = lambda raw: _altered(raw, lambda s: s["bus"].update(address="evil:1"))
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "no_invitation"
    assert not city.book.partners()


async def test_somebody_between_both_can_change_nothing_on_the_way_back(three: Strangers) -> None:
    city, sheriff, _ = three
    code = await city.code()
    city.web.on_the_way_back = lambda raw: _altered(
        raw, lambda s: s["bus"].update(address="evil:1")
    )
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "not_the_inviter"
    assert not sheriff.book.partners()


async def test_an_answer_to_another_offer_is_not_taken(three: Strangers) -> None:
    city, sheriff, _ = three
    code = await city.code()
    await sheriff.joining.join(sheriff.ask(), code)
    old = city.web.seen[-1]
    sheriff.side.later(1)
    city.web.on_the_way_back = lambda raw: old
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "not_the_inviter"


async def test_a_card_that_its_key_has_not_signed_is_refused(three: Strangers) -> None:
    city, sheriff, _ = three
    code = Code.read(await city.code())
    forged = msgspec.structs.replace(
        signed_card(sheriff.side.card, sheriff.side.key),
        content=msgspec.json.encode(city.side.card).decode(),
    )
    offer = Offer(
        invitation_id=code.invitation_id, at=city.side.clock(), card=forged,
        bus=sheriff.cables.card(),
    )  # fmt: skip
    assert await _reason(city.joining.take(offer_sealed(offer, code.secret))) == "altered"


async def test_nobody_joins_under_our_own_name(three: Strangers) -> None:
    city, sheriff, _ = three
    key = AgencyKey(b"\1" * 32)
    code = Code.read(await city.code())
    card = msgspec.structs.replace(city.side.card, key=key.public)
    offer = Offer(
        invitation_id=code.invitation_id, at=city.side.clock(), card=signed_card(card, key),
        bus=sheriff.cables.card(),
    )  # fmt: skip
    assert await _reason(city.joining.take(offer_sealed(offer, code.secret))) == "forged_agency"


async def test_a_partners_name_is_not_taken_by_another_key(three: Strangers) -> None:
    city, sheriff, pueblo = three
    await join(city, sheriff)
    thief = msgspec.structs.replace(sheriff.side.card, key=pueblo.side.key.public)
    pueblo.use(thief)
    code = await city.code()
    assert await _reason(pueblo.joining.join(pueblo.ask(), code)) == "known_otherwise"
    assert city.side.post.keys == {sheriff.agency_id: sheriff.side.key.public}


async def test_a_key_is_not_a_partner_under_two_names(three: Strangers) -> None:
    city, sheriff, _ = three
    await join(city, sheriff)
    sheriff.use(msgspec.structs.replace(sheriff.side.card, agency_id="village-pd"))
    code = await city.code()
    assert await _reason(sheriff.joining.join(sheriff.ask(), code)) == "known_otherwise"


async def test_another_fingerprint_than_that_of_the_key_confirms_nothing(three: Strangers) -> None:
    city, sheriff, pueblo = three
    await sheriff.joining.join(sheriff.ask(), await city.code())
    wrong = pueblo.book.own_fingerprint
    assert await _reason(city.book.confirm(city.ask(), sheriff.agency_id, wrong)) == "another_key"
    assert not city.book.confirmed()
    said = sheriff.book.own_fingerprint.upper().replace(" ", "  ")
    await city.book.confirm(city.ask(), sheriff.agency_id, said)
    assert set(city.book.confirmed()) == {sheriff.agency_id}


async def test_only_an_administrator_invites_joins_and_confirms(three: Strangers) -> None:
    city, sheriff, _ = three
    for role in set(Role) - {Role.AGENCY_ADMIN, Role.SYSTEM}:
        for doing in (
            city.joining.invite(city.ask(role), city.url),
            city.book.confirm(city.ask(role), sheriff.agency_id, "x"),
            city.parting.leave(city.ask(role), sheriff.agency_id),
        ):
            with pytest.raises(Refused):
                await doing


async def test_both_ledgers_have_the_cards_digest_and_the_guests_has_the_hosts_receipt(
    three: Strangers,
) -> None:
    city, sheriff, _ = three
    answer = await sheriff.joining.join(sheriff.ask(), await city.code())
    entry = msgspec.json.decode(await sheriff.side.ledger.entry(answer.permit))
    assert entry["counterpart"].startswith("city-pd#")
    assert entry["fixes"]
    last = msgspec.json.decode(
        await city.side.ledger.entry(int(entry["counterpart"].partition("#")[2].partition(":")[0]))
    )
    assert last["thing"] == "partner"
    assert last["fixes"]


async def test_a_node_knows_its_partners_after_a_start(three: Strangers) -> None:
    city, sheriff, _ = three
    await join(city, sheriff)
    before: Post = city.side.post
    before.keys = {}
    city.use(city.side.card)
    await city.book.load()
    assert set(city.book.confirmed()) == {sheriff.agency_id}
    assert before.keys == {sheriff.agency_id: sheriff.side.key.public}


async def test_a_new_card_reaches_partners_when_they_are_back(three: Strangers) -> None:
    city, sheriff, _ = three
    await join(city, sheriff)
    city.use(msgspec.structs.replace(city.side.card, contact="watch desk, 505 555 0199"))
    await city.book.load()
    line = frozenset((city.agency_id, sheriff.agency_id))
    city.side.post._line._wire.cut.add(line)  # type: ignore[attr-defined]
    await city.greeting.round()
    assert sheriff.book.confirmed()[city.agency_id].card.contact != "watch desk, 505 555 0199"
    city.side.post._line._wire.cut.clear()  # type: ignore[attr-defined]
    await city.greeting.round()
    assert sheriff.book.confirmed()[city.agency_id].card.contact == "watch desk, 505 555 0199"


@pytest.mark.parametrize(
    "other", [{"government": "federal"}, {"law": "us-tx"}, {"ori": "TX0000000"}, {"name": "FBI"}]
)
async def test_a_partner_does_not_become_somebody_else_by_a_new_card(
    three: Strangers, other: dict[str, str]
) -> None:
    city, sheriff, _ = three
    await join(city, sheriff)
    sheriff.use(msgspec.structs.replace(sheriff.side.card, **other))
    await sheriff.book.load()
    await sheriff.greeting.round()
    assert city.book.confirmed()[sheriff.agency_id].card == sheriff.side.card
    # Joining anew says it too, and then people compare anew.
    await sheriff.joining.join(sheriff.ask(), await city.code())
    assert sheriff.agency_id not in city.book.confirmed()


@pytest.mark.parametrize(
    "text", ["", "farolito-", "farolito-AAAA", "x" * 5000, "farolito-e30", "%%%%"]
)
def test_what_is_no_code_is_named(text: str) -> None:
    with pytest.raises(Invalid):
        Code.read(text)


async def test_a_code_survives_the_line_ends_of_a_mail(three: Strangers) -> None:
    text = await three[0].code()
    broken = "\n  ".join(text[i : i + 60] for i in range(0, len(text), 60))
    assert Code.read(broken) == Code.read(text)


async def test_a_code_leads_to_no_other_kind_of_address(three: Strangers) -> None:
    city = three[0]
    code = Code.read(await city.code())
    for address in ("file:///etc/passwd", "http://", "https://user@evil.example", "nats://x"):
        with pytest.raises(Invalid):
            Code.read(msgspec.structs.replace(code, address=address).written())
