"""Invitations, passkeys, sessions: how a person gets in, stays in and is put out."""

from __future__ import annotations

from base64 import b32encode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import msgspec

from farolito.identity.cookies import cookie_jar
from farolito.identity.device_keys import DeviceKeys
from farolito.identity.passkeys import (
    Site,
    Told,
    registered,
    registration_options,
    sign_in_options,
    signed,
    told,
)
from farolito.identity.personas import CREW, Persona, person_for, personas_of
from farolito.identity.seen_devices import device_word
from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    Person,
    PersonId,
    Refused,
    Role,
    SessionId,
    new_id,
)
from farolito.store import Database
from farolito.store.devices import Devices
from farolito.store.people import Account, Passkey, People
from farolito.store.sensors import Sensors
from farolito.store.sessions import Challenge, How, Sessions
from farolito.store.suspensions import SuspensionList

IDLE_MAX = timedelta(minutes=30)  # R2; past either the session ends and the passkey is asked for
SESSION_MAX = timedelta(hours=12)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # when somebody showed a passkey who has shown none
SEEN_EVERY = timedelta(seconds=30)  # how exactly idleness is written down
CHALLENGE_LIVES = timedelta(minutes=5)
ELSEWHERE_LIVES = timedelta(minutes=10)  # a sign-in that goes by an identity provider
INVITATION_LIVES = timedelta(hours=72)
FAILURES_MAX = 5  # within FAILURES_WITHIN: locked until an administrator acts (R3)
FAILURES_WITHIN = timedelta(minutes=15)
UNUSED_MAX = timedelta(days=90)  # without a sign-in: asked to see an administrator (R5)
FORGET_AFTER = timedelta(days=30)  # sessions and invitations that are over


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A person and the sign-in that vouches for them. `csrf` belongs in every unsafe request.

    `proved_at`: when they last showed a passkey here, None: not in this sign-in. `provider`: the
    identity provider that vouches for them, None: a passkey did.
    """

    person: Person
    session: SessionId
    signed_in_at: datetime
    seen_at: datetime
    csrf: str
    proved_at: datetime | None
    provider: str | None = None


class Identity:
    """One node's people and devices. `demo` opens the personas, on this machine only."""

    def __init__(  # noqa: PLR0913 - a site, an agency, a clock and chance
        self,
        db: Database,
        rp_id: str,
        origins: Sequence[str],
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        demo: bool = False,
        *,
        agency: AgencyId,
        name: str = "Farolito",
    ) -> None:
        self._db = db
        self.site = Site(rp_id, name, tuple(origins))
        self.cookies = cookie_jar(origins)
        self._clock = clock
        self._random = random
        self._agency = agency
        self.demo = demo
        self.keys = DeviceKeys(db, clock, random)
        self._telling_apart = random(32)

    # Invitations and registration

    async def invite(self, person: Person) -> str:
        """A one-time code that lets `person` register a passkey. Shown once, hash kept.

        A person who is known already gets the name, role and unit given here, and a further
        passkey; where that is another duty, sessions opened for the old one end. Raises
        Refused for the node itself, and for another agency's person.
        """
        if person.role is Role.SYSTEM or person.agency != self._agency:
            raise Refused("not_ours", "nobody signs in as that", "invite a person of this agency")
        _must_name_an_owner(person)
        now = self._clock()
        code = _code(self._random(16))
        async with self._db.system() as connection:
            people = People(connection)
            before = await people.account(person.person_id)
            if not await people.keep(person, now):
                raise Refused("not_ours", "that id is taken", "invite under a new id")
            if before and before.person != person:
                await Sessions(connection).end_all(person.person_id, now, "duty changed")
            await people.invite(_hash(_plain(code)), person.person_id, now, now + INVITATION_LIVES)
        return code

    async def begin_registration(self, code: str) -> dict[str, Any]:
        """Options for `navigator.credentials.create`. Raises Refused for a code not in force."""
        now, code_hash = self._clock(), _hash(_plain(code))
        async with self._db.system() as connection:
            people = People(connection)
            person_id = await people.invited(code_hash, now)
            if person_id is None:
                raise _no_invitation()
            person = await may_sign_in(people, person_id, now, registering=True)
            known = await people.passkeys_of(person_id)
            challenge = await self.challenge(Sessions(connection), "register", code_hash)
        return registration_options(self.site, person, challenge, known)

    async def finish_registration(
        self, code: str, credential: Mapping[str, Any]
    ) -> tuple[SignedIn, str]:
        """The passkey is kept, the code used up, the person signed in: (SignedIn, Set-Cookie)."""
        said, code_hash = told(credential), _hash(_plain(code))
        made = await self.taken(said, "register")
        if made is None or made.code_hash != code_hash:
            raise stale_challenge()
        now = self._clock()
        async with self._db.system() as connection:
            people = People(connection)
            person_id = await people.accept(code_hash, now)
            if person_id is None:
                raise _no_invitation()
            person = await may_sign_in(people, person_id, now, registering=True)
            passkey = registered(self.site, person, credential, said.challenge)
            if not await people.add_passkey(passkey, now):
                raise Refused("known_passkey", "this passkey is registered", "sign in with it")
            return await self.open(connection, person)

    # Signing in

    async def begin_sign_in(self) -> dict[str, Any]:
        """Options for `navigator.credentials.get`."""
        async with self._db.system() as connection:
            challenge = await self.challenge(Sessions(connection), "sign_in", None)
        return sign_in_options(self.site, challenge)

    async def finish_sign_in(self, credential: Mapping[str, Any]) -> tuple[SignedIn, str]:
        """(SignedIn, Set-Cookie). Raises Refused; five refusals in 15 minutes lock the person."""
        said = told(credential)
        if await self.taken(said, "sign_in") is None:
            raise stale_challenge()
        now = self._clock()
        async with self._db.system() as connection:
            people = People(connection)
            passkey = await people.passkey(said.credential_id)
            if passkey is None:
                raise Refused(
                    "unknown_passkey",
                    "this passkey is not registered here",
                    "ask for an invitation",
                )
            person = await may_sign_in(people, passkey.person_id, now)
            refused = await self.shown(people, passkey, said, credential)
            if refused is None:
                return await self.open(connection, person)
        # Raised out here, so that the failure it left in the count stays there.
        raise refused

    async def shown(
        self, people: People, passkey: Passkey, said: Told, credential: Mapping[str, Any]
    ) -> Refused | None:
        """A passkey was shown: None where it is right. Failures count, and five lock."""
        now = self._clock()
        try:
            if said.user_handle not in (None, passkey.person_id.bytes):
                raise Refused("not_verified", "this passkey is somebody else's", "use your own")
            count = signed(self.site, passkey, credential, said.challenge)
        except Refused as refused:
            await people.fail(passkey.person_id, now, refused.reason)
            recent = await people.failures_since(passkey.person_id, now - FAILURES_WITHIN)
            if recent >= FAILURES_MAX:
                await people.lock(passkey.person_id, now)
            return refused
        await people.used(passkey.credential_id, count, now)
        await people.forget_failures(passkey.person_id)
        return None

    # Sessions

    async def whoami(self, cookie: str | None, *, touch: bool = True) -> SignedIn | None:
        """Who a request comes from: a Cookie header, or the token alone.

        `touch=False` looks without counting as activity, for sockets that check on themselves.
        Suspension, sign-out and a changed duty show at the next call: nothing is cached.
        """
        token = self.cookies.token(cookie) if cookie else None
        if token is None:
            return None
        sessions, now = Sessions(self._db.pool), self._clock()
        found = await sessions.find(_hash(token))
        if found is None or (found.demo and not self.demo):
            return None
        if now - found.how.signed_in_at > SESSION_MAX or now - found.seen_at > IDLE_MAX:
            await sessions.end(found.session_id, now, "expired")
            return None
        if touch and now - found.seen_at >= SEEN_EVERY:
            await sessions.seen(found.session_id, now)
        return SignedIn(
            person=found.person,
            session=found.session_id,
            signed_in_at=found.how.signed_in_at,
            seen_at=now if touch else found.seen_at,
            csrf=_csrf(token),
            proved_at=found.how.proved_at,
            provider=found.how.provider,
        )

    async def still_signed_in(self, sessions: Sequence[SessionId]) -> dict[SessionId, Person]:
        """Who of these is signed in now, as what: one question for many, for those who watch.

        It counts as no activity, and ends nothing.
        """
        now = self._clock()
        return {
            one.session_id: one.person
            for one in await Sessions(self._db.pool).open_ones(sessions)
            if now - one.how.signed_in_at <= SESSION_MAX
            and now - one.seen_at <= IDLE_MAX
            and (self.demo or not one.demo)
        }

    def device_of(self, signed_in: SignedIn, user_agent: str, address: str) -> str:
        """A word for the device that a request comes from, for the ledger: it tells the devices
        of this one sign-in apart, until the next start, and nothing else."""
        return device_word(self._telling_apart, signed_in.session, user_agent, address)

    def csrf_is_right(self, signed_in: SignedIn, header: str | None) -> bool:
        return header is not None and compare_digest(
            header.encode("utf-8", "replace"), signed_in.csrf.encode()
        )

    async def sign_out(self, cookie: str) -> SessionId | None:
        """Which session ended, None if none was open."""
        signed_in = await self.whoami(cookie, touch=False)
        if signed_in is None:
            return None
        await Sessions(self._db.pool).end(signed_in.session, self._clock(), "signed out")
        return signed_in.session

    @property
    def clear_cookie(self) -> str:
        """The Set-Cookie value that a sign-out answers with."""
        return self.cookies.clear()

    @property
    def cookie_name(self) -> str:
        return self.cookies.name

    # Administration of people

    async def people(self) -> list[Account]:
        return await People(self._db.pool).all(self._agency)

    async def change(self, person: Person) -> list[SessionId]:
        """A new name, role, unit or owner. Open sessions end: they were for another duty."""
        now = self._clock()
        async with self._db.system() as connection:
            people = People(connection)
            await self._ours(people, person.person_id)
            _must_name_an_owner(person)
            if person.role is Role.SYSTEM or not await people.keep(person, now):
                raise Refused("not_ours", "nobody signs in as that", "choose another role")
            return await Sessions(connection).end_all(person.person_id, now, "duty changed")

    async def suspend(self, person_id: PersonId, *, passkeys_lost: bool = False) -> list[SessionId]:
        """No sign-in from now on; the sessions that were open and end, for the sockets to close.
        Partners are told by whoever reads `suspended`. `passkeys_lost`: nor will their passkeys and
        unused codes of today ever sign anybody in, whatever is restored."""
        now = self._clock()
        async with self._db.system() as connection:
            people = People(connection)
            await self._ours(people, person_id)
            await people.suspend(person_id, now)
            if passkeys_lost:
                await people.drop_passkeys(person_id)
                await people.drop_invitations(person_id)
            await SuspensionList(connection, self._agency).changed(now)
            return await Sessions(connection).end_all(person_id, now, "suspended")

    async def restore(self, person_id: PersonId) -> int:
        """Lift a suspension, a lock after failures, or 90 days without a sign-in. How many passkeys
        the person has; without one, an invitation or their provider lets them make it."""
        async with self._db.system() as connection:
            people = People(connection)
            account = await self._ours(people, person_id)
            await people.restore(person_id, self._clock())
            if account.suspended_at:
                await SuspensionList(connection, self._agency).changed(self._clock())
            return account.passkeys

    async def suspended(self) -> tuple[int, list[PersonId]]:
        """The number of the list of our own suspended people, and the list."""
        return await SuspensionList(self._db.pool, self._agency).now()

    async def forget_old(self) -> int:
        """Drop what has been over for 30 days; the ledger keeps what happened. For retention."""
        async with self._db.system() as connection:
            return await Sessions(connection).forget_before(self._clock() - FORGET_AFTER)

    # Demo

    def personas(self) -> list[Persona]:
        return list(personas_of(self._agency)) if self.demo else []

    async def demo_sign_in(self, persona: str, peer_is_loopback: bool) -> tuple[SignedIn, str]:
        """One click, no passkey: only where the node was started as a demo, from this machine."""
        if not self.demo or not peer_is_loopback:
            raise Refused(
                "no_demo",
                "there are no personas here",
                "sign in with a passkey, or open the demo on its own machine",
            )
        offered = (*personas_of(self._agency), *CREW)
        chosen = next((p for p in offered if p.persona == persona), None)
        if chosen is None:
            raise Refused("no_persona", "there is no such persona", "choose one of those offered")
        return await self.practise(person_for(chosen, self._agency))

    async def practise(self, person: Person) -> tuple[SignedIn, str]:
        """Sign a made-up person in, in a demo alone; its caller has made sure of the machine."""
        assert self.demo, "practice people are signed in nowhere else"
        async with self._db.system() as connection:
            people = People(connection)
            if not await people.keep(person, self._clock(), demo=True):
                raise Refused("not_ours", "that id is taken", "start the demo in a new folder")
            await may_sign_in(people, person.person_id, self._clock())
            return await self.open(connection, person)

    # Devices

    async def issue_device_key(self, device: Device) -> str:
        return await self.keys.issue(device)

    async def register_sensor(self, device: Device, public_key: bytes) -> None:
        """A gunshot sensor and what it signs with: the 32 bytes of an Ed25519 public key."""
        async with self._db.system() as connection:
            await Devices(connection).keep(device)
            await Sensors(connection, device.agency).keep(device.device_id, public_key)

    async def device_for_key(self, key: str) -> Device | None:
        return await self.keys.device_for_key(key)

    async def revoke_device_keys(self, device_id: DeviceId) -> int:
        return await self.keys.revoke(self._agency, device_id)

    async def devices(self) -> list[Device]:
        return await self.keys.devices(self._agency)

    # Steps

    async def open(
        self, connection: Any, person: Person, how: How | None = None
    ) -> tuple[SignedIn, str]:
        """A sign-in begins: whoever calls has made sure of the person. Without `how`, a passkey
        was shown now. (SignedIn, Set-Cookie)."""
        now = self._clock()
        how = how or How(signed_in_at=now, proved_at=now)
        token = urlsafe_b64encode(self._random(32)).rstrip(b"=").decode()
        session = SessionId(new_id(int(now.timestamp() * 1000), self._random(10)))
        await Sessions(connection).open(_hash(token), session, person.person_id, how, now)
        await People(connection).was_active(person.person_id, now)
        signed_in = SignedIn(
            person=person,
            session=session,
            signed_in_at=how.signed_in_at,
            seen_at=now,
            csrf=_csrf(token),
            proved_at=how.proved_at,
            provider=how.provider,
        )
        return signed_in, self.cookies.set(token, int(SESSION_MAX.total_seconds()))

    async def invitation(self, code: str) -> bytes:
        """The hash of an invitation that is in force. Raises Refused."""
        code_hash = _hash(_plain(code))
        async with self._db.system() as connection:
            if await People(connection).invited(code_hash, self._clock()) is None:
                raise _no_invitation()
        return code_hash

    async def expect(self, kind: str, secret: bytes, code_hash: bytes | None) -> None:
        """Something under way that only who knows the secret can end, within ten minutes."""
        now = self._clock()
        made = Challenge(kind, code_hash, now + ELSEWHERE_LIVES)
        async with self._db.system() as connection:
            await Sessions(connection).challenge(sha256(secret).digest(), made, now)

    async def expected(self, kind: str, secret: bytes) -> Challenge | None:
        """Once: it is gone afterwards, whatever comes of it."""
        async with self._db.system() as connection:
            taken = sha256(secret).digest()
            return await Sessions(connection).take_challenge(taken, kind, self._clock())

    async def challenge(self, sessions: Sessions, kind: str, code_hash: bytes | None) -> bytes:
        now, challenge = self._clock(), self._random(32)
        made = Challenge(kind, code_hash, now + CHALLENGE_LIVES)
        await sessions.challenge(sha256(challenge).digest(), made, now)
        return challenge

    async def taken(self, said: Told, kind: str) -> Challenge | None:
        # In a transaction of its own: what has been shown once is gone, however the rest ends.
        return await self.expected(kind, said.challenge)

    async def _ours(self, people: People, person_id: PersonId) -> Account:
        account = await people.account(person_id)
        if account is None or account.person.agency != self._agency:
            raise Refused("no_person", "there is no such person here", "look in the list of people")
        return account


async def may_sign_in(
    people: People, person_id: PersonId, now: datetime, *, registering: bool = False
) -> Person:
    """Raises Refused for who is suspended, locked, or has not been here for 90 days."""
    account = await people.account(person_id)
    assert account is not None, "a passkey or invitation belongs to a person"
    ask = "ask your administrator"
    if account.suspended_at:
        raise Refused("suspended", "this person is suspended", ask)
    if account.locked_at:
        raise Refused("locked", "locked after five failed sign-ins", ask)
    if not registering and now - account.active_at > UNUSED_MAX:
        raise Refused("unused", "not signed in for 90 days", ask)
    return account.person


def _must_name_an_owner(person: Person) -> None:
    """Raises Refused: who answers for nobody's cameras would see nothing, and not know why."""
    if person.role is Role.CAMERA_OWNER and not person.owner:
        raise Refused("no_owner", "an owner's person without an owner", "say whose cameras")


def _no_invitation() -> Refused:
    return Refused(
        "no_invitation",
        "this invitation is not known, was used, or has expired",
        "ask your administrator for a new one",
    )


def stale_challenge() -> Refused:
    return Refused("stale_challenge", "this sign-in took too long or was used", "start again")


def _hash(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "replace")).digest()


def _csrf(token: str) -> str:
    """Follows from the token, tells nothing of it: so it needs no place of its own."""
    return sha256(b"csrf\0" + token.encode()).hexdigest()[:32]


def _code(random: bytes) -> str:
    """128 bits for people to copy: five groups of letters and digits without 0, 1, 8, 9."""
    text = b32encode(random).rstrip(b"=").decode()
    return "-".join(text[i : i + 6] for i in range(0, len(text), 6))


def _plain(code: str) -> str:
    return "".join(c for c in code.upper() if c.isalnum())
