"""Who is asking, and why: from the cookie, the CSRF header and the purpose header."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from litestar.connection import ASGIConnection

from farolito.gate import Ask
from farolito.identity import NEVER, Identity, SignedIn
from farolito.model import FarolitoError, Purpose, Role, Thing

CSRF_HEADER = "x-farolito-csrf"
PURPOSE_HEADER = "x-farolito-purpose"
CASE_HEADER = "x-farolito-case"
QUERY_CHARACTERS_MAX = 200
OPEN = {"open_to_all": True}  # a route's mark: every other one is closed to strangers

_USUAL: Mapping[Role, Purpose] = {
    Role.OPERATOR: Purpose.HOT_LIST_ALERT,
    Role.OFFICER: Purpose.HOT_LIST_ALERT,
    Role.SUPERVISOR: Purpose.HOT_LIST_ALERT,
    Role.DETECTIVE: Purpose.CRIMINAL_INVESTIGATION,
    Role.AUDITOR: Purpose.AUDIT,
    Role.OVERSIGHT: Purpose.AUDIT,
    Role.AGENCY_ADMIN: Purpose.ADMINISTRATION,
    Role.SYSADMIN: Purpose.ADMINISTRATION,
    Role.CAMERA_OWNER: Purpose.ADMINISTRATION,
}


class SignedOut(FarolitoError):
    """Nobody is signed in, or no longer."""


class Forged(FarolitoError):
    """An unsafe request without the token that only our own pages know."""


class Asker:
    """A signed-in person at one request. `device`: a word for where it came from."""

    def __init__(
        self,
        signed_in: SignedIn,
        headers: Mapping[str, str],
        cookie: str,
        device: str | None = None,
    ) -> None:
        self.signed_in = signed_in
        self.device = device
        self.person = signed_in.person
        self.cookie = cookie
        self._headers = headers

    def ask(
        self, thing: Thing, query: str, *, usual: Purpose | None = None, **facts: str | int | bool
    ) -> Ask:
        """What this person asks of the gate, for the purpose that the screen shows.

        `usual`: the purpose of this kind of work where the screen names none.
        """
        return Ask(
            person=self.person,
            thing=thing,
            purpose=self._purpose(usual),
            query=query[:QUERY_CHARACTERS_MAX],
            signed_in_at=self.signed_in.signed_in_at,
            proved_at=self.signed_in.proved_at or NEVER,
            session=self.signed_in.session,
            device=self.device,
            case=self._headers.get(CASE_HEADER) or None,
            facts=facts,
        )

    def _purpose(self, usual: Purpose | None) -> Purpose | None:
        chosen = self._headers.get(PURPOSE_HEADER)
        if not chosen:
            return usual or _USUAL.get(self.person.role)
        try:
            return Purpose(chosen)
        except ValueError:
            return None  # not on the closed list: the policy refuses it, the ledger keeps that


def cookie_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The Cookie header; which cookie in it is ours is for identity to know."""
    return connection.headers.get("cookie", "")


async def asker_of(connection: ASGIConnection[Any, Any, Any, Any], identity: Identity) -> Asker:
    """The person behind a request. Raises SignedOut or Forged."""
    cookie = cookie_of(connection)
    signed_in = await identity.whoami(cookie)
    if signed_in is None:
        raise SignedOut("nobody is signed in", "sign in with your passkey")
    method = connection.scope.get("method", "GET")
    headers = connection.headers
    if method not in {"GET", "HEAD"} and not identity.csrf_is_right(
        signed_in, headers.get(CSRF_HEADER)
    ):
        raise Forged("this request did not come from Farolito's own page", "reload the page")
    device = identity.device_of(signed_in, headers.get("user-agent", ""), _address(connection))
    return Asker(signed_in, headers, cookie, device)


def _address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Where a request comes from: what a proxy on this machine says last, else the socket's peer.

    Anybody here could say so too; nothing is permitted by it.
    """
    peer = connection.client.host if connection.client else ""
    try:
        is_here = ip_address(peer).is_loopback
    except ValueError:
        is_here = False
    told = connection.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return told if is_here and told else peer
