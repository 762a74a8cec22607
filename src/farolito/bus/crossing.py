"""What crosses between this node's own account and a partner's, and nothing else.

On each of two linked nodes one account stands for the other agency; a leaf link joins the two.
In them, `to.<agency>.…` is what goes to that agency:

    to.<agency>.ask, .answer, .beat    services: a request crosses, its answer comes back
    to.<agency>.share.<class>          a stream: crosses only while the owner exports that class

The node's own account sees what a partner sent as `from.<partner>.…`: the name comes from the
account by which a message came in, so that no partner can speak in another's name. All claims are
signed by the node's own operator; a partner holds nothing but the leave to connect to its account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from farolito.bus import claims
from farolito.bus.claims import Claims, Key
from farolito.bus.lines import Line
from farolito.model import AgencyId

MESSAGE_BYTES_MAX = 8 * 2**20  # of one message with its head; a longer one ends the link
SUBSCRIPTIONS_MAX = 256  # of one partner's link
SERVICES = ("ask", "answer", "beat")
_REPLIES = "_R_.>"  # where the server lets answers of services come back


def to(agency: AgencyId, what: str) -> str:
    return f"to.{agency}.{what}"


def came(partner: AgencyId, what: str) -> str:
    return f"from.{partner}.{what}"


def leave(account: Key, user: str, own: AgencyId, partner: AgencyId, now_s: int) -> str:
    """The user JWT by which a partner's node connects to its account here."""
    allowed = [to(own, service) for service in SERVICES]
    rights = claims.user(
        publish=[*allowed, to(own, "share.*"), _REPLIES],
        subscribe=[to(partner, ">"), _REPLIES],
    )
    return claims.signed(account, user, partner, rights, now_s)


def partner_account(own: AgencyId, agency: Key, line: Line, now: datetime) -> Claims:
    """Claims of the account that stands for a partner on this node: no storage, no clients."""
    partner, now_s = line.partner, int(now.timestamp())
    imports: list[Claims] = []
    for service in SERVICES:
        subject = came(partner, service)
        token = _activation(agency, line, ("service", subject), now_s)
        imports.append(_import("service", subject, agency.public, to(own, service), token))
    for share_class, until in line.shares.items():
        if until <= now:
            continue
        subject = to(partner, f"share.{share_class}")
        ends_s = int(until.timestamp())
        token = _activation(agency, line, ("stream", subject), now_s, ends_s)
        imports.append(_import("stream", subject, agency.public, subject, token))
    exports = [_export("service", to(partner, service), private=False) for service in SERVICES]
    exports.append(_export("stream", to(own, "share.*"), private=False))
    limits = {
        "conn": 0, "leaf": 1, "subs": SUBSCRIPTIONS_MAX, "payload": MESSAGE_BYTES_MAX,
    }  # fmt: skip
    if line.dials:  # the link counts as one that this node opened
        limits["leaf"] = claims.UNLIMITED
    return claims.account(exports=exports, imports=imports, limits=limits)


def agency_account(own: AgencyId, lines: Iterable[Line], now: datetime) -> Claims:
    """Claims of the node's own account: what it takes from partners and lets flow to them."""
    exports: list[Claims] = []
    imports: list[Claims] = []
    for line in lines:
        partner, account = line.partner, line.own.account
        for service in SERVICES:
            exports.append(_export("service", came(partner, service), private=True))
            there = to(partner, service)
            imports.append(_import("service", there, account, there))
        arriving = to(own, "share.*")
        imports.append(_import("stream", arriving, account, came(partner, "share.$1")))
        exports += [
            _export("stream", to(partner, f"share.{share_class}"), private=True)
            for share_class, until in line.shares.items()
            if until > now
        ]
    return claims.account(jetstream=True, exports=exports, imports=imports)


def _activation(
    agency: Key, line: Line, export: tuple[str, str], now_s: int, ends_s: int | None = None
) -> str:
    """Leave for the partner's account to import one export (kind, subject), and no other."""
    leave_to_import = claims.activation(*export)
    return claims.signed(agency, line.own.account, export[1], leave_to_import, now_s, ends_s)


def _export(kind: str, subject: str, *, private: bool) -> Claims:
    export: dict[str, Any] = {"name": subject, "subject": subject, "type": kind}
    if kind == "service":
        export["response_type"] = "Singleton"
    if private:
        export["token_req"] = True
    return export


def _import(kind: str, subject: str, account: str, local: str, token: str = "") -> Claims:
    claim: Mapping[str, Any] = {
        "name": subject, "subject": subject, "account": account, "local_subject": local,
        "type": kind,
    }  # fmt: skip
    return {**claim, "token": token} if token else claim
