"""For who owns cameras: what they let us do, and who looked."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from farolito.console import cameras as told
from farolito.console.services import Services
from farolito.console.signed_in import Asker
from farolito.model import CameraId, Consent, Hours, Invalid, OwnerId, Thing

HOURS_MAX = 21  # windows of a week


Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]


class Window(msgspec.Struct, frozen=True):
    """As a page's field for a time of day gives it: `22:00`, with seconds or without."""

    days: tuple[int, ...]
    since: Clock
    until: Clock

    def hours(self) -> Hours:
        """Raises Invalid."""
        since, until = time.fromisoformat(self.since), time.fromisoformat(self.until)
        return Hours(days=self.days, since=since, until=until)


class Say(msgspec.Struct, frozen=True):
    consent: Consent
    hours: Annotated[tuple[Window, ...], msgspec.Meta(max_length=HOURS_MAX)] = ()


@get("/api/owner")
async def owner(
    asker: NamedDependency[Asker], services: NamedDependency[Services]
) -> dict[str, Any]:
    """The own cameras, with how long each was watched, and the newest that watched them."""
    have = services.its_cameras
    own = asker.person.owner or OwnerId("")
    answer = await have.desk.of_owner(asker.ask(Thing.VIEWING, f"who watched cameras of {own}"))
    sums = answer.value["sums"]
    return {
        "at": services.clock(),
        "permit": answer.permit,
        "owner": told.owner_card(have.book.owner(own), own),
        "cameras": [
            {
                "id": one.camera_id,
                "name": one.name,
                "consent": one.consent,
                "hours": one.hours,
                "state": have.states.state(one.camera_id),
                "open": have.book.leave(one).is_open,
                "watched_now": have.watching.watchers(one.camera_id),
                "watched_30_days_minutes": round(sums[one.camera_id].minutes, 1)
                if one.camera_id in sums
                else 0.0,
            }
            for one in answer.value["cameras"]
        ],
        "viewings": [told.viewing(one, is_ours=False) for one in answer.value["viewings"]],
    }


@post("/api/cameras/{camera_id:str}/consent", status_code=200)
async def consent(
    camera_id: FromPath[str],
    data: JSONBody[Say],
    asker: NamedDependency[Asker],
    services: NamedDependency[Services],
) -> dict[str, Any]:
    """The owner's own word: from now on, and for who looks at this moment too."""
    if data.consent is Consent.TIME_WINDOW and not data.hours:
        raise Invalid("a window of time without hours", "give the hours")
    have = services.its_cameras
    ask = asker.ask(Thing.CONSENT, f"consent {data.consent.value} for camera {camera_id}")
    hours = tuple(one.hours() for one in data.hours)
    answer = await have.desk.consent(ask, CameraId(camera_id), data.consent, hours)
    leave = have.book.leave(answer.value)
    return {
        "permit": answer.permit,
        "consent": answer.value.consent,
        "hours": answer.value.hours,
        "open": leave.is_open,
        "open_says": leave.says,
    }


ROUTES = [owner, consent]
