"""Where a phone says that its browser may wake it. What is sent then names nobody."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.gate import Records
from farolito.model import Purpose, Thing
from farolito.model.push import PushSubscription

ENDPOINT_CHARACTERS_MAX = 2_000

Endpoint = Annotated[str, msgspec.Meta(min_length=1, max_length=ENDPOINT_CHARACTERS_MAX)]


class Keys(msgspec.Struct, frozen=True):
    p256dh: Annotated[str, msgspec.Meta(max_length=200)]
    auth: Annotated[str, msgspec.Meta(max_length=100)]


class Subscription(msgspec.Struct, frozen=True, rename="camel"):
    """What `PushSubscription.toJSON()` gives (Push API, W3C)."""

    endpoint: Endpoint
    keys: Keys
    expiration_time: float | None = None


class Subscribe(msgspec.Struct, frozen=True):
    subscription: Subscription


class Unsubscribe(msgspec.Struct, frozen=True):
    endpoint: Endpoint


@get("/api/push/key")
async def key(services: NamedDependency[Services]) -> dict[str, Any]:
    return {"key": services.push_key}


@post("/api/push", status_code=200)
async def subscribe(
    data: JSONBody[Subscribe],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    told = data.subscription
    wanted = PushSubscription(endpoint=told.endpoint, p256dh=told.keys.p256dh, auth=told.keys.auth)
    await services.push_allowed(wanted.endpoint)
    person = asker.person.person_id

    async def work(records: Records, permit: int) -> None:
        await records.push.keep(person, wanted, services.clock())

    unit = asker.person.unit or ""
    ask = asker.ask(
        Thing.BRIEF, "be woken for briefs", usual=Purpose.IN_PROGRESS_CALL, assigned_unit=unit
    )
    answer = await services.gate.act(ask, work)
    return {"permit": answer.permit}


@delete("/api/push", status_code=200)
async def unsubscribe(
    data: JSONBody[Unsubscribe],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    async def work(records: Records, permit: int) -> None:
        await records.push.drop(data.endpoint, asker.person.person_id)

    unit = asker.person.unit or ""
    ask = asker.ask(
        Thing.BRIEF, "not be woken for briefs", usual=Purpose.IN_PROGRESS_CALL, assigned_unit=unit
    )
    answer = await services.gate.act(ask, work)
    return {"permit": answer.permit}


ROUTES = [key, subscribe, unsubscribe]
