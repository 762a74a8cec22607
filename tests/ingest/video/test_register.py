"""A register of cameras by its mapping file; the 596 street cameras of Washington DC among them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from farolito.ingest.video.entry import WORDS, About, camera_id_of, camera_of
from farolito.ingest.video.mapping import READY, load_mapping, ready_mapping
from farolito.ingest.video.register import Register, read_register
from farolito.model import AgencyId, Consent, Invalid, Login, OwnerId

ABOUT = About(agency=AgencyId("practice-pd"), owner=OwnerId("city"))
WASHINGTON = """
name: Street cameras of Washington DC
format: geojson
prefix: dc
columns:
  key: OBJECTID_1
  name: ADDRESS
  owner: DEPARTMENT
values:
  owner: {MPD: mpd, "*": dc-agencies}
defaults:
  owner: dc-agencies
owners:
  mpd: {name: Metropolitan Police Department, kind: city}
  dc-agencies: {name: Agencies of the District, kind: city}
"""


@pytest.mark.real_input
def test_all_596_street_cameras_of_washington_come_in_and_keep_their_ids(
    real_inputs: Path,
) -> None:
    packed = real_inputs / "map" / "dc" / "cctv-street-cameras.geojson.gz"
    body, mapping = gzip.decompress(packed.read_bytes()), load_mapping(WASHINGTON)

    def read() -> Register:
        return read_register(body, mapping, About(agency=AgencyId("dc")))

    got = read()
    assert (len(got.cameras), got.bad_count, got.rows) == (596, 0, 596)
    places = [camera.place for camera in got.cameras]
    assert all(p and 38.7 < p.lat < 39.1 and -77.2 < p.lon < -76.8 for p in places)
    assert {camera.consent for camera in got.cameras} == {Consent.REGISTRY_ONLY}
    assert {owner.owner_id for owner in got.owners} == {c.owner for c in got.cameras}
    assert [c.camera_id for c in read().cameras] == [c.camera_id for c in got.cameras]


def test_ids_of_different_keys_differ_and_stay_the_same() -> None:
    keys = ["Cam 1", "Cam-1", "cam_1", "Cám 1", "cam 1/", "1" * 100, "1" * 101, "", "——"]
    ids = [camera_id_of("p", key) for key in keys]
    assert len(set(ids)) == len(ids)
    assert camera_id_of("p", "CAM-1") == "p-cam-1" == camera_id_of("p", "cam-1")
    assert camera_id_of("", "rtsp://viewer:secret@10.0.0.1/door/main").startswith("door-main-")


def test_a_user_and_a_password_never_stay_in_an_address() -> None:
    url = "rtsp://view%40er:p%3Ass@10.0.0.1:554/main?x=1#y"
    told = camera_of({"key": "a", "main_url": url}, ABOUT)
    assert told.camera.main is not None
    assert told.camera.main.url == "rtsp://10.0.0.1:554/main?x=1"
    assert told.login == Login(user="view@er", word="p:ss")
    assert "secret" not in repr(told.login)


@pytest.mark.parametrize(
    ("url", "protocol"),
    [
        ("rtsps://cam/1", "rtsps"), ("srt://cam:9000", "srt"), ("https://cam/a/i.m3u8?k=1", "hls"),
        ("http://cam/a.jpg", "jpeg"), ("HTTP://CAM/snapshot", "jpeg"),
    ],
)  # fmt: skip
def test_an_address_says_how_its_picture_comes(url: str, protocol: str) -> None:
    main = camera_of({"key": "a", "main_url": url}, ABOUT).camera.main
    assert main is not None
    assert main.protocol == protocol


def test_a_camera_out_of_service_stays_in_the_register_and_offers_no_picture() -> None:
    cells = {"key": "a", "main_url": "http://cam/a.jpg", "in_service": "no"}
    told = camera_of(cells, ABOUT)
    assert (told.camera.main, told.camera.snapshot_url, told.in_service) == (None, "", False)


@pytest.mark.parametrize("name", READY)
def test_the_mappings_that_come_with_the_product_are_right(name: str) -> None:
    mapping = ready_mapping(name)
    assert mapping.defaults["may_record"] == "no"
    assert mapping.defaults["attribution"]
    assert mapping.defaults["owner"] in mapping.owners


def test_every_fault_of_a_mapping_is_named_with_its_line() -> None:
    with pytest.raises(Invalid) as caught:
        load_mapping(
            "format: xls\ncolums:\n  key: a\ncolumns:\n  nam: b\ndefaults:\n  password: x\n"
            "owners:\n  The City: {kind: town}\nprefix: A B\n"
        )
    for said in (
        "'xls'", "line 2: 'colums'", "did you mean columns", "'nam'", "tells the cameras apart",
        "password cannot", "'The City'", "'town'", "'A B'",
    ):  # fmt: skip
        assert said in caught.value.says


def test_the_mapping_in_the_manual_is_right() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "cameras-in.md"
    blocks = page.read_text().split("```yaml\n")[1:]
    assert blocks
    for block in blocks:
        mapping = load_mapping(block.partition("```")[0])
        assert mapping.owners
        assert set(mapping.defaults) | set(mapping.columns) >= {"key", "owner", "name"}


def test_the_manual_explains_every_word_of_a_camera() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "cameras-in.md"
    text = page.read_text()
    assert [word for word in WORDS if f"`{word}`" not in text] == []
