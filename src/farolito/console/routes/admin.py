"""For the node's own command line: devices and people. Whoever may read the token file."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from farolito.console.routes.timings import HOURS_MAX
from farolito.console.services import Services
from farolito.console.signed_in import SignedOut
from farolito.desk import NotFound
from farolito.gate import Ask, Records
from farolito.identity import local_admin, public_key_of
from farolito.model import (
    AgencyId,
    Device,
    Invalid,
    OwnerId,
    Person,
    PersonId,
    Purpose,
    Role,
    Thing,
    Unit,
    UnitId,
)

HttpRequest = Request[Any, Any, Any]

NATIONS_MAX = 64


class NewPerson(msgspec.Struct, frozen=True):
    """`person_id` for somebody who is known already and needs a further passkey; `owner`: whose
    cameras a camera owner answers for."""

    name: str
    role: Role
    unit: str | None = None
    owner: str | None = None
    person_id: UUID | None = None


class NewDevice(Device, frozen=True, kw_only=True):
    """`public_key`: of a gunshot sensor, which signs with it; base64 or a PEM text."""

    public_key: str = ""

    def check(self) -> None:
        """Raises Invalid."""
        if self.signs == (self.public_key == ""):
            do = "give --public-key to a gunshot sensor of format farolito, and to nothing else"
            raise Invalid("a public key is for a gunshot sensor, which must have one", do)
        if self.signs and self.place is None:
            raise Invalid("a gunshot sensor without a place", "give --lat and --lon of the sensor")

    @property
    def signs(self) -> bool:
        return self.kind == "gunshot_sensor" and self.format == "farolito"

    def device(self, agency: AgencyId) -> Device:
        said = {name: getattr(self, name) for name in Device.__struct_fields__}
        return Device(**(said | {"agency": agency}))


class Mute(msgspec.Struct, frozen=True):
    unit: str
    muted: bool


class Commission(msgspec.Struct, frozen=True):
    """The nations that have commissioned a unit's officers; none takes all back."""

    unit: str
    nations: Annotated[tuple[str, ...], msgspec.Meta(max_length=NATIONS_MAX)] = ()


def prove_admin(headers: Mapping[str, str], services: Services) -> None:
    """Raises SignedOut where the token is not the node's own."""
    given = headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), services.admin_token.encode()):
        raise SignedOut("the local administrator's token is wrong", "run it as the node's account")


def admin_ask(request: HttpRequest, services: Services, thing: Thing, query: str) -> Ask:
    """The local administrator asks. Raises SignedOut for whoever is not."""
    prove_admin(request.headers, services)
    return Ask(
        person=local_admin(services.agency.agency_id),
        thing=thing,
        purpose=Purpose.ADMINISTRATION,
        query=query,
    )


@post("/api/admin/devices", status_code=200)
async def register(
    data: JSONBody[NewDevice], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """Make a device known; its new key is shown this once. What a gunshot sensor signs with is
    its own, and only the public half of it is told."""

    prove_admin(request.headers, services)
    data.check()
    device = data.device(services.agency.agency_id)
    public_key = public_key_of(data.public_key) if data.signs else None

    async def work(records: Records, permit: int) -> str:
        return await services.register(device, public_key)

    ask = admin_ask(request, services, Thing.DEVICE, f"register {data.kind} {data.device_id}")
    answer = await services.gate.act(ask, work)
    return {"key": answer.value, "permit": answer.permit}


@post("/api/admin/people", status_code=200)
async def invite(
    data: JSONBody[NewPerson], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """A one-time code with which the person registers a passkey."""
    agency = services.agency.agency_id
    person = Person(
        person_id=PersonId(data.person_id or services.ids()),
        agency=agency,
        name=data.name,
        role=data.role,
        unit=UnitId(data.unit) if data.unit else None,
        owner=OwnerId(data.owner) if data.owner else None,
    )

    async def work(records: Records, permit: int) -> str:
        owners = {one.owner_id for one in await records.cameras.owners()}
        if person.owner and person.owner not in owners:
            raise NotFound(f"no owner {person.owner} in the register", "import the cameras first")
        if person.unit:
            unit = Unit(unit_id=person.unit, agency=agency, officer=person.person_id)
            await records.units.hear([unit])
        return await services.identity.invite(person)

    ask = admin_ask(request, services, Thing.PERSON, f"invite a {data.role.value}")
    answer = await services.gate.act(ask, work)
    if person.unit:
        await services.units_changed()
    return {"code": answer.value, "person_id": person.person_id, "permit": answer.permit}


@get("/api/admin/health")
async def health(request: HttpRequest, services: NamedDependency[Services]) -> Any:
    async def work(records: Records, permit: int) -> Any:
        return await services.health()

    ask = admin_ask(request, services, Thing.HEALTH, "doctor")
    return (await services.gate.read(ask, work)).value


@post("/api/admin/units/mute", status_code=200)
async def mute(
    data: JSONBody[Mute], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """Undercover, or no longer: a muted unit's position never leaves the agency."""
    unit_id = UnitId(data.unit)

    async def work(records: Records, permit: int) -> None:
        if not await records.units.mute(unit_id, data.muted):
            raise NotFound(f"there is no unit {data.unit}", "it must have been heard of once")

    ask = admin_ask(request, services, Thing.UNIT, f"{'mute' if data.muted else 'unmute'} a unit")
    answer = await services.gate.act(ask, work)
    await services.units_changed()
    return {"permit": answer.permit}


@post("/api/admin/units/commission", status_code=200)
async def commission(
    data: JSONBody[Commission], request: HttpRequest, services: NamedDependency[Services]
) -> dict[str, Any]:
    """Whose law a unit's officers may enforce beside our own: shown on calls on a nation's land."""
    unit_id = UnitId(data.unit)
    nations = [AgencyId(nation) for nation in dict.fromkeys(data.nations)]

    async def work(records: Records, permit: int) -> None:
        if not await records.units.commission(unit_id, nations):
            raise NotFound(f"there is no unit {data.unit}", "it must have been heard of once")

    said = f"commissions of a unit: {', '.join(nations) or 'none'}"
    answer = await services.gate.act(admin_ask(request, services, Thing.UNIT, said), work)
    await services.units_changed()
    return {"permit": answer.permit}


@get("/api/admin/timings")
async def timings(
    request: HttpRequest, services: NamedDependency[Services], hours: FromQuery[float] = 24.0
) -> dict[str, Any]:
    """The honest clocks, taken out."""
    until = services.clock()
    since = until - timedelta(hours=max(0.0, min(hours, HOURS_MAX)))
    ask = admin_ask(request, services, Thing.TIMING, f"export timings of {hours:g} h")
    answer = await services.dispatch.export_timings(ask, since, until)
    return {"at": until, "permit": answer.permit, **msgspec.structs.asdict(answer.value)}


ROUTES = [register, invite, mute, commission, timings, health]
