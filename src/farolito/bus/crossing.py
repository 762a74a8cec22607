"""What crosses between this node's own accounts and a partner's, and nothing else.

On each of two linked nodes one account stands for the other agency; a leaf link joins the two.
In them, `to.<agency>.…` is what goes to that agency:

    to.<agency>.ask, .beat       a request crosses, its answer comes back
    to.<agency>.share.<class>    likewise, but only while an export of that class is in force

What flows by agreement leaves from an account of its own, `shares`: each class that a partner may
have is an import there, whose leave (activation) ends with the agreement. All these accounts are
the owner's; no claim of a partner opens or prolongs anything. They are services and not streams,
so that each message is held against the claims that are in force when it crosses, and is answered.
`shares` is apart because the server forgets which answers it waits for when an account's exports
are told anew: what changes for one partner may not cost another its answer.

The node's own account sees what a partner sent as `from.<partner>.…`: the name comes from the
account by which a message came in, so that no partner can speak in another's name. All claims are
signed by the node's own operator; a partner holds nothing but the leave to connect to its account.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from farolito.bus import claims
from farolito.bus.claims import Claims, Key
from farolito.bus.lines import Line
from farolito.model import AgencyId

MESSAGE_BYTES_MAX = 8 * 2**20  # of one message with its head; a longer one ends the link
SUBSCRIPTIONS_MAX = 256  # of one partner's link
SERVICES = ("ask", "beat")
TAKEN = (*SERVICES, "share.*")
Ends = Sequence[tuple[Line, Key]]  # each line with the key of its account here
_REPLIES = "_R_.>"  # where the server lets answers of services come back


def to(agency: AgencyId, what: str) -> str:
    return f"to.{agency}.{what}"


def came(partner: AgencyId, what: str) -> str:
    return f"from.{partner}.{what}"


def leave(account: Key, user: str, own: AgencyId, partner: AgencyId, now_s: int) -> str:
    """The user JWT by which a partner's node connects to its account here."""
    rights = claims.user(
        publish=[*(to(own, what) for what in TAKEN), _REPLIES],
        subscribe=[*(to(partner, what) for what in TAKEN), _REPLIES],
    )
    rights = {**rights, "allowed_connection_types": ["LEAFNODE"]}
    return claims.signed(account, user, partner, rights, now_s)


def partner_account(own: AgencyId, agency: Key, line: Line) -> Claims:
    """Claims of the account that stands for a partner on this node: no storage, no clients."""
    partner = line.partner
    imports = []
    for what in TAKEN:
        subject = came(partner, what)
        token = _activation(agency, line.own.account, subject)
        imports.append(_import(subject, agency.public, to(own, what), token))
    limits = {
        "conn": 1, "leaf": 1,  # the one link; under `conn` the server counts links as well
        "subs": SUBSCRIPTIONS_MAX, "payload": MESSAGE_BYTES_MAX,
    }  # fmt: skip
    exports = [_export(to(partner, what)) for what in TAKEN]
    return claims.account(exports=exports, imports=imports, limits=limits)


def agency_account(own: Key, ends: Ends) -> Claims:
    """Claims of the node's own account: what partners ask of it, and it of them."""
    exports: list[Claims] = []
    imports: list[Claims] = []
    for line, account in ends:
        exports += [_export(came(line.partner, what)) for what in TAKEN]
        imports += [_sent(own, account, to(line.partner, service)) for service in SERVICES]
    return claims.account(jetstream=True, exports=exports, imports=imports)


def shares_account(own: Key, ends: Ends, now: datetime) -> Claims:
    """Claims of the account from which things flow to partners: what is in force now."""
    imports = []
    for line, account in ends:
        for share_class, until in line.shares.items():
            if until > now:
                subject = to(line.partner, f"share.{share_class}")
                imports.append(_sent(own, account, subject, int(until.timestamp())))
    return claims.account(imports=imports)


def _sent(own: Key, account: Key, subject: str, ends_s: int | None = None) -> Claims:
    token = _activation(account, own.public, subject, ends_s)
    return _import(subject, account.public, subject, token)


@lru_cache(maxsize=10_000)
def _activation(exporter: Key, importer: str, subject: str, ends_s: int | None = None) -> str:
    """Leave for one account to import one export, and no other.

    It does not say when it was signed: one that stays is the same text in each new claims, and
    needs no new signature (some 0.2 ms with its JSON, of hundreds where partners are many).
    """
    leave_to_import = claims.activation("service", subject)
    return claims.signed(exporter, importer, subject, leave_to_import, 0, ends_s)


def _export(subject: str) -> Claims:
    return {
        "name": subject, "subject": subject, "type": "service",
        "response_type": "Singleton", "token_req": True,
    }  # fmt: skip


def _import(subject: str, account: str, local: str, token: str) -> Claims:
    return {
        "name": subject, "subject": subject, "account": account, "local_subject": local,
        "type": "service", "token": token,
    }  # fmt: skip
