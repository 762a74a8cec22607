"""What the practice metro sends is what each vendor sends, and our decoders read it back."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from xml.etree import ElementTree as Xml

import msgspec
import pytest

from farolito.ingest.hotlist import ForbiddenCategories, load_mapping, parse
from farolito.ingest.lpr import FORMATS as ADAPTERS
from farolito.model import AgencyId, Device, DeviceId, HotList, ListId
from farolito.simulator.bulk import BulkCity, bulk
from farolito.simulator.misread import Report
from farolito.simulator.readers import Reader
from farolito.simulator.vendors import FORMATS, Message, encode
from farolito.simulator.world import World

GATEWAY = Device(
    device_id=DeviceId("gateway"),
    agency=AgencyId("luminaria-pd"),
    kind="plate_reader",
    name="gateway",
    format="farolito",
)


@pytest.fixture(scope="session")
def reports(world: World) -> list[tuple[Report, Reader]]:
    found = ((h.report, h.reader) for h in world.happenings() if h.report)
    return [(r, d) for r, d in islice(found, 150) if not r.again]


def _as(form: str, told: tuple[Report, Reader]) -> tuple[Report, Reader, tuple[Message, ...]]:
    report, reader = told
    device = msgspec.structs.replace(reader.device, format=form)
    reader = msgspec.structs.replace(reader, device=device)
    return report, reader, encode(report, reader)


@pytest.mark.parametrize("form", FORMATS)
def test_our_decoder_reads_back_what_the_reader_said(
    form: str, reports: list[tuple[Report, Reader]]
) -> None:
    for told in reports:
        report, reader, messages = _as(form, told)
        for message in messages:
            received_at = report.at + timedelta(seconds=message.after_s)
            decoded = ADAPTERS[form].decode(
                message.body, message.content_type, reader.device, received_at
            )
            assert not decoded.rejected
            assert not decoded.dropped
            (read,) = decoded.reads
            text = report.text.replace("O", "0") if form == "flock" else report.text
            assert read.plate == text
            if reader.device.clock_trusted:
                assert abs(read.captured_at - report.at) < timedelta(milliseconds=2)
            if read.state is not None:
                assert read.state == report.state
            if read.confidence is not None:
                assert abs(read.confidence - report.confidence) < 0.05


@pytest.mark.parametrize("form", ["farolito", "hikvision", "genetec_sharpv", "openalpr"])
def test_formats_that_carry_pictures_bring_the_crop(
    form: str, reports: list[tuple[Report, Reader]]
) -> None:
    report, reader, messages = _as(form, reports[0])
    read = ADAPTERS[form].decode(
        messages[-1].body, messages[-1].content_type, reader.device, report.at
    )
    assert any(p.shows == "plate" for p in read.reads[0].pictures)


def test_character_confidences_travel_where_the_format_has_them(
    reports: list[tuple[Report, Reader]],
) -> None:
    for form in ("farolito", "hikvision"):
        report, reader, messages = _as(form, reports[3])
        decoded = ADAPTERS[form].decode(
            messages[0].body, messages[0].content_type, reader.device, report.at
        )
        characters = decoded.reads[0].characters
        assert characters is not None
        assert all(abs(a - b) < 0.006 for a, b in zip(characters, report.characters, strict=True))


def test_hikvision_names_its_pictures_and_keeps_its_misspelt_tags(
    reports: list[tuple[Report, Reader]],
) -> None:
    report, _, (message,) = _as("hikvision", reports[0])
    assert message.content_type.startswith("multipart/form-data; boundary=")
    start = message.body.index(b"<?xml")
    end = message.body.index(b"</EventNotificationAlert>") + len(b"</EventNotificationAlert>")
    alert = Xml.fromstring(message.body[start:end])
    named = {e.tag.rpartition("}")[2]: e.text for e in alert.iter()}
    assert named["licensePlate"] == report.text
    assert "vehileSubLogoRecog" in named
    assert message.body.count(b"\xff\xd8\xff") == 2


def test_genetec_writes_its_date_with_colons(reports: list[tuple[Report, Reader]]) -> None:
    report, _, (message,) = _as("genetec_sharpv", reports[0])
    root = Xml.fromstring(message.body)
    assert re.fullmatch(r"\d{4}:\d\d:\d\d", root.findtext("UTCDate", ""))
    assert base64.b64decode(root.findtext("PlateImage", "")).startswith(b"\xff\xd8\xff")
    assert root.findtext("Plate") == report.text


def test_flock_writes_the_letter_o_as_zero(reports: list[tuple[Report, Reader]]) -> None:
    for told in reports:
        report = msgspec.structs.replace(told[0], text="LOBO12")
        _, _, (message,) = _as("flock", (report, told[1]))
        assert msgspec.json.decode(message.body)["ocr"]["label"] == "L0B012"


def test_an_unset_zone_is_told_as_the_camera_tells_it(world: World) -> None:
    wrong = [r for r in world.readers if r.quality.zone_h is not None]
    assert len(wrong) == 1
    assert not wrong[0].device.clock_trusted
    report = next(h.report for h in world.happenings() if h.report)
    assert report is not None
    *_, (message,) = _as("hikvision", (report, wrong[0]))
    assert b"+08:00</dateTime>" in message.body


def test_a_repeated_delivery_is_the_same_bytes(world: World) -> None:
    happening = next(h for h in world.happenings() if h.report and h.report.again)
    assert happening.report is not None
    sent = encode(happening.report, happening.reader)
    assert sent[-1] == sent[-2]


def test_our_importers_take_every_row_of_the_lists(world: World) -> None:
    at = world.config.start
    for one in world.lists:
        hot_list = HotList(
            list_id=ListId(one.list_id),
            agency=world.config.agency,
            name=one.name,
            stale_after=timedelta(days=1),
            dead_after=timedelta(days=2),
            folded=one.folded,
        )
        parsed = parse(
            one.content, load_mapping(one.mapping), hot_list, ForbiddenCategories(frozenset()), at
        )
        assert parsed.bad == ()
        plates = {r.plate.replace("O", "0") if one.folded else r.plate for r in one.rows}
        assert {e.plate for e in parsed.entries} == plates


def test_a_list_says_what_vehicle_it_means(world: World) -> None:
    state = world.lists[0]
    hot_list = HotList(
        list_id=ListId(state.list_id),
        agency=world.config.agency,
        name=state.name,
        stale_after=timedelta(days=1),
        dead_after=timedelta(days=2),
    )
    mapping = load_mapping(state.mapping)
    none_forbidden = ForbiddenCategories(frozenset())
    parsed = parse(state.content, mapping, hot_list, none_forbidden, world.config.start)
    told = {(e.plate, e.state): e.vehicle for e in parsed.entries}
    for row in state.rows:
        vehicle = told[row.plate, row.state]
        assert vehicle is not None
        assert (vehicle.make, vehicle.kind, vehicle.colour) == (row.make, row.kind, row.colour)


def test_bulk_reads_decode_and_carry_their_truth() -> None:
    start = datetime(2026, 11, 18, tzinfo=UTC)
    city = BulkCity(5, cars=4_000, rows=2_000, listed_here=20)
    misread = listed = 0
    for batch in city.batches(4_050, start):
        decoded = ADAPTERS["farolito"].decode(
            batch.body, "application/json", GATEWAY, start + timedelta(minutes=1)
        )
        assert not decoded.rejected
        assert [r.plate for r in decoded.reads] == [t.read for t in batch.truths]
        misread += sum(t.read != t.plate for t in batch.truths)
        listed += sum(t.listed for t in batch.truths)
    assert 0.035 < misread / 4_050 < 0.065
    assert listed > 0


def test_bulk_bodies_are_the_same_for_the_same_seed() -> None:
    start = datetime(2026, 11, 18, tzinfo=UTC)
    assert list(bulk(3, 500, start)) == list(bulk(3, 500, start))
    assert list(bulk(4, 500, start)) != list(bulk(3, 500, start))
    readers = [GATEWAY.device_id]
    assert all(b'"reader":"gateway"' in body for body in bulk(3, 200, start, readers))
