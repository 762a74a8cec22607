"""What crosses between this node's own account and a partner's, and nothing else.

On each of two linked nodes one account stands for the other agency; a leaf link joins the two.
In them, `to.<agency>.…` is what goes to that agency:

    to.<agency>.ask, .beat       a request crosses, its answer comes back
    to.<agency>.share.<class>    likewise, but only while an export of that class is in force

An export is a private one of the partner's account on the owner's node, and the leave (activation)
for the owner's own account to send there, which ends with the agreement. Both accounts are the
owner's: no claim of a partner opens or prolongs it. They are services and not streams, so that
each message is held against the claims that are in force when it crosses, and is answered.

The node's own account sees what a partner sent as `from.<partner>.…`: the name comes from the
account by which a message came in, so that no partner can speak in another's name. All claims are
signed by the node's own operator; a partner holds nothing but the leave to connect to its account.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from farolito.bus import claims
from farolito.bus.claims import Claims, Key
from farolito.bus.lines import Line
from farolito.model import AgencyId

MESSAGE_BYTES_MAX = 8 * 2**20  # of one message with its head; a longer one ends the link
SUBSCRIPTIONS_MAX = 256  # of one partner's link
SERVICES = ("ask", "beat")
TAKEN = (*SERVICES, "share.*")
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


def partner_account(own: AgencyId, agency: Key, line: Line, now: datetime) -> Claims:
    """Claims of the account that stands for a partner on this node: no storage, no clients."""
    partner, now_s = line.partner, int(now.timestamp())
    imports = []
    for what in TAKEN:
        subject = came(partner, what)
        token = _activation(agency, line.own.account, subject, now_s)
        imports.append(_import(subject, agency.public, to(own, what), token))
    shared = [f"share.{share_class}" for share_class in _in_force(line, now)]
    limits = {
        "conn": 1, "leaf": 1,  # the one link; under `conn` the server counts links as well
        "subs": SUBSCRIPTIONS_MAX, "payload": MESSAGE_BYTES_MAX,
    }  # fmt: skip
    exports = [_export(to(partner, what)) for what in (*SERVICES, *shared)]
    return claims.account(exports=exports, imports=imports, limits=limits)


def agency_account(own: Key, ends: Iterable[tuple[Line, Key]], now: datetime) -> Claims:
    """Claims of the node's own account: what it takes from partners and lets flow to them.
    `ends`: each line with the key of its account here."""
    exports, imports = [], []
    for line, account in ends:
        now_s, until = int(now.timestamp()), _in_force(line, now)
        sent: list[tuple[str, int | None]] = [(service, None) for service in SERVICES]
        sent += [(f"share.{share_class}", int(at.timestamp())) for share_class, at in until.items()]
        for what, ends_s in sent:
            there = to(line.partner, what)
            token = _activation(account, own.public, there, now_s, ends_s)
            imports.append(_import(there, account.public, there, token))
        exports += [_export(came(line.partner, what)) for what in TAKEN]
    return claims.account(jetstream=True, exports=exports, imports=imports)


def _in_force(line: Line, now: datetime) -> dict[str, datetime]:
    return {share_class: at for share_class, at in line.shares.items() if at > now}


def _activation(
    exporter: Key, importer: str, subject: str, now_s: int, ends_s: int | None = None
) -> str:
    """Leave for one account to import one export, and no other."""
    leave_to_import = claims.activation("service", subject)
    return claims.signed(exporter, importer, subject, leave_to_import, now_s, ends_s)


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
