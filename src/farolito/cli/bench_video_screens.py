"""Viewers without a screen, in a process of their own: they take what comes and count it.

`python -m farolito.cli.bench_video_screens TOLD` with TOLD a JSON file of `Looking`. It asks the
node for each picture as a page does, and says "open" when every one of them has come. Each line on
its input is answered by how many pictures came so far, all together.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
import msgspec
import uvloop
from websockets.asyncio.client import connect

from farolito.model import FarolitoError

ASKED_AT_ONCE_MAX = 4  # as a wall asks


class Looking(msgspec.Struct, frozen=True, kw_only=True):
    """One viewer for each of `cameras`; one that stands there twice has two."""

    url: str
    cookie: str
    cameras: tuple[str, ...]


class _Screens:
    def __init__(self, wanted: int) -> None:
        self.pictures = 0
        self._without = wanted
        self.all_see = asyncio.Event()

    async def look(self, url: str, token: str) -> None:
        """Until the process ends; an end before that is a fault of what is measured."""
        is_first = True
        async with connect(
            url, compression=None, max_size=None, ping_interval=None, proxy=None
        ) as line:
            await line.send(msgspec.json.encode({"k": "token", "token": token}), text=True)
            async for message in line:
                if isinstance(message, str):
                    continue
                self.pictures += 1
                if is_first:
                    is_first = False
                    self._without -= 1
                    if not self._without:
                        self.all_see.set()
        raise FarolitoError("a picture ended while it was measured", "see the node's log")


async def _main(looking: Looking) -> None:
    screens = _Screens(len(looking.cameras))
    turn = asyncio.Semaphore(ASKED_AT_ONCE_MAX)
    async with (
        httpx.AsyncClient(base_url=looking.url, timeout=60, trust_env=False) as http,
        asyncio.TaskGroup() as tasks,
    ):
        http.headers["cookie"] = looking.cookie
        http.headers["x-farolito-csrf"] = (await http.get("/api/session")).json()["csrf"]

        async def one(camera: str) -> None:
            async with turn:
                answer = await http.post(f"/api/cameras/{camera}/watch", json={"quality": "full"})
                if answer.is_error:
                    raise FarolitoError(f"the node answers {answer.status_code}", answer.text[:300])
            grant = answer.json()
            await screens.look(grant["url"], grant["token"])

        for camera in looking.cameras:
            tasks.create_task(one(camera))
        await screens.all_see.wait()
        sys.stdout.write("open\n")
        sys.stdout.flush()
        asked = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(asked), sys.stdin
        )
        while await asked.readline():
            sys.stdout.write(f"{screens.pictures}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(_main(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Looking)))
