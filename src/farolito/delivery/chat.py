"""A brief as ATAK GeoChat, and what an officer sends back: receipts and one-tap words.

Plain functions. The message id of a brief's chat names brief and version, so a receipt tells by
itself what it is about, also after a restart of ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from farolito.delivery.cot import REMARKS_CHARACTERS_MAX, RTCC, is_over
from farolito.delivery.wording import Wording, instant
from farolito.ingest import xml
from farolito.ingest.avl.cot import CotEvent, element
from farolito.model import (
    AnswerKind,
    Brief,
    BriefId,
    BriefLine,
    ReceiptKind,
    Rejected,
    UnitId,
)

CHAT = "b-t-f"
RECEIPTS: Mapping[str, ReceiptKind] = {
    "b-t-f-d": ReceiptKind.DELIVERED,
    "b-t-f-r": ReceiptKind.OPENED,
}
CHAT_STALE = timedelta(days=1)  # as ATAK stamps its own; an old message is still a message
ANSWER_CHARACTERS_MAX = 500  # of an officer's text; what is longer is cut
MESSAGE_ID_CHARACTERS_MAX = 200

_MESSAGE = re.compile(r"brief-([0-9a-f-]{36})-v([1-9][0-9]{0,5})")
_WORDS: Mapping[str, AnswerKind] = {
    "on scene": AnswerKind.ON_SCENE,
    "onscene": AnswerKind.ON_SCENE,
    "arrived": AnswerKind.ON_SCENE,
    "10-97": AnswerKind.ON_SCENE,
    "10-23": AnswerKind.ON_SCENE,
    "en el lugar": AnswerKind.ON_SCENE,
    "en route": AnswerKind.EN_ROUTE,
    "enroute": AnswerKind.EN_ROUTE,
    "on the way": AnswerKind.EN_ROUTE,
    "10-76": AnswerKind.EN_ROUTE,
    "en camino": AnswerKind.EN_ROUTE,
    "clear": AnswerKind.CLEAR,
    "10-98": AnswerKind.CLEAR,
    "libre": AnswerKind.CLEAR,
}
_ASKS = re.compile(r"(?:ask|pregunta)\b[\s,:]*", re.IGNORECASE)


class Sender(NamedTuple):
    """Who writes to TAK users, as their contact list shows it.

    ATAK cuts a chat's uid at its dots, so this uid and message ids have none.
    """

    uid: str
    callsign: str


class Addressee(NamedTuple):
    """A TAK user as GeoChat addresses one: the device's own uid, and the name on its screen."""

    uid: str
    callsign: str


class Between(NamedTuple):
    sender: Sender
    to: Addressee


class Received(msgspec.Struct, frozen=True):
    """A TAK device's receipt for one version of a brief."""

    brief_id: BriefId
    version: int
    kind: ReceiptKind


class Said(msgspec.Struct, frozen=True):
    """An officer's words, and what they mean to the desk. `message` tells a repeat by."""

    kind: AnswerKind
    says: str
    message: str


def brief_chat(
    brief: Brief,
    between: Between,
    now: datetime,
    wording: Wording,
    hidden: Collection[UnitId] = (),
) -> CotEvent:
    """The seven lines, newest version first said as the difference to the one before."""
    message = message_id(brief.brief_id, brief.version)
    return chat(_body(brief, wording, hidden), message, between, now)


def chat(says: str, message: str, between: Between, now: datetime) -> CotEvent:
    """A direct message. `chatroom` and `id` are the receiver's, as ATAK writes one-to-one chats."""
    sender, to = between
    me, you = sender.uid, to.uid
    detail = (
        element(
            "__chat",
            {
                "parent": "RootContactGroup",
                "groupOwner": "false",
                "messageId": message,
                "chatroom": to.callsign,
                "id": you,
                "senderCallsign": sender.callsign,
            },
            inside=element("chatgrp", {"uid0": me, "uid1": you, "id": you}),
        )
        + element("link", {"uid": me, "type": RTCC, "relation": "p-p"})
        + element("__serverdestination", {"destinations": f"*:-1:stcp:{me}"})
        + element(
            "remarks",
            {
                "source": f"BAO.F.ATAK.{me}",
                "to": you,
                "time": now.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            },
            text=says[:REMARKS_CHARACTERS_MAX],
        )
    )
    return CotEvent(
        uid=f"GeoChat.{sender.uid}.{to.uid}.{message}", type=CHAT, how="h-g-i-g-o", time=now,
        start=now, stale=now + CHAT_STALE, lat=0.0, lon=0.0, hae=None, ce=None, le=None,
        detail=detail,
    )  # fmt: skip


def message_id(brief_id: BriefId, version: int) -> str:
    return f"brief-{brief_id}-v{version}"


def received(event: CotEvent) -> Received | None:
    """What a receipt is for; None where the event is no receipt, or not for a brief of ours."""
    kind = RECEIPTS.get(event.type)
    if kind is None:
        return None
    found = _MESSAGE.fullmatch(_message_of(event))
    if found is None:
        return None
    try:
        return Received(BriefId(UUID(found[1])), int(found[2]), kind)
    except ValueError:
        return None


def said(event: CotEvent) -> Said | None:
    """An officer's message; None where the event is no chat or says nothing."""
    if event.type != CHAT:
        return None
    remarks = _detail(event).find("remarks")
    says = " ".join(remarks.text.split())[:ANSWER_CHARACTERS_MAX] if remarks else ""
    if not says:
        return None
    kind, rest = meaning(says)
    return Said(kind, rest, _message_of(event))


def meaning(says: str) -> tuple[AnswerKind, str]:
    """The one-tap answer that the words are, and what is left to say.

    Only the very words count, alone or before a comma: "not on scene" and "on scene yet?" are
    text for the desk. Everything that is no answer is a question to it, never nothing.
    """
    asks = _ASKS.match(says)
    if asks:
        return AnswerKind.ASK_RTCC, says[asks.end() :] or says
    first, comma, rest = says.partition(",")
    kind = _WORDS.get(first.strip(" .!").casefold())
    if kind is None:
        return AnswerKind.ASK_RTCC, says
    return kind, rest.strip() if comma else ""


def is_ours(event: CotEvent, sender: Sender) -> bool:
    """Whether a chat was written to us: not what officers say to each other or to everybody."""
    found = _detail(event).find("__chat")
    if found is None:
        return False
    room, to = found.attributes.get("chatroom", ""), found.attributes.get("id", "")
    return to == sender.uid or room == sender.callsign


def _body(brief: Brief, wording: Wording, hidden: Collection[UnitId]) -> str:
    head = f"{wording['brief']} {brief.call or ''}".strip()
    head = f"{head} · {wording['version']} {brief.version} · {instant(brief.composed_at)}"
    if brief.level is not None:
        head = f"P{brief.level} {head}"
    if brief.recalled:
        head = f"{wording['recalled']}: {head}"
    elif is_over(brief):
        head = f"{wording['ended']}: {head}"
    rows = [head]
    others = [unit for unit in hidden if unit != brief.unit]
    if brief.version > 1:
        rows.append(_without(brief.change, others, wording))
    rows += [f"{n}. {_line(line, others, wording)}" for n, line in enumerate(brief.lines, 1)]
    return "\n".join(rows)


def _line(line: BriefLine, others: Collection[UnitId], wording: Wording) -> str:
    """What, from whom, as of when, how sure; a line that nobody knows says so first."""
    says = _without(line.says, others, wording)
    if not line.known:
        says = f"{wording['unknown']}: {says}"
    age = f", {instant(line.as_of)}" if line.as_of else ""
    source = _without(line.source, others, wording)
    return f"{says} [{source}{age}, {wording[line.confidence.value]}]"


def _without(says: str, others: Collection[UnitId], wording: Wording) -> str:
    """The text, or a word that it is held back where it names a muted unit: with a distance
    beside its name, a line would tell where it is."""
    named = any(re.search(rf"(?<!\w){re.escape(unit)}(?!\w)", says) for unit in others)
    return wording["held_back"] if named else says


def _message_of(event: CotEvent) -> str:
    detail = _detail(event)
    for name in ("__chatreceipt", "__chat"):
        found = detail.find(name)
        if found is not None and found.attributes.get("messageId"):
            return found.attributes["messageId"][:MESSAGE_ID_CHARACTERS_MAX]
    return event.uid[:MESSAGE_ID_CHARACTERS_MAX]


def _detail(event: CotEvent) -> xml.Element:
    """The detail as a tree. Raises Rejected for what is no XML."""
    if "<" not in event.detail:
        raise Rejected("no_detail", "a chat without a detail", "send <__chat> and <remarks>")
    return xml.parse(f"<detail>{event.detail}</detail>".encode())
