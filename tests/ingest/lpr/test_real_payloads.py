"""The vendors' own messages, as they stand in the folder of real inputs, field by field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from farolito.ingest.lpr import FORMATS, Decoded, WrongTime
from farolito.model import AgencyId, Candidate, Device, DeviceId, PlateRead, Point, Seen

pytestmark = pytest.mark.real_input

PLACE = Point(35.1, -106.6)


@pytest.fixture
def payloads(real_inputs: Path) -> Path:
    folder = real_inputs / "lpr" / "payloads"
    if not folder.is_dir():
        pytest.skip(f"real plate reader messages are absent: {folder}")
    return folder


def played_back(path: Path, word: str) -> Decoded:
    """The message as if it came a second after the time that it tells."""
    device = Device(
        device_id=DeviceId("recorded"),
        agency=AgencyId("practice-pd"),
        kind="plate_reader",
        name="recorded",
        format=word,
        place=PLACE,
        zone="America/Denver",
    )
    decode, body = FORMATS[word].decode, path.read_bytes()
    try:
        return decode(body, "", device, datetime(2100, 1, 1, tzinfo=UTC))
    except WrongTime as error:
        return decode(body, "", device, error.told_at + timedelta(seconds=1))


def the_read(path: Path, word: str) -> PlateRead:
    got = played_back(path, word)
    assert got.rejected == ()
    (read,) = got.reads
    assert read.source == word
    return read


def test_openalpr_results(payloads: Path) -> None:
    read = the_read(payloads / "openalpr_alpr_results.json", "openalpr")
    assert (read.plate, read.state, read.state_confidence) == ("A13709", "MO", None)
    assert read.confidence == 0.9207
    assert read.candidates == (Candidate("A13709", 0.9207), Candidate("A137O9", 0.8332))
    assert read.captured_at == datetime(2020, 3, 6, 14, 59, 35, 198000, tzinfo=UTC)
    assert read.event == "site1-cam1414799424-1448326208789"
    assert read.vehicle is not None
    assert read.vehicle.make == Seen("ford", 0.9)
    assert read.vehicle.model == Seen("f-150", 0.8)
    assert read.vehicle.colour == Seen("black", 0.988)
    assert read.vehicle.kind == Seen("pickup", 0.8)
    assert read.vehicle.year == Seen("2015-2019", 0.6)


def test_openalpr_group(payloads: Path) -> None:
    read = the_read(payloads / "openalpr_alpr_group.json", "openalpr")
    assert (read.plate, read.state, read.state_confidence) == ("A13709", "MO", 0.8)
    assert read.event == "site1-cam1414799424-1448326208789"
    assert read.candidates[1] == Candidate("A137O9", 0.833)
    assert read.captured_at == datetime(2015, 11, 24, 0, 50, 8, 789000, tzinfo=UTC)
    assert read.vehicle is not None
    assert read.vehicle.colour == Seen("white", 0.801)


def test_rekor_alert(payloads: Path) -> None:
    read = the_read(payloads / "rekor_alpr_alert.json", "openalpr")
    assert (read.plate, read.state, read.confidence) == ("ABC123", "CA", 0.9497)
    assert read.captured_at == datetime(2019, 1, 28, 22, 51, 10, 757000, tzinfo=UTC)


def test_platerecognizer_stream(payloads: Path) -> None:
    read = the_read(payloads / "platerecognizer_stream.json", "platerecognizer")
    assert (read.text, read.plate, read.state) == ("abc1234", "ABC1234", "NM")
    assert (read.confidence, read.state_confidence) == (0.839, 0.413)
    assert read.captured_at == datetime(2021, 9, 29, 5, 56, 13, 606935, tzinfo=UTC)
    assert read.movement == "receding"
    assert read.vehicle is not None
    assert read.vehicle.make == Seen("opel", 0.006)
    assert read.vehicle.colour == Seen("white", 0.672)
    assert read.vehicle.kind == Seen("sedan", 0.267)


def test_flock_alert(payloads: Path) -> None:
    read = the_read(payloads / "flock_hotlist_alert.json", "flock")
    assert (read.plate, read.state, read.folded) == ("ABC123", "NM", "O0")
    assert (read.confidence, read.state_confidence) == (0.91, 0.75)
    assert read.place == Point(35.08, -106.65)
    assert read.event == "33fc2d53-5b1e-4f9a-95b8-a3fe47823d26"
    assert read.picture_url == "https://signed.invalid/x.jpg"
    assert read.captured_at == datetime(2026, 7, 19, 4, 11, 22, 123000, tzinfo=UTC)


def test_hikvision(payloads: Path) -> None:
    read = the_read(payloads / "hikvision_anpr.xml", "hikvision")
    assert (read.plate, read.state, read.confidence) == ("ABC1234", None, 0.98)
    assert read.characters == (0.99, 0.99, 0.99, 0.61, 0.99, 0.99, 0.99)
    assert read.captured_at == datetime(2026, 5, 21, 8, 10, 6, 471000, tzinfo=UTC)
    assert (read.movement, read.lane, read.place) == ("approaching", 1, PLACE)
    assert read.vehicle is not None
    assert (read.vehicle.colour, read.vehicle.kind) == (Seen("green"), Seen("suv"))


def test_axis(payloads: Path) -> None:
    read = the_read(payloads / "axis_alpv_push.json", "axis")
    assert (read.plate, read.state, read.confidence) == ("ABC123", None, 0.91)
    assert (read.event, read.movement, read.place) == (
        "1087595",
        "approaching",
        Point(35.08, -106.65),
    )
    assert read.captured_at == datetime(2021, 5, 17, 13, 40, 12, 509000, tzinfo=UTC)


def test_genetec_sharpv(payloads: Path) -> None:
    got = played_back(payloads / "genetec_sharpv.xml", "genetec_sharpv")
    (read,) = got.reads
    assert (read.plate, read.state, read.confidence, read.lane) == ("ABC123", "NM", 0.97, 1)
    assert read.place == Point(35.08, -106.65)
    assert read.event == "6ee17b00-82c1-466b-9fd6-003417bc82c4"
    assert read.captured_at == datetime(2026, 5, 21, 16, 10, 6, 471000, tzinfo=UTC)
    # The recorded message says BASE64 where a picture would stand.
    assert [item.reason for item in got.dropped] == ["bad_picture", "bad_picture"]


def test_verkada(payloads: Path) -> None:
    read = the_read(payloads / "verkada_lpr.json", "verkada")
    assert (read.plate, read.state, read.confidence) == ("ABCD123", "CA", 0.963)
    assert read.captured_at == datetime(2025, 9, 19, 17, 27, 45, 879000, tzinfo=UTC)
    assert read.picture_url is None


def test_frigate(payloads: Path) -> None:
    read = the_read(payloads / "frigate_tracked_object_update.json", "frigate")
    assert (read.plate, read.confidence) == ("123ABC", 0.95)
    assert read.event == "1607123955.475377-mxklsc"
    assert read.captured_at == datetime(2020, 12, 4, 23, 19, 18, 748393, tzinfo=UTC)
