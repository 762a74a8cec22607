"""Watching a camera and turning it: the token of a picture, and the hand on the camera."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console.routes.cameras import ask_of
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.desk.ptz import Wanted
from farolito.model import CameraId, IncidentId


class Watch(msgspec.Struct, frozen=True):
    """`incident_id`: for which open incident, where it is for one."""

    incident_id: UUID | None = None
    quality: str | None = None  # what the browser will ask for; the process with the picture heeds


@post("/api/cameras/{camera_id:str}/watch", status_code=200)
async def watch(
    camera_id: FromPath[str],
    data: JSONBody[Watch],
    request: Request[Any, Any, Any],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """A token that opens the picture once, for minutes; asked for anew, it prolongs."""
    have = services.its_cameras
    camera = have.desk.existing(CameraId(camera_id))
    incident = IncidentId(data.incident_id) if data.incident_id else None
    url = have.url_for(camera.camera_id, request.url.hostname or "localhost")
    ask = ask_of(asker, f"watch camera {camera_id}")
    answer = await have.watching.watch(ask, camera.camera_id, incident)
    now = services.clock()
    return {
        "permit": answer.permit,
        "token": answer.value.token,
        "until": answer.value.until,
        "url": url,
        "watermark": f"{asker.person.name} · {answer.permit:#x} · {now:%Y-%m-%d %H:%MZ}",
        "terms": camera.terms,
        "name": camera.name,
        "state": have.states.state(camera.camera_id),
    }


@post("/api/cameras/{camera_id:str}/ptz", status_code=200)
async def ptz(
    camera_id: FromPath[str],
    data: JSONBody[Wanted],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    ask = ask_of(asker, f"{data.op} camera {camera_id}")
    answer = await services.its_cameras.ptz.do(ask, CameraId(camera_id), data)
    return {**msgspec.structs.asdict(answer.value), "permit": answer.permit}


ROUTES = [watch, ptz]
