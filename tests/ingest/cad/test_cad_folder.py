"""A watched folder: half-written files, files written while read, restarts, moves, refusals."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

import farolito.ingest.cad.folder as room
from farolito.ingest.cad.folder import Folder
from farolito.ingest.cad.mapping import Mapping, load_mapping
from farolito.ingest.cad.sources import CadFolder
from farolito.ingest.run import keep_running
from tests.ingest.cad.cad_builders import CAD, Notes, StoreAway, Taker
from tests.running import until

MAPPING = """
format: json
fields: {number: number, sent_at: at, kind_says: nature, state: state}
times: {zone: UTC}
"""
CSV = "format: csv\nfields: {number: NUMBER, kind_says: NATURE}\n"


class Desk:
    """A folder, the taker behind it, and what is told of it."""

    def __init__(self, folder: Path, mapping: str = MAPPING, **more: Any) -> None:
        self.path = folder
        self.taker, self.notes = Taker(), Notes()
        self.mapping: Mapping = load_mapping(mapping)
        self.config = CadFolder(
            device=CAD.device_id, folder=str(folder), mapping="m.yaml", poll_s=0.2, **more
        )
        self.restart()

    def restart(self) -> None:
        self.folder = Folder(
            self.config, self.mapping, CAD, self.taker.take, self.notes, alive=self.notes.is_alive
        )

    def put(self, name: str, *numbers: str, at: str = "2026-11-23T10:00:00Z") -> Path:
        file = self.path / name
        file.write_bytes(calls(*numbers, at=at))
        return file

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(keep_running("folder", self.folder.run, (0.05,)))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def calls(*numbers: str, at: str = "2026-11-23T10:00:00Z") -> bytes:
    return msgspec.json.encode([{"number": number, "at": at} for number in numbers])


async def test_a_file_that_appears_is_taken_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    async with desk.watching():
        await until(lambda: True)
        desk.put("a.json", "26-1", "26-2")
        await until(lambda: desk.taker.numbers == ["26-1", "26-2"])
    assert desk.notes.alive == ["county-cad"]
    assert desk.notes.heard_updates == 2


async def test_a_file_is_taken_once_across_a_restart(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.put("a.json", "26-1")
    await desk.folder.look()
    await desk.folder.look()
    assert desk.taker.tried == 1, "it stays in place and is remembered"
    desk.restart()
    await desk.folder.look()
    assert (desk.taker.tried, desk.taker.numbers) == (2, ["26-1"]), "its mark is known"


async def test_the_same_file_with_new_content_is_taken_anew(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.put("calls.json", "26-1")
    await desk.folder.look()
    desk.put("calls.json", "26-1", at="2026-11-23T10:00:05Z")
    await desk.folder.look()
    assert desk.taker.numbers == ["26-1", "26-1"]


async def test_where_the_content_tells_no_time_the_same_words_later_are_news(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, "format: json\nfields: {number: number}\n")
    for written in (1, 2):
        file = desk.put("calls.json", "26-1")
        moment = time.time() - 60 + written
        os.utime(file, (moment, moment))
        await desk.folder.look()
    assert len(set(desk.taker.marks)) == 2


async def test_while_the_store_is_away_the_file_waits_and_then_goes_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.taker.away = True
    desk.put("a.json", "26-1")
    with pytest.raises(StoreAway):
        await desk.folder.look()
    async with desk.watching():
        await until(lambda: desk.taker.tried >= 3)
        desk.taker.away = False
        await until(lambda: desk.taker.numbers == ["26-1"])
    assert desk.notes.reasons == []


async def test_a_half_written_file_waits_until_it_is_whole(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    whole = calls("26-1")
    (tmp_path / "a.json").write_bytes(whole[:20])
    assert await desk.folder.look(), "it waits"
    assert await desk.folder.look()
    (tmp_path / "a.json").write_bytes(whole)
    assert not await desk.folder.look()
    assert desk.taker.numbers == ["26-1"]
    assert desk.notes.reasons == []


async def test_a_file_that_never_becomes_whole_is_refused_once_by_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path, settle_s=0.0)
    (tmp_path / "a.json").write_bytes(calls("26-1")[:20])
    for _ in range(3):
        assert not await desk.folder.look()
    assert desk.notes.reasons == ["truncated"]
    assert "a.json" in desk.notes.says[0]
    assert (tmp_path / "a.json").exists()


@pytest.mark.parametrize("name", ["a.json.part", "a.tmp", "a.json.filepart", ".a.json", "a.json~"])
async def test_names_of_files_still_being_sent_are_left_alone(tmp_path: Path, name: str) -> None:
    desk = Desk(tmp_path)
    desk.put(name, "26-1")
    await desk.folder.look()
    assert desk.taker.tried == 0
    (tmp_path / name).rename(tmp_path / "whole.json")
    await desk.folder.look()
    assert desk.taker.numbers == ["26-1"]


async def test_a_csv_file_is_read_when_it_has_stood_still(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CSV, still_s=0.2)
    file = tmp_path / "calls.csv"
    file.write_text("NUMBER,NATURE\n26-1,ROBBERY\n26-")
    assert await desk.folder.look(), "it may not be whole"
    file.write_text("NUMBER,NATURE\n26-1,ROBBERY\n26-2,ASSAULT\n")
    async with desk.watching():
        await until(lambda: desk.taker.numbers == ["26-1", "26-2"])
    assert desk.taker.tried == 1, "a number cut short was never a call"


async def test_a_file_rewritten_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer comes between our look at the file and the end of our reading."""
    desk = Desk(tmp_path)
    file = desk.put("calls.json", "26-1")
    real = room._read
    disturbed: list[Path] = []

    def read_disturbed(path: Path) -> Any:
        got = real(path)
        if not disturbed:
            disturbed.append(path)
            file.write_bytes(calls("26-1", "26-2", at="2026-11-23T10:00:09Z"))
        return got

    monkeypatch.setattr(room, "_read", read_disturbed)
    assert await desk.folder.look(), "what was read is not what is there"
    assert desk.taker.tried == 0
    await desk.folder.look()
    assert desk.taker.numbers == ["26-1", "26-2"]


async def test_a_writer_that_never_rests_loses_nothing_and_shows_no_half(tmp_path: Path) -> None:
    """A real writer, in place, in pieces, 60 times: only whole contents are seen."""
    desk = Desk(tmp_path)
    file = tmp_path / "calls.json"

    def write() -> None:
        for n in range(60):
            content = calls(*(f"26-{n}-{at}" for at in range(200)), at=f"2026-11-23T10:00:{n:02}Z")
            with file.open("wb", buffering=0) as out:
                for start in range(0, len(content), 1500):
                    out.write(content[start : start + 1500])

    async with desk.watching():
        await asyncio.to_thread(write)
        await until(lambda: "26-59-199" in desk.taker.numbers)
    seen: dict[str, int] = {}
    for number in desk.taker.numbers:
        seen[number.rpartition("-")[0]] = seen.get(number.rpartition("-")[0], 0) + 1
    assert set(seen.values()) == {200}
    assert desk.notes.reasons == []


async def test_files_are_read_in_the_order_of_their_writing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for name, age_s in (("b.json", 30), ("a.json", 10), ("c.json", 20)):
        file = desk.put(name, name)
        moment = time.time() - age_s
        os.utime(file, (moment, moment))
    await desk.folder.look()
    assert desk.taker.numbers == ["b.json", "c.json", "a.json"]


async def test_read_and_refused_files_are_moved_where_that_is_wanted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, done="done", bad="bad", settle_s=0.0)
    desk.put("good.json", "26-1")
    (tmp_path / "bad.json").write_text("{")
    await desk.folder.look()
    desk.put("good.json", "26-2")
    await desk.folder.look()
    assert not (tmp_path / "good.json").exists()
    assert len(list((tmp_path / "done").iterdir())) == 2, "a second file of a name keeps both"
    assert [file.name for file in (tmp_path / "bad").iterdir()] == ["bad.json"]


async def test_a_folder_that_cannot_be_written_to_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, done="done")

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", denied)
    desk.put("a.json", "26-1")
    await desk.folder.look()
    await desk.folder.look()
    assert (desk.taker.tried, desk.taker.numbers) == (1, ["26-1"])


async def test_an_old_archive_raises_no_calls(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    file = desk.put("last-year.json", "25-1")
    os.utime(file, (time.time() - 90_000,) * 2)
    await desk.folder.look()
    assert desk.taker.tried == 0


async def test_a_link_leads_nowhere_and_a_pipe_stops_nothing(tmp_path: Path) -> None:
    watched, other = tmp_path / "in", tmp_path / "other"
    watched.mkdir()
    other.write_bytes(calls("26-9"))
    (watched / "link.json").symlink_to(other)
    os.mkfifo(watched / "pipe.json")
    desk = Desk(watched)
    desk.put("a.json", "26-1")
    await desk.folder.look()
    assert desk.taker.numbers == ["26-1"]


async def test_an_oversized_file_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "FILE_BYTES_MAX", 10)
    desk = Desk(tmp_path)
    desk.put("a.json", "26-1")
    assert not await desk.folder.look(), "waiting would not make it smaller"
    assert desk.notes.reasons == ["too_large"]


async def test_touching_the_heartbeat_file_is_a_sign_of_life(tmp_path: Path) -> None:
    desk = Desk(tmp_path, heartbeat="HEARTBEAT.TXT")
    beat = tmp_path / "HEARTBEAT.TXT"
    beat.touch()
    await desk.folder.look()
    await desk.folder.look()
    assert len(desk.notes.alive) == 1, "it was not touched again"
    os.utime(beat, ns=(1, time.time_ns()))
    await desk.folder.look()
    assert len(desk.notes.alive) == 2
    assert desk.taker.tried == 0


async def test_an_export_without_calls_is_a_sign_of_life(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.put("a.json")
    await desk.folder.look()
    assert (desk.notes.alive, desk.taker.tried) == (["county-cad"], 0)


async def test_a_folder_that_comes_back_is_watched_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "share")
    async with desk.watching():
        (tmp_path / "share").mkdir()
        desk.put("a.json", "26-1")
        await until(lambda: desk.taker.numbers == ["26-1"])


async def test_a_bad_record_is_named_and_the_others_go_in(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "a.json").write_bytes(
        msgspec.json.encode([{"number": "26-1", "state": "AJAR", "at": "2026-11-23T10:00:00Z"}, {}])
    )
    await desk.folder.look()
    assert desk.taker.numbers == ["26-1"]
    assert desk.notes.reasons == ["no_number", "unknown_value"]
    assert datetime.now(UTC) > desk.taker.updates[0].sent_at
