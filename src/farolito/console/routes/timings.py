"""The honest clocks: how long each step took, for whoever answers for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.model import Purpose, Role, Thing

HOURS_MAX = 24 * 31.0
_USUAL = {Role.OPERATOR: Purpose.IN_PROGRESS_CALL, Role.SUPERVISOR: Purpose.IN_PROGRESS_CALL}


@get("/api/timings")
async def timings(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    hours: FromQuery[float] = 24.0,
) -> dict[str, Any]:
    until = services.clock()
    since = until - timedelta(hours=max(0.0, min(hours, HOURS_MAX)))
    ask = asker.ask(Thing.TIMING, f"timings of {hours:g} h", usual=_USUAL.get(asker.person.role))
    answer = await services.dispatch.timings(ask, since, until)
    return {"at": until, "permit": answer.permit, **msgspec.structs.asdict(answer.value)}


ROUTES = [timings]
