"""What the practice cameras' encoder writes, a decoder of another author shows exactly so."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from farolito.codec.encoder import START, Coded, Encoder
from farolito.codec.encoder_bits import escape
from farolito.codec.encoder_tables import (
    CHROMA_ZEROS,
    CHROMA_ZEROS_BITS,
    RUN,
    RUN_BITS,
    TOKEN,
    TOKEN_BITS,
    ZEROS,
    ZEROS_BITS,
)

Picture = NDArray[np.uint8]


def decoded(data: bytes, folder: Path) -> list[Picture]:
    """By OpenCV's FFmpeg, as blue, green and red."""
    file = folder / "stream.h264"
    file.write_bytes(data)
    film = cv2.VideoCapture(str(file), cv2.CAP_FFMPEG)
    pictures: list[Picture] = []
    while True:
        got, picture = film.read()
        if not got:
            return pictures
        pictures.append(picture.astype(np.uint8))


def as_samples(encoder: Encoder, picture: Picture) -> bytes:
    """A stream of one picture without any loss: I_PCM alone, written by this test."""
    w, h = encoder.width, encoder.height
    columns, rows = -(-w // 16), -(-h // 16)
    y = np.pad(picture[:h], ((0, rows * 16 - h), (0, columns * 16 - w)), mode="edge")
    u, v = (
        np.pad(c.reshape(h // 2, w // 2), ((0, rows * 8 - h // 2), (0, columns * 8 - w // 2)))
        for c in np.split(picture[h:].ravel(), 2)
    )
    # Slice header: 1 00110 00 … 1 · key number 0, quantiser 26, no deblocking; then mb_type 25.
    head = "1" + "0001000" + "1" + "0" * 8 + "1" + "00" + "1" + "010" + "000011010"
    head += "0" * (-len(head) % 8)
    body = int(head, 2).to_bytes(len(head) // 8, "big")
    for row in range(rows):
        for column in range(columns):
            body += b"" if row == column == 0 else b"\x0d\x00"
            body += y[row * 16 :, column * 16 :][:16, :16].tobytes()
            body += u[row * 8 :, column * 8 :][:8, :8].tobytes()
            body += v[row * 8 :, column * 8 :][:8, :8].tobytes()
    raw = np.frombuffer(body + b"\x80", np.uint8)
    out = np.zeros(2 * len(raw), np.uint8)
    nal = b"\x65" + out[: escape(raw, len(raw), out)].tobytes()
    return Coded((encoder.sps, encoder.pps, nal), True, 26).annex_b


def drawn(width: int, height: int, count: int, chance: np.random.Generator) -> Iterator[Picture]:
    """A soft background, sharp lines, a patch that moves, a patch of noise now and then."""
    soft = cv2.GaussianBlur(chance.integers(0, 256, (height, width, 3)).astype(np.uint8), (0, 0), 5)
    scene = np.clip((soft.astype(float) - 127) * 8 + 127, 0, 255).astype(np.uint8)
    cv2.line(scene, (0, height), (width, 0), (255, 255, 255), 2)
    for number in range(count):
        picture = scene.copy()
        at = (number * width // 9, height // 2)
        cv2.rectangle(picture, at, (at[0] + 30, at[1] + 12), (20, 30, 200), -1)
        if number == count // 2:
            picture[:20, :40] = chance.integers(0, 256, picture[:20, :40].shape)
        yield cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).astype(np.uint8)


def test_the_tables_are_codes_of_which_none_begins_another() -> None:
    for lengths, codes in (
        (TOKEN_BITS, TOKEN),
        (ZEROS_BITS, ZEROS),
        (CHROMA_ZEROS_BITS, CHROMA_ZEROS),
        (RUN_BITS, RUN),
    ):
        for row_lengths, row in zip(lengths, codes, strict=True):
            words = sorted(f"{c:0{n}b}" for n, c in zip(row_lengths, row, strict=True) if n)
            assert all(len(w) <= 16 for w in words)
            assert not any(b.startswith(a) for a, b in pairwise(words))


@pytest.mark.parametrize("size", [(16, 16), (98, 34), (320, 180)])
@pytest.mark.parametrize("qp", [12, 26, 40])
def test_a_decoder_shows_the_encoders_own_picture_bit_by_bit(
    size: tuple[int, int], qp: int, tmp_path: Path
) -> None:
    encoder = Encoder(*size, fps=12.5, qp=qp)
    stream, shown = b"", []
    for number, picture in enumerate(drawn(*size, 6, np.random.default_rng(qp))):
        stream += encoder.encode(picture, key=number == 4).annex_b
        exact = as_samples(encoder, encoder.as_decoded())
        shown += decoded(exact, tmp_path)
    pictures = decoded(stream, tmp_path)
    assert len(pictures) == len(shown) == 6
    assert all(np.array_equal(a, b) for a, b in zip(pictures, shown, strict=True))


def test_noise_that_no_level_can_hold_goes_as_samples(tmp_path: Path) -> None:
    encoder = Encoder(48, 32, fps=5, qp=12)
    noise = np.random.default_rng(5).choice(np.array([0, 255], np.uint8), (48, 48))
    coded = [encoder.encode(noise), encoder.encode(np.roll(noise, 1, axis=1))]
    assert len(coded[0].nals[-1]) > 48 * 48
    # The blue of noise is lost to no rounding either: as samples, it is the picture itself.
    assert np.array_equal(encoder.as_decoded(), np.roll(noise, 1, axis=1))
    assert len(decoded(b"".join(c.annex_b for c in coded), tmp_path)) == 2


def test_a_street_where_nothing_moves_costs_a_few_bytes_a_picture() -> None:
    encoder = Encoder(320, 180, fps=12.5)
    picture = next(drawn(320, 180, 1, np.random.default_rng(2)))
    first, *others = (encoder.encode(picture) for _ in range(26))
    assert first.is_key
    assert [c.is_key for c in others] == [False] * 24 + [True]
    assert max(len(c.annex_b) for c in others[:-1]) < 20
    assert START not in b"".join(first.nals)


def test_the_bit_rate_is_held_while_things_move() -> None:
    fps, rate = 12.5, 300_000
    encoder = Encoder(320, 180, fps, rate)
    chance = np.random.default_rng(4)
    scene = next(drawn(320, 180, 1, chance))
    sent = []
    for number in range(100):
        picture = scene.copy()
        picture[40:130] = np.roll(scene[40:130], 4 * number, axis=1)
        sent.append(8 * len(encoder.encode(picture).annex_b))
    assert sum(sent[25:]) / (75 / fps) < 1.3 * rate
