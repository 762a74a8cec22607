"""A brief as chat, and the receipts and words that come back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from farolito.delivery import chat
from farolito.delivery.chat import Addressee, Between, Sender, said
from farolito.delivery.cot import desk_uid
from farolito.delivery.wording import ENGLISH
from farolito.ingest import xml
from farolito.ingest.avl.cot import CotEvent, parse_xml, to_xml
from farolito.model import AnswerKind, ReceiptKind, Rejected, UnitId
from tests.delivery.atak import chat_receipt, chat_to
from tests.delivery.delivery_builders import AGENCY, NOW, brief, lines

RTCC = Sender(desk_uid(AGENCY), "RTCC")
BETWEEN = Between(RTCC, Addressee("ANDROID-1", "HOPE"))


def says(event: CotEvent) -> list[str]:
    found = xml.parse(to_xml(event)).find("detail", "remarks")
    assert found is not None
    return found.text.splitlines()


def test_a_brief_is_a_direct_chat_of_seven_lines_each_with_source_age_and_sureness() -> None:
    what = brief()
    event = chat.brief_chat(what, BETWEEN, NOW, ENGLISH)
    told = says(event)
    assert told[0] == "P1 BRIEF 26-118204 · version 1 · 10:02:00Z"
    assert told[1] == "1. The what line. [CAD, 10:02:00Z, confirmed]"
    assert told[3] == "3. NOT KNOWN: The hazards line. [CAD, 10:02:00Z, confirmed]"
    assert told[7].endswith("machine, not confirmed]")
    assert len(told) == 8
    head = xml.parse(to_xml(event)).find("detail", "__chat")
    assert head is not None
    assert head.attributes["chatroom"] == "HOPE"
    assert head.attributes["id"] == "ANDROID-1"
    assert head.attributes["senderCallsign"] == "RTCC"
    assert event.uid.split(".") == [
        "GeoChat", "farolito-city-pd-desk", "ANDROID-1", head.attributes["messageId"],
    ]  # fmt: skip


def test_a_later_version_begins_with_its_difference() -> None:
    told = says(
        chat.brief_chat(
            brief(version=3, change="Update: the car left east."), BETWEEN, NOW, ENGLISH
        )
    )
    assert told[0].startswith("P1 BRIEF 26-118204 · version 3")
    assert told[1] == "Update: the car left east."


def test_a_recalled_brief_says_so_first() -> None:
    told = says(chat.brief_chat(brief(version=2, recalled=True), BETWEEN, NOW, ENGLISH))
    assert told[0].startswith("RECALLED: P1 BRIEF")


def test_a_line_that_names_a_muted_unit_is_held_back_and_says_so() -> None:
    what = brief(lines=lines(with_you="9U01 0.4 km away, 2A15 2 km away."))
    told = says(chat.brief_chat(what, BETWEEN, NOW, ENGLISH, {UnitId("9U01")}))
    assert told[6].startswith("6. Held back here: ask the desk.")
    assert "9U01" not in to_xml(chat.brief_chat(what, BETWEEN, NOW, ENGLISH, {UnitId("9U01")})
                                ).decode()  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "kind"), [("b-t-f-d", ReceiptKind.DELIVERED), ("b-t-f-r", ReceiptKind.OPENED)]
)
def test_a_receipt_names_the_brief_and_its_version(type_: str, kind: ReceiptKind) -> None:
    what = brief(version=4)
    sent = chat.brief_chat(what, BETWEEN, NOW, ENGLISH)
    back = parse_xml(chat_receipt(to_xml(sent), type_, "ANDROID-1", "HOPE", NOW))
    assert chat.received(back) == chat.Received(what.brief_id, 4, kind)


def test_a_receipt_for_another_chat_is_none_of_ours() -> None:
    other = chat.chat("hello", "11111111-aaaa", BETWEEN, NOW)
    back = parse_xml(chat_receipt(to_xml(other), "b-t-f-d", "ANDROID-1", "HOPE", NOW))
    assert chat.received(back) is None


@pytest.mark.parametrize(
    ("words", "kind", "rest"),
    [
        ("on scene", AnswerKind.ON_SCENE, ""),
        ("On Scene.", AnswerKind.ON_SCENE, ""),
        ("10-97", AnswerKind.ON_SCENE, ""),
        ("10-97, two cars", AnswerKind.ON_SCENE, "two cars"),
        ("en route", AnswerKind.EN_ROUTE, ""),
        ("En camino", AnswerKind.EN_ROUTE, ""),
        ("clear", AnswerKind.CLEAR, ""),
        ("ask which door?", AnswerKind.ASK_RTCC, "which door?"),
        ("?", AnswerKind.ASK_RTCC, "?"),
        ("ask", AnswerKind.ASK_RTCC, "ask"),
        ("not on scene", AnswerKind.ASK_RTCC, "not on scene"),
        ("on scene yet?", AnswerKind.ASK_RTCC, "on scene yet?"),
        ("asking for a supervisor", AnswerKind.ASK_RTCC, "asking for a supervisor"),
        ("white truck left", AnswerKind.ASK_RTCC, "white truck left"),
    ],
)
def test_the_very_words_are_answers_and_all_else_is_a_question(
    words: str, kind: AnswerKind, rest: str
) -> None:
    event = parse_xml(chat_to(RTCC.uid, "RTCC", words, "ANDROID-1", "HOPE", "m-1", NOW))
    assert said(event) == chat.Said(kind, rest, "m-1")


def test_what_officers_say_to_each_other_is_not_ours() -> None:
    to_us = parse_xml(chat_to(RTCC.uid, "RTCC", "on scene", "ANDROID-1", "HOPE", "m", NOW))
    to_all = parse_xml(
        chat_to("All Chat Rooms", "All Chat Rooms", "on scene", "ANDROID-1", "HOPE", "m", NOW)
    )
    assert chat.is_ours(to_us, RTCC)
    assert not chat.is_ours(to_all, RTCC)


def test_a_chat_without_a_detail_is_rejected_by_name() -> None:
    bare = CotEvent(
        uid="x", type="b-t-f", how="h", time=NOW, start=NOW, stale=NOW + timedelta(1), lat=0, lon=0,
    )  # fmt: skip
    with pytest.raises(Rejected) as why:
        said(bare)
    assert why.value.reason == "no_detail"
