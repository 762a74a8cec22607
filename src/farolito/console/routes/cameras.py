"""The register of cameras: the list, one card, how they are, who watched, and their import."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from farolito.console import cameras as told
from farolito.console.routes.admin import admin_ask
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk.camera_register import Brought
from farolito.gate import Ask
from farolito.model import CameraId, Purpose, Role, Thing
from farolito.viewing.outages import outages

IMPORT_BYTES_MAX = 64 * 2**20  # some 50,000 cameras
VIEWINGS_USUAL = 50

HttpRequest = Request[Any, Any, Any]
_NOW = {Role.OPERATOR, Role.SUPERVISOR, Role.OFFICER}  # whose work is about what happens now


def ask_of(asker: Asker, query: str, thing: Thing = Thing.CAMERA) -> Ask:
    """For what happens now, where the screen names no purpose."""
    usual = Purpose.IN_PROGRESS_CALL if asker.person.role in _NOW else None
    return asker.ask(thing, query, usual=usual)


@get("/api/cameras")
async def cameras(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    have = services.its_cameras
    answer = await have.desk.all(ask_of(asker, "cameras"))

    def rows() -> list[told.Row]:
        return [told.row(one, have.book, have.states) for one in answer.value]

    return {
        "at": services.clock(),
        "permit": answer.permit,
        "counts": told.counts(have.states.counts()),
        "owners": told.owners(answer.value, have.book, have.states),
        # 20,000 of them take 0.1 s: nobody else waits for that.
        "cameras": await asyncio.to_thread(rows),
    }


@get("/api/cameras/health")
async def health(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """What is wrong, told by where it went wrong: one cut line is one alarm."""
    have = services.its_cameras
    answer = await have.desk.all(ask_of(asker, "health of cameras"))
    found = {one.camera_id: one for one in have.states.all_health()}
    wrong = await asyncio.to_thread(outages, answer.value, found)
    groups = [{**msgspec.structs.asdict(one), "state": one.what} for one in wrong]
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "sweep": have.sweep(),
        "groups": groups,
    }


@get("/api/cameras/{camera_id:str}")
async def one(
    camera_id: FromPath[str], asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    have = services.its_cameras
    answer = await have.desk.one(ask_of(asker, f"camera {camera_id}"), CameraId(camera_id))
    camera = answer.value
    leave = have.book.leave(camera)
    held = have.ptz.held(camera.camera_id, asker.person)
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "camera": told.card(camera, have.book),
        "health": have.states.health(camera.camera_id),
        "state": have.states.state(camera.camera_id),
        "open": leave.is_open,
        "open_says": leave.says,
        "live": have.states.live(camera.camera_id),
        "ptz_held": held and {"by": held.held_by, "until": held.until, "waiting": held.waiting},
    }


@get("/api/cameras/{camera_id:str}/viewings")
async def viewings(
    camera_id: FromPath[str],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    before: FromQuery[datetime | None] = None,
    limit: FromQuery[int] = VIEWINGS_USUAL,
) -> dict[str, Any]:
    """Who watched it, the newest first."""
    ask = asker.ask(Thing.VIEWING, f"who watched camera {camera_id}")
    answer = await services.its_cameras.desk.viewings(ask, CameraId(camera_id), before, limit)
    is_ours = asker.person.role is not Role.CAMERA_OWNER
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "viewings": [told.viewing(one, is_ours=is_ours) for one in answer.value],
    }


@get("/api/viewings")
async def all_viewings(
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
    before: FromQuery[datetime | None] = None,
    limit: FromQuery[int] = VIEWINGS_USUAL,
) -> dict[str, Any]:
    """Who watched any camera, the newest first, each with the camera's name."""
    have = services.its_cameras
    ask = asker.ask(Thing.VIEWING, "who watched cameras")
    answer = await have.desk.all_viewings(ask, before, limit)
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "viewings": [
            {**told.viewing(one, is_ours=True), "camera": told.name_of(one.camera_id, have.book)}
            for one in answer.value
        ],
    }


@post("/api/admin/cameras", status_code=200, request_max_body_size=IMPORT_BYTES_MAX)
async def bring(
    data: JSONBody[Brought], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """From the node's own command line: a register, or a piece of one."""
    query = f"bring {len(data.cameras)} cameras, remove {len(data.remove)}"
    ask = admin_ask(request, services, Thing.CAMERA, query)
    answer = await services.its_cameras.desk.take_in(ask, data)
    return {"permit": answer.permit, **msgspec.structs.asdict(answer.value)}


@get("/api/admin/cameras")
async def listed(request: HttpRequest, services: NamedDependency[Services]) -> dict[str, Any]:
    """The register without addresses and logins."""
    have = services.its_cameras
    answer = await have.desk.all(admin_ask(request, services, Thing.CAMERA, "cameras"))
    return {
        "permit": answer.permit,
        "owners": have.book.owners(),
        "cameras": [
            {
                "camera_id": camera.camera_id,
                "name": camera.name,
                "owner": camera.owner,
                "consent": camera.consent,
                "changed_at": camera.changed_at,
                "state": have.states.state(camera.camera_id),
            }
            for camera in answer.value
        ],
    }


ROUTES = [cameras, health, one, viewings, all_viewings, bring, listed]
