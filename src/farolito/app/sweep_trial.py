"""What a sweep costs: its own process, told of as many cameras as are wanted, for one round."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from farolito.app.locator import receive, send
from farolito.app.supervise import Supervisor
from farolito.app.sweep_process import Settings
from farolito.app.sweeping import child
from farolito.media.control import Pulled
from farolito.media.sweep_control import Begin, Found, Look, RoundDone, SweepSaid, Swept
from farolito.model import CameraHealth, CameraId, PictureState, StreamSource

_encode = msgspec.msgpack.Encoder().encode
_said = msgspec.msgpack.Decoder(SweepSaid).decode


class Trial(NamedTuple):
    """Of one round. `well`: cameras whose picture was judged and is live; `cpu_s` of the
    process."""

    cameras: int
    well: int
    cpu_s: float
    seconds: float


async def sweep_trial(urls: Sequence[str], seconds: float, folder: Path) -> Trial:
    """A round of so many seconds over cameras at these addresses of this machine."""
    socket, file = folder / "sweep.sock", folder / "sweep.json"
    (folder / "log").mkdir(exist_ok=True)
    settings = Settings(socket=str(socket), folder=str(folder), networks=("127.0.0.0/8",))
    file.write_bytes(msgspec.json.encode(settings))
    supervisor = Supervisor()
    try:
        await supervisor.start(child(socket, file, folder))
        reader, writer = await asyncio.open_unix_connection(str(socket))
        cameras = tuple(
            Swept(
                pulled=Pulled(
                    camera_id=CameraId(f"camera-{number}"),
                    main=StreamSource(protocol="rtsp", url=url),
                ),
                looks=True,
            )
            for number, url in enumerate(urls)
        )
        await send(writer, _encode(Look(cameras=cameras, whole=True)))
        await send(writer, _encode(Begin(number=1, seconds=seconds)))
        health: dict[CameraId, CameraHealth] = {}
        while True:
            said = _said(await receive(reader))
            if isinstance(said, Found):
                health |= {one.camera_id: one for one in said.health}
            if isinstance(said, RoundDone):
                break
        writer.close()
        well = sum(one.state is PictureState.LIVE for one in health.values())
        return Trial(len(cameras), well, said.cpu_s, said.seconds)
    finally:
        await supervisor.stop()
