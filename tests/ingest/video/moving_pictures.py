"""Real H.264 for tests, by the practice cameras' encoder, and what carries it."""

from __future__ import annotations

from functools import cache

import numpy as np
from tstrans import mpegts

from farolito.codec.encoder import Encoder

WIDTH, HEIGHT, FPS = 160, 96, 25
TICKS = 90_000 // FPS


@cache
def pictures(count: int = 50, key_every: int = 10) -> tuple[tuple[bytes, bool], ...]:
    """Annex B and whether it is a key: a bright box on its way over a grey ground."""
    encoder = Encoder(WIDTH, HEIGHT, FPS, qp=30)
    made = []
    for number in range(count):
        picture = np.full((HEIGHT * 3 // 2, WIDTH), 110, np.uint8)
        picture[8:40, (number * 3) % 120 : (number * 3) % 120 + 32] = 220
        coded = encoder.encode(picture, key=number % key_every == 0)
        made.append((coded.annex_b, coded.is_key))
    return tuple(made)


def program(codec: mpegts.VideoCodec = mpegts.VideoCodec.H264) -> mpegts.MuxerProgramConfig:
    return mpegts.MuxerProgramConfigBuilder(1, 0x1000).add_video(0x100, codec).build()


def transport_stream(
    units: list[tuple[bytes, bool]],
    first_ticks: int = 0,
    codec: mpegts.VideoCodec = mpegts.VideoCodec.H264,
) -> bytes:
    """One segment as HLS brings it: tables first, a PES a unit."""
    muxer = mpegts.Muxer(mpegts.MuxerConfig.builder().add_program(program(codec)).build())
    room = bytearray(188 * 4096)
    made = bytearray()
    for number, (unit, is_key) in enumerate(units):
        pts = mpegts.Pts90khz.from_raw(first_ticks + number * TICKS)
        muxer.push_video(unit, pts=pts, key_frame=is_key)
        while size := muxer.pull(room):
            made += room[:size]
    return bytes(made)
