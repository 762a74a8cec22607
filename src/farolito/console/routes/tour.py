"""The guided walk through the practice metro; there is none anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from farolito.console.routes.session import is_local
from farolito.console.services import Services, Tour
from farolito.console.signed_in import OPEN
from farolito.desk import NotFound

HttpRequest = Request[Any, Any, Any]


def _tour(request: HttpRequest, services: Services) -> Tour:
    """Raises NotFound but in a demo, on its own machine: its personas need no passkey."""
    tour = services.tour() if is_local(request, services) else None
    if tour is None:
        raise NotFound("there is no practice metro here", "start one: make demo")
    return tour


@get("/api/tour", opt=OPEN)
async def tour(request: HttpRequest, services: NamedDependency[Services]) -> Mapping[str, Any]:
    return _tour(request, services).view()


@post("/api/tour/again", status_code=200, opt=OPEN)
async def again(request: HttpRequest, services: NamedDependency[Services]) -> Mapping[str, Any]:
    return await _tour(request, services).again()


@post("/api/tour/{step:str}", status_code=200, opt=OPEN)
async def walk(
    step: FromPath[str], request: HttpRequest, services: NamedDependency[Services]
) -> Mapping[str, Any]:
    return await _tour(request, services).walk(step)


ROUTES = [tour, again, walk]
