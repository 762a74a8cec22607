"""Three real nodes that are joined: city, sheriff and pueblo, each with engines of its own."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from farolito.app.build import Node
from farolito.app.config import AgencyConfig, Config, Federation
from farolito.app.config import Node as NodeConfig
from farolito.model import AgencyId, Government
from tests.ports import free_port
from tests.running import Person, RunningNode

LAND = ((-106.60, 35.20), (-106.50, 35.20), (-106.50, 35.30), (-106.60, 35.30))
WAIT_S_MAX = 20.0


@dataclass(frozen=True)
class Neighbour:
    agency_id: str
    name: str
    ori: str
    government: Government


CITY = Neighbour("city-pd", "City Police", "NM9990100", "city")
SHERIFF = Neighbour("county-so", "County Sheriff", "NM9990200", "county")
PUEBLO = Neighbour("pueblo-pd", "Pueblo Police", "NM9990300", "tribal")


class Metro:
    def __init__(self, nodes: dict[str, RunningNode]) -> None:
        self.nodes = nodes
        self.city = nodes[CITY.agency_id]
        self.sheriff = nodes.get(SHERIFF.agency_id, self.city)
        self.pueblo = nodes.get(PUEBLO.agency_id, self.city)

    async def join(self, host: RunningNode, guest: RunningNode) -> None:
        """`host` invites; people at both compare the fingerprints. Returns when both are there."""
        told = await _right(host.admin("POST", "/api/admin/partners/invite", {"address": host.url}))
        joined = await _right(
            guest.admin("POST", "/api/admin/partners/join", {"code": told["code"]})
        )
        await _right(confirm(guest, joined["partner"]))
        guest_seen = await _partner(host, guest.node.agency.agency_id)
        await _right(confirm(host, guest_seen))
        await self.linked(host, guest)

    async def linked(self, one: RunningNode, other: RunningNode) -> None:
        """Until each has the other's node at the end of its line."""
        async with asyncio.timeout(WAIT_S_MAX):
            while not (
                one.node.engines.partners.connected(other.node.agency.agency_id)
                and other.node.engines.partners.connected(one.node.agency.agency_id)
            ):
                await asyncio.sleep(0.05)

    async def agree(
        self, grantor: RunningNode, grantee: RunningNode, **terms: Any
    ) -> dict[str, Any]:
        """Drafted and signed by two persons of the grantor; returns when the grantee has it."""
        admin, supervisor = await grantor.sign_in("admin"), await grantor.sign_in("supervisor")
        drafted = await admin.post(
            "/api/agreements", terms_for(grantee.node.agency.agency_id, **terms)
        )
        agreement = await _right(_said(drafted))
        for person in (admin, supervisor):
            path = f"/api/agreements/{agreement['agreement_id']}/sign"
            answer = await _right(_said(await person.post(path, {"credential": None})))
        assert answer["state"] == "in_force"
        await self.received(grantee, agreement["agreement_id"], "in_force")
        return answer

    async def received(self, node: RunningNode, agreement_id: str, state: str) -> None:
        """Until this side has the agreement in that state."""
        async with asyncio.timeout(WAIT_S_MAX):
            while True:
                known = node.node.federation.agreements.all()
                if any(
                    str(one.agreement.agreement_id) == agreement_id and one.state == state
                    for one in known
                ):
                    return
                await asyncio.sleep(0.02)


def terms_for(grantee: str, **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "grantee": grantee,
        "title": "Plates and alerts between neighbours",
        "text": "So that a stolen car does not vanish at the county line.",
        "classes": {"plate_read": "full", "alert": "full", "hot_list": "full"},
        "sharing": ["ask", "follow"],
        "purposes": ["hot_list_alert", "in_progress_call", "criminal_investigation"],
        "roles": ["operator", "detective"],
        "starts": (now - timedelta(minutes=1)).isoformat(),
        "expires": (now + timedelta(days=90)).isoformat(),
        "keep_days": 7,
        **more,
    }


async def confirm(node: RunningNode, partner: dict[str, Any]) -> Any:
    path = f"/api/admin/partners/{partner['agency_id']}/confirm"
    return await node.admin("POST", path, {"fingerprint": partner["fingerprint"]})


async def search(
    person: Person, plate: str, owners: Sequence[str], case: str = "26-000117"
) -> dict[str, Any]:
    headers = {
        "X-Farolito-CSRF": person.session["csrf"],
        "X-Farolito-Purpose": "in_progress_call",
        "X-Farolito-Case": case,
    }
    body = {"plate": plate, "since_h": 24, "owners": list(owners)}
    answer = await person.http.post("/api/search/plate", json=body, headers=headers)
    return dict(answer.json())


async def _partner(node: RunningNode, agency: AgencyId) -> dict[str, Any]:
    told = await _right(node.admin("GET", "/api/admin/partners"))
    return next(one for one in told["partners"] if one["agency_id"] == agency)


async def _said(answer: Any) -> Any:
    return answer


async def _right(asked: Any) -> dict[str, Any]:
    answer = await asked
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


def metro_config(told: Neighbour, state: Path, *, listens: bool = True, **more: Any) -> Config:
    port, listening = free_port(), free_port() if listens else 0
    land = ""
    if told.government == "tribal":
        file = state / "land.geojson"
        polygon = {"type": "Polygon", "coordinates": [[*LAND, LAND[0]]]}
        file.write_bytes(msgspec.json.encode(polygon))
        land = str(file)
    return Config(
        agency=AgencyConfig(
            id=told.agency_id, name=told.name, ori=told.ori, government=told.government
        ),
        node=NodeConfig(name=told.name, state_dir=str(state), port=port),
        federation=Federation(
            port=listening,
            host="127.0.0.1",
            address=f"127.0.0.1:{listening}" if listening else "",
            contact=f"{told.name}, watch desk",
            land=land,
        ),
        **more,
    )


@asynccontextmanager
async def metro(
    neighbours: Sequence[Neighbour] = (CITY, SHERIFF, PUEBLO), *, joined: bool = True
) -> AsyncIterator[Metro]:
    """All but the last listen; each is joined with each."""
    async with AsyncExitStack() as stack:
        nodes = {}
        for number, told in enumerate(neighbours):
            state = Path(tempfile.mkdtemp(prefix="farolito-metro-"))
            stack.callback(shutil.rmtree, state, ignore_errors=True)
            state.chmod(0o711)
            config = metro_config(told, state, listens=number < len(neighbours) - 1)
            node = Node(config, demo=True)
            stack.push_async_callback(node.stop)
            await node.start()
            running = RunningNode(node, config.node.port)
            stack.push_async_callback(running.close)
            nodes[told.agency_id] = running
        made = Metro(nodes)
        if joined:
            order = list(nodes.values())
            for number, host in enumerate(order):
                for guest in order[number + 1 :]:
                    await made.join(host, guest)
        yield made
