"""The practice cameras' ONVIF services: device, media and PTZ over SOAP, and a snapshot.

Each camera at `/onvif/CAMERA/device_service`, `…/media`, `…/ptz` and `…/snapshot.jpg`. People are
known by WS-Security UsernameToken with a digest, or by HTTP Digest; the time is told to anybody, as
the standard wants. A turn here turns the drawn view.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from farolito.model.camera import Login
from farolito.simulator.camera_eye import CameraEye
from farolito.simulator.camera_login import DigestDoor
from farolito.simulator.camera_services import Service, Unable, name_of
from farolito.simulator.cameras import Fault

BODY_BYTES_MAX = 65_536
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<s:Envelope xmlns:s="{_SOAP}" xmlns:tt="http://www.onvif.org/ver10/schema"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
    ' xmlns:tptz="http://www.onvif.org/ver20/ptz/wsdl"'
    ' xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{}</s:Body></s:Envelope>'
)


class Web(NamedTuple):
    """An HTTP request, whole. `headers` by their names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Reply(NamedTuple):
    status: int
    kind: str
    body: bytes
    more: tuple[tuple[str, str], ...] = ()


class OnvifCameras:
    """One HTTP server for all cameras."""

    def __init__(self, eyes: Mapping[str, CameraEye], host: str, pool: ThreadPoolExecutor) -> None:
        self._eyes, self._host, self._pool = eyes, host, pool
        self._open: set[asyncio.Task[None]] = set()
        self._ports = (0, 0)

    async def open(self, port: int, rtsp_port: int) -> int:
        """The port on which it listens."""
        self._server = await asyncio.start_server(
            self._connected, self._host, port, limit=BODY_BYTES_MAX
        )
        self._ports = (int(self._server.sockets[0].getsockname()[1]), rtsp_port)
        return self._ports[0]

    async def close(self) -> None:
        self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "asyncio makes a task for each connection"
        self._open.add(task)
        door = DigestDoor()
        try:
            while (web := await _request(reader)) is not None:
                reply = await self._reply(web, door)
                if reply is None:
                    break
                head = [f"HTTP/1.1 {reply.status} ONVIF", f"Content-Type: {reply.kind}"]
                head += [f"{name}: {value}" for name, value in reply.more]
                head.append(f"Content-Length: {len(reply.body)}")
                writer.write(("\r\n".join(head) + "\r\n\r\n").encode() + reply.body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError,
                asyncio.CancelledError, ValueError):  # fmt: skip
            pass  # gone, speaks no HTTP, or we close
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _reply(self, web: Web, door: DigestDoor) -> Reply | None:
        """None where nobody answers."""
        parts = web.path.split("?")[0].strip("/").split("/")
        eye = self._eyes.get(parts[1]) if len(parts) == 3 and parts[0] == "onvif" else None
        if eye is None:
            return Reply(404, "text/plain", b"no such camera\n")
        if eye.one.fault is Fault.DEAD:
            return None
        header = web.headers.get("authorization", "")
        by_http = bool(header) and door.lets_in(web.method, header, eye.one.login)
        if parts[2] == "snapshot.jpg":
            if not by_http:
                return Reply(401, "text/plain", b"", (("WWW-Authenticate", door.challenge),))
            main = eye.one.main
            size = (main.width, main.height)
            loop = asyncio.get_running_loop()
            jpeg = await loop.run_in_executor(self._pool, lambda: eye.jpeg(size, datetime.now(UTC)))
            return Reply(200, "image/jpeg", jpeg)
        return self._soap(eye, web, by_http)

    def _soap(self, eye: CameraEye, web: Web, by_http: bool) -> Reply:
        try:
            envelope = fromstring(web.body)
        except (ParseError, DefusedXmlException):
            return _fault(400, "ter:WellFormed", "this is no SOAP")
        asked = next(iter(envelope.find(f"{{{_SOAP}}}Body") or ()), None)
        if asked is None:
            return _fault(400, "ter:WellFormed", "an envelope without a question")
        name = name_of(asked)
        service = Service(eye, self._host, self._ports)
        answer = service.answers.get(name)
        if answer is None:
            return _fault(500, "ter:ActionNotSupported", f"{name} is not supported")
        is_open = name in ("GetSystemDateAndTime", "GetServices", "GetCapabilities")
        if not (is_open or by_http or _is_known(envelope, eye.one.login)):
            return _fault(400, "ter:NotAuthorized", "Sender not authorized")
        try:
            said = answer(asked)
        except Unable as unable:
            return _fault(400, unable.code, str(unable))
        return Reply(200, "application/soap+xml; charset=utf-8", _ENVELOPE.format(said).encode())


async def _request(reader: asyncio.StreamReader) -> Web | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode("latin-1").split("\r\n")
    method, path, _ = lines[0].split(" ", 2)
    pairs = [line.split(":", 1) for line in lines[1:] if ":" in line]
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= BODY_BYTES_MAX:
        return None
    return Web(method, path, headers, await reader.readexactly(length))


def _is_known(envelope: Element, login: Login) -> bool:
    """WS-Security UsernameToken Profile 1.0: base64(SHA-1(nonce + created + word))."""
    told = {name_of(e): (e.text or "").strip() for e in envelope.iter()}
    try:
        nonce = base64.b64decode(told.get("Nonce", ""), validate=True)
    except ValueError:
        return False
    text = nonce + told.get("Created", "").encode() + login.word.encode()
    wanted = base64.b64encode(hashlib.sha1(text, usedforsecurity=False).digest()).decode()
    is_word = hmac.compare_digest(wanted.encode(), told.get("Password", "").encode())
    return told.get("Username") == login.user and is_word


def _fault(status: int, code: str, says: str) -> Reply:
    body = (
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>"
        f"<s:Value>{code}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en">{says}</s:Text></s:Reason></s:Fault>'
    )
    return Reply(status, "application/soap+xml; charset=utf-8", _ENVELOPE.format(body).encode())
