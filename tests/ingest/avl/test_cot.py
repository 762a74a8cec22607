"""Cursor on Target, in XML and in protobuf: nothing lost, nothing broken taken in."""

from __future__ import annotations

import contextlib
import random
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from lxml import etree
from takproto import TAKProtoVer, parse_stream, xml2proto  # type: ignore[import-untyped]

from farolito.ingest.avl.cot import (
    CotEvent,
    Framer,
    element,
    parse,
    parse_proto,
    parse_xml,
    to_proto,
    to_xml,
)
from farolito.ingest.avl.cot_stream import EVENT_BYTES_MAX
from farolito.model import Invalid, Rejected
from tests.ingest.avl.cot_builders import NOW, a_car, an_event, same_detail


def samples(real_inputs: Path) -> list[tuple[str, bytes]]:
    found = [(path.name, path.read_bytes()) for path in sorted(real_inputs.glob("tak/*.cot"))]
    assert len(found) == 12
    return found


def but_for_detail(event: CotEvent) -> CotEvent:
    return msgspec.structs.replace(event, detail="")


def reason(message: bytes) -> str:
    with pytest.raises(Rejected) as why:
        parse(message)
    return why.value.reason


@pytest.mark.real_input
def test_every_atak_sample_survives_xml_protobuf_and_xml_again(real_inputs: Path) -> None:
    for name, message in samples(real_inputs):
        event = parse_xml(message)
        again = parse_proto(to_proto(parse_xml(to_xml(event))))
        assert but_for_detail(again) == but_for_detail(event), name
        assert same_detail(again.detail, event.detail), name
        assert again.hae is None, name


@pytest.mark.real_input
def test_what_we_write_of_a_sample_is_what_any_xml_parser_reads(real_inputs: Path) -> None:
    for name, message in samples(real_inputs):
        theirs, ours = etree.fromstring(message), etree.fromstring(to_xml(parse_xml(message)))
        for one, other in zip(theirs.iter(), ours.iter(), strict=True):
            assert one.tag == other.tag, name
            if one.tag not in {"event", "point"}:
                assert sorted(one.items()) == sorted(other.items()), name
                assert (one.text or "").strip() == (other.text or "").strip(), name


@pytest.mark.real_input
def test_the_protobuf_is_what_another_implementation_reads(real_inputs: Path) -> None:
    for name, message in samples(real_inputs):
        event = parse_xml(message)
        theirs = parse_stream(to_proto(event)).cotEvent
        assert (theirs.uid, theirs.type, theirs.lat) == (event.uid, event.type, event.lat), name
        back = parse_proto(bytes(xml2proto(message, TAKProtoVer.STREAM)))
        assert (back.uid, back.time, back.stale) == (event.uid, event.time, event.stale), name


def test_a_cars_contact_and_track_travel_in_fields_of_their_own() -> None:
    told = parse_stream(to_proto(a_car())).cotEvent
    assert told.detail.contact.callsign == "2A14"
    assert told.detail.track.speed == 12.5
    assert told.detail.xmlDetail == ""


@pytest.mark.parametrize(
    "detail",
    [
        '<contact callsign="2A14" phone="505 555 0100"/>',
        '<takv device="x" platform="ATAK"/>',
        '<status battery="87" readiness="true"/>',
        '<status battery="-1"/>',
        '<track speed="fast" course="1"/>',
        '<track speed="NaN" course="1"/>',
        '<contact callsign=""/>',
        '<contact callsign="a"/><contact callsign="b"/>',
        '<other><track speed="1.0" course="2.0"/></other>',
        '<track speed="1.0" course="2.0"><more/></track>',
        '<remarks>1 &lt; 2 &amp; 3</remarks><contact callsign="a &gt; b"/>',
        "<remarks><![CDATA[<track speed='1.0' course='2.0'/>]]></remarks>",
    ],
)
def test_no_word_of_a_detail_is_lost_in_protobuf(detail: str) -> None:
    event = an_event(detail=detail)
    assert same_detail(parse_proto(to_proto(event)).detail, detail)
    assert same_detail(parse_xml(to_xml(event)).detail, detail)


def test_an_element_that_comes_both_ways_is_read_from_the_xml() -> None:
    told = parse_stream(to_proto(a_car("typed")))
    told.cotEvent.detail.xmlDetail = '<contact callsign="written"/>'
    payload = told.SerializeToString()
    event = parse_proto(b"\xbf\x01\xbf" + payload)
    assert "written" in event.detail
    assert "typed" not in event.detail


def test_a_detail_in_comments_and_cdata_is_not_taken_for_the_detail() -> None:
    message = to_xml(an_event(detail="<a>1</a>"))
    message = message.replace(b"<point", b"<!-- <detail>no</detail> --><point")
    assert parse_xml(message).detail == "<a>1</a>"


def test_an_event_in_another_encoding_is_read() -> None:
    text = to_xml(a_car("Peña")).decode().replace("UTF-8", "ISO-8859-1")
    assert 'callsign="Peña"' in parse_xml(text.encode("latin-1")).detail


def test_what_nobody_knows_is_none_and_written_as_cot_writes_it() -> None:
    event = an_event(hae=None, ce=None, le=None)
    assert to_xml(event).count(b'"9999999.0"') == 3
    assert parse_xml(to_xml(event)).ce is None
    assert parse_proto(to_proto(event)).hae is None
    old = to_xml(event).replace(b"9999999.0", b"999999")
    assert (parse_xml(old).hae, parse_xml(old).ce) == (None, None)


def test_what_people_typed_cannot_end_an_event_or_add_one() -> None:
    callsign = '"/></detail></event><event uid="evil'
    (message,) = Framer().feed(to_xml(a_car(callsign, uid='x"><point/>\x00')))
    event = parse_xml(message)
    assert event.uid == 'x"><point/>\ufffd'
    assert etree.fromstring(message).xpath("string(detail/contact/@callsign)") == callsign


@pytest.mark.parametrize(
    "name",
    ["version", "uid", "type", "time", "start", "stale", "how", "lat", "lon", "hae", "ce", "le"],
)
def test_an_event_without_what_the_base_schema_requires_is_rejected(name: str) -> None:
    begin, point = to_xml(an_event()).split(b"<event")
    message = begin + b"<event" + point.replace(f" {name}=".encode(), f" x{name}=".encode())
    assert reason(message) == "missing_attribute"


@pytest.mark.parametrize(
    ("was", "is_now", "why"),
    [
        (b'version="2.0"', b'version="1.0"', "bad_attribute"),
        (b'type="a-f-G-U-C"', b'type="a f"', "bad_attribute"),
        (b'how="m-g"', b'how="machine!"', "bad_attribute"),
        (b'lat="35.0844"', b'lat="north"', "bad_attribute"),
        (b'lat="35.0844"', b'lat="NaN"', "bad_attribute"),
        (b'lat="35.0844"', b'lat="95"', "no_place"),
        (b'lon="-106.6504"', b'lon="-1066504"', "no_place"),
        (b'time="2026-11-23T10:00:00.000Z"', b'time="noon"', "bad_time"),
        (b'time="2026-11-23T10:00:00.000Z"', b'time="2026-11-23T10:00:00"', "no_zone"),
        (b'time="2026-11-23T10:00:00.000Z"', b'time="0001-01-01T00:00:00+14:00"', "bad_time"),
        (b"<point", b"<pint", "not_an_event"),
        (b"</event>", b"", "truncated"),
        (b"<event ", b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><event ", "forbidden_xml"),
        (b"<event ", b"<event <", "malformed_xml"),
    ],
)
def test_a_broken_event_has_a_named_reason(was: bytes, is_now: bytes, why: str) -> None:
    message = to_xml(an_event())
    assert was in message
    assert reason(message.replace(was, is_now)) == why


def test_an_entity_bomb_is_refused_unexpanded() -> None:
    bomb = b"<!DOCTYPE e [<!ENTITY a 'ha'>" + b"".join(
        b"<!ENTITY %c '%s'>" % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("k"))
    )
    assert reason(bomb + b"]><event>&j;</event>") == "forbidden_xml"


def test_protobuf_that_hides_broken_xml_is_rejected() -> None:
    told = parse_stream(to_proto(an_event()))
    for detail in ("<a>", "</detail><detail>", "<!DOCTYPE x>", "&bomb;"):
        told.cotEvent.detail.xmlDetail = detail
        with pytest.raises(Rejected):
            parse_proto(b"\xbf\x01\xbf" + told.SerializeToString())


def test_protobuf_without_an_event_or_with_an_impossible_time_is_rejected() -> None:
    assert reason(b"\xbf\x01\xbf") == "not_an_event"
    told = parse_stream(to_proto(an_event()))
    told.cotEvent.sendTime = 2**63
    assert reason(b"\xbf\x01\xbf" + told.SerializeToString()) == "bad_time"
    told.cotEvent.sendTime, told.cotEvent.lat = 1, float("nan")
    assert reason(b"\xbf\x01\xbf" + told.SerializeToString()) == "no_place"


def test_noise_is_rejected_and_never_raises_anything_else(rng: random.Random) -> None:
    good = (to_xml(a_car()), to_proto(a_car()))
    for _ in range(2_000):
        message = bytearray(rng.choice(good))
        for _ in range(rng.randint(1, 6)):
            message[rng.randrange(len(message))] = rng.randrange(256)
        cut = bytes(message[: rng.randint(1, len(message))])
        for noise in (bytes(message), cut, rng.randbytes(40)):
            with contextlib.suppress(Rejected):
                to_proto(parse(noise))


def test_an_event_of_ours_without_a_zone_or_off_the_earth_cannot_be_made() -> None:
    with pytest.raises(Invalid):
        an_event(time=NOW.replace(tzinfo=None))
    with pytest.raises(Invalid):
        an_event(lat=91.0)


def test_times_keep_their_milliseconds() -> None:
    event = an_event(time=NOW + timedelta(milliseconds=123))
    assert parse_xml(to_xml(event)).time == parse_proto(to_proto(event)).time == event.time


def test_an_element_is_written_so_that_it_reads_the_same() -> None:
    text = element("remarks", {"a": 'x"\n<y', "none": None}, text="1 < 2\x00")
    read = etree.fromstring(text)
    assert (read.get("a"), read.text, len(read.attrib)) == ('x"\n<y', "1 < 2\ufffd", 1)


def test_a_stream_is_cut_the_same_however_it_arrives(rng: random.Random) -> None:
    messages = [to_xml(a_car("a")), to_proto(a_car("b")), to_proto(a_car("c")), to_xml(a_car("d"))]
    stream = b"\n".join(messages)
    for _ in range(200):
        framer, got, at = Framer(), [], 0
        while at < len(stream):
            size = rng.randint(1, 300)
            got += framer.feed(stream[at : at + size])
            at += size
        assert got == messages
        assert framer.skipped == 0


def test_bytes_between_events_are_skipped_and_counted() -> None:
    framer = Framer()
    assert framer.feed(b"hello" + to_xml(a_car()) + b"xx\xbf\x00") != []
    assert framer.skipped == 7


def test_an_event_without_an_end_is_not_held_for_ever() -> None:
    framer = Framer()
    framer.feed(b"<" + b"a" * (EVENT_BYTES_MAX - 2))
    framer.feed(b"a")
    with pytest.raises(Rejected, match="no end"):
        framer.feed(b"a")


def test_what_was_whole_before_the_garbage_is_given_first() -> None:
    framer = Framer()
    assert len(framer.feed(to_xml(a_car()) + b"\xbf\xff\xff\xff\xff\xff")) == 1
    with pytest.raises(Rejected):
        framer.feed(b"")
