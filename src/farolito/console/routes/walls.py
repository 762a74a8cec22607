"""Walls that a person saved."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.routes.cameras import ask_of
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk import Conflict, NotFound
from farolito.model import Invalid
from farolito.model.wall import Wall

NAME_CHARACTERS_MAX = 60


@get("/api/walls")
async def walls(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    answer = await services.its_cameras.desk.walls(ask_of(asker, "own walls"))
    return {
        "permit": answer.permit,
        "walls": [
            {"name": name, **msgspec.structs.asdict(wall)} for name, wall in answer.value.items()
        ],
    }


@put("/api/walls/{name:str}", status_code=200)
async def keep(
    name: FromPath[str],
    data: JSONBody[Wall],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    if not 0 < len(name.strip()) <= NAME_CHARACTERS_MAX:
        raise Invalid("a wall without a name, or with a long one", "60 characters at most")
    answer = await services.its_cameras.desk.keep_wall(ask_of(asker, "keep a wall"), name, data)
    if not answer.value:
        raise Conflict("you have as many walls as there may be", "remove one first")
    return {"permit": answer.permit}


@delete("/api/walls/{name:str}", status_code=200)
async def drop(
    name: FromPath[str], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    answer = await services.its_cameras.desk.drop_wall(ask_of(asker, "remove a wall"), name)
    if not answer.value:
        raise NotFound("there is no such wall", "reload the page")
    return {"permit": answer.permit}


ROUTES = [walls, keep, drop]
