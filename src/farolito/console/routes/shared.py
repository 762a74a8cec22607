"""What partners let us have, and what became of what we let them have."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.di import NamedDependency

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.gate import Records
from farolito.model import Purpose, Thing


@get("/api/shared")
async def shared(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """The newest first, each with its owner, its agreement and the end of its keeping."""

    async def work(records: Records, permit: int) -> dict[str, Any]:
        return {"seq": await records.feed.end(), "items": await records.sharing.shown()}

    ask = asker.ask(Thing.SHARED, "what partners share", usual=Purpose.IN_PROGRESS_CALL)
    answer = await services.gate.read(ask, work)
    return {**answer.value, "at": services.clock(), "permit": answer.permit}


ROUTES = [shared]
