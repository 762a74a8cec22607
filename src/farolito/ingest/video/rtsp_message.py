"""RTSP 1.0 requests and answers as bytes (RFC 2326)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from farolito.codec import Broken
from farolito.ingest.video.sdp import SDP_BYTES_MAX
from farolito.model import PictureState

HEAD_BYTES_MAX = 16 * 2**10
BODY_BYTES_MAX = SDP_BYTES_MAX
HEADERS_MAX = 64
SESSION_S_DEFAULT = 60  # RFC 2326, 12.37
_END = b"\r\n\r\n"
_ANSWER = re.compile(r"RTSP/1\.\d (\d{3})(?: |$)")
_SESSION_CHARACTERS_MAX = 256


class Message(NamedTuple):
    """An answer, or a request of the camera's own (`status` 0). Names of headers in lower case."""

    status: int
    headers: Mapping[str, list[str]]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name, [""])[0]

    @property
    def cseq(self) -> int:
        """-1 where there is none."""
        value = self.header("cseq")
        return int(value) if value.isdecimal() and len(value) <= 10 else -1


def request(method: str, uri: str, cseq: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {cseq}", "User-Agent: Farolito"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    # What the register and the camera gave never ends a line of ours.
    lines = ["".join(one for one in line if one.isprintable()) for line in lines]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_message(raw: bytes | bytearray, at: int, end: int) -> tuple[Message, int] | None:
    """The message at `raw[at:end]` and where it ends; None: not all of it has come.

    Raises Broken MALFORMED: no RTSP, or a head or body past its limit.
    """
    found = raw.find(_END, at, min(end, at + HEAD_BYTES_MAX))
    if found < 0:
        if end - at >= HEAD_BYTES_MAX:
            raise malformed("answers with a head without end")
        if not _may_begin(bytes(raw[at : min(end, at + 16)])):
            raise malformed("does not speak RTSP")
        return None
    first, *lines = bytes(raw[at:found]).decode("latin-1").split("\r\n")
    headers = _headers(lines)
    answer = _ANSWER.match(first)
    if answer is None and not first.endswith(" RTSP/1.0"):
        raise malformed("does not speak RTSP")
    length = headers.get("content-length", ["0"])[0]
    if not length.isdecimal() or len(length) > 9 or int(length) > BODY_BYTES_MAX:
        raise malformed("answers with more than an answer holds")
    body = found + len(_END)
    stop = body + int(length)
    if stop > end:
        return None
    return Message(int(answer[1]) if answer else 0, headers, bytes(raw[body:stop])), stop


def _may_begin(head: bytes) -> bool:
    return all(32 <= one < 127 or one in b"\r\n" for one in head)


def _headers(lines: list[str]) -> dict[str, list[str]]:
    if len(lines) > HEADERS_MAX:
        raise malformed("answers with too many headers")
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), []).append(value.strip())
    return headers


def session_of(header: str) -> tuple[str, int]:
    """A `Session` header: its name, and after how many seconds of silence it ends."""
    name, _, rest = header.partition(";")
    name = name.strip()
    if len(name) > _SESSION_CHARACTERS_MAX or not name.isprintable():
        raise malformed("gives its session an impossible name")
    found = re.search(r"timeout\s*=\s*(\d{1,6})", rest)
    return name, max(int(found[1]), 1) if found else SESSION_S_DEFAULT


def control_url(base: str, control: str) -> str:
    """Where a track is controlled. Cameras put a query into the base and still mean a path."""
    if control in ("", "*"):
        return base
    if control.lower().startswith(("rtsp://", "rtsps://")):
        return control
    return f"{base.rstrip('/')}/{control.lstrip('/')}"


def malformed(how: str) -> Broken:
    return Broken(
        PictureState.MALFORMED, f"the camera {how}", "check that its address is that of its stream"
    )
