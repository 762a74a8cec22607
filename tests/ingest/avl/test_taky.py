"""Our client at a TAK server that is not ours: taky, as it comes from its package."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from farolito.ingest.avl.cot import Framer, element, parse, to_xml
from tests.ingest.avl.cot_builders import a_car
from tests.ingest.avl.test_tak import Heard, a_brief, a_client, fresh, running, until
from tests.ports import free_port

SOON_S = 20


@pytest.fixture
async def taky(tmp_path: Path) -> AsyncIterator[int]:
    port = free_port()
    settings = tmp_path / "taky.conf"
    settings.write_text(
        f"[taky]\nbind_ip = 127.0.0.1\nroot_dir = {tmp_path}\nhostname = localhost\n"
        f"[cot_server]\nport = {port}\n[dp_server]\nupload_path = {tmp_path}\n"
        "[ssl]\nenabled = false\n"
    )
    command = Path(sys.executable).with_name("taky")
    child = await asyncio.create_subprocess_exec(
        command,
        "-c",
        settings,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(SOON_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                break
    yield port
    child.terminate()
    await child.wait()


async def test_through_taky_positions_come_in_and_a_brief_reaches_its_unit(taky: int) -> None:
    heard = Heard()
    client = a_client(heard, taky)
    reader, writer = await asyncio.open_connection("127.0.0.1", taky)
    async with running(client), asyncio.timeout(SOON_S):
        await until(lambda: client.is_connected)
        car = fresh(a_car("2A14"))
        said = {"device": "phone", "platform": "ATAK", "os": "15", "version": "5"}
        is_user = element("takv", said) + element("__group", {"name": "Cyan", "role": "Lead"})
        car = msgspec.structs.replace(car, detail=car.detail + is_user)
        writer.write(to_xml(car))
        event, user = await heard.next()
        assert (event.uid, user.callsign, user.unit) == ("ANDROID-2A14", "2A14", "2A14")
        client.send(a_brief(), ["2A14"])
        framer, uids = Framer(), set()
        while "brief-1" not in uids:
            uids |= {parse(message).uid for message in framer.feed(await reader.read(65536))}
        assert "farolito-RTCC" in uids, "our presence is on their map"
    writer.close()
    await writer.wait_closed()
