"""Clips of a drawn street, coded by the practice cameras' encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from farolito.codec import AccessUnit
from farolito.codec.encoder import Encoder
from farolito.codec.fmp4 import Writer
from farolito.media.redaction import Picture

START_US = 1_780_000_000_000_000
WIDTH, HEIGHT = 320, 192


def pictures(count: int) -> list[Picture]:
    """I420: smooth ground, and a square of fine grain, 64 wide, that walks 2 samples a picture."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    ground = (90 + 40 * np.sin(x / 40) + 30 * np.cos(y / 30)).astype(np.uint8)
    grain = random.integers(20, 235, (64, 64)).astype(np.uint8)
    made = []
    for n in range(count):
        luma = ground.copy()
        luma[64:128, 40 + 2 * n : 104 + 2 * n] = grain
        chroma = np.full((HEIGHT // 2, WIDTH), 128, np.uint8)
        made.append(np.vstack([luma, chroma]))
    return made


def units(count: int = 20, uneven: bool = True) -> list[AccessUnit]:
    """10 pictures a second; every third comes 30 ms late where `uneven`."""
    coder = Encoder(WIDTH, HEIGHT, 10.0, qp=20)
    made = []
    for n, picture in enumerate(pictures(count)):
        coded = coder.encode(picture)
        us = n * 100_000 + (30_000 if uneven and n % 3 == 2 else 0)
        made.append(AccessUnit(coded.annex_b, us, START_US + us, coded.is_key))
    return made


def write(path: Path, count: int = 20) -> Path:
    told = units(count)
    writer = Writer(told[0])
    body = b"".join([writer.add(unit) for unit in told] + [writer.finish()])
    path.write_bytes(writer.head() + body)
    return path
