"""A vendor's alerts: what they become, what is not guessed, and who may send them."""

from __future__ import annotations

import base64
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from standardwebhooks import Webhook

from farolito.bus import ReadBatch
from farolito.ingest.door import Door, GunshotDoors
from farolito.ingest.gunshot import vendor
from farolito.ingest.gunshot.decoded import VendorAlert
from farolito.ingest.gunshot.spelling import CLASSES, Spelling, VendorClass
from farolito.ingest.gunshot.vendor_door import VendorDoor
from farolito.ingest.signature import Signer
from farolito.model import Device, DeviceId, Invalid, Rejected, Shot, SoundKind
from tests.ingest.gunshot.sensor_builders import (
    NOW,
    RIDGE,
    VENDOR,
    Behind,
    StoreAway,
    a_poll,
    sealed,
)

SECRET = "whsec_" + base64.b64encode(b"farolito-practice-vendor-001").decode()
KEYS = {
    "vendors-key": VENDOR,
    "sensors-key": RIDGE,
    "readers-key": msgspec.structs.replace(RIDGE, kind="plate_reader"),
}


def alert(**more: Any) -> dict[str, Any]:
    return {
        "id": "a-1",
        "time": "2026-11-23T09:59:20Z",
        "lat": 35.09,
        "lon": -106.64,
        "class": "multiple gunshots",
    } | more


def told(**more: Any) -> VendorAlert:
    body = msgspec.json.encode(alert(**more))
    [one] = vendor.decode(body, "application/json", VENDOR, NOW).alerts
    return one


def shot(**more: Any) -> Shot:
    made = told(**more).shot
    assert made is not None
    return made


def test_updates_of_one_alert_have_one_track_and_one_shot_and_growing_revisions() -> None:
    first = told(updated_at="2026-11-23T09:59:40Z")
    second = told(updated_at="2026-11-23T09:59:55Z", rounds=6, lat=35.0902)
    assert first.shot is not None
    assert second.shot is not None
    assert first.track == second.track == "vendor:acme:a-1"
    assert first.shot.shot_id == second.shot.shot_id
    assert first.shot.revision < second.shot.revision
    assert first.mark != second.mark


def test_the_vendors_own_count_of_revisions_counts() -> None:
    assert shot(revision=4).revision == 4


def test_a_cancellation_needs_no_place() -> None:
    body = msgspec.json.encode({"id": "a-1", "status": "dismissed"})
    [one] = vendor.decode(body, "", VENDOR, NOW).alerts
    assert (one.track, one.cancelled, one.shot) == ("vendor:acme:a-1", True, None)


def test_a_cancellation_that_tells_the_whole_alert_keeps_its_shot() -> None:
    one = told(status="Cancelled")
    assert one.cancelled
    assert one.shot is not None


@pytest.mark.parametrize("word", sorted(CLASSES))
def test_every_class_has_the_vendors_kind_on_top_and_is_never_certain(word: str) -> None:
    kinds = shot(**{"class": word}).kinds
    assert max(kinds, key=lambda kind: kinds[kind]) is CLASSES[word].kind
    assert sum(kinds.values()) == pytest.approx(1)
    assert set(kinds) == set(SoundKind)
    assert max(kinds.values()) <= 0.98


def test_what_is_called_a_gunshot_is_looked_at_as_one_however_unsure() -> None:
    assert shot(confidence=0.1).gunshot == 0.5
    assert shot(confidence=1).gunshot == 0.98
    assert shot(**{"class": "possible gunfire"}, confidence=0.1).gunshot == pytest.approx(0.1)


def test_without_an_accuracy_there_is_no_ellipse() -> None:
    made = shot()
    assert made.ellipse is None
    assert "the vendor does not say how exact the place is" in made.because


@pytest.mark.parametrize("share", [0.5, 0.68, 0.9, 0.95, 0.99])
def test_an_accuracy_of_any_share_becomes_the_circle_of_95(share: float) -> None:
    """Within r of a circular normal error of sd s lie 1 − exp(−r²/2s²)."""
    ellipse = shot(accuracy_m=25, accuracy_share=share).ellipse
    assert ellipse is not None
    sd_m = 25 / math.sqrt(-2 * math.log(1 - share))
    within = 1 - math.exp(-(ellipse.semi_major_m**2) / (2 * sd_m**2))
    assert within == pytest.approx(0.95)
    assert ellipse.semi_minor_m == ellipse.semi_major_m


def test_a_time_without_offset_is_in_the_zone_of_the_device() -> None:
    assert shot(time="11/23/2026 2:59:20 AM").discharged_at == datetime(
        2026, 11, 23, 9, 59, 20, tzinfo=UTC
    )


def test_a_field_that_is_called_otherwise_is_named_in_the_configuration() -> None:
    spelling = Spelling.with_more(
        {"id": "Ereignis-Nr.", "class": "Art"}, {"Schüsse": "multiple gunshots"}
    )
    record = {
        "Ereignis-Nr.": 12, "Art": "SCHÜSSE", "time": "2026-11-23T09:59:20Z", "lat": 35.1,
        "lon": -106.6,
    }  # fmt: skip
    [one] = vendor.decode(msgspec.json.encode(record), "", VENDOR, NOW, spelling).alerts
    assert one.track == "vendor:acme:12"
    assert one.shot is not None
    assert one.shot.kinds[SoundKind.GUNSHOT] == 0.9
    with pytest.raises(Rejected):
        vendor.decode(msgspec.json.encode(record), "", VENDOR, NOW)


@pytest.mark.parametrize(
    ("fields", "classes"), [({"calibre": "Kaliber"}, {}), ({}, {"bang": "loud noise"})]
)
def test_a_wrong_spelling_is_told_at_the_start(
    fields: dict[str, str], classes: dict[str, str]
) -> None:
    with pytest.raises(Invalid):
        Spelling.with_more(fields, classes)
    assert VendorClass.SINGLE.kind is SoundKind.GUNSHOT


# At the door


class Caller:
    """Somebody at the HTTP door, and what stands behind it."""

    def __init__(self) -> None:
        self.behind = Behind()
        self.taken: list[VendorAlert] = []
        self.away = False
        vendors = VendorDoor(self.take, self.behind, away=(StoreAway,), signer_for=self.signer_for)
        doors = GunshotDoors(self.behind.door, vendors)
        self.door = Door(
            _no_reads, self.device, self.behind, _no_units, clock=lambda: NOW, gunshot=doors
        )

    async def take(self, device: Device, one: VendorAlert) -> None:
        if self.away:
            raise StoreAway
        self.taken.append(one)

    async def device(self, key: str) -> Device | None:
        return KEYS.get(key)

    async def signer_for(self, name: DeviceId) -> Signer | None:
        return Signer(VENDOR, SECRET) if name == VENDOR.device_id else None

    async def send(
        self,
        path: str,
        body: bytes,
        headers: dict[str, str] | None = None,
        query: str = "",
        method: str = "POST",
    ) -> tuple[int, Any]:
        sent: list[Any] = []
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        given = {"content-type": "application/json", **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        await self.door(scope, receive, send)
        return sent[0]["status"], msgspec.json.decode(sent[1]["body"])

    async def alert(self, key: str = "vendors-key", **more: Any) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {key}"}
        return await self.send(
            "/ingest/gunshot/vendor", msgspec.json.encode(alert(**more)), headers
        )


async def _no_reads(_: ReadBatch) -> None:
    raise AssertionError("a shot is no read")


async def _no_units(_: object) -> None:
    raise AssertionError("a shot is no position")


async def test_an_alert_is_taken_with_the_devices_key_and_known_when_told_again() -> None:
    caller = Caller()
    assert await caller.alert() == (202, {"accepted": 1})
    assert await caller.alert() == (202, {"accepted": 0, "known": 1})
    assert await caller.alert(rounds=3) == (202, {"accepted": 1})
    assert [one.track for one in caller.taken] == ["vendor:acme:a-1"] * 2


async def test_while_the_store_is_away_the_vendor_is_told_to_come_again() -> None:
    caller = Caller()
    caller.away = True
    status, answer = await caller.alert()
    assert (status, answer["error"]) == (503, "store_away")
    caller.away = False
    assert await caller.alert() == (202, {"accepted": 1})


@pytest.mark.parametrize(
    ("key", "status", "reason"),
    [
        ("nobodys-key", 401, "wrong_key"),
        ("readers-key", 403, "wrong_door"),
        ("sensors-key", 403, "wrong_door"),
    ],
)
async def test_no_other_key_speaks_for_a_vendor(key: str, status: int, reason: str) -> None:
    caller = Caller()
    got, answer = await caller.alert(key)
    assert (got, answer["error"]) == (status, reason)
    assert caller.taken == []


@pytest.mark.parametrize("path", ["/ingest/lpr/farolito", "/ingest/avl/farolito"])
@pytest.mark.parametrize("key", ["vendors-key", "sensors-key"])
async def test_the_key_of_this_kind_opens_no_other_door(path: str, key: str) -> None:
    got, answer = await Caller().send(path, b"[]", {"authorization": f"Bearer {key}"})
    assert (got, answer["error"]) == (403, "wrong_door")


def signed(body: bytes, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", at, body.decode()),
    }


async def test_a_signed_alert_needs_no_key() -> None:
    caller = Caller()
    event = {"specversion": "1.0", "type": "x", "id": "e", "source": "/acme", "data": alert()}
    body = msgspec.json.encode(event)
    answer = await caller.send("/ingest/gunshot/vendor", body, signed(body), "device=acme")
    assert answer == (202, {"accepted": 1})


@pytest.mark.parametrize(
    ("query", "age_s", "change", "reason"),
    [
        ("", 0, b"", "wrong_signature"),
        ("device=other", 0, b"", "wrong_signature"),
        ("device=acme", 0, b" ", "wrong_signature"),
        ("device=acme", 600, b"", "not_now"),
    ],
)
async def test_a_signature_that_is_not_right_now_is_401(
    query: str, age_s: float, change: bytes, reason: str
) -> None:
    caller = Caller()
    body = msgspec.json.encode(alert())
    headers = signed(body, datetime.now(UTC) - timedelta(seconds=age_s))
    status, answer = await caller.send("/ingest/gunshot/vendor", body + change, headers, query)
    assert (status, answer["error"]) == (401, reason)
    assert caller.taken == []


async def test_a_sensor_comes_in_at_the_same_door_by_its_seal() -> None:
    caller = Caller()
    assert await caller.send("/ingest/gunshot/farolito", sealed()) == (
        202,
        {"accepted": 1, "wants": []},
    )
    assert len(caller.behind.impulses) == 1


async def test_a_sensor_that_hangs_up_leaves_nothing_behind() -> None:
    caller = Caller()
    status, answer = await caller.send(
        "/ingest/gunshot/wants", b"", {"x-farolito-sealed": a_poll()}, method="GET"
    )
    assert (status, answer) == (200, {"wants": []})
    assert caller.behind.wants.waiting == 0


async def test_a_door_without_sound_takes_none() -> None:
    bare = Door(_no_reads, Caller().device, Behind(), _no_units, clock=lambda: NOW)
    caller = Caller()
    caller.door = bare
    status, answer = await caller.alert()
    assert (status, answer["error"]) == (404, "unknown_format")
