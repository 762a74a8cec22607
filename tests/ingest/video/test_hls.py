"""HLS: a live playlist followed, its units handed on in real time, bad portals refused."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tstrans.mpegts import VideoCodec

from farolito.codec import AccessUnit, Broken, h264
from farolito.codec.fmp4 import Fragmenter, init_of
from farolito.ingest.video.fragments import read_head, read_segment
from farolito.ingest.video.hls import SEGMENT_BYTES_MAX, HlsUpstream
from farolito.ingest.video.playlist import (
    PLAYLIST_BYTES_MAX,
    Playlist,
    Variant,
    best_variant,
    read_playlist,
)
from farolito.model import PictureState, StreamSource
from tests.ingest.video.moving_pictures import FPS, TICKS, pictures, transport_stream
from tests.ingest.video.web_camera import LOOPBACK, Answer, Asked, WebCamera, ended, until

PER_SEGMENT = 10  # units, 0.4 s


def now_us() -> int:
    return time.time_ns() // 1000


def hls(url: str) -> HlsUpstream:
    return HlsUpstream(StreamSource(protocol="hls", url=url), None, LOOPBACK, now_us)


class Portal:
    """A live stream of five segments that appear one by one; `lines` go before a segment."""

    def __init__(self, lines: dict[int, str] | None = None, kind: str = "ts") -> None:
        self.lines = lines or {}
        self.kind = kind
        self.began = time.monotonic()
        self.wrong: dict[str, Answer] = {}

    def __call__(self, asked: Asked) -> Answer:
        path = asked.path.partition("?")[0]
        if path in self.wrong:
            return self.wrong[path]
        if path == "/master.m3u8":
            return Answer(
                b"#EXTM3U\n"
                b'#EXT-X-STREAM-INF:BANDWIDTH=9000000,CODECS="hvc1.1.6.L93"\nh265.m3u8\n'
                b'#EXT-X-STREAM-INF:BANDWIDTH=90000000,CODECS="avc1.640028"\nhuge.m3u8\n'
                b'#EXT-X-STREAM-INF:BANDWIDTH=800000,CODECS="avc1.42c00d,mp4a.40.2"\nlive.m3u8?k=1\n'
            )
        if path == "/live.m3u8":
            return Answer(self.playlist())
        if path == "/init.mp4":
            return Answer(init_of(pictures()[0][0]))
        return Answer(self.segment(int(path[2:].partition(".")[0])))

    def playlist(self) -> bytes:
        shown = min(5, 2 + int((time.monotonic() - self.began) / 0.4))
        first = max(0, shown - 3)
        lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
        lines += ["#EXT-X-SERVER-CONTROL:NEW-THING=YES,CAN-BLOCK-RELOAD=NO"]
        if self.kind == "mp4":
            lines += ['#EXT-X-MAP:URI="init.mp4"']
        for number in range(first, shown):
            lines += [self.lines.get(number, ""), "#EXTINF:0.4,", f"s{number}.{self.kind}"]
        return "\n".join(filter(None, lines)).encode()

    def segment(self, number: int) -> bytes:
        units = list(pictures()[number * PER_SEGMENT : (number + 1) * PER_SEGMENT])
        if self.kind == "ts":
            return transport_stream(units, (1 << 33) - 20 * TICKS + number * PER_SEGMENT * TICKS)
        fragmenter = Fragmenter()
        made = b""
        for at, (data, is_key) in enumerate(units, number * PER_SEGMENT):
            made += fragmenter.fragment(data, at * TICKS, is_key)
        return made


async def watched(
    upstream: HlsUpstream, enough: Callable[[list[AccessUnit]], bool]
) -> list[tuple[float, AccessUnit]]:
    units: list[tuple[float, AccessUnit]] = []
    task = asyncio.create_task(upstream.run(lambda unit: units.append((time.monotonic(), unit))))
    try:
        await until(lambda: task.done() or enough([unit for _, unit in units]))
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return units


async def test_a_live_stream_comes_unit_by_unit_in_real_time_over_the_wrap_of_its_clock() -> None:
    async with WebCamera(Portal()) as portal:
        upstream = hls(f"{portal.url}/master.m3u8")
        units = await watched(upstream, lambda units: len(units) >= 3 * PER_SEGMENT)
    told = [data for data, _ in pictures()]
    assert [unit.data for _, unit in units] == told[PER_SEGMENT : PER_SEGMENT + len(units)]
    steps = {b.media_us - a.media_us for (_, a), (_, b) in pairwise(units)}
    assert steps == {1_000_000 // FPS}
    filmed = (units[9][1].media_us - units[0][1].media_us) / 1e6
    assert units[9][0] - units[0][0] > 0.8 * filmed
    assert units[0][1].is_key
    figures = upstream.figures
    assert (figures.width, figures.height, figures.spoiled) == (160, 96, 0)
    assert figures.fps == pytest.approx(FPS)
    assert figures.key_interval_s == pytest.approx(0.4)
    assert not any("h265" in asked.path or "huge" in asked.path for asked in portal.asked)


async def test_fragmented_mp4_gives_the_same_units() -> None:
    async with WebCamera(Portal(kind="mp4")) as portal:
        units = await watched(
            hls(f"{portal.url}/live.m3u8"), lambda units: len(units) > PER_SEGMENT
        )
    got = [h264.nals(unit.data) for _, unit in units]
    want = [h264.nals(data) for data, _ in pictures()[PER_SEGMENT:]]
    assert got == want[: len(got)]


async def test_a_discontinuity_and_a_lost_segment_wait_for_a_key_and_do_not_turn_time_back() -> (
    None
):
    async with WebCamera(portal := Portal({2: "#EXT-X-DISCONTINUITY"})) as camera:
        portal.wrong["/s3.ts"] = Answer(status=404)
        units = await watched(
            hls(f"{camera.url}/live.m3u8"), lambda units: len(units) >= 3 * PER_SEGMENT
        )
    times = [unit.media_us for _, unit in units]
    assert times == sorted(times)
    assert [unit.data for _, unit in units[2 * PER_SEGMENT :]] == [
        data for data, _ in pictures()[4 * PER_SEGMENT :]
    ]


MEDIA = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n"


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ({"/live.m3u8": Answer(b"<html>log in</html>")}, PictureState.NOT_A_PICTURE),
        ({"/live.m3u8": Answer(b"\x00\x01")}, PictureState.MALFORMED),
        ({"/live.m3u8": Answer(b"#" * (PLAYLIST_BYTES_MAX + 1))}, PictureState.TOO_MUCH),
        ({"/live.m3u8": Answer(status=404)}, PictureState.NOT_FOUND),
        ({"/live.m3u8": Answer(MEDIA + b'#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\ns1.ts\n')},
         PictureState.UNSUPPORTED),
        ({"/live.m3u8": Answer(MEDIA + b"#EXTINF:1,\nhttp://127.0.0.1:22/s1.ts\n")},
         PictureState.BLOCKED),
        ({"/live.m3u8": Answer(MEDIA + b"#EXTINF:1,\nfile:///etc/passwd\n")}, PictureState.BLOCKED),
        ({"/live.m3u8": Answer(
            b'#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="hvc1.1"\nlive.m3u8\n')},
         PictureState.UNSUPPORTED),
        ({"/live.m3u8": Answer(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlive.m3u8\n")},
         PictureState.MALFORMED),
        ({"/s1.ts": Answer(b"<html>")}, PictureState.MALFORMED),
        ({"/s1.ts": Answer(b"\x47" + b"noise" * 300_000)}, PictureState.MALFORMED),
        ({"/s1.ts": Answer(b"\x47", headers={"Content-Length": str(SEGMENT_BYTES_MAX + 1)})},
         PictureState.TOO_MUCH),
        ({"/s1.ts": Answer(transport_stream([(pictures()[0][0], True)], codec=VideoCodec.H265))},
         PictureState.UNSUPPORTED),
    ],
)  # fmt: skip
async def test_what_is_no_stream_for_us_ends_in_a_word(
    answers: dict[str, Answer], state: PictureState
) -> None:
    portal = Portal()
    portal.wrong = answers
    async with WebCamera(portal) as camera:
        with pytest.raises(Broken) as caught:
            await ended(hls(f"{camera.url}/live.m3u8").run(lambda _: None))
    assert caught.value.state is state
    assert caught.value.says


async def test_a_stream_that_ends_is_played_to_its_end_and_said_to_have_ended() -> None:
    body = MEDIA + b"#EXTINF:0.4,\ns1.ts\n#EXT-X-ENDLIST\n"
    portal, units = Portal(), list[AccessUnit]()
    portal.wrong["/live.m3u8"] = Answer(body)
    async with WebCamera(portal) as camera:
        with pytest.raises(Broken) as caught:
            await ended(hls(f"{camera.url}/live.m3u8").run(units.append))
    assert caught.value.state is PictureState.STALLED
    assert len(units) == PER_SEGMENT


async def test_a_stream_whose_playlist_stands_still_is_stalled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("farolito.ingest.video.hls.STALL_S_MIN", 0.3)
    portal = Portal()
    portal.wrong["/live.m3u8"] = Answer(
        b"#EXTM3U\n#EXT-X-TARGETDURATION:0.0\n#EXTINF:0.4,\ns1.ts\n"
    )
    async with WebCamera(portal) as camera:
        with pytest.raises(Broken) as caught:
            await ended(hls(f"{camera.url}/live.m3u8").run(lambda _: None))
    assert caught.value.state is PictureState.STALLED


def test_of_several_variants_the_best_within_the_limit_is_taken_else_the_leanest() -> None:
    variants = [Variant("a", 9, "avc1"), Variant("b", 5, ""), Variant("c", 7, "hvc1.1,mp4a.40.2")]
    assert best_variant(variants, 8) == "b"
    assert best_variant(variants, 9) == "a"
    assert best_variant(variants, 1) == "b"


TAGS = [
    "#EXTM3U", "#EXT-X-TARGETDURATION:", "#EXT-X-MEDIA-SEQUENCE:", "#EXTINF:", "#EXT-X-KEY:METHOD=",
    '#EXT-X-MAP:URI="', "#EXT-X-BYTERANGE:", "#EXT-X-STREAM-INF:BANDWIDTH=", "s.ts", "#EXT-X-GAP",
    "#EXT-X-ENDLIST", "4", "nan", "1e999", "-1", '"', "@", "=", ",", "\n", "\n", "\n",
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(words=st.lists(st.sampled_from(TAGS), max_size=30), noise=st.binary(max_size=60))
def test_a_playlist_of_any_bytes_is_read_or_broken(words: list[str], noise: bytes) -> None:
    for body in (noise, b"#EXTM3U\n" + "".join(words).encode() + noise):
        try:
            read = read_playlist(body, "http://camera/a.m3u8")
        except Broken:
            continue
        if isinstance(read, Playlist):
            assert 0 < read.target_s <= 30


@settings(max_examples=60, deadline=None)
@given(chance=st.data())
def test_fragments_of_any_bytes_are_read_or_broken(chance: st.DataObject) -> None:
    head, body = init_of(pictures()[0][0]), Portal(kind="mp4").segment(1)
    track = read_head(head)
    for whole in (head, body):
        raw = bytearray(whole)
        for _ in range(chance.draw(st.integers(1, 4))):
            at = chance.draw(st.integers(0, len(raw) - 1))
            raw[at : at + chance.draw(st.integers(0, 5))] = chance.draw(st.binary(max_size=5))
        try:
            read_head(bytes(raw))
            list(read_segment(bytes(raw), track))
        except Broken:
            continue
