"""SRT: an encoder that knows the passphrase brings its picture; nobody else does."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest
from tstrans import mpegts
from tstrans.exceptions import SrtError
from tstrans.srt import Builder, MuxSender

from farolito.codec import AccessUnit, Broken
from farolito.ingest.video import srt
from farolito.ingest.video.guard import Guard
from farolito.ingest.video.srt import SrtUpstream, read_url
from farolito.model import Login, PictureState, StreamSource
from tests.ingest.video.moving_pictures import FPS, TICKS, pictures, program
from tests.ingest.video.web_camera import LOOPBACK, ended, until
from tests.ports import free_port

WORD = "correct horse battery"


def now_us() -> int:
    return time.time_ns() // 1000


def upstream(url: str, login: Login | None, guard: Guard = LOOPBACK) -> SrtUpstream:
    return SrtUpstream(StreamSource(protocol="srt", url=url), login, guard, now_us)


class EncoderBox(threading.Thread):
    """Calls until somebody answers, then pushes its pictures at their pace until it is stopped."""

    def __init__(self, port: int, stream_id: str, word: str = WORD) -> None:
        super().__init__(daemon=True)
        self._call = (port, stream_id, word)
        self._stop_asked = threading.Event()
        self.sent = 0

    def run(self) -> None:
        port, stream_id, word = self._call
        while not self._stop_asked.wait(0.05):
            caller = Builder(
                f"srt://127.0.0.1:{port}",
                latency_ms=20,
                passphrase=word,
                stream_id=stream_id,
                connect_timeout_ms=500,
            ).caller()
            try:
                self._push(caller.connect().into_mux_sender(program()))
            except SrtError:
                continue

    def _push(self, sender: MuxSender) -> None:
        try:
            while not self._stop_asked.is_set():
                unit, is_key = pictures()[self.sent % len(pictures())]
                pts = mpegts.Pts90khz.from_raw(self.sent * TICKS)
                sender.send_video(unit, pts=pts, key_frame=is_key)
                self.sent += 1
                self._stop_asked.wait(0.2 / FPS)
        finally:
            sender.close()

    def __enter__(self) -> EncoderBox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join(5)


async def test_an_encoder_pushes_its_pictures_and_a_stranger_does_not_get_in() -> None:
    port = free_port(socket.SOCK_DGRAM)
    line = upstream(
        f"srt://127.0.0.1:{port}?mode=listener&streamid=door-3&latency=20",
        Login(user="", word=WORD),
    )
    units: list[AccessUnit] = []
    task = asyncio.create_task(line.run(units.append))
    with EncoderBox(port, "door-4"), EncoderBox(port, "door-3", "another passphrase"):
        await asyncio.sleep(0)
        with EncoderBox(port, "door-3") as box:
            await until(lambda: task.done() or len(units) >= 20)
            assert box.sent >= 20
        # It hangs up: the line ends with a word, and its port is free again.
        with pytest.raises(Broken) as caught:
            await ended(task)
    assert caught.value.state is PictureState.STALLED
    told = [data for data, _ in pictures()]
    assert [unit.data for unit in units[:20]] == told[:20]
    assert units[0].is_key
    figures = line.figures
    assert (figures.width, figures.height) == (160, 96)
    assert figures.fps == pytest.approx(FPS, rel=0.1)


async def test_a_line_that_is_given_up_frees_its_port_and_its_thread() -> None:
    port = free_port(socket.SOCK_DGRAM)
    url = f"srt://127.0.0.1:{port}?mode=listener"
    for _ in range(2):
        task = asyncio.create_task(upstream(url, Login(user="a", word=WORD)).run(lambda _: None))
        await until(lambda: any(one.name == "srt" for one in threading.enumerate()))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not any(one.name == "srt" for one in threading.enumerate())


@pytest.mark.parametrize(
    ("url", "login", "guard", "state"),
    [
        ("srt://0.0.0.0:9000?mode=listener", None, LOOPBACK, PictureState.REFUSED),
        ("srt://0.0.0.0:9000?mode=listener", Login(user="", word="short"), LOOPBACK,
         PictureState.REFUSED),
        ("srt://0.0.0.0:80?mode=listener", Login(user="", word=WORD), LOOPBACK,
         PictureState.NOT_FOUND),
        ("srt://0.0.0.0", None, LOOPBACK, PictureState.NOT_FOUND),
        ("srt://camera:9000?mode=rendezvous", None, LOOPBACK, PictureState.NOT_FOUND),
        ("srt://127.0.0.1:9000", None, Guard(), PictureState.BLOCKED),
    ],
)  # fmt: skip
async def test_an_address_that_cannot_be_used_says_why(
    url: str, login: Login | None, guard: Guard, state: PictureState
) -> None:
    with pytest.raises(Broken) as caught:
        await ended(upstream(url, login, guard).run(lambda _: None))
    assert caught.value.state is state


async def test_an_encoder_that_is_called_and_is_not_there_is_unreachable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(srt, "CALL_S_MAX", 0.5)
    with pytest.raises(Broken) as caught:
        await ended(
            upstream(f"srt://127.0.0.1:{free_port(socket.SOCK_DGRAM)}", None).run(lambda _: None)
        )
    assert caught.value.state is PictureState.UNREACHABLE


def test_the_words_of_an_address() -> None:
    where = read_url("srt://10.0.0.5:9000?streamid=door-3&latency=99999&mode=caller")
    assert where == ("10.0.0.5", 9000, False, "door-3", 8000)
