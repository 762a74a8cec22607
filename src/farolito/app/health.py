"""How the node is, in sentences that say what to do. The page and `farolito doctor` share it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from farolito.app.cameras import Health as Cameras
from farolito.app.supervise import ChildStatus
from farolito.audit import LedgerStatus
from farolito.model import Device, Doubt, HotList
from farolito.store.sources import SourceCount

SILENT_AFTER = timedelta(minutes=10)  # a plate reader on a street sees a car sooner
QUEUE_MESSAGES_HIGH = 2_000
REJECTED_SHARE_HIGH = 0.05
POSITIONS_DOUBTED_SHARE_HIGH = 0.02
_DOUBTED = frozenset({Doubt.IMPOSSIBLE_SPEED, Doubt.TWO_PLACES, Doubt.CLOCK_SKEW})
CHECKPOINT_AFTER = timedelta(minutes=2)
SENSORS_OUT_SHARE_HIGH = 0.1
TICK_HIGH_MS = 1_000.0
PICTURES_LATE_HIGH_MS = 100

Word = Literal["wrong", "look", "fine"]


class Finding(msgspec.Struct, frozen=True):
    """Something a person should know. `do` is empty only where nothing has to be done."""

    level: Word
    what: str
    do: str


class Sound(msgspec.Struct, frozen=True, kw_only=True):
    """Gunshot sensors and the locator. `not_up`: name, what is wrong, what to do. `repeated`: name,
    and how many of its messages came again. `delay_p95_s`: from the discharge to the desk."""

    sensors: int = 0
    not_up: Sequence[tuple[str, str, str]] = ()
    repeated: Sequence[tuple[str, int]] = ()
    told: int = 0
    let_go: int = 0
    tick_p99_ms: float | None = None
    delay_p95_s: float | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the node knows of itself at one moment."""

    at: datetime
    started_at: datetime
    children: Sequence[ChildStatus]
    is_bus_connected: bool
    stream_first: int
    stream_last: int
    position: int
    judged_p99_ms: float | None
    recorded: int
    raised: int
    devices: Sequence[Device]
    sources: Sequence[SourceCount]
    lists: Sequence[tuple[HotList, int]]  # with rows in force
    ledger: LedgerStatus
    spool_waiting: int
    spool_damaged: Sequence[Path]
    unverified_law: Sequence[str]
    law: str
    letters_let_go: int
    state: Path
    disk_free_gb_min: float
    sockets: int
    silent_cads: Sequence[tuple[str, int]]  # by name, with the seconds of silence
    positions: Mapping[str, int]  # heard, and what was not believed, by reason
    words_problems: Sequence[str]
    sound: Sound
    cameras: Cameras
    federation: Sequence[Finding] = ()  # of other agencies and of the ledger's witnesses


def report(facts: Facts) -> Mapping[str, Any]:
    """The whole page: findings first, the worst on top."""
    disk = shutil.disk_usage(facts.state)
    findings = [
        *_children(facts),
        *_queue(facts),
        *_ledger(facts),
        *_spool(facts),
        *_law(facts),
        *_disk(facts, disk.free),
        *_lists(facts),
        *_sources(facts),
        *_dispatch(facts),
        *_sound(facts.sound),
        *_cameras(facts.cameras),
        *facts.federation,
    ]
    findings.sort(key=lambda f: ("wrong", "look", "fine").index(f.level))
    return {
        "ok": not any(f.level == "wrong" for f in findings),
        "at": facts.at,
        "findings": findings,
        "sources": [_source(facts, device) for device in _listed(facts)],
        "queues": [
            {
                "name": "reads",
                "waiting": max(0, facts.stream_last - facts.position),
                "recorded": facts.recorded,
                "judged_p99_ms": facts.judged_p99_ms,
                "alerts_raised": facts.raised,
            }
        ],
        "positions": facts.positions,
        "sound": facts.sound,
        "cameras": facts.cameras._asdict(),
        "children": [
            {"name": c.name, "ready": c.is_ready, "restarts": c.restarts, "up_s": round(c.up_s)}
            for c in facts.children
        ],
        "lists": [list_view(hot_list, rows, facts.at) for hot_list, rows in facts.lists],
        "ledger": facts.ledger,
        "disk": {"free_gb": round(disk.free / 1e9, 1), "total_gb": round(disk.total / 1e9, 1)},
        "sockets": facts.sockets,
    }


def list_view(hot_list: HotList, rows: int, now: datetime) -> Mapping[str, Any]:
    age = now - hot_list.imported_at if hot_list.imported_at else None
    return {
        **msgspec.structs.asdict(hot_list),
        "rows": rows,
        "age_s": None if age is None else round(age.total_seconds()),
        "stale": age is None or age > hot_list.stale_after,
        "dead": age is None or age > hot_list.dead_after,
    }


def _children(facts: Facts) -> list[Finding]:
    found = [
        Finding("wrong", f"{child.name} is not answering", f"see its log in {facts.state / 'log'}")
        for child in facts.children
        if not child.is_ready
    ]
    found += [
        Finding("look", f"{child.name} was restarted {child.restarts} times",
                f"see its log in {facts.state / 'log'}")
        for child in facts.children
        if child.restarts
    ]  # fmt: skip
    if not facts.is_bus_connected:
        found.append(Finding("wrong", "the bus is away: readers are told to send again",
                             "it reconnects by itself; if not, look at the nats log"))  # fmt: skip
    return found


def _queue(facts: Facts) -> list[Finding]:
    waiting = facts.stream_last - facts.position
    if waiting <= QUEUE_MESSAGES_HIGH:
        return []
    return [Finding("wrong", f"{waiting} messages wait to be recorded: alerts are late",
                    "see whether PostgreSQL or the disk is slow")]  # fmt: skip


def _ledger(facts: Facts) -> list[Finding]:
    ledger = facts.ledger
    if not ledger.healthy:
        return [Finding("wrong", f"the ledger: {ledger.says}. Nothing is shown until it is back",
                        ledger.do)]  # fmt: skip
    last = ledger.last_checkpoint_at
    unsigned = ledger.size > ledger.last_checkpoint_size
    if unsigned and last is not None and facts.at - last > CHECKPOINT_AFTER:
        return [Finding("look", "the ledger's last checkpoint is over two minutes old",
                        "see the log; entries themselves are durable")]  # fmt: skip
    return []


def _spool(facts: Facts) -> list[Finding]:
    found = [
        Finding("wrong", f"the safety spool {file.name} does not fit its own hashes",
                "keep the file and call the auditor: somebody may have edited it")
        for file in facts.spool_damaged
    ]  # fmt: skip
    if facts.spool_waiting:
        found.append(Finding("look", f"{facts.spool_waiting} entries wait in the safety spool",
                             "they go into the ledger by themselves when it is back"))  # fmt: skip
    return found


def _law(facts: Facts) -> list[Finding]:
    if not facts.unverified_law:
        return []
    named = ", ".join(facts.unverified_law)
    what = f"state pack {facts.law}: {named} not held against the enacted text"
    do = "let counsel confirm them; the pack's file says where they come from"
    return [Finding("fine", what, do)]


def _disk(facts: Facts, free: int) -> list[Finding]:
    free_gb = free / 1e9
    if free_gb < facts.disk_free_gb_min:
        return [Finding("wrong", f"{free_gb:.1f} GB free: the doors refuse new reads",
                        f"free space on the disk of {facts.state}")]  # fmt: skip
    if free_gb < 5 * facts.disk_free_gb_min:
        return [Finding("look", f"{free_gb:.1f} GB free on the disk of {facts.state}",
                        "free space before the doors close")]  # fmt: skip
    return []


def _lists(facts: Facts) -> list[Finding]:
    found = []
    for hot_list, rows in facts.lists:
        view = list_view(hot_list, rows, facts.at)
        name = f"hot list {hot_list.name}"
        again = f"import it again: farolito hotlist import FILE --list {hot_list.list_id}"
        if view["age_s"] is None:
            found.append(Finding("look", f"{name} was never imported", again))
        elif view["dead"]:
            found.append(Finding("wrong", f"{name} is {_age(view['age_s'])} old: its rows no"
                                 " longer match", again))  # fmt: skip
        elif view["stale"]:
            found.append(Finding("wrong", f"{name} is {_age(view['age_s'])} old", again))
    if not facts.lists:
        found.append(Finding("look", "there is no hot list: no read can raise an alert",
                             "farolito hotlist import FILE --list ID --mapping FILE"))  # fmt: skip
    return found


def _sources(facts: Facts) -> list[Finding]:
    found = []
    for device in _listed(facts):
        source = _source(facts, device)
        if source["state"] == "silent":
            found.append(Finding("look", f"{device.name}: silent for"
                                 f" {_age(source['last_heard_s'])}",
                                 "look at its power, network and key"))  # fmt: skip
        elif source["state"] == "rejected":
            most = max(source["rejected"], key=lambda r: source["rejected"][r])
            found.append(Finding("look", f"{device.name}: many messages are not taken in ({most})",
                                 "see the rejected messages"))  # fmt: skip
    if facts.letters_let_go:
        found.append(Finding("look", f"{facts.letters_let_go} rejected messages were counted but"
                             " not kept", "one source floods the door; see which"))  # fmt: skip
    return found


def _dispatch(facts: Facts) -> list[Finding]:
    found = [
        Finding(
            "wrong",
            f"dispatch system {name} has been silent for {seconds} s: calls may be missing",
            "call the dispatch center; see docs/formats/cad.md for its sign of life",
        )
        for name, seconds in facts.silent_cads
    ]
    found += [
        Finding("look", f"words of briefs: {says}", "see docs/briefing.md, then restart the node")
        for says in facts.words_problems
    ]
    doubted = sum(n for reason, n in facts.positions.items() if reason in _DOUBTED)
    if doubted > POSITIONS_DOUBTED_SHARE_HIGH * facts.positions.get("heard", 0):
        found.append(Finding("look", f"{doubted} positions of units were doubted",
                             "see which unit is drawn as doubtful on the map"))  # fmt: skip
    return found


def _sound(sound: Sound) -> list[Finding]:
    found = [
        Finding("look", f"{name}: {says}" if says else f"{name} is not heard", do)
        for name, says, do in sound.not_up
    ]
    found += [
        Finding("look", f"somebody repeats messages of {name}: {count} refused within 30 min",
                "see whether two devices have its name and key; it is believed as before")
        for name, count in sound.repeated
    ]  # fmt: skip
    if sound.sensors and len(sound.not_up) > SENSORS_OUT_SHARE_HIGH * sound.sensors:
        what = f"{len(sound.not_up)} of {sound.sensors} gunshot sensors are out: shots are missed"
        found.append(Finding("wrong", what, "see the map of coverage, and what each sensor says"))
    if sound.tick_p99_ms is not None and sound.tick_p99_ms > TICK_HIGH_MS:
        what = f"locating shots takes {sound.tick_p99_ms:.0f} ms: they come late"
        found.append(Finding("look", what, "give the node another core"))
    if sound.let_go:
        what = f"{sound.let_go} solutions of shots were let go while the store was away"
        found.append(Finding("wrong", what, "see the log of PostgreSQL"))
    return found


def _cameras(cameras: Cameras) -> list[Finding]:
    """Cameras themselves are told by groups, on their own part of the page."""
    found = []
    pictures = cameras.pictures
    if pictures is not None and pictures.late_ms > PICTURES_LATE_HIGH_MS:
        what = f"pictures are handed out {pictures.late_ms} ms late"
        do = "raise [video] processes, or give the node another core"
        found.append(Finding("look", what, do))
    if cameras.turned_away:
        what = f"{cameras.turned_away} tokens for pictures opened nothing since the start"
        do = "a few are late browsers; many are somebody who tries: see the log"
        found.append(Finding("fine", what, do))
    if cameras.let_go:
        what = f"{cameras.let_go} lines of who watched were let go while the store was away"
        found.append(Finding("wrong", what, "see the log of PostgreSQL; the ledger has each start"))
    return found


def _listed(facts: Facts) -> list[Device]:
    """All but the gunshot sensors: there are a hundred of them, and they are judged by each
    other. What is wrong with one is a finding."""
    return [device for device in facts.devices if device.kind != "gunshot_sensor"]


def _source(facts: Facts, device: Device) -> dict[str, Any]:
    mine = [s for s in facts.sources if s.device_id == device.device_id]
    heard = max((s.last_heard_at for s in mine), default=None)
    silent_s = None if heard is None else max(0.0, (facts.at - heard).total_seconds())
    listening_s = (facts.at - facts.started_at).total_seconds()  # nobody hears a node that is off
    reads = sum(s.reads for s in mine)
    rejected: dict[str, int] = {}
    for source in mine:
        for reason, count in source.rejected.items():
            rejected[reason] = rejected.get(reason, 0) + count
    state = "fine"
    if silent_s is None:
        state = "never heard"
    elif min(silent_s, listening_s) > SILENT_AFTER.total_seconds() and not device.is_recording:
        state = "silent"
    elif sum(rejected.values()) > REJECTED_SHARE_HIGH * (reads + 100):
        state = "rejected"
    return {
        "device": device.device_id,
        "name": device.name,
        "format": device.format,
        "last_heard_s": None if silent_s is None else round(silent_s),
        "reads": reads,
        "duplicates": sum(s.duplicates for s in mine),
        "rejected": rejected,
        "state": state,
    }


def _age(seconds: float) -> str:
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"
