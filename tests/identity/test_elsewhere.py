"""Signing in by an agency's own identity provider: a real one, which speaks as providers do."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from farolito.identity import Elsewhere, Identity, ProviderAnswer, SignedIn
from farolito.model import Away, Refused, Role
from farolito.model.provider import Provider
from farolito.store import Database

from .conftest import CITY, ORIGIN, Clock, somebody
from .providers import NCIC, ROLE_CLAIM, RealProvider, real_provider

BACK = f"{ORIGIN}/api/session/oidc/county/callback"
ANA = {"name": "Ana Ortiz", ROLE_CLAIM: ["everybody", "rtcc-operators"]}

NewDoor = Callable[..., Elsewhere]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealProvider]:
    with real_provider(tmp_path_factory.mktemp("provider"), [BACK]) as running:
        yield running


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    """The provider's clock is the machine's."""
    clock.now = datetime.now(UTC)


@pytest.fixture
def door(identity: Identity, database: Database, clock: Clock) -> NewDoor:
    def make(*providers: Provider) -> Elsewhere:
        return Elsewhere(identity, database, CITY, providers, ORIGIN, clock, os.urandom)

    return make


async def come_in(
    door: Elsewhere, provider: RealProvider, sub: str, code: str | None = None, **more: Any
) -> tuple[SignedIn, str]:
    address, cookie = await door.begin("county", code)
    provider.next(sub, **more)
    return await door.finish("county", answer(provider.visit(address)), cookie)


def answer(told: dict[str, str]) -> ProviderAnswer:
    return ProviderAnswer(
        state=told.get("state", ""),
        code=told.get("code", ""),
        error=told.get("error", ""),
        issuer=told.get("iss"),
    )


async def refused(coming: Any) -> str:
    with pytest.raises(Refused) as no:
        await coming
    return no.value.reason


async def test_who_was_invited_comes_in_by_the_provider_and_stays_that_person(
    door: NewDoor, provider: RealProvider, identity: Identity
) -> None:
    city, pat = door(provider.told()), somebody(Role.SUPERVISOR)
    assert city.offered() == [{"id": "county", "name": "County sign-in"}]
    assert await refused(come_in(city, provider, "pat")) == "not_invited"
    first, cookie = await come_in(city, provider, "pat", await identity.invite(pat))
    assert (first.person.person_id, first.person.role) == (pat.person_id, Role.SUPERVISOR)
    assert (first.provider, first.proved_at) == ("county", None)
    assert (await identity.whoami(cookie)) is not None
    again, _ = await come_in(city, provider, "pat")
    assert again.person.person_id == pat.person_id
    assert await refused(come_in(city, provider, "another")) == "not_invited"


async def test_the_rule_lets_in_by_role_and_each_sign_in_has_the_role_of_now(
    door: NewDoor, provider: RealProvider, identity: Identity
) -> None:
    city = door(provider.by_rule())
    ana, cookie = await come_in(city, provider, "ana", claims=ANA)
    assert (ana.person.name, ana.person.role) == ("Ana Ortiz", Role.OPERATOR)
    moved = {**ANA, ROLE_CLAIM: "rtcc-detectives"}
    later, _ = await come_in(city, provider, "ana", claims=moved)
    assert (later.person.person_id, later.person.role) == (ana.person.person_id, Role.DETECTIVE)
    assert await identity.whoami(cookie) is None, "the sign-in for the other duty has ended"
    left = {**ANA, ROLE_CLAIM: ["everybody"]}
    assert await refused(come_in(city, provider, "ana", claims=left)) == "no_role"


async def test_a_suspension_here_outlasts_the_provider(
    door: NewDoor, provider: RealProvider, identity: Identity
) -> None:
    city = door(provider.by_rule())
    ana, cookie = await come_in(city, provider, "suspended", claims=ANA)
    await identity.suspend(ana.person.person_id)
    assert await identity.whoami(cookie) is None
    assert await refused(come_in(city, provider, "suspended", claims=ANA)) == "suspended"


async def test_two_factors_a_fresh_sign_in_and_certifications_are_asked_for(
    door: NewDoor, provider: RealProvider
) -> None:
    city = door(provider.by_rule(require=("ncic",)))
    certified = {**ANA, NCIC: "true"}
    one: dict[str, Any] = {"acr": "urn:example:one", "amr": ["pwd"]}
    assert await refused(come_in(city, provider, "ana", claims=certified, **one)) == "factors"
    assert await refused(come_in(city, provider, "ana", claims=ANA)) == "certification"
    expired = {**ANA, NCIC: "false"}
    assert await refused(come_in(city, provider, "ana", claims=expired)) == "certification"
    ana, _ = await come_in(city, provider, "ana", claims=certified)
    assert ana.person.role is Role.OPERATOR


async def test_the_twelve_hours_begin_at_the_provider(
    door: NewDoor, provider: RealProvider, identity: Identity, clock: Clock
) -> None:
    city = door(provider.by_rule(max_age_minutes=60))
    ana, cookie = await come_in(city, provider, "ana", claims=ANA, ago_s=1800)
    assert timedelta(minutes=29) < clock.now - ana.signed_in_at < timedelta(minutes=31)
    for _ in range(23):
        clock.pass_(minutes=29)
        assert await identity.whoami(cookie)
    clock.pass_(minutes=25)
    assert await identity.whoami(cookie) is None


async def test_an_answer_counts_once_in_the_browser_that_asked(
    door: NewDoor, provider: RealProvider, clock: Clock
) -> None:
    city = door(provider.by_rule())
    provider.next("ana", claims=ANA)
    address, cookie = await city.begin("county", None)
    back = answer(provider.visit(address))
    _, other = await city.begin("county", None)
    assert await refused(city.finish("county", back, other)) == "other_sign_in"
    assert await refused(city.finish("county", back, None)) == "stale_challenge"
    await city.finish("county", back, cookie)
    assert await refused(city.finish("county", back, cookie)) == "stale_challenge"
    address, cookie = await city.begin("county", None)
    late = answer(provider.visit(address))
    clock.pass_(minutes=11)
    assert await refused(city.finish("county", late, cookie)) == "stale_challenge"


async def test_another_providers_or_persons_code_opens_nothing(
    door: NewDoor, provider: RealProvider
) -> None:
    city = door(provider.by_rule())
    provider.next("mallory", claims=ANA)
    hers = answer(provider.visit((await city.begin("county", None))[0]))
    address, cookie = await city.begin("county", None)
    mine = answer(provider.visit(address))
    swapped = ProviderAnswer(state=mine.state, code=hers.code, issuer=mine.issuer)
    assert await refused(city.finish("county", swapped, cookie)) == "code", "PKCE holds them apart"
    address, cookie = await city.begin("county", None)
    mine = answer(provider.visit(address))
    mixed = ProviderAnswer(state=mine.state, code=mine.code, issuer="https://evil.example")
    assert await refused(city.finish("county", mixed, cookie)) == "other_provider"
    address, cookie = await city.begin("county", None)
    mine = answer(provider.visit(address))
    unsaid = ProviderAnswer(state=mine.state, code=mine.code)
    assert await refused(city.finish("county", unsaid, cookie)) == "other_provider"


async def test_a_token_of_a_kind_that_was_not_allowed_is_refused(
    door: NewDoor, provider: RealProvider
) -> None:
    elliptic = door(provider.by_rule(client_id="elliptic", algorithms=("RS256",)))
    assert await refused(come_in(elliptic, provider, "ana", claims=ANA)) == "id_token"
    right = door(provider.by_rule(client_id="elliptic", algorithms=("ES256",)))
    ana, _ = await come_in(right, provider, "ana", claims=ANA)
    assert ana.person.role is Role.OPERATOR


async def test_whoever_says_no_there_is_not_in_here(door: NewDoor, provider: RealProvider) -> None:
    city = door(provider.by_rule())
    coming = come_in(city, provider, "", error="access_denied")
    assert await refused(coming) == "denied"


async def test_a_provider_that_is_away_says_so_and_lets_nobody_in(
    door: NewDoor, provider: RealProvider
) -> None:
    gone = door(provider.told(issuer="http://127.0.0.1:9"))
    with pytest.raises(Away, match="does not answer"):
        await gone.begin("county", None)


async def test_claims_are_asked_for_where_the_token_is_thin(door: NewDoor, tmp_path: Path) -> None:
    with real_provider(tmp_path, [BACK], thin=True) as thin:
        assert await refused(come_in(door(thin.by_rule()), thin, "ana", claims=ANA)) == "no_role"
        asking = door(thin.by_rule(userinfo=True))
        ana, _ = await come_in(asking, thin, "ana", claims=ANA)
        assert (ana.person.name, ana.person.role) == ("Ana Ortiz", Role.OPERATOR)
