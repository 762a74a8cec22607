"""The door for gunshot sensors: who is believed, what is new, and when "accepted" is said."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from farolito.ingest.gunshot.door import NOT_NOW_S
from farolito.ingest.gunshot.envelope import SEALED_BYTES_MAX, Head, Says, seal
from farolito.ingest.gunshot.flood import BURST_PULSES_MAX
from farolito.ingest.gunshot.sequences import WINDOW
from farolito.ingest.gunshot.wire import PULSES_MAX
from farolito.model import DeviceId, GunshotSensor
from tests.ingest.gunshot.sensor_builders import (
    KEY,
    NOW,
    Behind,
    a_clip,
    a_poll,
    a_wav,
    before,
    sealed,
    sensor,
    us,
)

RIDGE_ID, VALLEY_ID = DeviceId("ridge-04"), DeviceId("valley-01")
STRANGER = Ed25519PrivateKey.generate()


async def test_a_pulse_is_accepted_when_the_bus_has_it_and_its_number_is_kept() -> None:
    behind = Behind()
    message = sealed(7, pulses=[{"at": before(0.4123), "level_db": 101.5, "snr_db": 31.0}])
    assert await behind.door.hear(message, NOW) == (202, {"accepted": 1, "wants": []})
    [impulse] = behind.impulses
    assert us(impulse.onset_at) == before(0.4123)
    assert (impulse.sensor, impulse.agency) == ("ridge-04", "practice-pd")
    assert (impulse.level_db, impulse.snr_db) == (101.5, 31.0)
    kept = behind.registered[impulse.sensor]
    assert (kept.boot, kept.sequence) == (100, 7)


# Who is believed


async def test_an_unknown_sensor_is_401() -> None:
    behind = Behind()
    status, answer = await behind.door.hear(sealed(name="valley-01"), NOW)
    assert (status, answer["error"]) == (401, "unknown_sensor")
    assert "reader add valley-01" in answer["do"]


async def test_what_another_key_signed_is_401() -> None:
    behind = Behind()
    status, answer = await behind.door.hear(sealed(key=STRANGER), NOW)
    assert (status, answer["error"]) == (401, "wrong_signature")
    assert behind.published == []
    assert behind.alarms == [], "a stranger cannot bring a sensor into discredit"


async def test_a_message_changed_anywhere_on_its_way_is_refused() -> None:
    """Each byte in turn has a bit turned round: nothing of it ever goes in."""
    behind = Behind()
    whole = sealed()
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 1
        status, answer = await behind.door.hear(bytes(changed), NOW)
        assert status in {401, 422}, answer
    assert behind.published == []
    assert (await behind.door.hear(whole, NOW))[0] == 202


@pytest.mark.parametrize(
    ("raw", "status", "reason"),
    [
        (b"", 422, "not_sealed"),
        (b"{}", 422, "not_sealed"),
        (b"farolito-sensor 1 ridge-04 1 1 1\n{}", 422, "not_sealed"),
        (b"farolito-sensor 1 Ridge/04 1 1 1\n{}\n" + b"A" * 88, 422, "not_sealed"),
        (b"farolito-sensor 1 ridge-04 -1 1 1\n{}\n" + b"A" * 88, 422, "not_sealed"),
        (b"farolito-sensor 1 ridge-04 1 1 1\n{}\n" + b"?" * 88, 422, "not_sealed"),
        (b"farolito-sensor 2 ridge-04 1 1 1\n{}\n" + b"A" * 88, 422, "unknown_version"),
        (b"farolito-sensor 1 ridge-04 1 1 1\n{}\n" + b"A" * 88, 401, "wrong_signature"),
        (b" " * (SEALED_BYTES_MAX + 1), 413, "too_large"),
    ],
)
async def test_what_is_no_sealed_message_is_named(raw: bytes, status: int, reason: str) -> None:
    behind = Behind()
    got, answer = await behind.door.hear(raw, NOW)
    assert (got, answer["error"]) == (status, reason)
    assert behind.reasons == [reason]


async def test_a_poll_for_wants_never_stands_for_a_message() -> None:
    behind = Behind()
    head = Head(sensor="ridge-04", boot=100, sequence=1, sent_us=us(NOW), says=Says.WANTS)
    status, answer = await behind.door.hear(seal(KEY, head, {"after": 0}), NOW)
    assert (status, answer["error"]) == (403, "wrong_door")


async def test_a_topic_of_another_name_is_403() -> None:
    behind = Behind()
    status, answer = await behind.door.hear(sealed(), NOW, "valley-01")
    assert (status, answer["error"]) == (403, "wrong_topic")
    assert (await behind.door.hear(sealed(), NOW, "ridge-04"))[0] == 202


# What is new


async def test_a_repeat_is_answered_and_not_handed_on_twice() -> None:
    behind = Behind()
    await behind.door.hear(sealed(5), NOW)
    status, answer = await behind.door.hear(sealed(5), NOW)
    assert (status, answer) == (202, {"accepted": 0, "known": True, "wants": []})
    assert len(behind.published) == 1
    assert behind.alarms == []


async def test_another_message_under_a_number_that_was_used_is_a_replay() -> None:
    behind = Behind()
    await behind.door.hear(sealed(5), NOW)
    status, answer = await behind.door.hear(sealed(5, pulses=[{"at": before(2)}]), NOW)
    assert (status, answer["error"]) == (409, "replayed")
    assert "100 5" in answer["says"]
    assert behind.alarms == [("ridge-04", "replayed")]
    assert len(behind.published) == 1


async def test_a_message_of_an_older_start_is_a_replay() -> None:
    behind = Behind()
    await behind.door.hear(sealed(5, boot=100), NOW)
    await behind.door.hear(sealed(0, boot=101), NOW)
    status, answer = await behind.door.hear(sealed(6, boot=100), NOW)
    assert (status, answer["error"]) == (409, "replayed")
    assert behind.alarms == [("ridge-04", "replayed")]


async def test_messages_may_overtake_each_other_within_the_window() -> None:
    behind = Behind()
    for sequence in (1, 2, 4, 3, WINDOW + 3, 5):
        status, _ = await behind.door.hear(
            sealed(sequence, pulses=[{"at": before(sequence / 10)}]), NOW
        )
        assert status == 202, sequence
    assert len(behind.impulses) == 6
    status, answer = await behind.door.hear(sealed(3), NOW)
    assert (status, answer["error"]) == (409, "replayed"), "one of before the window"


async def test_a_start_later_than_tomorrow_is_refused() -> None:
    """Or a clock that was wrong once would lock the sensor out for years."""
    behind = Behind()
    boot = int(NOW.timestamp()) + 2 * 86_400
    status, answer = await behind.door.hear(sealed(boot=boot), NOW)
    assert (status, answer["error"]) == (422, "bad_boot")
    assert (await behind.door.hear(sealed(boot=int(NOW.timestamp())), NOW))[0] == 202


async def test_after_a_fall_nothing_that_was_accepted_can_be_played_again() -> None:
    """The door is ended without a word, and another begins with what the registry has."""
    behind = Behind()
    for sequence in range(1, 6):
        assert (await behind.door.hear(sealed(sequence), NOW))[0] == 202
    behind.start()
    told = [await behind.door.hear(sealed(sequence), NOW) for sequence in range(1, 6)]
    assert [status for status, _ in told] == [409, 409, 409, 409, 202]
    assert told[-1][1]["known"], "its sender may not have had our answer"
    assert len(behind.published) == 5
    assert (await behind.door.hear(sealed(6), NOW))[0] == 202


async def test_a_new_key_begins_anew_and_the_old_ones_messages_are_worth_nothing() -> None:
    behind = Behind()
    await behind.door.hear(sealed(5), NOW)
    old = sealed(6)
    behind.registered = Behind(sensor(key=STRANGER)).registered
    status, answer = await behind.door.hear(old, NOW)
    assert (status, answer["error"]) == (401, "wrong_signature")
    assert (await behind.door.hear(sealed(1, boot=1, key=STRANGER), NOW))[0] == 202


async def test_what_the_bus_did_not_take_may_come_again() -> None:
    behind = Behind()
    behind.bus_is_down = True
    status, answer = await behind.door.hear(sealed(5), NOW)
    assert (status, answer["error"]) == (503, "bus_down")
    assert behind.registered[RIDGE_ID].sequence == 0
    behind.bus_is_down = False
    assert await behind.door.hear(sealed(5), NOW) == (202, {"accepted": 1, "wants": []})


async def test_the_same_message_twice_at_once_goes_in_once() -> None:
    behind = Behind()
    behind.held = asyncio.Event()
    first = asyncio.create_task(behind.door.hear(sealed(5), NOW))
    await asyncio.sleep(0)
    status, answer = await behind.door.hear(sealed(5), NOW)
    assert (status, answer["error"]) == (503, "in_flight")
    behind.held.set()
    assert (await first)[0] == 202
    assert len(behind.published) == 1


async def test_sound_goes_in_while_the_records_are_away_and_its_number_is_kept_later() -> None:
    behind = Behind()
    await behind.door.hear(sealed(1), NOW)
    behind.store_is_away = True
    assert (await behind.door.hear(sealed(2), NOW))[0] == 202
    assert behind.registered[RIDGE_ID].sequence == 1
    behind.store_is_away = False
    valley = Ed25519PrivateKey.generate()
    behind.registered |= {VALLEY_ID: _called(VALLEY_ID, valley)}
    assert (await behind.door.hear(sealed(1, key=valley, name="valley-01"), NOW))[0] == 202
    assert behind.registered[RIDGE_ID].sequence == 2


async def test_of_a_sensor_never_heard_nothing_is_believed_while_the_records_are_away() -> None:
    behind = Behind()
    behind.store_is_away = True
    status, answer = await behind.door.hear(sealed(), NOW)
    assert (status, answer["error"]) == (503, "store_away")


# Too much


async def test_a_flood_is_cut_and_told_and_drowns_no_other_sensor() -> None:
    valley = Ed25519PrivateKey.generate()
    behind = Behind(sensor(), _called(VALLEY_ID, valley))
    most = int(BURST_PULSES_MAX) // PULSES_MAX
    for sequence in range(most):
        status, _ = await behind.door.hear(_many(sequence, PULSES_MAX), NOW)
        assert status == 202
    status, answer = await behind.door.hear(_many(most, 10), NOW)
    assert (status, answer["error"]) == (429, "flood")
    assert behind.alarms == [("ridge-04", "flood")]
    assert len(behind.impulses) == most * PULSES_MAX
    assert (await behind.door.hear(sealed(1, key=valley, name="valley-01"), NOW))[0] == 202


async def test_full_automatic_fire_with_its_echoes_is_no_flood() -> None:
    """950 rounds a minute for ten seconds, each with an echo, told every half second."""
    behind = Behind()
    for half in range(20):
        at = NOW.timestamp() + half / 2
        pulses = [{"at": round((at - 0.5 + n / 32) * 1e6)} for n in range(16)]
        received = NOW.fromtimestamp(at, NOW.tzinfo)
        assert (await behind.door.hear(sealed(half, pulses=pulses), received))[0] == 202
    assert len(behind.impulses) == 320


# Wants and clips


async def test_a_want_is_told_with_the_next_answer_and_met_by_its_clip() -> None:
    behind = Behind()
    want = behind.wants.ask(RIDGE_ID, NOW, 1.0)
    _, answer = await behind.door.hear(sealed(1), NOW)
    [told] = answer["wants"]
    assert (told.want, told.from_us, told.seconds) == (want, us(NOW), 1.0)
    status, answer = await behind.door.hear(sealed(2, clip=a_clip(want, us(NOW))), NOW)
    assert (status, answer) == (202, {"accepted": 1, "wants": []})
    batch = behind.published[-1]
    [clip] = batch.clips
    assert batch.sounds == {clip.sha256: a_wav()}
    assert (clip.sensor, clip.seconds, clip.rate_hz) == ("ridge-04", 1.0, 12_000)


@pytest.mark.parametrize(
    ("number", "starts_s", "wav"),
    [
        (1, 0.0, a_wav()),  # another want
        (0, -3.0, a_wav()),  # of before
        (0, 5.0, a_wav()),  # of after
        (0, 0.0, a_wav(1.9)),  # longer than was asked for
    ],
)
async def test_sound_that_nobody_asked_for_does_not_come_in(
    number: int, starts_s: float, wav: bytes
) -> None:
    behind = Behind()
    want = behind.wants.ask(RIDGE_ID, NOW, 1.0) + number
    clip = a_clip(want, us(NOW) + round(starts_s * 1e6), wav)
    status, answer = await behind.door.hear(sealed(1, clip=clip), NOW)
    assert (status, answer["error"]) == (422, "not_asked")
    assert behind.published == []
    assert clip["wav"].encode()[:64] not in behind.letters[0][2], "nor is it kept as a letter"


async def test_a_clip_that_nobody_asked_for_takes_no_pulse_with_it() -> None:
    behind = Behind()
    message = sealed(1, pulses=[{"at": before(1)}], clip=a_clip(77, us(NOW)))
    status, answer = await behind.door.hear(message, NOW)
    assert (status, answer["accepted"]) == (202, 1)
    assert [(one.part, one.reason) for one in answer["rejected"]] == [("clip", "not_asked")]
    [batch] = behind.published
    assert (len(batch.impulses), batch.clips, batch.sounds) == (1, (), {})


async def test_a_clip_that_the_bus_did_not_take_is_still_wanted() -> None:
    behind = Behind()
    want = behind.wants.ask(RIDGE_ID, NOW, 1.0)
    message = sealed(1, clip=a_clip(want, us(NOW)))
    behind.bus_is_down = True
    assert (await behind.door.hear(message, NOW))[0] == 503
    behind.bus_is_down = False
    assert (await behind.door.hear(message, NOW))[0] == 202
    assert behind.wants.open(RIDGE_ID) == []


async def test_a_sensor_that_waits_is_told_as_soon_as_a_clip_is_wanted() -> None:
    behind = Behind()
    waiting = asyncio.create_task(behind.door.wait(a_poll(), NOW, 20))
    while not behind.wants.waiting:
        await asyncio.sleep(0)
    want = behind.wants.ask(RIDGE_ID, NOW, 1.0)
    async with asyncio.timeout(1):
        status, answer = await waiting
    assert status == 200
    assert [one.want for one in answer["wants"]] == [want]
    again = await behind.door.wait(a_poll(after=want), NOW, 0)
    assert again == (200, {"wants": []}), "what it knows of is no news"


@pytest.mark.parametrize(
    ("header", "status", "reason"),
    [
        ("", 422, "not_sealed"),
        ("%%%", 401, "not_sealed"),
        (a_poll(key=STRANGER), 401, "wrong_signature"),
        (a_poll(sensor="valley-01"), 401, "unknown_sensor"),
        (a_poll(says=Says.SOUND), 403, "wrong_door"),
        (a_poll(sent_us=before(NOT_NOW_S + 1)), 401, "not_now"),
        (a_poll(sent_us=before(-NOT_NOW_S - 1)), 401, "not_now"),
    ],
)
async def test_nobody_else_learns_what_is_wanted(header: str, status: int, reason: str) -> None:
    behind = Behind()
    behind.wants.ask(RIDGE_ID, NOW, 1.0)
    got, answer = await behind.door.wait(header, NOW, 0)
    assert (got, answer["error"]) == (status, reason)


def _called(name: DeviceId, key: Ed25519PrivateKey) -> GunshotSensor:
    one = sensor(key=key)
    device = msgspec.structs.replace(one.device, device_id=name)
    return msgspec.structs.replace(one, device=device)


def _many(sequence: int, count: int) -> bytes:
    """So many pulses, a millisecond apart."""
    start = before(5) + sequence * 1_000_000
    return sealed(sequence, pulses=[{"at": start + n * 1000} for n in range(count)])
