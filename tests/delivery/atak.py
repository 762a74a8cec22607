"""What an ATAK phone writes: its own position, a chat, receipts. As seen on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import quoteattr

from farolito.ingest import xml


def event(uid: str, type_: str, detail: str, at: datetime, where: str = "") -> bytes:
    now = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    stale = (at + timedelta(minutes=6)).astimezone(UTC)
    then = stale.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    point = where or 'lat="0.0" lon="0.0"'
    return (
        "<?xml version='1.0' encoding='UTF-8' standalone='yes'?>\n"
        f"<event version='2.0' uid={quoteattr(uid)} type='{type_}' time='{now}' start='{now}'"
        f" stale='{then}' how='m-g'>"
        f'<point {point} hae="9999999.0" ce="9999999.0" le="9999999.0"/>'
        f"<detail>{detail}</detail></event>"
    ).encode()


def position(
    uid: str, callsign: str, at: datetime, lat: float = 35.08, lon: float = -106.6
) -> bytes:
    """The self-report that ATAK sends when it connects and then every half minute."""
    detail = (
        '<takv device="TEST" platform="ATAK-CIV" os="34" version="5.2.0"/>'
        f'<contact endpoint="*:-1:stcp" callsign={quoteattr(callsign)}/>'
        f'<uid Droid={quoteattr(callsign)}/><__group role="Team Member" name="Cyan"/>'
        '<status battery="88"/><track course="10.0" speed="3.0"/>'
    )
    return event(uid, "a-f-G-U-C", detail, at, f'lat="{lat}" lon="{lon}"')


def chat_to(
    to_uid: str, to_callsign: str, says: str, uid: str, callsign: str, message: str, at: datetime
) -> bytes:
    detail = (
        f"<__chat parent='RootContactGroup' groupOwner='false' messageId={quoteattr(message)}"
        f" chatroom={quoteattr(to_callsign)} id={quoteattr(to_uid)}"
        f" senderCallsign={quoteattr(callsign)}>"
        f"<chatgrp uid0={quoteattr(uid)} uid1={quoteattr(to_uid)} id={quoteattr(to_uid)}/></__chat>"
        f"<link uid={quoteattr(uid)} type='a-f-G-U-C' relation='p-p'/>"
        f"<remarks source={quoteattr('BAO.F.ATAK.' + uid)} to={quoteattr(to_uid)}"
        f" time='{at.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z'>"
        f"{says.replace('&', '&amp;').replace('<', '&lt;')}</remarks>"
        f"<marti><dest callsign={quoteattr(to_callsign)}/></marti>"
    )
    return event(f"GeoChat.{uid}.{to_callsign}.{message}", "b-t-f", detail, at)


def chat_receipt(sent: bytes, type_: str, uid: str, callsign: str, at: datetime) -> bytes:
    """What ATAK answers to a chat that came (b-t-f-d) or was looked at (b-t-f-r)."""
    told = xml.parse(sent)
    head, link = told.find("detail", "__chat"), told.find("detail", "link")
    assert head is not None
    assert link is not None
    message, sender = head.attributes["messageId"], head.attributes["senderCallsign"]
    sender_uid = link.attributes["uid"]
    detail = (
        f"<__chatreceipt parent='RootContactGroup' groupOwner='false'"
        f" messageId={quoteattr(message)} chatroom={quoteattr(sender)} id={quoteattr(sender_uid)}"
        f" senderCallsign={quoteattr(callsign)}>"
        f"<chatgrp uid0={quoteattr(uid)} uid1={quoteattr(sender_uid)} id={quoteattr(sender_uid)}/>"
        "</__chatreceipt>"
        f"<link uid={quoteattr(uid)} type='a-f-G-U-C' relation='p-p'/>"
        f"<marti><dest callsign={quoteattr(sender)}/></marti>"
    )
    return event(message, type_, detail, at)
