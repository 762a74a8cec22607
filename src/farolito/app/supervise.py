"""Child processes: started, watched, restarted, and stopped without leaving one behind.

The kernel tells a child when this process is gone (PR_SET_PDEATHSIG), so even `kill -9` of the
node ends its engines. Children have a session of their own: Ctrl-C reaches the node alone, which
then stops them in the right order.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from farolito.model import FarolitoError

log = logging.getLogger(__name__)

START_WAIT_S_MAX = 60.0  # then the start is given up, with the end of the child's log
STOP_WAIT_S_MAX = 20.0  # then the child is killed
RESTART_WAIT_S = (0.2, 0.5, 1.0, 2.0, 5.0)  # the last one repeats
LOG_BYTES_MAX = 10_000_000  # a child's log is started anew past this, keeping one old file

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Owner:
    """The account a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Child:
    """What to run and how to know that it works. `ready` may raise while it is not."""

    name: str
    argv: Sequence[str]
    directory: Path
    ready: Callable[[], Awaitable[bool]]
    log_file: Path
    stop_signal: signal.Signals = signal.SIGTERM
    owner: Owner | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Running:
    child: Child
    process: asyncio.subprocess.Process
    watcher: asyncio.Task[None] | None = None
    restarts: int = 0
    is_ready: bool = False
    since: float = 0.0


@dataclass(frozen=True)
class ChildStatus:
    name: str
    pid: int
    is_ready: bool
    restarts: int
    up_s: float


class Supervisor:
    """Keeps children running. Start them in the order they need each other."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._stopping = False

    async def start(self, child: Child) -> None:
        """Start a child and wait until it is ready. Raises FarolitoError where it never is."""
        running = _Running(child, await _spawn(child), since=time.monotonic())
        self._running[child.name] = running
        await self._until_ready(running)
        running.watcher = asyncio.create_task(self._watch(running), name=f"watch {child.name}")

    def status(self) -> list[ChildStatus]:
        now = time.monotonic()
        return [
            ChildStatus(r.child.name, r.process.pid, r.is_ready, r.restarts, now - r.since)
            for r in self._running.values()
        ]

    async def again(self, name: str) -> None:
        """Stop a child and start it at once, as its files say now. Raises FarolitoError where it
        does not come up, and goes on trying."""
        running = self._running[name]
        if running.watcher is not None:
            running.watcher.cancel()
        running.is_ready = False
        await _end(running)
        running.process = await _spawn(running.child)
        running.since = time.monotonic()
        try:
            await self._until_ready(running)
        finally:
            running.watcher = asyncio.create_task(self._watch(running), name=f"watch {name}")

    async def end(self, name: str) -> None:
        """Stop one child for good, ahead of the others."""
        running = self._running.pop(name, None)
        if running is not None:
            if running.watcher is not None:
                running.watcher.cancel()
            await _end(running)

    async def stop(self) -> None:
        """Stop all children, the last started first, and wait for their end."""
        self._stopping = True
        for running in reversed(list(self._running.values())):
            if running.watcher is not None:
                running.watcher.cancel()
            await _end(running)
        self._running.clear()

    async def _watch(self, running: _Running) -> None:
        while True:
            code = await running.process.wait()
            if self._stopping:
                return
            running.is_ready = False
            name = running.child.name
            log.error("%s ended with code %s; starting it again", name, code)
            await self._restart(running)
            log.warning("%s is back (restart %d)", name, running.restarts)

    async def _restart(self, running: _Running) -> None:
        attempt = 0
        while not self._stopping:
            await asyncio.sleep(RESTART_WAIT_S[min(attempt, len(RESTART_WAIT_S) - 1)])
            attempt += 1
            running.restarts += 1
            running.process = await _spawn(running.child)
            running.since = time.monotonic()
            try:
                await self._until_ready(running)
            except FarolitoError as error:
                log.error("%s", error)
            else:
                return

    async def _until_ready(self, running: _Running) -> None:
        """Wait for the child's own proof of life; start it again where it ended too early.

        PostgreSQL refuses to start while a backend of a killed server still lives, so an early
        end is tried again until the time is up.
        """
        end = time.monotonic() + START_WAIT_S_MAX
        while time.monotonic() < end:
            if running.process.returncode is not None:
                await asyncio.sleep(0.3)
                running.process = await _spawn(running.child)
            if await _is_ready(running.child):
                running.is_ready = True
                return
            await asyncio.sleep(0.05)
        tail = _tail(running.child.log_file)
        await _end(running)
        raise FarolitoError(
            f"{running.child.name} did not start within {START_WAIT_S_MAX:.0f} s",
            f"see {running.child.log_file}; it ends with: {tail}",
        )


async def _is_ready(child: Child) -> bool:
    try:
        async with asyncio.timeout(5):
            return await child.ready()
    except Exception:  # a probe of an engine that is not up yet fails in many ways
        return False


async def _spawn(child: Child) -> asyncio.subprocess.Process:
    _roll(child.log_file)
    parent = os.getpid()

    def settle() -> None:  # in the child, before its program: drop rights, tie to the parent
        if child.owner is not None:
            os.setgroups([])
            os.setgid(child.owner.gid)
            os.setuid(child.owner.uid)
        _libc.prctl(_PR_SET_PDEATHSIG, int(child.stop_signal))
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    with child.log_file.open("ab") as out:
        return await asyncio.create_subprocess_exec(
            *child.argv,
            cwd=child.directory,
            env={**os.environ, **child.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=settle,
        )


async def _end(running: _Running) -> None:
    process = running.process
    if process.returncode is not None:
        return
    process.send_signal(running.child.stop_signal)
    try:
        async with asyncio.timeout(STOP_WAIT_S_MAX):
            await process.wait()
    except TimeoutError:
        log.error("%s did not stop in %.0f s; killed", running.child.name, STOP_WAIT_S_MAX)
        process.kill()
        await process.wait()


def _roll(log_file: Path) -> None:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > LOG_BYTES_MAX:
        log_file.replace(log_file.with_suffix(".old"))


def _tail(log_file: Path, lines: int = 3) -> str:
    if not log_file.exists():
        return "nothing"
    return " | ".join(log_file.read_text(errors="replace").splitlines()[-lines:])
