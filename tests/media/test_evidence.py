"""Evidence: what is signed inside a clip and beside it, and that no bit of it changes unseen."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from struct import unpack_from
from uuid import uuid4

import msgspec
import pytest
import rfc8785

from farolito.audit import Note, SigningKey
from farolito.codec import mp4_read
from farolito.codec.boxes import boxes, find
from farolito.media import content_credentials as c2
from farolito.media import evidence
from farolito.media.clips import ClipFiles, ClipGone
from farolito.media.evidence_keys import EvidenceKeys, load_or_make
from farolito.model import (
    Agency,
    AgencyId,
    CameraId,
    Clip,
    ClipId,
    ClipKind,
    Invalid,
    PersonId,
    Purpose,
)
from tests.media import street

NOW = datetime.now(UTC)
AGENCY = Agency(agency_id=AgencyId("sandoval-pd"), name="Sandoval Police", ori="NM0290000")
KEY = SigningKey("farolito/sandoval-pd/ledger", bytes(range(32)))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> EvidenceKeys:
    return load_or_make(tmp_path_factory.mktemp("keys"), AGENCY, NOW)


@pytest.fixture(scope="module")
def signed(keys: EvidenceKeys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    c2.sign(street.write(folder / "a.mp4"), folder / "b.mp4", "clip", {"case": "26-1187"}, keys)
    return folder / "b.mp4"


def card(file: Path) -> Clip:
    return Clip(
        clip_id=ClipId(uuid4()),
        agency=AGENCY.agency_id,
        camera_id=CameraId("central-4th"),
        kind=ClipKind.ORIGINAL,
        since=NOW,
        until=NOW + timedelta(seconds=2),
        made_at=NOW,
        made_by=PersonId(uuid4()),
        purpose=Purpose.CRIMINAL_INVESTIGATION,
        case="26-1187",
        incident=None,
        sha256=evidence.sha256_of(file),
        size=file.stat().st_size,
        frames=20,
        permit=41,
        clock_error_s=-1.25,
        clock_measured_at=NOW,
        clock_says="its own answer to ONVIF",
    )


TOLD = evidence.Told(
    agency_name=AGENCY.name, camera_name="Central at 4th", owner="city", owner_name="The city",
    role="detective", raw_sha256="0" * 64, signer_sha256="1" * 64, anchor_sha256="2" * 64,
    key=str(KEY.verifier), checkpoint="farolito/sandoval-pd/ledger\n41\n",
)  # fmt: skip


def test_a_signed_clip_is_trusted_by_who_trusts_the_agency_and_intact_for_others(
    keys: EvidenceKeys, signed: Path
) -> None:
    known = c2.check(signed, keys.anchor)
    assert (known.state, known.problems) == ("trusted", ())
    assert known.evidence == {"case": "26-1187"}
    stranger = c2.check(signed)
    assert stranger.state == "valid"
    assert stranger.problems == ("signingCredential.untrusted",)


def test_the_pictures_inside_are_those_that_came(signed: Path) -> None:
    back = list(mp4_read.units(signed.read_bytes()))
    assert [unit.data for unit in back] == [unit.data for unit in street.units()]


def test_players_still_find_key_frames_after_the_signature_went_in(signed: Path) -> None:
    raw = signed.read_bytes()
    table = find(raw, "mfra/tfra")
    assert table is not None
    (count,) = unpack_from(">I", raw, table.body + 12)
    told = [unpack_from(">QQ", raw, table.body + 16 + 19 * n)[1] for n in range(count)]
    assert told == [one.at for one in boxes(raw) if one.kind == b"moof"]


def test_a_flipped_bit_in_any_picture_spoils_the_signature(
    keys: EvidenceKeys, signed: Path
) -> None:
    raw = signed.read_bytes()
    for one in boxes(raw):
        if one.kind in (b"moov", b"moof", b"mdat"):
            bad = bytearray(raw)
            bad[(one.body + one.end) // 2] ^= 1
            found = c2.check(bytes(bad), keys.anchor)
            assert found.state == "invalid"
            if one.kind == b"mdat":
                assert "assertion.bmffHash.mismatch" in found.problems


def test_a_file_without_a_manifest_or_that_is_no_file_says_so(tmp_path: Path) -> None:
    assert c2.check(street.write(tmp_path / "a.mp4")).state == "none"
    assert c2.check(b"<html>").state in ("none", "invalid")


def test_a_redacted_clip_names_its_original_and_holds_no_picture_of_it(
    keys: EvidenceKeys, signed: Path, tmp_path: Path
) -> None:
    made = street.write(tmp_path / "r.mp4", 5)
    c2.sign(made, tmp_path / "s.mp4", "redacted", {"kind": "redacted"}, keys, parent=signed)
    assert c2.check(tmp_path / "s.mp4", keys.anchor).state == "trusted"
    told = c2.read(tmp_path / "s.mp4", keys.anchor)
    active = told["manifests"][told["active_manifest"]]
    [ingredient] = active["ingredients"]
    assert ingredient["relationship"] == "parentOf"
    assert "thumbnail" not in json.dumps(told)
    assert not any(magic in (tmp_path / "s.mp4").read_bytes() for magic in (b"\xff\xd8\xff\xe0",))


def test_the_manifest_is_canonical_signed_and_holds_each_fragment(signed: Path) -> None:
    made = evidence.manifest(card(signed), TOLD, signed, KEY.sign)
    told = json.loads(made.document)
    assert made.document == rfc8785.dumps(told)
    text = evidence.text_of(told["manifest"])
    assert sha256(text.encode()).hexdigest() == made.digest
    note = Note.parse(f"{text}\n{told['signature']}\n".encode())
    assert note.signed_by([KEY.verifier]) == [KEY.verifier]
    assert told["manifest"]["clock"]["error_ms"] == -1250

    fragments = told["manifest"]["file"]["fragments"]
    raw = signed.read_bytes()
    begin = raw.index(b"prft") - 4
    for one in fragments:
        assert sha256(raw[begin : begin + one["size"]]).hexdigest() == one["sha256"]
        begin += one["size"]


def test_no_manifest_is_made_for_another_file(signed: Path, tmp_path: Path) -> None:
    other = street.write(tmp_path / "a.mp4", 5)
    with pytest.raises(Invalid):
        evidence.manifest(card(signed), TOLD, other, KEY.sign)


def test_keys_are_made_once_and_one_that_others_may_read_is_refused(tmp_path: Path) -> None:
    first = load_or_make(tmp_path, AGENCY, NOW)
    assert load_or_make(tmp_path, AGENCY, NOW + timedelta(days=400)).chain == first.chain
    (tmp_path / "evidence-signer.key").chmod(0o644)
    with pytest.raises(Invalid, match="others"):
        load_or_make(tmp_path, AGENCY, NOW)


def test_a_clip_in_its_place_is_never_written_over_and_leftovers_go(tmp_path: Path) -> None:
    files, day = ClipFiles(tmp_path), date(2026, 7, 1)
    one, two = ClipId(uuid4()), ClipId(uuid4())
    for clip_id in (one, two):
        files.draft(clip_id, "signed").write_bytes(b"pictures")
        files.place(clip_id, day, files.draft(clip_id, "signed"), b"{}")
    files.draft(one, "signed").write_bytes(b"others")
    with pytest.raises(FileExistsError):
        files.place(one, day, files.draft(one, "signed"), b"{}")
    path = files.get(one, day, 8)
    assert path.read_bytes() == b"pictures"
    assert path.stat().st_mode & 0o777 == 0o400

    assert files.sweep({one}) == 1, "the other one has no row: a crash came in between"
    assert not any((tmp_path / ".making").iterdir())
    assert files.placed() == {one: day}
    with pytest.raises(ClipGone):
        files.get(two, day, 8)


def test_a_card_survives_its_row(signed: Path) -> None:
    clip = card(signed)
    assert msgspec.json.decode(msgspec.json.encode(clip), type=Clip) == clip
