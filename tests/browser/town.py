"""A small town with streets and dispatch systems: what lies between a call and an officer's phone.

Each test has a unit, a corner and a call number of its own, so that all share one node.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import expect

from farolito.ingest.cad.sources import CadFolder
from farolito.model import DeviceId, Point
from tests.browser.screens import Screen, Screens
from tests.desk.city import river_town
from tests.geo.towns import at
from tests.running import CAD, Person, RunningNode, numbers, running_node

QUIET = msgspec.structs.replace(CAD, device_id=DeviceId("quiet-cad"), name="Quiet CAD")
QUIET_AFTER_S = 3.0
MAPPING = "name: quiet\nformat: xml\nrecords: Calls/Call\nfields: {number: Number}\n"
# A language that does not exist, under a tag kept for private use, says two of our sentences.
OWN_LANGUAGE = "qaa"
OWN_WORDS = {
    "language": "Own words",
    "what.call": "Tali {level}, {kind}.",
    "hazards.no_flags": "Tali ma wena.",
}


class Town:
    """The node, its dispatch system, its radio system, and its operator beside any screen."""

    def __init__(self, node: RunningNode, cad: str, radio: str, operator: Person) -> None:
        self.node, self._cad, self._radio, self.operator = node, cad, radio, operator

    @property
    def heartbeat(self) -> Path:
        """What the quiet dispatch system touches to say that it lives."""
        return self.node.node.state.parent / "quiet" / "alive"

    async def call(self, number: str, **more: Any) -> None:
        await self.node.call(self._cad, number, **more)

    async def drive(self, unit: str, x: float, y: float, speed_mps: float = 0.0) -> None:
        """The radio system tells where the unit is and how fast it goes."""
        await self.node.positions(self._radio, [(unit, Point(*at(x, y)))], speed_mps=speed_mps)

    async def of_call(self, number: str) -> dict[str, Any]:
        """The incident as the list has it at this moment."""
        told = (await self.operator.get("/api/incidents")).json()["incidents"]
        [found] = [one for one in told if number in numbers(one)]
        return dict(found)

    async def detail(self, number: str) -> dict[str, Any]:
        incident = await self.of_call(number)
        answer = await self.operator.get(f"/api/incidents/{incident['incident_id']}")
        return dict(answer.json())

    async def phone(self, screens: Screens, unit: str, port: int | None = None) -> Screen:
        """The phone of the unit's officer, at its brief page."""
        await self.node.officer(unit)
        return await screens.crew(port or self.node.port, unit)

    async def console(self, screens: Screens) -> Screen:
        """The operator's console, at its calls."""
        operator = await screens.operator(self.node.port)
        await operator.page.get_by_role("tab", name="Calls").click()
        return operator

    async def opened(self, operator: Screen, number: str) -> str:
        """The call's incident, opened in the panel; its id."""
        incident_id = str((await self.of_call(number))["incident_id"])
        await operator.incident(incident_id).click()
        await expect(operator.at("incident-head")).to_contain_text(number)
        await expect(operator.at("incident-log")).to_be_visible()
        return incident_id


@asynccontextmanager
async def small_town() -> AsyncIterator[Town]:
    folder = Path(tempfile.mkdtemp(prefix="farolito-node-"))
    folder.chmod(0o711)
    words, quiet = folder / "state" / "words", folder / "quiet"
    for one in (words, quiet):
        one.mkdir(parents=True)
    (folder / "state").chmod(0o711)
    (words / f"{OWN_LANGUAGE}.json").write_bytes(msgspec.json.encode(OWN_WORDS))
    (folder / "quiet.yaml").write_text(MAPPING)
    watched = CadFolder(
        device=QUIET.device_id, folder=str(quiet), mapping=str(folder / "quiet.yaml"),
        heartbeat="alive", stale_after_s=QUIET_AFTER_S, poll_s=0.2,
    )  # fmt: skip
    try:
        async with running_node(folder / "state", cad_folder=(watched,)) as node:
            node.streets(river_town())
            await node.cad_key(QUIET)
            keys = await node.cad_key(), await node.radio_key()
            yield Town(node, *keys, await node.sign_in("operator"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def corner(x: float, y: float) -> dict[str, float]:
    """A corner of the town, in metres from its south-west end."""
    lat, lon = at(x, y)
    return {"lat": lat, "lon": lon}
