"""Real H.264 for tests: a few small pictures, coded once."""

from __future__ import annotations

from functools import cache

import numpy as np

from farolito.codec.encoder import Encoder


@cache
def units(width: int = 64, height: int = 48, count: int = 10) -> tuple[tuple[bytes, ...], ...]:
    """NALs of `count` pictures of noise, the first a key picture with its parameter sets."""
    chance = np.random.default_rng(7)
    encoder = Encoder(width, height, 25.0, qp=28)
    shape = height * 3 // 2, width
    made = (encoder.encode(chance.integers(0, 255, shape, dtype=np.uint8)) for _ in range(count))
    return tuple(one.nals for one in made)
