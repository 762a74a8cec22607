"""The door for calls as a dispatch system meets it, over HTTP's own shapes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cloudevents.core.bindings.http import to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

from farolito.ingest.cad.door import SIGNED_BYTES_MAX, CadDoor
from farolito.ingest.door import Door
from farolito.ingest.signature import Signer, check_secret
from farolito.model import Device, DeviceId, Invalid
from tests.ingest.cad.cad_builders import CAD, SECRET, Notes, StoreAway, Taker, call, signed

KEY = "the-cads-key"
EVENT = {
    "specversion": "1.0",
    "type": "org.farolito.call.updated",
    "id": "e-1",
    "source": "https://cad.example/county-cad",
}


class Caller:
    """Somebody at the door: what it answers, and what it keeps."""

    def __init__(self, *, with_cad: bool = True, **more: Any) -> None:
        self.taker, self.notes = Taker(), Notes()
        cad = CadDoor(
            self.taker.take,
            self.notes,
            away=(StoreAway,),
            alive=self.notes.is_alive,
            signer_for=self._signer,
            **more,
        )
        self.door = Door(
            _no_reads, self._device, self.notes, _no_units, cad=cad if with_cad else None
        )

    async def _device(self, key: str) -> Device | None:
        reader = msgspec.structs.replace(CAD, kind="plate_reader")
        return {KEY: CAD, "a-readers-key": reader}.get(key)

    async def _signer(self, name: DeviceId) -> Signer | None:
        return Signer(CAD, SECRET) if name == CAD.device_id else None

    async def post(
        self, path: str, body: Any, headers: dict[str, str] | None = None, query: str = ""
    ) -> tuple[int, dict[str, Any]]:
        whole = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": whole, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        given = {"content-type": "application/json", **(headers or {})}
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        await self.door(scope, receive, send)
        return sent[0]["status"], msgspec.json.decode(sent[1]["body"])

    async def cad(self, body: Any, key: str = KEY, format_: str = "farolito") -> tuple[int, Any]:
        return await self.post(f"/ingest/cad/{format_}", body, {"authorization": f"Bearer {key}"})

    async def event(
        self, body: bytes, headers: dict[str, str], query: str = "device=county-cad"
    ) -> tuple[int, Any]:
        return await self.post("/ingest/cad/cloudevents", body, headers, query)


async def _no_reads(_: object) -> None:
    raise AssertionError("a call is no read")


async def _no_units(_: object) -> None:
    raise AssertionError("a call is no position")


def an_event(**more: Any) -> bytes:
    return msgspec.json.encode({**EVENT, "data": call(), **more})


async def test_a_call_is_accepted_once_it_is_durable_and_known_when_told_again() -> None:
    caller = Caller()
    assert await caller.cad(call()) == (202, {"accepted": 1})
    assert await caller.cad(call()) == (202, {"accepted": 1, "known": True})
    assert caller.taker.numbers == ["26-118204"]
    assert caller.notes.alive == ["county-cad", "county-cad"]


async def test_while_the_store_is_away_the_cad_is_told_to_come_again() -> None:
    caller = Caller()
    caller.taker.away = True
    status, answer = await caller.cad(call())
    assert (status, answer["error"]) == (503, "store_away")
    caller.taker.away = False
    assert await caller.cad(call()) == (202, {"accepted": 1}), "nothing was marked as taken"


async def test_a_bad_call_takes_only_itself_and_is_kept_with_its_reason() -> None:
    caller = Caller()
    status, answer = await caller.cad([call("1"), {"number": "2"}, call("3", state="ajar")])
    assert (status, answer["accepted"]) == (202, 1)
    assert [(one["item"], one["reason"]) for one in answer["rejected"]] == [
        (1, "wrong_shape"),
        (2, "wrong_shape"),
    ]
    assert caller.taker.numbers == ["1"]
    assert caller.notes.reasons == ["wrong_shape", "wrong_shape"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"number": "1", "sent_at"', "truncated"),
        (b"\xff\xfe", "malformed_json"),
        (call(sent_at="2026-11-23T10:00:00"), "bad_time"),
        (call(number=""), "no_number"),
    ],
)
async def test_what_is_wrong_is_named(body: Any, reason: str) -> None:
    caller = Caller()
    status, answer = await caller.cad(body)
    assert (status, answer["error"]) == (422, reason)
    assert answer["do"]
    assert caller.notes.reasons == [reason]


@pytest.mark.parametrize(
    ("key", "format_", "expected"),
    [
        ("nonsense", "farolito", (401, "wrong_key")),
        ("a-readers-key", "farolito", (403, "wrong_door")),
        (KEY, "morse", (404, "unknown_format")),
    ],
)
async def test_only_a_cads_key_opens_this_door(
    key: str, format_: str, expected: tuple[int, str]
) -> None:
    status, answer = await Caller().cad(call(), key, format_)
    assert (status, answer["error"]) == expected


async def test_a_door_of_its_own_process_takes_no_calls() -> None:
    status, answer = await Caller(with_cad=False).cad(call())
    assert (status, answer["error"]) == (404, "unknown_format")


async def test_the_cads_key_reads_no_plates() -> None:
    caller = Caller()
    headers = {"authorization": f"Bearer {KEY}"}
    status, answer = await caller.post("/ingest/lpr/farolito", [], headers)
    assert (status, answer["error"]) == (403, "wrong_door")


async def test_a_signed_event_needs_no_key_and_is_taken_once() -> None:
    caller = Caller()
    body = an_event()
    assert await caller.event(body, signed(body)) == (202, {"accepted": 1})
    again = await caller.event(body, signed(body))
    assert again == (202, {"accepted": 1, "known": True})
    changed = an_event(data=call(state="closed"))
    assert (await caller.event(changed, signed(changed)))[1]["known"], "the id tells, not the body"
    assert (await caller.event(changed, signed(changed, "msg_2")))[1] == {"accepted": 1}


async def test_an_event_of_the_official_library_is_taken() -> None:
    caller = Caller()
    told = CloudEvent(
        attributes={"type": EVENT["type"], "source": EVENT["source"], "id": "e-2"},
        data=call("26-118205"),
    )
    message = to_structured(told, JSONFormat())
    headers = {**message.headers, **signed(message.body)}
    assert (await caller.event(message.body, headers))[0] == 202
    assert caller.taker.numbers == ["26-118205"]


async def test_without_a_name_in_the_address_the_source_names_the_device() -> None:
    caller = Caller()
    body = an_event()
    assert (await caller.event(body, signed(body), query=""))[0] == 202


async def test_a_heartbeat_event_is_a_sign_of_life_and_no_call() -> None:
    caller = Caller()
    body = msgspec.json.encode({**EVENT, "type": "org.farolito.cad.heartbeat"})
    assert await caller.event(body, signed(body)) == (202, {"accepted": 0})
    assert (caller.notes.alive, caller.taker.tried) == (["county-cad"], 0)


def _tampered() -> tuple[bytes, dict[str, str], str]:
    return an_event(data=call("26-999999")), signed(an_event()), "device=county-cad"


def _of_another() -> tuple[bytes, dict[str, str], str]:
    return an_event(), signed(an_event()), "device=another-cad"


def _unsigned() -> tuple[bytes, dict[str, str], str]:
    return an_event(), {"authorization": f"Bearer {KEY}"}, "device=county-cad"


def _unreadable() -> tuple[bytes, dict[str, str], str]:
    headers = signed(an_event()) | {"webhook-signature": "v1,###"}
    return an_event(), headers, "device=county-cad"


def _without_version() -> tuple[bytes, dict[str, str], str]:
    return an_event(), signed(an_event()) | {"webhook-signature": "x"}, "device=county-cad"


@pytest.mark.parametrize(
    "attempt", [_tampered, _of_another, _unsigned, _unreadable, _without_version]
)
async def test_a_wrong_signature_is_401_and_names_nothing_more(attempt: Any) -> None:
    caller = Caller()
    status, answer = await caller.event(*attempt())
    assert (status, answer["error"]) == (401, "wrong_signature")
    assert caller.notes.reasons == ["wrong_signature"]
    assert caller.taker.tried == 0


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_signature_from_another_time_cannot_be_played_again(minutes: int) -> None:
    caller = Caller()
    headers = signed(an_event(), at=datetime.now(UTC) + timedelta(minutes=minutes))
    status, answer = await caller.event(an_event(), headers)
    assert (status, answer["error"]) == (401, "not_now")


async def test_a_signed_body_that_is_no_text_is_401() -> None:
    assert (await Caller().event(b"\xff\xfe", signed(an_event())))[0] == 401


async def test_before_a_sender_is_known_little_is_read() -> None:
    caller = Caller()
    status, answer = await caller.event(bytes(SIGNED_BYTES_MAX + 1), signed(b"x"))
    assert (status, answer["error"]) == (413, "too_large")


@pytest.mark.real_input
async def test_an_eido_with_faults_is_taken_and_its_faults_are_named(real_inputs: Path) -> None:
    from farolito.ingest.cad.schema import EidoSchema

    caller = Caller(schema=EidoSchema(real_inputs / "cad" / "eido-schema"))
    sample = (real_inputs / "cad" / "eido-call-transfer-sample.json").read_bytes()
    assert await caller.cad(sample, format_="eido") == (202, {"accepted": 1})
    wrong = msgspec.json.decode(sample) | {"eidoVersion": "9"}
    status, answer = await caller.cad(wrong, format_="eido")
    assert (status, answer["accepted"]) == (202, 1)
    assert "eidoVersion" in answer["flaws"][0]["says"]
    assert caller.notes.reasons == ["not_valid_eido"]


@pytest.mark.parametrize("secret", ["hunter2", "whsec_###", "whsec_c2hvcnQ="])
def test_a_weak_secret_is_refused_in_words(secret: str) -> None:
    with pytest.raises(Invalid, match="openssl"):
        check_secret(secret)


def test_a_good_secret_is_taken_and_stays_out_of_what_is_printed() -> None:
    check_secret(SECRET)
    Webhook(SECRET)
    assert SECRET not in repr(Signer(CAD, SECRET))
