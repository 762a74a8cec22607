"""A passkey shown again by somebody who is signed in, and one added to those they have.

Who came by an identity provider has shown us none: what wants one of the last five minutes waits
for it, and their first sign-in asks them to make one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from farolito.identity.identity import Identity, SignedIn, may_sign_in, stale_challenge
from farolito.identity.passkeys import registered, registration_options, told
from farolito.identity.signing import signing_options
from farolito.model import Refused
from farolito.store import Database
from farolito.store.people import People
from farolito.store.sessions import Sessions

PROVED_WITHIN = timedelta(minutes=5)  # to add a further passkey
FIRST_WITHIN = timedelta(minutes=30)  # of the provider's own sign-in, to make the first


class Proving:
    def __init__(self, identity: Identity, db: Database, clock: Callable[[], datetime]) -> None:
        self._identity = identity
        self._db = db
        self._clock = clock

    async def has_passkey(self, who: SignedIn) -> bool:
        return bool(await People(self._db.pool).passkeys_of(who.person.person_id))

    async def begin(self, who: SignedIn) -> dict[str, Any]:
        """Options for `navigator.credentials.get`: one's own passkeys alone. Raises Refused."""
        async with self._db.system() as connection:
            known = await People(connection).passkeys_of(who.person.person_id)
            if not known:
                raise Refused("no_passkey", "you have no passkey here", "make one first")
            sessions = Sessions(connection)
            challenge = await self._identity.challenge(sessions, "prove", _of(who))
        return signing_options(self._identity.site, challenge, known)

    async def finish(self, who: SignedIn, credential: Mapping[str, Any]) -> datetime:
        """From when the passkey counts. Raises Refused; five refusals lock, as at signing in."""
        said = told(credential)
        made = await self._identity.taken(said, "prove")
        if made is None or made.code_hash != _of(who):
            raise stale_challenge()
        now = self._clock()
        async with self._db.system() as connection:
            people = People(connection)
            await may_sign_in(people, who.person.person_id, now)
            passkey = await people.passkey(said.credential_id)
            if passkey is None or passkey.person_id != who.person.person_id:
                raise Refused("not_your_passkey", "that passkey is not yours", "use your own")
            refused = await self._identity.shown(people, passkey, said, credential)
            if refused is None:
                if not await Sessions(connection).proved(who.session, now):
                    raise stale_challenge()
                return now
        # Raised out here, so that the failure it left in the count stays there.
        raise refused

    async def begin_adding(self, who: SignedIn) -> dict[str, Any]:
        """Options for `navigator.credentials.create`. Raises Refused."""
        async with self._db.system() as connection:
            people = People(connection)
            known = await people.passkeys_of(who.person.person_id)
            self._may_add(who, has_one=bool(known))
            person = await may_sign_in(people, who.person.person_id, self._clock())
            challenge = await self._identity.challenge(Sessions(connection), "add", _of(who))
        return registration_options(self._identity.site, person, challenge, known)

    async def finish_adding(self, who: SignedIn, credential: Mapping[str, Any]) -> datetime:
        """The passkey is kept, and was shown now. Raises Refused."""
        said = told(credential)
        made = await self._identity.taken(said, "add")
        if made is None or made.code_hash != _of(who):
            raise stale_challenge()
        now = self._clock()
        async with self._db.system() as connection:
            people = People(connection)
            known = await people.passkeys_of(who.person.person_id)
            self._may_add(who, has_one=bool(known))
            person = await may_sign_in(people, who.person.person_id, now)
            passkey = registered(self._identity.site, person, credential, said.challenge)
            if not await people.add_passkey(passkey, now):
                raise Refused("known_passkey", "this passkey is registered", "sign in with it")
            if not await Sessions(connection).proved(who.session, now):
                raise stale_challenge()
        return now

    def _may_add(self, who: SignedIn, *, has_one: bool) -> None:
        """A screen left open must not make somebody a passkey of their own. Raises Refused."""
        now = self._clock()
        if has_one:
            if who.proved_at is None or now - who.proved_at > PROVED_WITHIN:
                raise Refused(
                    "sign_in_again",
                    "this wants your passkey, shown within the last 5 minutes",
                    "show your passkey again",
                )
        elif who.provider is None:
            raise Refused("no_invitation", "a first passkey wants an invitation", "ask for one")
        elif now - who.signed_in_at > FIRST_WITHIN:
            raise Refused("old", "your sign-in at your provider is too old", "sign in anew")


def _of(who: SignedIn) -> bytes:
    """What was begun in one sign-in is ended in that one."""
    return sha256(who.session.bytes).digest()
