"""An agreement's life: two people and a key put it in force, one person ends it, at once."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.desk import Conflict
from farolito.model import (
    AgreementState,
    Because,
    Purpose,
    Refused,
    Role,
    ShareClass,
    SignedAgreement,
)
from tests.federation.agreeing import Desk
from tests.federation.neighbours import Neighbours


@pytest.fixture
def city(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.city)


@pytest.fixture
def sheriff(neighbours: Neighbours) -> Desk:
    return Desk(neighbours.sheriff)


async def entries(desk: Desk) -> list[dict[str, Any]]:
    return [one.entry for one in await desk.side.ledger.entries(-1, 500)]


async def test_two_people_put_it_in_force_and_the_other_side_has_it(
    city: Desk, sheriff: Desk
) -> None:
    first, second = await city.two()
    terms = city.terms(sheriff.side)
    draft = (await city.desk.draft(city.ask(first.person), terms)).value
    assert city.acting() == set()
    assert (await first.sign(draft)).state is AgreementState.PROPOSED
    assert city.acting() == set()
    signed = await second.sign(draft)
    assert signed.state is AgreementState.IN_FORCE
    assert city.acting() == {terms.agreement_id}
    assert [s.name for s in signed.signatures] == ["Ana Ortiz", "Dolores Aragon"]
    alerts = dict.fromkeys((ShareClass.PLATE_READ, ShareClass.ALERT), terms.expires)
    assert city.exported == [(sheriff.side.agency_id, alerts)]
    await city.tell()
    assert sheriff.acting() == {terms.agreement_id}
    there = sheriff.book.get(terms.agreement_id)
    assert there is not None
    assert (there.document, there.signatures) == (signed.document, signed.signatures)
    assert sheriff.exported == []  # what is received is nobody's to pass on


async def test_both_ledgers_fix_the_document_and_hold_each_others_receipt(
    city: Desk, sheriff: Desk
) -> None:
    signed = await city.in_force(sheriff.side)
    from farolito.federation.signatures import digest

    mark = digest(signed.document).hex()
    ours = [e for e in await entries(city) if e.get("fixes") == mark]
    theirs = [e for e in await entries(sheriff) if e.get("fixes") == mark]
    assert len(ours) == 4  # drafted, signed, signed, told
    assert len(theirs) == 1
    assert theirs[0]["counterpart"].startswith("city-pd#")
    assert ours[-1]["counterpart"].startswith("county-so#")
    assert {e["agreement"] for e in (*ours, *theirs)} == {str(signed.agreement.agreement_id)}
    number, _, leaf = theirs[0]["counterpart"].removeprefix("city-pd#").partition(":")
    kept = await city.side.ledger.entries(int(number) - 1, 1)
    assert kept[0].leaf == leaf
    assert kept[0].entry["fixes"] == mark


async def test_nobody_signs_twice_and_nobody_signs_for_another(city: Desk, sheriff: Desk) -> None:
    first, second = await city.two()
    draft = (await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))).value
    await first.sign(draft)
    with pytest.raises(Conflict, match="you have signed"):
        await first.sign(draft)
    first.person = second.person  # the second one's sign-in, the first one's passkey
    with pytest.raises(Refused) as no:
        await first.sign(draft)
    assert no.value.reason == "not_your_passkey"
    assert city.state(draft) == "proposed"
    assert (await entries(city))[-1]["reason"] == "not_your_passkey"


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.DETECTIVE])
async def test_who_is_no_chief_signs_nothing(city: Desk, sheriff: Desk, role: Role) -> None:
    first, _ = await city.two()
    draft = (await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))).value
    other = await city.somebody("Pat Lane", role)
    options = (await city.desk.sign_options(city.ask(first.person), _id(draft))).value
    with pytest.raises(Refused) as no:
        await city.desk.sign(
            city.ask(other.person), _id(draft), other.passkey.sign_in(dict(options))
        )
    assert no.value.permit is not None
    assert city.state(draft) == "draft"


async def test_signing_wants_a_sign_in_of_the_last_minutes(city: Desk, sheriff: Desk) -> None:
    first, _ = await city.two()
    draft = (await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))).value
    options = (await city.desk.sign_options(city.ask(first.person), _id(draft))).value
    credential = first.passkey.sign_in(dict(options))
    ask = city.ask(first.person)
    city.side.later(301)
    with pytest.raises(Refused) as no:
        await city.desk.sign(ask, _id(draft), credential)
    assert no.value.reason == "sign_in_again"


async def test_an_assertion_over_another_document_signs_nothing(city: Desk, sheriff: Desk) -> None:
    first, _ = await city.two()
    one = (await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))).value
    other = (await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))).value
    options = (await city.desk.sign_options(city.ask(first.person), _id(other))).value
    with pytest.raises(Refused) as no:
        await city.desk.sign(city.ask(first.person), _id(one), first.passkey.sign_in(dict(options)))
    assert no.value.reason == "other_document"


async def test_revoked_by_the_owner_acts_at_once_though_the_partner_is_away(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    signed = await city.in_force(sheriff.side)
    detective = sheriff.side.person(Role.DETECTIVE)
    assert city.may(signed, detective) == "yes"
    neighbours.cut(city.side, sheriff.side)
    chief = city.side.person(Role.SUPERVISOR)
    began = time.perf_counter()
    await city.desk.revoke(city.ask(chief), _id(signed), Because.MISUSE)
    took_s = time.perf_counter() - began
    assert city.acting() == set()
    assert city.may(signed, detective) == "agreement_revoked"
    assert city.exported[-1] == (sheriff.side.agency_id, {})
    assert took_s < 1.0
    await city.tell()
    assert sheriff.state(signed) == "in_force"
    neighbours.mend(city.side, sheriff.side)
    await city.tell()
    there = sheriff.book.get(_id(signed))
    assert there is not None
    assert (there.state, there.revoked_by) == (AgreementState.REVOKED, "city-pd")
    assert there.revoked_because == "misuse"
    assert sheriff.acting() == set()
    await sheriff.book.settled()
    assert [one.agreement.agreement_id for one in city.purged] == [_id(signed)]
    assert [one.agreement.agreement_id for one in sheriff.purged] == [_id(signed)]


async def test_the_receiver_ends_it_as_well(city: Desk, sheriff: Desk) -> None:
    signed = await city.in_force(sheriff.side)
    chief = sheriff.side.person(Role.AGENCY_ADMIN)
    await sheriff.desk.revoke(sheriff.ask(chief), _id(signed), Because.NOT_NEEDED)
    await sheriff.tell()
    here = city.book.get(_id(signed))
    assert here is not None
    assert (here.state, here.revoked_by) == (AgreementState.REVOKED, "county-so")
    assert city.acting() == set()
    assert city.exported[-1] == (sheriff.side.agency_id, {})


async def test_what_is_over_stays_over(city: Desk, sheriff: Desk) -> None:
    """Yesterday's agreement, told again after its end, gives nothing back."""
    signed = await city.in_force(sheriff.side)
    chief = city.side.person(Role.SUPERVISOR)
    await city.desk.revoke(city.ask(chief), _id(signed), Because.LAW)
    await city.tell()
    await city.side.post.ask(
        sheriff.side.agency_id, "agree", {"signed": signed, "receipt": "city-pd#0:00"}
    )
    assert sheriff.state(signed) == "revoked"
    with pytest.raises(Conflict):
        await city.desk.revoke(city.ask(chief), _id(signed), Because.LAW)
    with pytest.raises(Conflict):
        await city.desk.sign_options(city.ask(chief), _id(signed))


async def test_it_ends_by_itself(city: Desk, sheriff: Desk) -> None:
    signed = await city.in_force(sheriff.side)
    city.side.later(timedelta(days=90).total_seconds())
    await city.book.tick()
    await sheriff.book.tick()
    await city.book.settled()
    assert (city.state(signed), sheriff.state(signed)) == ("expired", "expired")
    assert city.acting() == sheriff.acting() == set()
    assert city.exported[-1] == (sheriff.side.agency_id, {})
    assert city.purged == []  # what was kept by its terms goes by its terms


async def test_the_bus_opens_when_it_begins(city: Desk, sheriff: Desk) -> None:
    begins = city.side.clock() + timedelta(hours=1)
    await city.in_force(sheriff.side, starts=begins)
    assert city.exported == []
    assert city.book.next_time() == begins
    city.side.later(3600)
    await city.book.tick()
    assert [partner for partner, _ in city.exported] == [sheriff.side.agency_id]


async def test_a_new_one_takes_the_place_of_the_old(city: Desk, sheriff: Desk) -> None:
    old = await city.in_force(sheriff.side)
    new = await city.in_force(sheriff.side, supersedes=_id(old), keep_days=3)
    for desk in (city, sheriff):
        assert desk.state(old) == "replaced"
        assert desk.acting() == {_id(new)}
    first, _ = await city.two()
    with pytest.raises(Conflict, match="not in force"):
        await city.desk.draft(city.ask(first.person), city.terms(sheriff.side, supersedes=_id(old)))


async def test_only_partners_that_were_compared_are_given_anything(
    city: Desk, sheriff: Desk
) -> None:
    first, _ = await city.two()
    terms = city.terms(sheriff.side)
    del city.side.partners[sheriff.side.agency_id]
    with pytest.raises(Conflict, match="no confirmed partner"):
        await city.desk.draft(city.ask(first.person), terms)
    not_ours = msgspec.structs.replace(terms, grantor="pueblo-pd")
    with pytest.raises(Refused) as no:
        await city.desk.draft(city.ask(first.person), not_ours)
    assert no.value.reason == "not_ours"


async def test_a_node_that_starts_again_knows_what_it_gave_and_what_it_must_tell(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    signed = await city.in_force(sheriff.side)
    other = await city.in_force(sheriff.side)
    neighbours.cut(city.side, sheriff.side)
    chief = city.side.person(Role.SUPERVISOR)
    await city.desk.revoke(city.ask(chief), _id(signed), Because.MISTAKE)
    neighbours.mend(city.side, sheriff.side)
    del city.side.post._handlers["agree"]
    again = Desk(city.side)
    await again.book.start()
    assert again.acting() == {_id(other)}
    await again.tell()
    assert sheriff.state(signed) == "revoked"


async def test_leaving_ends_everything_between_the_two(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    one = await city.in_force(sheriff.side)
    pueblo = await city.in_force(neighbours.pueblo)
    assert await city.book.left(sheriff.side.agency_id) == {"agreements_ended": 1}
    assert (city.state(one), city.state(pueblo)) == ("revoked", "in_force")


async def test_who_reads_the_list_sees_what_was_told(city: Desk, sheriff: Desk) -> None:
    signed = await city.in_force(sheriff.side)
    city.side.later(1)
    first, _ = await city.two()
    await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))
    found = (await city.desk.all(city.ask(first.person))).value
    assert [(one.signed.state.value, one.can_sign, one.told) for one in found] == [
        ("draft", True, ""), ("in_force", False, "told"),
    ]  # fmt: skip
    operator = city.side.person(Role.OPERATOR)
    ask = msgspec.structs.replace(city.ask(operator), purpose=Purpose.IN_PROGRESS_CALL)
    assert [one.can_sign for one in (await city.desk.all(ask)).value] == [False, False]
    assert signed in [one.signed for one in found]


def _id(signed: SignedAgreement) -> Any:
    return signed.agreement.agreement_id
