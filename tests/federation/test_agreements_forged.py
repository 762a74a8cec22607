"""What a dishonest partner tells of agreements: each is refused by its name, and written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farolito.federation.agreement_news import Told
from farolito.federation.signatures import check, countersign
from farolito.model import (
    Agreement,
    AgreementState,
    IncidentId,
    Refused,
    Role,
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


def redrawn(city: Desk, signed: SignedAgreement, **terms: Any) -> SignedAgreement:
    """The signatures of one document under another."""
    agreement = msgspec.structs.replace(signed.agreement, **terms)
    return msgspec.structs.replace(
        signed, agreement=agreement, document=city.rules.write(agreement)
    )


async def told(one: Desk, other: Desk, signed: SignedAgreement) -> str:
    """The word of the refusal, when `one` tells it `other`."""
    with pytest.raises(Refused) as no:
        await one.side.post.ask(
            other.side.agency_id, "agree", Told(signed=signed, receipt="city-pd#0:00")
        )
    last = (await other.side.ledger.entries(-1, 500))[-1].entry
    assert last["reason"] == no.value.reason
    return no.value.reason


async def signed_at_home(city: Desk, grantee: Any) -> SignedAgreement:
    """In force here; the other side has not heard of it."""
    first, second = await city.two()
    draft = (await city.desk.draft(city.ask(first.person), city.terms(grantee))).value
    await first.sign(draft)
    return await second.sign(draft)


async def test_more_than_was_signed_is_refused(city: Desk, sheriff: Desk) -> None:
    signed = await signed_at_home(city, sheriff.side)
    more = redrawn(city, signed, keep_days=365)
    assert await told(city, sheriff, more) == "bad_agreement"
    # Though the agency's own key signs it anew: two people did not.
    assert await told(city, sheriff, countersign(city.side.key, more)) == "bad_agreement"
    assert sheriff.book.all() == []


async def test_terms_beside_the_document_are_refused(city: Desk, sheriff: Desk) -> None:
    signed = await signed_at_home(city, sheriff.side)
    longer = msgspec.structs.replace(
        signed.agreement, expires=signed.agreement.expires + timedelta(days=30)
    )
    assert (
        await told(city, sheriff, msgspec.structs.replace(signed, agreement=longer))
        == "bad_agreement"
    )


@pytest.mark.parametrize("people", [0, 1])
async def test_fewer_than_two_people_are_refused(city: Desk, sheriff: Desk, people: int) -> None:
    signed = await signed_at_home(city, sheriff.side)
    fewer = msgspec.structs.replace(signed, signatures=signed.signatures[:people])
    assert await told(city, sheriff, countersign(city.side.key, fewer)) == "bad_agreement"


async def test_one_passkey_is_one_person(city: Desk, sheriff: Desk) -> None:
    signed = await signed_at_home(city, sheriff.side)
    one = signed.signatures[0]
    twice = msgspec.structs.replace(
        signed, signatures=(one, msgspec.structs.replace(one, name="Somebody Else"))
    )
    assert await told(city, sheriff, countersign(city.side.key, twice)) == "bad_agreement"


async def test_another_agencys_key_signs_nothing(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    signed = await signed_at_home(city, sheriff.side)
    by_another = countersign(neighbours.pueblo.key, signed)
    assert await told(city, sheriff, by_another) == "bad_agreement"


async def test_an_agreement_of_others_is_not_ours_to_hear(
    city: Desk, sheriff: Desk, neighbours: Neighbours
) -> None:
    signed = await signed_at_home(city, neighbours.pueblo)
    assert await told(city, sheriff, signed) == "not_ours"


async def test_who_receives_cannot_give_itself(city: Desk, sheriff: Desk) -> None:
    """The sheriff's node draws up what the city would give it, signed by the sheriff."""
    signed = await signed_at_home(city, sheriff.side)
    more = redrawn(city, signed, agreement_id=sheriff.terms(city.side).agreement_id)
    assert await told(sheriff, city, countersign(sheriff.side.key, more)) == "not_signed"


async def test_a_draft_is_not_made_an_agreement_by_telling(city: Desk, sheriff: Desk) -> None:
    first, _ = await city.two()
    draft = (await city.desk.draft(city.ask(first.person), city.terms(sheriff.side))).value
    as_if = msgspec.structs.replace(draft, state=AgreementState.IN_FORCE)
    assert await told(sheriff, city, as_if) == "not_signed"
    assert await told(city, sheriff, draft) == "not_signed"
    assert city.state(draft) == "draft"


async def test_what_is_known_is_not_told_otherwise(city: Desk, sheriff: Desk) -> None:
    signed = await city.in_force(sheriff.side)
    more = countersign(city.side.key, redrawn(city, signed, keep_days=365))
    assert await told(city, sheriff, more) == "altered_agreement"
    replaced = msgspec.structs.replace(signed, state=AgreementState.REPLACED)
    assert await told(sheriff, city, replaced) == "not_yours"
    assert (city.state(signed), sheriff.state(signed)) == ("in_force", "in_force")


async def test_mutual_aid_that_opens_more_than_an_incident_is_refused(
    city: Desk, sheriff: Desk
) -> None:
    signed = await signed_at_home(city, sheriff.side)
    hours = {"expires": signed.agreement.starts + timedelta(hours=2)}
    aid = redrawn(city, signed, incident=IncidentId(signed.agreement.agreement_id), **hours)
    aid = countersign(city.side.key, msgspec.structs.replace(aid, signatures=()))
    assert await told(city, sheriff, aid) == "bad_agreement"


async def test_an_end_in_anothers_name_is_the_senders_end(city: Desk, sheriff: Desk) -> None:
    """Whoever says that it is over has ended it, whatever name stands in the message."""
    signed = await city.in_force(sheriff.side)
    over = msgspec.structs.replace(
        signed,
        state=AgreementState.REVOKED,
        revoked_by=city.side.agency_id,
        revoked_because="because they are thieves",
    )
    await sheriff.side.post.ask(
        city.side.agency_id, "agree", Told(signed=over, receipt="county-so#0:00")
    )
    here = city.book.get(signed.agreement.agreement_id)
    assert here is not None
    assert (here.revoked_by, here.revoked_because) == ("county-so", "not_needed")


async def test_signatures_of_a_demo_count_in_a_demo_alone(
    neighbours: Neighbours, sheriff: Desk
) -> None:
    demo = Desk(neighbours.city, demo=True)
    signed = await _signed_by_personas(demo, demo.terms(sheriff.side))
    assert [one.demo for one in signed.signatures] == [True, True]
    key = demo.side.card.key
    check(signed, key, demo.rules.parse, demo=True)
    with pytest.raises(Refused, match="in a demo"):
        check(signed, key, demo.rules.parse, demo=False)
    # And saying that they were real ones changes what was countersigned.
    real = tuple(msgspec.structs.replace(one, demo=False) for one in signed.signatures)
    with pytest.raises(Refused, match="did not sign it"):
        check(msgspec.structs.replace(signed, signatures=real), key, demo.rules.parse, demo=False)
    assert await told(demo, sheriff, signed) == "bad_agreement"


async def _signed_by_personas(demo: Desk, terms: Agreement) -> SignedAgreement:
    people = [demo.side.person(role) for role in (Role.AGENCY_ADMIN, Role.SUPERVISOR)]
    draft = (await demo.desk.draft(demo.ask(people[0]), terms)).value
    assert (await demo.desk.sign_options(demo.ask(people[0]), terms.agreement_id)).value == {
        "demo": True
    }
    for person in people:
        signed = (await demo.desk.sign(demo.ask(person), terms.agreement_id, None)).value
    assert signed.document == draft.document
    return signed
