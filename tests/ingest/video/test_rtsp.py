"""Pictures come by RTSP from good cameras, and bad ones end in a word and a limit."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal

import cv2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from farolito.codec import AccessUnit, Broken
from farolito.codec.h264 import nals
from farolito.ingest.video import rtsp
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.open import one_key_unit, open_upstream, probe
from farolito.ingest.video.rtsp import RtspUpstream
from farolito.ingest.video.rtsp_line import Limits
from farolito.ingest.video.rtsp_talk import RtspCamera
from farolito.model import Login, PictureState, StreamSource
from tests.codec.sps_builder import Writer, sps
from tests.ingest.video.bad_camera import BadCamera, sdp_of
from tests.ingest.video.pictures import units

LOOPBACK = Guard([ip_network("127.0.0.0/8")])
LOGIN = Login(user="ana", word='se"c\\ret ñ')
QUICK = Limits(answer_s=0.4, stall_s=0.4, picture_s=0.8, tick_s=0.05)
DEADLINE_S = 10.0
PICTURES = units()


def now_us() -> int:
    return time.time_ns() // 1000


def upstream(
    source: StreamSource,
    login: Login | None = None,
    *,
    guard: Guard = LOOPBACK,
    limits: Limits = QUICK,
    context: ssl.SSLContext | None = None,
) -> RtspUpstream:
    return RtspUpstream(RtspCamera(source, login, guard, now_us, context, limits))


class Pull:
    """What a line delivered, and how it ended."""

    def __init__(self, line: RtspUpstream) -> None:
        self.line = line
        self.units: list[AccessUnit] = []
        self._news = asyncio.Event()
        self.task = asyncio.create_task(line.run(self._take))
        self.task.add_done_callback(lambda _: self._news.set())

    def _take(self, unit: AccessUnit) -> None:
        self.units.append(unit)
        self._news.set()

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not reached():
                assert not self.task.done(), self.task.exception()
                self._news.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self._news.wait()

    async def broken(self) -> Broken:
        with pytest.raises(Broken) as broken:
            async with asyncio.timeout(DEADLINE_S):
                await self.task
        assert broken.value.says
        assert broken.value.do
        return broken.value


@asynccontextmanager
async def pulling(line: RtspUpstream) -> AsyncIterator[Pull]:
    pull = Pull(line)
    try:
        yield pull
    finally:
        pull.task.cancel()
        with suppress(asyncio.CancelledError, Broken):
            await pull.task


def sent(camera: BadCamera, count: int) -> Iterator[list[bytes]]:
    return (list(camera.units[number % len(camera.units)]) for number in range(count))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_what_the_camera_coded_is_what_comes(
    transport: Literal["tcp", "udp"], tmp_path: Path
) -> None:
    camera = BadCamera(PICTURES, mtu=200, shuffles=True)
    async with camera.running(), pulling(upstream(camera.source(transport))) as pull:
        await pull.until(lambda: len(pull.units) >= 25 and pull.line.figures.fps > 0)
        figures = pull.line.figures
    assert [nals(unit.data) for unit in pull.units] == list(sent(camera, len(pull.units)))
    assert [unit.is_key for unit in pull.units[:11]] == [True, *[False] * 9, True]
    assert [unit.media_us for unit in pull.units[:25]] == [n * 40_000 for n in range(25)]
    assert abs(pull.units[0].received_us - now_us()) < DEADLINE_S * 1e6
    assert (figures.width, figures.height, figures.key_interval_s) == (64, 48, 0.4)
    assert (figures.lost, figures.spoiled, figures.has_b_frames) == (0, 0, False)
    assert figures.units >= 25
    assert figures.keys >= 3
    assert figures.bytes > 50_000
    assert camera.heard[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert decoded(pull.units, tmp_path) == len(pull.units)


def decoded(pictures: list[AccessUnit], folder: Path) -> int:
    (folder / "pictures.h264").write_bytes(b"".join(unit.data for unit in pictures))
    video = cv2.VideoCapture(str(folder / "pictures.h264"))
    count = 0
    while video.read()[0]:
        count += 1
    return count


async def test_parameter_sets_that_only_the_sdp_tells_stand_before_each_key_picture() -> None:
    bare = [[unit[-1]] for unit in PICTURES]
    sets = PICTURES[0][0], PICTURES[0][1]
    camera = BadCamera(bare, sdp=sdp_of(sets))
    async with camera.running(), pulling(upstream(camera.source())) as pull:
        await pull.until(lambda: len(pull.units) >= 12)
    assert [nals(unit.data) for unit in pull.units if unit.is_key][:2] == [list(PICTURES[0])] * 2


async def test_a_camera_that_lies_in_its_sdp_alone_is_believed_by_its_stream() -> None:
    camera = BadCamera(PICTURES, sdp=sdp_of((LIE, b"\x68\xce")))
    async with camera.running(), pulling(upstream(camera.source())) as pull:
        await pull.until(lambda: pull.line.figures.width == 64)


async def test_a_camera_that_wants_udp_gets_it_though_tcp_was_registered() -> None:
    camera = BadCamera(PICTURES, transports=("udp",))
    async with camera.running(), pulling(upstream(camera.source("tcp"))) as pull:
        await pull.until(lambda: len(pull.units) >= 3)


@pytest.mark.parametrize(
    "asking",
    [
        {"basic": True},
        {"qop": ""},
        {"qop": "auth"},
        {"qop": "auth-int,auth"},
        {"algorithm": "SHA-256"},
        {"algorithm": "MD5-sess"},
        {"stale_after": 1},
    ],
    ids=lambda one: ",".join(f"{key}={value}" for key, value in one.items()),
)
async def test_the_login_is_shown_as_the_camera_asks_and_never_in_an_address(
    asking: dict[str, object],
) -> None:
    camera = BadCamera(PICTURES, login=(LOGIN.user, LOGIN.word), timeout_s=1, **asking)  # type: ignore[arg-type]
    async with camera.running(), pulling(upstream(camera.source(), LOGIN)) as pull:
        await pull.until(lambda: len(pull.units) >= 3 and "GET_PARAMETER" in camera.heard)
    assert not any(LOGIN.user in head.partition("\r\n")[0] for head in camera.heads)
    assert not any(LOGIN.word in head for head in camera.heads)


@pytest.mark.parametrize(("login", "asked_at_most"), [(None, 1), (LOGIN, 3)])
async def test_a_login_that_is_not_taken_is_not_tried_again_and_again(
    login: Login | None, asked_at_most: int
) -> None:
    camera = BadCamera(PICTURES, login=("ana", "another"), always_401=True)
    async with camera.running(), pulling(upstream(camera.source(), login)) as pull:
        assert (await pull.broken()).state is PictureState.REFUSED
    assert len(camera.heard) <= asked_at_most


async def silence(_: asyncio.StreamWriter) -> None:
    pass


async def one_byte_at_a_time(writer: asyncio.StreamWriter) -> None:
    for byte in b"RTSP/1.0 200 OK\r\nX: " + b"y" * 10_000:
        writer.write(bytes((byte,)))
        await asyncio.sleep(0.02)


async def flood(writer: asyncio.StreamWriter) -> None:
    """Packets of another payload type, as fast as they are taken."""
    writer.write(b"RTSP/1.0 200 OK\r\nCSeq: 4\r\n\r\n")
    while not writer.transport.is_closing():
        writer.write((b"$\x04\xff\xf0\x80\x00" + b"x" * 0xFFEE) * 4)
        await writer.drain()


def status(number: int, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    return number, headers or {}, b""


def video(codec: str) -> bytes:
    return sdp_of(None, codec)


LIE = sps(macroblocks=(4000, 4000), crop=(0, 0, 0, 1))
S = PictureState
BAD: list[tuple[str, dict[str, object], PictureState]] = [
    ("answers nothing", {"answers": {"OPTIONS": silence}}, S.STALLED),
    ("answers a byte now and then", {"answers": {"DESCRIBE": one_byte_at_a_time}}, S.STALLED),
    ("answers PLAY and sends nothing", {"answers": {"PLAY": status(200)}}, S.STALLED),
    ("stops within a picture group", {"stalls_after": 7}, S.STALLED),
    ("dies within a picture group", {"dies_after": 7}, S.UNREACHABLE),
    ("speaks HTTP", {"says_instead": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, S.MALFORMED),
    ("sends garbage", {"says_instead": bytes(range(128, 256)) * 9}, S.MALFORMED),
    ("sends a head without end", {"says_instead": b"RTSP/1.0 200 OK\r\nX: " + b"y" * 20_000},
     S.MALFORMED),
    ("sends headers without end", {"says_instead": b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 99
                                   + b"\r\n"}, S.MALFORMED),
    ("tells of a body without end", {"says_instead": b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"
                                     b"Content-Length: 999999999\r\n\r\n"}, S.MALFORMED),
    ("floods", {"answers": {"PLAY": flood}}, S.TOO_MUCH),
    ("sends one endless picture", {"units": [[b"\x65" + b"x" * 5_000_000]], "rate": 9.0},
     S.TOO_MUCH),
    ("lies in its parameter set", {"units": [[LIE, b"\x68\xce", b"\x65\x88"]]}, S.MALFORMED),
    ("sends no key picture", {"units": PICTURES[1:]}, S.STALLED),
    ("sends H.265 alone", {"sdp": video("H265")}, S.UNSUPPORTED),
    ("sends JPEG alone", {"sdp": video("JPEG")}, S.UNSUPPORTED),
    ("sends no video", {"sdp": b"v=0\r\nm=audio 0 RTP/AVP 0\r\n"}, S.UNSUPPORTED),
    ("knows no such stream", {"answers": {"DESCRIBE": status(404)}}, S.NOT_FOUND),
    ("forbids it", {"answers": {"DESCRIBE": status(403)}}, S.REFUSED),
    ("is full", {"answers": {"SETUP": status(453)}}, S.UNREACHABLE),
    ("fails", {"answers": {"PLAY": status(500)}}, S.UNREACHABLE),
    ("asks for a login of its own kind", {"answers": {"OPTIONS": status(
        401, {"WWW-Authenticate": 'Digest realm="a", nonce="b", algorithm=SHA3'})}},
     S.UNSUPPORTED),
    ("sends us round in circles", {"answers": {"OPTIONS": "itself"}}, S.MALFORMED),
    ("sends us to a cloud's secrets", {"answers": {"DESCRIBE": status(
        302, {"Location": "rtsp://169.254.169.254/latest"})}}, S.BLOCKED),
    ("sends us to a port of the node", {"answers": {"DESCRIBE": status(
        301, {"Location": "rtsp://127.0.0.1:9000/"})}}, S.BLOCKED),
    ("sends us to a web page", {"answers": {"DESCRIBE": status(
        302, {"Location": "http://127.0.0.1/"})}}, S.BLOCKED),
    ("sends us nowhere", {"answers": {"DESCRIBE": status(302)}}, S.BLOCKED),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "state"), [one[1:] for one in BAD], ids=[one[0] for one in BAD])
async def test_a_camera_that(fault: dict[str, object], state: PictureState) -> None:
    camera = BadCamera(**{"units": PICTURES, **fault})  # type: ignore[arg-type]
    guard = Guard([ip_network("127.0.0.0/8")], own_ports=[9000])
    async with camera.running():
        if camera.answers.get("OPTIONS") == "itself":  # type: ignore[comparison-overlap]
            camera.answers["OPTIONS"] = status(301, {"Location": camera.url})
        async with pulling(upstream(camera.source(), LOGIN, guard=guard)) as pull:
            assert (await pull.broken()).state is state


async def test_nobody_at_the_address_is_unreachable() -> None:
    camera = BadCamera(PICTURES)
    async with camera.running():
        source = camera.source()
    async with pulling(upstream(source)) as pull:
        assert (await pull.broken()).state is PictureState.UNREACHABLE


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_after_a_loss_nothing_comes_until_the_next_key_picture(
    transport: Literal["tcp", "udp"],
) -> None:
    # 32 packets a group of ten pictures: the first group loses one within its fifth picture.
    camera = BadCamera(PICTURES, drops=lambda number: number == 15)
    async with camera.running(), pulling(upstream(camera.source(transport))) as pull:
        await pull.until(lambda: len(pull.units) >= 20)
        figures = pull.line.figures
    came = [nals(unit.data) for unit in pull.units]
    assert came[:4] == list(sent(camera, 4))
    assert came[4:14] == list(sent(camera, 10))
    assert figures.lost == 1
    assert figures.spoiled == 6


async def test_a_size_that_changes_comes_with_its_own_parameter_sets() -> None:
    camera = BadCamera([*PICTURES, *units(96, 80, 5)])
    async with camera.running(), pulling(upstream(camera.source())) as pull:
        await pull.until(lambda: pull.line.figures.width == 96)
        assert pull.line.figures.height == 80
        await pull.until(lambda: pull.line.figures.width == 64)


async def test_b_pictures_pass_in_the_order_they_were_coded_and_are_said_to_be_there() -> None:
    key = [sps(64, 48, reorder=2), b"\x68\xce\x3c\x80", Writer().ue(0, 7).u(9, 30).nal(b"\x65")]
    p, b = (Writer().ue(0, kind).u(9, 30).nal(b"\x41") for kind in (5, 6))
    camera = BadCamera([key, [p], [b], [b], [p], [b]])
    async with camera.running(), pulling(upstream(camera.source())) as pull:
        await pull.until(lambda: len(pull.units) >= 12)
        assert pull.line.figures.has_b_frames
    assert [nals(unit.data) for unit in pull.units] == list(sent(camera, len(pull.units)))


async def test_a_redirect_is_followed_and_the_login_stays_at_home() -> None:
    good = BadCamera(PICTURES)
    asking = BadCamera(PICTURES, login=(LOGIN.user, LOGIN.word), basic=True)
    first = BadCamera(PICTURES, login=(LOGIN.user, LOGIN.word))
    async with good.running(), asking.running(), first.running():
        first.answers["DESCRIBE"] = status(302, {"Location": good.url})
        async with pulling(upstream(first.source(), LOGIN)) as pull:
            await pull.until(lambda: len(pull.units) >= 2)
        elsewhere = f"rtsp://localhost:{asking.port}/cam"
        first.answers["DESCRIBE"] = status(302, {"Location": elsewhere})
        async with pulling(upstream(first.source(), LOGIN)) as pull:
            assert (await pull.broken()).state is PictureState.REFUSED
    assert not any("Authorization" in head for head in asking.heads)


async def test_a_session_is_kept_alive_in_the_words_that_the_camera_takes_and_then_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtsp, "REPORT_S", 0.1)
    camera = BadCamera(PICTURES, timeout_s=1, answers={"GET_PARAMETER": status(501)})
    async with camera.running():
        async with pulling(upstream(camera.source())) as pull:
            await pull.until(lambda: camera.heard.count("OPTIONS") >= 3)
        async with asyncio.timeout(DEADLINE_S):
            while camera.heard[-1] != "TEARDOWN":
                await asyncio.sleep(0.01)
    assert camera.heard.count("GET_PARAMETER") == 1
    assert "report" in camera.heard
    assert "Session: abc\r\n" in camera.heads[-1]


async def test_one_key_picture_is_fetched_and_the_line_ended() -> None:
    camera = BadCamera(PICTURES)
    async with camera.running():
        line = open_upstream(camera.source(), None, LOOPBACK, now_us=now_us)
        unit = await one_key_unit(line, DEADLINE_S)
        async with asyncio.timeout(DEADLINE_S):
            while camera.heard[-1] != "TEARDOWN":
                await asyncio.sleep(0.01)
        assert nals(unit.data) == list(PICTURES[0])
        camera.units = PICTURES[1:]
        with pytest.raises(Broken) as broken:
            await one_key_unit(upstream(camera.source()), 0.2)
        assert broken.value.state is PictureState.STALLED


async def test_a_probe_asks_for_no_picture() -> None:
    camera = BadCamera(PICTURES)
    async with camera.running():
        await probe(camera.source(), None, LOOPBACK)
        camera.sdp = video("H265")
        with pytest.raises(Broken, match=r"H\.265 alone"):
            await probe(camera.source(), None, LOOPBACK)
    assert set(camera.heard) == {"OPTIONS", "DESCRIBE"}


async def test_tls_is_spoken_with_who_is_believed_and_with_nobody_else(tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    camera = BadCamera(PICTURES)
    async with camera.running(server):
        async with pulling(upstream(camera.source(), context=client)) as pull:
            await pull.until(lambda: len(pull.units) >= 12)
        async with pulling(upstream(camera.source())) as pull:
            broken = await pull.broken()
        assert broken.state is PictureState.UNREACHABLE
        assert "certificate" in broken.says
        camera.answers["DESCRIBE"] = status(302, {"Location": "rtsp://127.0.0.1:8554/"})
        async with pulling(upstream(camera.source(), context=client)) as pull:
            assert (await pull.broken()).state is PictureState.BLOCKED  # no way back to plain text


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A camera's own certificate, as most have, and who believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "camera")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain
    )
    certificate = made.public_bytes(serialization.Encoding.PEM)
    (folder / "camera.pem").write_bytes(certificate + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "camera.pem")
    return server, ssl.create_default_context(cadata=certificate.decode())
