"""Cars that pass a plate reader, with the picture that the reader takes of them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from farolito.model import Device, DeviceId, Point
from farolito.simulator import vendors
from farolito.simulator.crop import plate_crop
from farolito.simulator.fleet import Vehicle
from farolito.simulator.misread import Reading, Report
from farolito.simulator.readers import Quality, Reader
from farolito.simulator.traffic import Passage, Watched
from tests.running import AGENCY, RunningNode, read, told

CAMERA = Device(
    device_id=DeviceId("lpr-001-central-at-4th"),
    agency=AGENCY,
    kind="plate_reader",
    name="Central @ 4th, westbound",
    format="hikvision",
    place=Point(35.0844, -106.6504),
    heading_deg=270,
    zone="UTC",
)
BLUR_PX = 0.6


def car(plate: str, state: str = "NM") -> Vehicle:
    return Vehicle(
        number=1, plate=plate, state=state, make="ford", model="f-150", kind="pickup",
        colour="white", year=2019, home=0, work=0, commutes=False, passes_through=False,
        leaves_h=7.5, returns_h=17.5, outings=1.0,
    )  # fmt: skip


def photographed(plate: str, *, truly: str | None = None, **more: Any) -> dict[str, Any]:
    """A read in our own format with its crop, which shows the plate as it truly is."""
    event = uuid4().hex
    crop = plate_crop(car(truly or plate), event, BLUR_PX)
    return read(plate, event=event, crop=base64.b64encode(crop).decode(), **more)


def camera_message(plate: str) -> vendors.Message:
    """What a Hikvision camera posts for this plate at this moment, pictures and all."""
    at = datetime.now(UTC)
    passage = Passage(
        vehicle=car(plate), reader=CAMERA.device_id, at=at, heading_deg=270, speed_mps=14, lane=1
    )
    report = Report(
        passage=passage, event=uuid4().hex, at=at, text=plate, confidence=0.98,
        characters=(0.99,) * len(plate), candidates=(), reading=Reading.RIGHT, state=None,
        state_confidence=None, make="ford", model="f-150", make_confidence=0.9, colour="white",
        colour_confidence=0.9, kind="pickup",
    )  # fmt: skip
    reader = Reader(
        device=CAMERA,
        block=0,
        sight=Watched(CAMERA.device_id, 0.5, 270, 2),
        quality=Quality(blur_px=BLUR_PX),
    )
    return vendors.hikvision(report, reader)[0]


async def camera_sends(node: RunningNode, key: str, message: vendors.Message) -> httpx.Response:
    async with httpx.AsyncClient(base_url=node.url, timeout=30, trust_env=False) as camera:
        return await camera.post(
            message.path,
            content=message.body,
            headers={"Authorization": f"Bearer {key}", "Content-Type": message.content_type},
        )


async def raised(node: RunningNode, plate: str) -> dict[str, Any]:
    """An alert for this plate, with its picture, waiting in the queue."""
    operator = await node.sign_in("operator")
    await node.list_plate(plate, list_id=plate.lower())
    key = await node.reader_key()
    async with operator.live() as queue:
        await node.send(key, [photographed(plate)])
        return dict((await told(queue, "alert"))["alert"])


async def briefed(node: RunningNode, plate: str, unit: str = "2A14") -> dict[str, Any]:
    """A brief on this plate, confirmed by an operator and sent to the unit."""
    alert = await raised(node, plate)
    operator = await node.sign_in("operator")
    await node.unit(unit, Point(35.09, -106.64))
    path = f"/api/alerts/{alert['alert_id']}"
    body = {"version": alert["version"], "crop_compared": True}
    confirmed = await operator.post(f"{path}/confirm", body)
    assert confirmed.status_code == 200, confirmed.text
    sent = await operator.post(f"{path}/brief", {"unit": unit})
    assert sent.status_code == 200, sent.text
    return dict(sent.json()["brief"])
