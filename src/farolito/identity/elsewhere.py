"""Signing in by an agency's own identity provider: begun here, done there, decided here.

What a sign-in under way needs to know follows from one secret in the browser's own cookie; we keep
its hash alone, once, for ten minutes. So an answer that another browser brings, a second time or
too late, opens nothing.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any

import msgspec

from farolito.identity.id_token import Signed
from farolito.identity.identity import Identity, SignedIn, may_sign_in
from farolito.identity.oidc import ProviderLine, Secrets
from farolito.identity.provider import Claimed, claimed
from farolito.model import AgencyId, Person, PersonId, Refused, digest_id
from farolito.model.provider import Provider
from farolito.store import Database
from farolito.store.people import People
from farolito.store.providers import ProviderPeople
from farolito.store.sessions import How, Sessions

COOKIE = "oidc"  # lax, since the browser comes back from another site
COOKIE_S = 600
_AGAIN = "sign in again"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser brings back (RFC 6749, section 4.1.2; RFC 9207)."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str | None = None


class Elsewhere:
    """The providers of one node. `origin`: where its pages are."""

    def __init__(  # noqa: PLR0913 - whose people, by whom, a clock and chance
        self,
        identity: Identity,
        db: Database,
        agency: AgencyId,
        providers: Sequence[Provider],
        origin: str,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        self._identity = identity
        self._db = db
        self._agency = agency
        self._lines = {one.id: ProviderLine(one, clock) for one in providers}
        self._origin = origin.rstrip("/")
        self._clock = clock
        self._random = random

    def offered(self) -> list[dict[str, str]]:
        """Buttons of the sign-in page."""
        return [{"id": p.provider.id, "name": p.provider.name} for p in self._lines.values()]

    async def begin(self, provider_id: str, code: str | None) -> tuple[str, str]:
        """(where the browser goes, Set-Cookie). `code`: of an invitation, for who comes by this
        provider for the first time. Raises Refused, Away."""
        line = self._line(provider_id)
        invited = await self._identity.invitation(code) if code else None
        ticket = urlsafe_b64encode(self._random(32)).decode().rstrip("=")
        address = await line.address(_secrets(ticket), self._back(line.provider))
        await self._identity.expect("provider", _key(line.provider, ticket), invited)
        return address, self._identity.cookies.passing(COOKIE, ticket, COOKIE_S)

    async def finish(
        self, provider_id: str, answer: Answer, cookie: str | None
    ) -> tuple[SignedIn, str]:
        """(SignedIn, Set-Cookie) for who comes back. Raises Refused with the reason, Away."""
        line = self._line(provider_id)
        ticket = self._identity.cookies.passed(COOKIE, cookie or "")
        if not ticket:
            raise Refused("stale_challenge", "this sign-in was not begun in this browser", _AGAIN)
        secrets = _secrets(ticket)
        if not compare_digest(answer.state.encode("utf-8", "replace"), secrets.state.encode()):
            raise Refused("other_sign_in", "an answer to another sign-in", _AGAIN)
        made = await self._identity.expected("provider", _key(line.provider, ticket))
        if made is None:
            raise Refused("stale_challenge", "this sign-in took too long or was used", _AGAIN)
        if answer.error or not answer.code:
            raise Refused("denied", "your provider did not sign you in", _AGAIN)
        signed = await line.redeem(answer.code, answer.issuer, secrets, self._back(line.provider))
        return await self._let_in(line.provider, signed, made.code_hash)

    @property
    def clear_cookie(self) -> str:
        return self._identity.cookies.passing(COOKIE, "", 0)

    async def _let_in(
        self, provider: Provider, signed: Signed, invited: bytes | None
    ) -> tuple[SignedIn, str]:
        told, now = claimed(provider, signed.claims), self._clock()
        async with self._db.system() as connection:
            known = ProviderPeople(connection, self._agency)
            people = People(connection)
            person_id = await known.find(provider.issuer, signed.subject)
            if person_id is None:
                person_id = await self._new(connection, provider, signed, told, invited)
            person = await may_sign_in(people, person_id, now)
            person = await self._as_told(connection, person, told)
            await known.seen(provider.issuer, signed.subject, told.certifications, now)
            how = How(
                signed_in_at=signed.signed_in_at,
                proved_at=None,
                provider=provider.id,
                acr=signed.acr,
                amr=signed.amr,
            )
            return await self._identity.open(connection, person, how)

    async def _new(
        self, connection: Any, provider: Provider, signed: Signed, told: Claimed,
        invited: bytes | None,
    ) -> PersonId:  # fmt: skip
        """Whoever comes by this provider for the first time: by an invitation, or by the rule."""
        people, now = People(connection), self._clock()
        if invited is not None:
            person_id = await people.accept(invited, now)
            if person_id is None:
                raise Refused("no_invitation", "the invitation was used or has expired", "ask anew")
        elif provider.admits == "rule" and told.role is not None:
            person_id = PersonId(digest_id(0, "provider", provider.issuer, signed.subject))
            person = Person(
                person_id=person_id,
                agency=self._agency,
                name=told.name or "?",
                role=told.role,
                unit=None,
            )
            assert await people.keep(person, now), "an id made of issuer and subject is nobody's"
        else:
            raise Refused(
                "not_invited",
                "your provider knows you, and nobody has invited you here",
                "ask your administrator for an invitation code, and use it with this provider",
            )
        known = ProviderPeople(connection, self._agency)
        if not await known.link(provider.issuer, signed.subject, person_id, now):
            raise Refused(
                "other_subject",
                "the person invited signs in by that provider as somebody else",
                "ask your administrator",
            )
        return person_id

    async def _as_told(self, connection: Any, person: Person, told: Claimed) -> Person:
        """Role and unit as the provider has them now; sign-ins for another duty end."""
        now_is = msgspec.structs.replace(
            person,
            name=told.name or person.name,
            role=told.role or person.role,
            unit=told.unit or person.unit,
        )
        if now_is != person:
            now = self._clock()
            assert await People(connection).keep(now_is, now), "somebody of this agency"
            if (now_is.role, now_is.unit) != (person.role, person.unit):
                await Sessions(connection).end_all(person.person_id, now, "duty changed")
        return now_is

    def _line(self, provider_id: str) -> ProviderLine:
        line = self._lines.get(provider_id)
        if line is None:
            raise Refused("no_provider", "there is no such identity provider here", _AGAIN)
        return line

    def _back(self, provider: Provider) -> str:
        """A place of its own for each, so that one provider's answer cannot pass for another's."""
        return f"{self._origin}/api/session/oidc/{provider.id}/callback"


def _key(provider: Provider, ticket: str) -> bytes:
    return f"{provider.id} {ticket}".encode()


def _secrets(ticket: str) -> Secrets:
    """Each follows from the ticket, and none of the others from it."""

    def one(purpose: str) -> str:
        made = digest(ticket.encode(), purpose.encode(), "sha256")
        return urlsafe_b64encode(made).decode().rstrip("=")

    verifier = one("verifier")
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    return Secrets(state=one("state"), nonce=one("nonce"), verifier=verifier, challenge=challenge)
