"""The web application over a city's rooms, asked in this process: no engines but the database."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, cast

import httpx

from farolito.app.camera_states import CameraStates
from farolito.app.clock import ids
from farolito.app.sights import Sights
from farolito.console import Services, make_app
from farolito.console.cameras import Cameras
from farolito.desk.ptz import Ptz
from farolito.identity import Identity
from farolito.model import CameraId
from tests.desk.cameras import DENVER, Watched
from tests.desk.city import AGENCY, river_town
from tests.desk.test_ptz import Noted

ADMIN_TOKEN = "token of the node"
ORIGIN = "http://localhost:8700"


class Light:
    """A city, its web, and ways to come to it."""

    def __init__(self, city: Watched, folder: Path) -> None:
        self.city = city
        self.identity = Identity(
            city.database, "localhost", [ORIGIN], city.clock, lambda n: ids().bytes * (n // 16 + 1),
            demo=True, agency=AGENCY.agency_id,
        )  # fmt: skip
        self.turns = Noted()
        self.states = CameraStates(city.book, city.database, city.clock)
        self.sights = Sights(city.book, self.states, DENVER)
        self.sights.use(river_town(), None)
        city.start_watching(self.identity.still_signed_in)
        city.cameras.changed.append(city.watching.look_again)
        cameras = Cameras(
            book=city.book,
            states=self.states,
            desk=city.cameras,
            watching=city.watching,
            ptz=Ptz(city.gate, city.book, self.turns, city.clock, self.sights.turned),
            sights=self.sights,
            url_for=_url,
        )
        known: dict[str, Any] = {
            "agency": AGENCY, "node_name": "test", "version": "0", "demo": True,
            "origin": ORIGIN, "gate": city.gate, "dispatch": city.dispatch,
            "identity": self.identity, "clock": city.clock, "ids": ids,
            "admin_token": ADMIN_TOKEN, "cameras": cameras, "tiles": folder / "tiles",
            "web": folder / "web",
        }  # fmt: skip
        # Of the other rooms nothing is asked here.
        others = {one.name: None for one in fields(Services) if one.default is MISSING}
        app = make_app(Services(**{**others, **known}))
        transport = httpx.ASGITransport(cast(Any, app), client=("127.0.0.1", 5))
        self._transport = transport

    async def sign_in(self, persona: str) -> Someone:
        http = httpx.AsyncClient(transport=self._transport, base_url=ORIGIN)
        answer = await http.post("/api/session/demo", json={"persona": persona})
        assert answer.status_code == 200, answer.text
        return Someone(http, answer.json())

    async def admin(self, method: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with httpx.AsyncClient(transport=self._transport, base_url=ORIGIN) as http:
            return await http.request(method, "/api/admin/cameras", json=body, headers=headers)


class Someone:
    def __init__(self, http: httpx.AsyncClient, session: Any) -> None:
        self.http, self.session = http, session

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers=headers)

    async def say(self, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"X-Farolito-CSRF": self.session["csrf"]}
        return await self.http.request(method, path, json=body or {}, headers=headers)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.say("POST", path, body)


def _url(camera_id: CameraId, host: str) -> str:
    return f"ws://{host}:9000/watch"
