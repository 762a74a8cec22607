"""Who and what is in reach of shots: a question of its own, with a permit of its own."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.model import Purpose, Role, ShotAlertId, Thing

_QUEUE = {Role.OPERATOR, Role.SUPERVISOR}  # whose screen is about what is happening now


@get("/api/shots/{alert_id:uuid}/reach")
async def reach(
    alert_id: FromPath[UUID],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """Units by arrival, cameras by distance, plate readers by when a car that left could pass.

    Which readers, and from which second: no read is opened, since that needs a case.
    """
    query = f"who and what is in reach of shot alert {alert_id}"
    usual = Purpose.IN_PROGRESS_CALL if asker.person.role in _QUEUE else None
    ask = asker.ask(Thing.SHOT, query, usual=usual)
    answer = await services.shots.one(ask, ShotAlertId(alert_id))
    return {
        "at": services.clock(),
        "permit": answer.permit,
        **await services.shot_reach(answer.value["alert"]),
    }


ROUTES = [reach]
