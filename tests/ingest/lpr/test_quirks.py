"""What was seen in the field, one claim each."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

import farolito.ingest.lpr as room
from farolito.ingest.lpr import FORMATS, Decoded, WrongTime, vehicle
from farolito.ingest.lpr.pictures import PICTURE_BYTES_MAX
from farolito.model import (
    AgencyId,
    Device,
    DeviceId,
    PlateRead,
    Point,
    Rejected,
    digest_id,
)

SAMPLES = Path(room.__file__).parent / "samples"
NOW = datetime(2026, 3, 14, 17, 21, tzinfo=UTC)
DEVICE = Device(
    device_id=DeviceId("mesa-at-third-eb"),
    agency=AgencyId("practice-pd"),
    kind="plate_reader",
    name="Mesa @ Third, eastbound",
    format="any",
    place=Point(35.1, -106.6),
    zone="America/Denver",
)
HIKVISION_END = "</EventNotificationAlert>"
JPEG = b"\xff\xd8\xff\xe0" + bytes(60)


def device(**changes: Any) -> Device:
    return msgspec.structs.replace(DEVICE, **changes)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def decode(word: str, body: bytes | str | Any, content_type: str = "", **changes: Any) -> Decoded:
    if not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return FORMATS[word].decode(body, content_type, device(**changes), NOW)


def one(word: str, body: bytes | str | Any, content_type: str = "", **changes: Any) -> PlateRead:
    (read,) = decode(word, body, content_type, **changes).reads
    return read


def reason(word: str, body: bytes | str | Any, content_type: str = "", **changes: Any) -> str:
    with pytest.raises(Rejected) as caught:
        decode(word, body, content_type, **changes)
    assert caught.value.says
    return caught.value.reason


def own(**fields: Any) -> dict[str, Any]:
    return {"plate": "BXK417", "captured_at": "2026-03-14T17:20:31.125Z", **fields}


# --- plates


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no_plate"),
        ("  ", "no_plate"),
        ("unknown", "no_plate"),
        ("A" * 40, "not_a_plate"),
        ("x" * 5000, "not_a_plate"),
        ("🚗417", "not_a_plate"),
        ("🚓", "not_a_plate"),
        ("京A12345", "not_a_plate"),
        ("---", "not_a_plate"),
        ("****", "masked_plate"),
        ("BX*417", "masked_plate"),
        ("BX?417", "partial_plate"),
        ("BX\x00417", "not_a_plate"),
        ("BX\n417", "not_a_plate"),
    ],
)
def test_what_is_no_plate_is_rejected_by_name(text: str, why: str) -> None:
    assert reason("farolito", own(plate=text)) == why


@pytest.mark.parametrize("text", ["bxk417", "BXK 417", "BXK-417", " BXK·417 ", "BXK–417"])
def test_case_blanks_and_signs_do_not_make_another_plate(text: str) -> None:
    read = one("farolito", own(plate=text))
    assert read.plate == "BXK417"
    assert read.text == text.strip()


def test_the_word_unknown_is_a_plate_where_plates_come_in_lower_case() -> None:
    message = json.loads(sample("platerecognizer/good_stream.json"))
    message["data"]["results"] = message["data"]["results"][1:2]
    assert one("platerecognizer", message).plate == "UNKNOWN"


# --- time


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("1970-01-01T00:00:12Z", "ancient_time"),
        ("1999-12-31T23:59:59Z", "ancient_time"),
        ("2026-03-14T17:26:01Z", "future_time"),
        ("2026-02-12T17:20:00Z", "too_old"),
        ("2026-03-14T17:20:31", "bad_time"),
        ("half past nine", "bad_time"),
        ("0001-01-01T00:00:00+14:00", "bad_time"),
    ],
)
def test_a_time_that_cannot_be_is_rejected_by_name(told: str, why: str) -> None:
    assert reason("farolito", own(captured_at=told)) == why


@pytest.mark.parametrize("told", ["2026-03-13T17:20:31Z", "2026-02-12T17:22:00Z"])
def test_a_read_that_comes_days_late_is_taken(told: str) -> None:
    assert one("farolito", own(captured_at=told)).captured_at == datetime.fromisoformat(told)


def test_a_rejected_time_is_told_so_that_a_recording_can_be_played_back() -> None:
    with pytest.raises(WrongTime) as caught:
        decode("farolito", own(captured_at="2021-09-29T05:56:13Z"))
    assert caught.value.told_at == datetime(2021, 9, 29, 5, 56, 13, tzinfo=UTC)


def test_an_offset_is_honoured() -> None:
    assert one("farolito", own(captured_at="2026-03-14T11:20:31-06:00")).captured_at == datetime(
        2026, 3, 14, 17, 20, 31, tzinfo=UTC
    )


def test_local_time_without_zone_is_the_devices() -> None:
    read = one("axis", sample("axis/good_lost_local_time.json"))
    assert read.captured_at == datetime(2026, 3, 14, 17, 20, 31, 125000, tzinfo=UTC)


def test_an_untrusted_clock_is_replaced_by_the_arrival_and_a_repeat_still_has_the_same_id() -> None:
    body = sample("hikvision/bad_wrong_zone_ahead.xml")
    assert reason("hikvision", body) == "future_time"
    first = one("hikvision", body, clock_trusted=False)
    assert first.captured_at == NOW
    later = FORMATS["hikvision"].decode(
        body, "", device(clock_trusted=False), NOW + timedelta(minutes=9)
    )
    assert later.reads[0].read_id == first.read_id


def test_an_untrusted_clock_of_1970_is_no_reason_to_lose_a_read() -> None:
    read = one("hikvision", sample("hikvision/bad_year_1970.xml"), clock_trusted=False)
    assert read.captured_at == NOW


# --- one car, several messages


def test_the_same_event_sent_again_is_the_same_read() -> None:
    once = sample("hikvision/good_alone.xml")
    again = once.replace(b"<activePostCount>1<", b"<activePostCount>2<").replace(
        b"<isDataRetransmission>false<", b"<isDataRetransmission>true<"
    )
    assert once != again
    assert one("hikvision", once) == one("hikvision", again)


def test_new_updated_and_lost_speak_of_one_car() -> None:
    reads = [
        one("axis", sample(f"axis/{name}.json"))
        for name in ("good_new", "good_updated", "good_lost_local_time")
    ]
    assert len({(read.reader, read.event) for read in reads}) == 1
    assert [read.plate for read in reads] == ["BXK417", "BXK477", "BXK417"]


def test_a_group_has_the_key_of_its_first_frame_and_is_not_taken_for_its_repetition() -> None:
    frame = decode("openalpr", sample("openalpr/good_results.json")).reads[0]
    group = one("openalpr", sample("openalpr/good_group.json"))
    assert (frame.event, frame.captured_at) == (group.event, group.captured_at)
    assert frame.read_id != group.read_id
    assert group.pictures


def test_a_correction_of_the_same_moment_is_another_read_and_its_repetition_is_not() -> None:
    first = json.loads(sample("axis/good_new.json"))
    corrected = first | {"carState": "updated", "plateUTF8": "BXK477"}
    ids = [one("axis", message).read_id for message in (first, corrected, corrected)]
    assert ids[0] != ids[1] == ids[2]


def test_plates_in_one_frame_are_different_cars() -> None:
    reads = decode("openalpr", sample("openalpr/good_results.json")).reads
    assert len({read.read_id for read in reads}) == len(reads) == 2


def test_an_event_and_an_update_speak_of_one_car() -> None:
    update, event = (one("frigate", sample(f"frigate/good_{n}.json")) for n in ("update", "event"))
    assert update.event == event.event


def test_the_id_is_the_digest_of_time_agency_reader_and_event() -> None:
    read = one("farolito", own(event="k-1"))
    at_ms = int(read.captured_at.timestamp() * 1000)
    assert read.read_id == digest_id(at_ms, read.agency, read.reader, "k-1")


def test_reads_without_a_key_get_one_that_tells_cars_apart_and_shows_no_plate() -> None:
    reads = decode("farolito", [own(), own(plate="7TYD912"), own(lane=2), own()]).reads
    assert len({read.event for read in reads}) == 3
    assert not any(read.plate in read.event for read in reads)


@pytest.mark.parametrize("event", ["x" * 300, "a\x00b", "a\nb"])
def test_a_key_that_no_table_could_hold_becomes_its_digest(event: str) -> None:
    kept = one("farolito", own(event=event)).event
    assert len(kept) == 32
    assert kept == one("farolito", own(event=event)).event


# --- Hikvision


def test_hikvision_namespaces_and_prefixes_make_no_difference() -> None:
    names = ("alone", "isapi_namespace", "std_cgi_namespace", "prefix", "undeclared_prefix")
    reads = [one("hikvision", sample(f"hikvision/good_{name}.xml")) for name in names]
    assert len({(read.plate, read.event, read.captured_at, read.vehicle) for read in reads}) == 1


def test_hikvision_confidence_may_be_whole_a_float_or_a_share() -> None:
    names = ("alone", "isapi_namespace", "std_cgi_namespace")
    told = [one("hikvision", sample(f"hikvision/good_{name}.xml")).confidence for name in names]
    assert told == [0.97, 0.975, 0.98]


def test_hikvision_tells_each_characters_confidence() -> None:
    read = one("hikvision", sample("hikvision/good_alone.xml"))
    assert read.characters == (0.99, 0.98, 0.99, 0.62, 0.99, 0.97)


def test_character_confidences_that_count_the_blank_are_lined_up_with_the_plate() -> None:
    body = sample("hikvision/good_alone.xml").replace(b">BXK417<", b">BXK 417<")
    body = body.replace(b"99,98,99,62,99,97", b"99,98,99,11,62,99,97")
    assert one("hikvision", body).characters == (0.99, 0.98, 0.99, 0.62, 0.99, 0.97)


def test_character_confidences_that_do_not_fit_are_left_out() -> None:
    assert one("hikvision", sample("hikvision/good_believe_does_not_fit.xml")).characters is None


def test_hikvision_degrees_minutes_and_seconds_are_a_place_west_of_greenwich() -> None:
    place = one("hikvision", sample("hikvision/good_alone.xml")).place
    assert place is not None
    assert (round(place.lat, 4), round(place.lon, 4)) == (35.0853, -106.6056)


def test_hikvision_pictures_come_as_octet_streams_and_are_known_by_their_bytes() -> None:
    got = decode(
        "hikvision",
        sample("hikvision/good_multipart.bin"),
        "multipart/form-data; boundary=MIME_boundary",
    )
    assert [picture.shows for picture in got.reads[0].pictures] == ["plate", "scene"]
    assert all(got.pictures[p.sha256].startswith(b"\xff\xd8") for p in got.reads[0].pictures)
    assert [item.reason for item in got.dropped] == ["bad_picture"]


def test_a_country_number_is_no_state() -> None:
    assert one("hikvision", sample("hikvision/good_alone.xml")).state is None


# --- places


def test_zero_zero_is_no_place_so_the_devices_stands_in() -> None:
    for word, name in (
        ("genetec_sharpv", "good_without_place.xml"),
        ("axis", "good_lost_local_time.json"),
        ("hikvision", "good_undeclared_prefix.xml"),
        ("openalpr", "good_group.json"),
    ):
        assert one(word, sample(f"{word}/{name}")).place == DEVICE.place


def test_the_traffic_goes_where_the_device_says_unless_the_read_says_otherwise() -> None:
    assert one("farolito", own(), heading_deg=90.0).heading_deg == 90
    assert one("farolito", own(heading_deg=180), heading_deg=90.0).heading_deg == 180
    assert one("verkada", sample("verkada/good_lpr.json"), heading_deg=90.0).heading_deg == 90


def test_without_any_place_there_is_none() -> None:
    assert one("farolito", own(lat=0, lon=0), place=None).place is None


@pytest.mark.parametrize(
    ("word", "body"),
    [
        ("axis", {"test": True}),
        ("platerecognizer", {"data": {"results": []}}),
        ("platerecognizer", {"hook": {"event": "recognition"}, "data": {}}),
        ("frigate", {"type": "tea"}),
        ("verkada", {"data": {}}),
        ("openalpr", {"data_type": "tea"}),
        ("flock", {"objectId": "1"}),
        (
            "hikvision",
            "<EventNotificationAlert><eventType>ANPR</eventType></EventNotificationAlert>",
        ),
    ],
)
def test_a_message_of_another_vendor_is_never_taken_in_silence(word: str, body: Any) -> None:
    assert reason(word, body) in {"wrong_shape", "not_a_plate_read"}


# --- words


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("SUVMPV", "suv"),
        ("suv-crossover", "suv"),
        ("truck-standard", "pickup"),
        ("Big Truck", "truck"),
        ("tractor-trailer", "truck"),
        ("pickupTruck", "pickup"),
        ("van-mini", "van"),
        ("sedan-wagon", "wagon"),
        ("largeBus", "bus"),
        ("Motorcycle", "motorcycle"),
        ("Unknown", None),
        ("missing", None),
        ("spaceship", None),
        ("", None),
        (None, None),
    ],
)
def test_kinds_are_few_words_and_never_guessed(told: str | None, ours: str | None) -> None:
    assert vehicle.kind(told) == ours


@pytest.mark.parametrize(
    ("told", "ours"),
    [
        ("deepBlue", "blue"),
        ("Grey", "gray"),
        ("silver-gray", "silver"),
        ("gold-beige", "gold"),
        ("WHITE", "white"),
        ("unknown", None),
        ("plaid", None),
    ],
)
def test_colours_are_plain_words_and_never_guessed(told: str, ours: str | None) -> None:
    assert vehicle.colour(told) == ours


@pytest.mark.parametrize(
    ("told", "code"),
    [("NM", "NM"), ("us-nm", "NM"), ("new_mexico", "NM"), ("USA", None), ("46", None)],
)
def test_states_come_in_many_spellings(told: str, code: str | None) -> None:
    assert one("farolito", own(state=told)).state == code


def test_flock_writes_o_as_zero_and_a_text_that_has_an_o_was_not_folded() -> None:
    folded, plain = decode("flock", sample("flock/good_lookup_page.json")).reads
    assert (folded.plate, folded.folded) == ("BXK417", "O0")
    assert (plain.plate, plain.folded) == ("BOX417", None)


def test_the_district_of_columbia_is_known_by_flocks_name() -> None:
    assert decode("flock", sample("flock/good_lookup_page.json")).reads[1].state == "DC"


def test_the_name_of_a_known_car_is_not_its_plate() -> None:
    read = one("frigate", sample("frigate/good_event.json"))
    assert read.plate == "BXK417"
    assert b"Pool car" not in msgspec.json.encode(read)


def test_a_link_is_kept_and_a_word_in_its_place_is_not() -> None:
    assert one("verkada", sample("verkada/good_lpr.json")).picture_url == (
        "https://images.invalid/v.jpg"
    )
    assert one("verkada", sample("verkada/good_seconds_only.json")).picture_url is None


# --- batches


def test_one_bad_item_does_not_take_the_good_ones_with_it() -> None:
    got = decode("farolito", [own(event="a"), own(plate="🚗"), own(event="c"), {"plate": 7}])
    assert [read.event for read in got.reads] == ["a", "c"]
    assert [(bad.item, bad.reason) for bad in got.rejected] == [
        (1, "not_a_plate"),
        (3, "wrong_shape"),
    ]


def test_a_line_cut_short_is_rejected_alone() -> None:
    lines = b"\n".join(json.dumps(own(event=str(i))).encode() for i in range(3))
    got = decode("farolito", lines[:-20], "application/x-ndjson")
    assert [read.event for read in got.reads] == ["0", "1"]
    assert [(bad.item, bad.reason) for bad in got.rejected] == [(2, "truncated")]


def test_the_only_item_being_bad_makes_the_message_bad() -> None:
    assert reason("farolito", [own(plate="****")]) == "masked_plate"


def test_too_many_reads_are_refused_whole() -> None:
    assert reason("farolito", [own()] * 5001) == "too_many"
    lines = b"\n".join([json.dumps(own()).encode()] * 5002)
    assert reason("farolito", lines, "application/x-ndjson") == "too_many"


def test_an_empty_array_is_no_error() -> None:
    assert decode("farolito", b"[]").reads == ()


def test_a_gateways_key_speaks_only_for_its_readers() -> None:
    gateway = frozenset({DeviceId("north-lane-2")})
    read = one("farolito", own(reader="north-lane-2"), speaks_for=gateway)
    assert read.reader == "north-lane-2"
    assert read.place is None
    assert reason("farolito", own(reader="south-lane-1"), speaks_for=gateway) == "wrong_reader"
    assert reason("farolito", own(reader="north-lane-2")) == "wrong_reader"


# --- pictures


def test_a_crop_is_named_by_its_digest_and_known_by_its_bytes() -> None:
    got = decode("farolito", own(crop=base64.b64encode(JPEG).decode()))
    (picture,) = got.reads[0].pictures
    assert got.pictures[picture.sha256] == JPEG
    assert (picture.shows, picture.media_type) == ("plate", "image/jpeg")


@pytest.mark.parametrize(
    "crop",
    [
        base64.b64encode(b"GIF89a" + bytes(20)).decode(),
        "###",
        "é",
        base64.b64encode(JPEG + bytes(PICTURE_BYTES_MAX)).decode(),
    ],
)
def test_a_bad_picture_is_said_and_its_read_goes_in(crop: str) -> None:
    got = decode("farolito", own(crop=crop))
    assert got.reads[0].pictures == ()
    assert [item.reason for item in got.dropped] == ["bad_picture"]
