"""From the permit to the cut, through a real process with pictures: in under five seconds."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect

from farolito.app.camera_rooms import CameraRooms
from farolito.app.clock import ids, now
from farolito.app.picturing import Picturing, Serving
from farolito.app.supervise import Supervisor
from farolito.desk.camera_register import Brought
from farolito.gate import Ask
from farolito.identity import Identity
from farolito.model import Consent, Purpose, StreamSource, Thing
from farolito.store import Database
from tests.camera_builders import TRANSIT
from tests.desk.cameras import ADMIN, DENVER, GATE, RUTH, gate_camera
from tests.desk.city import AGENCY, City, a_city
from tests.ports import free_port

WITHIN_S = 5.0
SOURCE = StreamSource(protocol="rtsp", url=f"rtsp://127.0.0.1:{free_port()}/none")


class Rooms:
    def __init__(self, city: City, folder: Path, supervisor: Supervisor) -> None:
        self.city = city
        self.identity = Identity(
            city.database, "localhost", ["http://localhost"], now, os.urandom, demo=True,
            agency=AGENCY.agency_id,
        )  # fmt: skip
        self.rooms = CameraRooms(
            city.gate, city.database, self.identity, city.system, folder / "cameras.key", DENVER,
            now, ids,
        )  # fmt: skip
        self.picturing = Picturing(
            supervisor, folder, Serving(networks=("127.0.0.0/8",)), lambda: time.time_ns() // 1000
        )

    def ask(self, **more: Any) -> Ask:
        whole = {"signed_in_at": now(), "thing": Thing.CAMERA, **more}
        return msgspec.structs.replace(self.city.ask("test"), **whole)

    async def bring(self) -> None:
        """A camera that answers nobody: who may look is no matter of what there is to see."""
        brought = Brought(owners=(TRANSIT,), cameras=(gate_camera(main=SOURCE),))
        ask = self.ask(person=ADMIN, purpose=Purpose.ADMINISTRATION)
        await self.rooms.desk.take_in(ask, brought)

    async def watch(self) -> tuple[ClientConnection, str]:
        signed_in, cookie = await self.identity.demo_sign_in("operator", peer_is_loopback=True)
        ask = self.ask(person=signed_in.person, session=signed_in.session)
        answer = await self.rooms.watching.watch(ask, GATE)
        line = await connect(self.rooms.url_for(GATE, "127.0.0.1"), compression=None, origin=None)
        await line.send(json.dumps({"k": "token", "token": answer.value.token}))
        assert (await said(line, "open"))["camera_id"] == GATE
        return line, cookie


async def said(line: ClientConnection, kind: str) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            message = await line.recv()
            if isinstance(message, str) and (told := json.loads(message))["k"] == kind:
                return dict(told)


@pytest.fixture
async def rooms(database: Database, tmp_path: Path) -> AsyncIterator[Rooms]:
    supervisor = Supervisor()
    async with a_city(database, tmp_path) as city:
        # The people here live by the real clock, since a real process proves the tokens.
        city.gate._clock = now
        made = Rooms(city, tmp_path, supervisor)
        await made.rooms.load()
        made.rooms.use(made.picturing)
        work: list[asyncio.Task[Any]] = []
        try:
            await made.picturing.start()
            work = [asyncio.ensure_future(one()) for one in made.rooms.work().values()]
            await made.bring()
            yield made
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await made.picturing.close()
            await supervisor.stop()


async def test_a_picture_ends_with_the_owners_consent_and_with_the_sign_in(rooms: Rooms) -> None:
    line, _ = await rooms.watch()
    consent = rooms.ask(person=RUTH, purpose=Purpose.ADMINISTRATION, thing=Thing.CONSENT)
    began = time.monotonic()
    await rooms.rooms.desk.consent(consent, GATE, Consent.REGISTRY_ONLY, ())
    end = await said(line, "end")
    assert end["why"] == "cut"
    assert "does not let us look" in end["says"]
    assert time.monotonic() - began < WITHIN_S
    await rooms.rooms.desk.consent(consent, GATE, Consent.ALWAYS, ())
    line, cookie = await rooms.watch()
    began = time.monotonic()
    await rooms.identity.sign_out(cookie)
    end = await said(line, "end")
    assert (end["why"], end["says"]) == ("cut", "you are signed out")
    assert time.monotonic() - began < WITHIN_S
    async with asyncio.timeout(WITHIN_S):
        while (ended := await whys(rooms)) != ["signed_out", "no_consent"]:
            await asyncio.sleep(0.02)
    assert len(ended) == 2


async def whys(rooms: Rooms) -> list[str]:
    async with rooms.city.records() as records:
        return [one.why_ended for one in await records.viewings.of_camera(GATE)]
