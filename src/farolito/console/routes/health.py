"""Health in plain sentences, the messages that were not taken in, and the map."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from farolito.console.services import Services
from farolito.console.signed_in import OPEN, Asker
from farolito.gate import Records
from farolito.model import Thing

DEAD_SHOWN_MAX = 200


@get("/api/health")
async def health(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> None:
        return None

    answer = await services.gate.read(asker.ask(Thing.HEALTH, "health"), work)
    return {**await services.health(), "permit": answer.permit}


@get("/api/dead-letters")
async def dead_letters(
    asker: NamedDependency[Asker], services: NamedDependency[Services], limit: FromQuery[int] = 50
) -> dict[str, Any]:
    """Reasons and sizes; the bytes themselves may name a plate and are not shown here."""

    async def work(records: Records, permit: int) -> list[dict[str, Any]]:
        letters = await records.sources.dead(max(0, min(limit, DEAD_SHOWN_MAX)))
        return [
            {"at": x.at, "device": x.device_id, "format": x.format, "reason": x.reason,
             "says": x.says, "size": x.size}
            for x in letters
        ]  # fmt: skip

    ask = asker.ask(Thing.DEAD_LETTER, "rejected messages", records=False)
    answer = await services.gate.read(ask, work)
    return {"letters": answer.value, "permit": answer.permit}


@get("/api/map")
async def map_view(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> None:
        return None

    answer = await services.gate.read(asker.ask(Thing.MAP, "map and readers"), work)
    readers = [d for d in await services.devices() if d.kind == "plate_reader" and d.place]
    return {**services.map_view(), "readers": readers, "permit": answer.permit}


@get("/livez", sync_to_thread=False, opt=OPEN)
def livez() -> dict[str, str]:
    """For a process supervisor: the web answers. Says nothing else."""
    return {"live": "yes"}


ROUTES = [health, dead_letters, map_view, livez]
