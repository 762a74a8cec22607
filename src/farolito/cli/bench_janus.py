"""The rival for pictures: Janus, a WebRTC server, as Debian packages it, on the same camera.

Its streaming plugin pulls the camera itself and hands its packets to a browser unchanged. It has
no name for a person and writes no ledger. Where it is not installed the figures are null.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from farolito.cli.bench_ports import free_ports
from farolito.model import FarolitoError

PLUGINS = Path("/usr/lib/x86_64-linux-gnu/janus")
UP_S_MAX = 15.0


class Janus:
    """`pid` for its CPU time; `url` of its API."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self.pid = url, pid


def own_address() -> str | None:
    """Of this machine, but not the loopback's. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))  # RFC 5737: nobody's
        except OSError:
            return None
        address: str = asking.getsockname()[0]
        return address


def why_not() -> str | None:
    if shutil.which("janus") is None or not PLUGINS.exists():
        return "apt-get install janus"
    return None


@asynccontextmanager
async def janus(folder: Path, address: str, cameras: Sequence[str]) -> AsyncIterator[Janus]:
    """Janus at `address`, with a mountpoint 1, 2, … for each of these RTSP addresses. libnice
    takes no loopback address. Raises FarolitoError where Janus is not there or does not start."""
    if problem := why_not():
        raise FarolitoError("Janus is not installed", problem)
    folder.mkdir(parents=True)
    (port,) = free_ports(1)
    for name, text in {
        "janus.jcfg": _general(address),
        "janus.transport.http.jcfg": _http(address, port),
        "janus.plugin.streaming.jcfg": _mountpoints(cameras),
    }.items():
        (folder / name).write_text(text)
    with (folder / "janus.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "janus", "-F", str(folder), "-C", str(folder / "janus.jcfg"), stdout=log, stderr=log
        )
    try:
        url = f"http://{address}:{port}/janus"
        await _up(url, process)
        yield Janus(url, process.pid)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _up(url: str, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        for _ in range(int(UP_S_MAX * 10)):
            if process.returncode is not None:
                break
            try:
                if (await http.get(f"{url}/info")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise FarolitoError("Janus did not start", "see its log")


def _general(address: str) -> str:
    wanted = ("libjanus_http.so", "libjanus_streaming.so")
    others = ",".join(
        sorted(
            file.name
            for kind in ("plugins", "transports", "events", "loggers")
            for file in (PLUGINS / kind).glob("*.so")
            if file.name not in wanted
        )
    )
    return f"""
general: {{ plugins_folder = "{PLUGINS}/plugins"
  transports_folder = "{PLUGINS}/transports"
  events_folder = "{PLUGINS}/events"
  loggers_folder = "{PLUGINS}/loggers"
  debug_level = 3 }}
media: {{ ipv6 = false }}
nat: {{ ice_enforce_list = "{address}"  mdns = false }}
plugins: {{ disable = "{others}" }}
transports: {{ disable = "{others}" }}
"""


def _http(address: str, port: int) -> str:
    return f"""
general: {{ json = "compact"  base_path = "/janus"  http = true
  port = {port}  ip = "{address}"  https = false }}
admin: {{ admin_http = false }}
"""


def _mountpoints(cameras: Sequence[str]) -> str:
    return "\n".join(
        f"""camera-{at}: {{ type = "rtsp"  id = {at}  audio = false  video = true
  url = {json.dumps(url)} }}"""
        for at, url in enumerate(cameras, start=1)
    )
