"""Whatever bytes a camera sends, in whatever pieces: whole pictures, or one named error."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farolito.codec import AccessUnit, Broken
from farolito.codec.h264 import START, nals
from farolito.ingest.video import rtp as rtp_module
from farolito.ingest.video.media_time import MediaTime
from farolito.ingest.video.rtp import Depacketizer
from farolito.ingest.video.rtp_udp import HELD_MAX, Reorder, receiver_report
from farolito.ingest.video.rtsp_auth import Answers, best_challenge
from farolito.ingest.video.rtsp_line import Line, Meter
from farolito.ingest.video.rtsp_message import control_url, read_message, request, session_of
from farolito.ingest.video.sdp import h264_track
from farolito.model import Login, PictureState
from tests.codec.sps_builder import sps
from tests.ingest.video.bad_camera import PAYLOAD_TYPE, TICKS, aggregated, packets_of, rtp, sdp_of

SPS, PPS = sps(64, 48, 66), b"\x68\xce\x3c\x80"
KEY = b"\x65\x88" + bytes(range(1, 200)) * 3
DELTA = b"\x41\x9a" + bytes(range(1, 100))
GROUP = [[SPS, PPS, KEY], [DELTA], [DELTA], [DELTA]]
QUICK = settings(max_examples=150, deadline=None)


def stream(groups: int = 2, mtu: int = 150) -> list[bytes]:
    packets: list[bytes] = []
    for number, unit in enumerate(GROUP * groups):
        parts = packets_of(unit, mtu)
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            packets.append(rtp(len(packets), number * TICKS, part, marker=last))
    return packets


def depacketized(packets: Iterable[bytes]) -> tuple[list[AccessUnit], Depacketizer]:
    units: list[AccessUnit] = []
    track = Depacketizer(PAYLOAD_TYPE, None, units.append)
    for packet in packets:
        track.datagram(packet)
    return units, track


def parts_of(units: Iterable[AccessUnit]) -> list[list[bytes]]:
    return [nals(unit.data) for unit in units]


def framed(packets: Iterable[bytes], channel: int = 0) -> bytes:
    return b"".join(struct.pack(">BBH", 0x24, channel, len(one)) + one for one in packets)


def given_to_a_line(pieces: Iterable[bytes]) -> tuple[list[AccessUnit], Line]:
    """What a line makes of bytes that come in these pieces."""
    units: list[AccessUnit] = []
    line = Line(Meter(lambda: 5, lambda: 0.0, 10**9))
    line.take(0, Depacketizer(PAYLOAD_TYPE, None, units.append))
    for piece in pieces:
        for at in range(0, len(piece), 65_536):
            part = piece[at : at + 65_536]
            line.get_buffer(-1)[: len(part)] = part
            line.buffer_updated(len(part))
    return units, line


async def test_pieces_of_any_size_give_the_same_pictures() -> None:
    report = receiver_report(Depacketizer(96, None, lambda _: None))
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 9\r\nContent-Length: 2\r\n\r\nok\r\n"
    whole = framed(stream(1)) + answer + framed([report], 1) + framed([rtp(0, 0, b"")])
    whole += framed(stream(2)[len(stream(1)) :])
    wanted = GROUP * 2

    @QUICK
    @given(st.lists(st.integers(0, len(whole)), max_size=30))
    def check(cuts: list[int]) -> None:
        edges = [0, *sorted(cuts), len(whole)]
        pieces = (whole[a:b] for a, b in pairwise(edges))
        units, line = given_to_a_line(pieces)
        assert parts_of(units) == wanted
        assert line.why is None

    check()
    assert parts_of(given_to_a_line(bytes((one,)) for one in whole)[0]) == wanted


async def test_no_bytes_do_worse_to_a_line_than_to_end_it() -> None:
    good = framed(stream(1))

    @QUICK
    @given(st.lists(st.binary(max_size=300) | st.sampled_from([good, good[:700], b"RTSP/1.0 "])))
    def check(pieces: list[bytes]) -> None:
        units, line = given_to_a_line(pieces)
        assert line.why is None or isinstance(line.why, Broken)
        assert all(unit.data.startswith(START) for unit in units)

    check()


@QUICK
@given(st.data())
def test_a_damaged_stream_gives_nothing_but_pictures_that_were_sent(data: st.DataObject) -> None:
    """Packets lost, doubled and out of order: each picture that comes is whole."""
    packets = stream(4)
    order = data.draw(st.lists(st.integers(0, len(packets) - 1), max_size=60))
    units, track = depacketized(packets[number] for number in order)
    assert all(one in GROUP for one in parts_of(units))
    assert not units or units[0].is_key
    assert track.units == len(units)


@QUICK
@given(
    st.lists(
        st.builds(
            rtp,
            st.integers(0, 20),
            st.sampled_from([0, 1, 3600, 2**32 - 1]),
            st.binary(max_size=30)
            | st.sampled_from([SPS, PPS, KEY, DELTA, aggregated([SPS, PPS, KEY])]),
            marker=st.booleans(),
        )
        | st.binary(max_size=30)
    )
)
def test_no_packets_do_worse_than_to_be_malformed(packets: list[bytes]) -> None:
    try:
        units, _ = depacketized(packets)
    except Broken as broken:
        assert broken.state in (PictureState.MALFORMED, PictureState.TOO_MUCH)  # noqa: PT017
        return
    times = [unit.media_us for unit in units]
    assert times == sorted(set(times))


def test_pictures_come_in_every_way_to_pack_them() -> None:
    one = aggregated([SPS, PPS, KEY])
    odd = bytearray(rtp(1, TICKS, b"\0\0\0\0" + b"\xbe\xde\0\1abcd" + DELTA + b"\0\0\3"))
    odd[0] |= 0x31  # one more source, an extension, and padding
    units, _ = depacketized([rtp(0, 0, one, marker=True), bytes(odd), rtp(2, 2 * TICKS, DELTA)])
    assert parts_of(units) == [[SPS, PPS, KEY], [DELTA]]


def test_a_picture_ends_with_its_time_where_no_marker_is_set_and_where_each_slice_has_one() -> None:
    first, second = b"\x65\x88\x11", b"\x65\x48\x22"  # the second begins at a later macroblock
    bare = [rtp(0, 0, aggregated([SPS, PPS])), rtp(1, 0, first), rtp(2, 0, second)]
    assert parts_of(depacketized([*bare, rtp(3, TICKS, DELTA)])[0]) == [[SPS, PPS, first, second]]

    def marked(number: int) -> list[bytes]:
        slices = (aggregated([SPS, PPS]), first, second)
        at, ticks = 3 * number, number * TICKS
        return [rtp(at + n, ticks, one, marker=True) for n, one in enumerate(slices)]

    units, track = depacketized([packet for number in range(4) for packet in marked(number)])
    # The first one went out in halves before that was known; from then on they are whole.
    assert parts_of(units)[1:] == [[SPS, PPS, first, second]] * 2
    assert track.lost == 0


def test_a_camera_that_begins_its_numbers_anew_goes_on_with_its_next_key_picture() -> None:
    packets = stream(1)
    later = [rtp(40_000 + n, 10 * TICKS, one[12:]) for n, one in enumerate(packets)]
    assert parts_of(depacketized([*packets, *later])[0])[:4] == GROUP
    again = stream(2)
    units, track = depacketized([*packets, *(_renumbered(one, 30_000) for one in again)])
    assert parts_of(units) == GROUP + GROUP * 2
    assert track.lost == 1


def _renumbered(packet: bytes, by: int) -> bytes:
    sequence, ticks = struct.unpack_from(">HI", packet, 2)
    return packet[:2] + struct.pack(">HI", (sequence + by) & 0xFFFF, ticks + 99_000) + packet[8:]


async def test_a_picture_without_end_ends_the_line_before_it_fills_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtp_module, "UNIT_BYTES_MAX", 50_000)
    monkeypatch.setattr(rtp_module, "PARTS_MAX", 8)
    begin = rtp(0, 0, b"\x7c\x85" + b"x" * 100)
    rest = [rtp(n, 0, b"\x7c\x05" + b"x" * 100) for n in range(1, 600)]
    with pytest.raises(Broken) as broken:
        depacketized([begin, *rest])
    assert broken.value.state is PictureState.TOO_MUCH
    assert given_to_a_line([framed([begin, *rest])])[1].why is not None


@QUICK
@given(st.lists(st.integers(0, 2**32 - 1), max_size=40), st.sampled_from([90_000, 1000]))
def test_the_line_of_time_never_goes_back(ticks: list[int], clock_hz: int) -> None:
    line = MediaTime(clock_hz)
    times = [line.of(one) for one in ticks]
    assert times == sorted(set(times))
    assert not times or times[-1] <= (len(times)) * 11_000_000


def test_time_goes_on_over_a_wrap_a_jump_and_reordered_pictures() -> None:
    line = MediaTime()
    wrap = [line.of((2**32 - 3600 + n * 3600) % 2**32) // 1000 for n in range(3)]
    assert wrap == [0, 40, 80]
    assert [line.of(one) // 1000 for one in (900_000_000, 900_003_600)] == [120, 160]  # a jump
    b_pictures = [line.of(900_003_600 + n * 3600) // 1000 for n in (3, 1, 2, 6, 4, 5)]
    assert b_pictures == [280, 281, 282, 400, 401, 402]  # with P, B, B: no drift


@QUICK
@given(st.randoms(use_true_random=False), st.integers(0, 65_535))
def test_packets_that_overtook_each_other_are_put_in_order(chance: object, begin: int) -> None:
    packets = [rtp((begin + n) & 0xFFFF, 0, b"%d" % n) for n in range(120)]
    mixed = list(packets[:1])
    rest = packets[1:]
    while rest:  # none is more than ten places late
        mixed.append(rest.pop(chance.randrange(min(10, len(rest)))))  # type: ignore[attr-defined]
        if rest and packets.index(rest[0]) < len(mixed) - 10:
            mixed.append(rest.pop(0))
    came: list[bytes] = []
    order = Reorder(came.append)
    for packet in mixed:
        order.take(packet)
    assert came == packets


def test_a_lost_packet_is_waited_for_no_longer_than_a_few_others() -> None:
    packets = [rtp(n, 0, b"x") for n in range(HELD_MAX + 3)]
    came: list[bytes] = []
    order = Reorder(came.append)
    for packet in (*packets[:1], *packets[2:], packets[1]):
        order.take(packet)
    assert came == [packets[0], *packets[2:]]


@QUICK
@given(st.binary(max_size=400), st.binary(max_size=40))
def test_no_sdp_does_worse_than_to_offer_nothing(noise: bytes, more: bytes) -> None:
    good = sdp_of((SPS, PPS))
    for text in (noise, good[: len(noise) * 2] + noise, good.replace(b"96", more)):
        try:
            track = h264_track(text)
        except Broken as broken:
            assert broken.state is PictureState.UNSUPPORTED  # noqa: PT017
        else:
            assert 0 <= track.payload_type < 128
            assert track.clock_hz >= 1000


def test_the_first_h264_is_taken_and_not_what_stands_before_it() -> None:
    two = b"m=video 0 RTP/AVP 97 98\r\na=rtpmap:97 H265/90000\r\na=rtpmap:98 h264/90000\r\n"
    assert h264_track(two + b"a=control:b\r\n")[:3] == ("b", 98, 90_000)
    assert h264_track(sdp_of((SPS, PPS))).sets == (SPS, PPS)
    assert h264_track(sdp_of((SPS, PPS)).replace(b"sprop-", b"sprop?")).sets is None


@QUICK
@given(st.binary(max_size=300), st.sampled_from([b"", b"RTSP/1.0 200 OK\r\n", b"OPTIONS * RTSP/"]))
def test_no_answer_does_worse_than_to_be_malformed(noise: bytes, begin: bytes) -> None:
    raw = begin + noise
    try:
        found = read_message(raw, 0, len(raw))
    except Broken as broken:
        assert broken.state is PictureState.MALFORMED  # noqa: PT017
        return
    assert found is None or found[1] <= len(raw)


def test_what_the_register_or_a_camera_gave_never_makes_a_line_of_its_own() -> None:
    made = request("SETUP", "rtsp://a/b\r\nX: y", 1, {"Session": "a\r\nY: z"})
    assert made.count(b"\r\n") == 5  # first line, CSeq, who we are, Session, and the end


@pytest.mark.parametrize(
    ("base", "control", "whole"),
    [
        ("rtsp://h/a/", "t1", "rtsp://h/a/t1"),
        ("rtsp://h/a?x=1", "trackID=0", "rtsp://h/a?x=1/trackID=0"),
        ("rtsp://h/a", "rtsp://h/b", "rtsp://h/b"),
        ("rtsp://h/a", "*", "rtsp://h/a"),
        ("rtsp://h/a", "", "rtsp://h/a"),
    ],
)
def test_a_track_is_asked_for_where_the_camera_says(base: str, control: str, whole: str) -> None:
    assert control_url(base, control) == whole


def test_a_session_ends_after_the_time_that_the_camera_says() -> None:
    assert session_of("abc ; timeout=20") == ("abc", 20)
    assert session_of("abc") == ("abc", 60)
    with pytest.raises(Broken):
        session_of("a" * 300)


def test_digest_answers_as_the_standards_example_does() -> None:
    """RFC 7616, 3.9.1."""
    header = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={},'
        ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",'
        ' opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    login = Login(user="Mufasa", word="Circle of Life")
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    for algorithm, wanted in (
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ):
        challenge = best_challenge([header.format(algorithm)])
        assert challenge is not None
        answer = Answers(challenge, login, lambda: cnonce).header("GET", "/dir/index.html")
        assert f'response="{wanted}"' in answer
        assert "nc=00000001" in answer


def test_the_strongest_challenge_is_answered() -> None:
    headers = [
        'Basic realm="a", Digest realm="b, Basic c", nonce="1"',
        'Digest realm="d", nonce="2", algorithm=SHA-256',
        'Digest realm="e", nonce="3", qop="auth-int"',
    ]
    chosen = best_challenge(headers)
    assert chosen is not None
    assert (chosen.realm, chosen.algorithm) == ("d", "SHA-256")
    chosen = best_challenge(headers[:1])
    assert chosen is not None
    assert (chosen.scheme, chosen.realm) == ("digest", "b, Basic c")
    assert best_challenge(headers[2:]) is None


@QUICK
@given(st.text(max_size=100), st.sampled_from(["", "Digest ", 'Digest nonce="a", ', "Basic "]))
def test_no_challenge_is_too_odd_to_be_read(noise: str, begin: str) -> None:
    challenge = best_challenge([begin + noise])
    if challenge is not None:
        assert (
            Answers(challenge, Login(user="a", word="b")).header("PLAY", "rtsp://h/").isprintable()
        )
