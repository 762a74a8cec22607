"""Our clips before tools that are none of ours: another C2PA reader, another decoder."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import pytest

from farolito.codec import mp4_read
from farolito.media import content_credentials as c2
from farolito.media.evidence_keys import load_or_make
from farolito.model import Agency, AgencyId
from tests.media import street

WEB = Path(__file__).parents[2] / "console-web"
NODE = Path(sys.executable).with_name("node")
SCRIPT = Path(__file__).with_name("credentials.mjs").read_text()

AGENCY = Agency(agency_id=AgencyId("sandoval-pd"), name="Sandoval Police", ori="NM0290000")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`original.mp4`, `redacted.mp4` made from it, and both with one bit flipped."""
    folder = tmp_path_factory.mktemp("clips")
    keys = load_or_make(folder / "keys", AGENCY, datetime.now(UTC))
    original, redacted = folder / "original.mp4", folder / "redacted.mp4"
    c2.sign(street.write(folder / "a.mp4"), original, "clip", {"case": "26-1187"}, keys)
    c2.sign(street.write(folder / "b.mp4", 9), redacted, "clip", {}, keys, parent=original)
    for file in (original, redacted):
        raw = bytearray(file.read_bytes())
        raw[list(mp4_read.fragments(bytes(raw)))[-1].end - 50] ^= 1
        file.with_stem(f"{file.stem}-flipped").write_bytes(raw)
    return folder


@pytest.mark.skipif(
    not (NODE.exists() and (WEB / "node_modules/@trustnxt/c2pa-ts").exists()),
    reason="the front end's tools are not installed: run make web",
)
def test_another_authors_c2pa_reader_finds_our_clips_valid_and_a_flipped_bit_not(
    clips: Path,
) -> None:
    names = ("original", "redacted", "original-flipped", "redacted-flipped")
    done = subprocess.run(
        [NODE, "--input-type=module", "-", *(clips / f"{name}.mp4" for name in names)],
        input=SCRIPT, text=True, capture_output=True, cwd=WEB, timeout=30, check=True,
    )  # fmt: skip
    found: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["valid"] for one in found] == [True, True, False, False]
    assert [one["failed"] for one in found[2:]] == [["assertion.bmffHash.mismatch"]] * 2


def test_another_decoder_shows_every_picture_of_a_signed_clip_at_its_time(clips: Path) -> None:
    told = street.units()
    video = cv2.VideoCapture(str(clips / "original.mp4"))
    shown = []
    while video.read()[0]:
        shown.append(video.get(cv2.CAP_PROP_POS_MSEC))
    assert shown == pytest.approx([unit.media_us / 1000 for unit in told], abs=0.02)
