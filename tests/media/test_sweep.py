"""The sweep: when each camera is asked, and what is believed of the answers. Time runs quicker
here: a round is a third of a second."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from farolito.codec import AccessUnit, Broken
from farolito.media.control import Pulled
from farolito.media.sweep import Clock, Limits, Sweep
from farolito.media.sweep_control import Begin, Found, Look, Progress, RoundDone, SweepSaid, Swept
from farolito.model import CameraHealth, CameraId, ImageFault, PictureState
from tests.media import drawn

LIMITS = Limits(
    at_once=8, late_s=0.2, again_s=(0.03, 0.5), sure_s=0.03, tick_s=0.02, tell_s=0.02,
    progress_s=0.05, clock_every_s=60.0,
)  # fmt: skip
DOWN, LIVE = PictureState.UNREACHABLE, PictureState.LIVE


def swept(name: str, **more: Any) -> Swept:
    told: dict[str, Any] = {"looks": True, **more}
    return Swept(pulled=Pulled(camera_id=CameraId(name)), **told)


class Town:
    """Cameras that answer as the test says: `answer` is a picture, or why there is none."""

    def __init__(self) -> None:
        self.answers_of: dict[CameraId, Any] = {}
        self.answer: Any = drawn.sent(drawn.street())
        self.asked: list[tuple[float, CameraId]] = []
        self.pulled: Counter[CameraId] = Counter()
        self.at_once = self.most_at_once = 0
        self.takes_s = 0.0
        self.watched: set[CameraId] = set()
        self.network = ""
        self.ahead_s: float | None = None

    async def key_unit(self, one: Swept) -> AccessUnit:
        self.pulled[one.pulled.camera_id] += 1
        return await self._answer(one)

    async def answers(self, one: Swept) -> None:
        await self._answer(one)

    async def clock(self, one: Swept) -> Clock:
        assert self.ahead_s is not None
        return Clock(self.ahead_s, 0.5, datetime.now(UTC))

    def is_watched(self, camera_id: CameraId) -> bool:
        return camera_id in self.watched

    def no_network(self) -> str:
        return self.network

    async def _answer(self, one: Swept) -> AccessUnit:
        camera_id = one.pulled.camera_id
        self.asked.append((time.monotonic(), camera_id))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.takes_s)
            answer = self.answers_of.get(camera_id, self.answer)
            if callable(answer):
                answer = answer()
            if isinstance(answer, Broken):
                raise answer
            return answer  # type: ignore[no-any-return]
        finally:
            self.at_once -= 1


class Heard:
    def __init__(self) -> None:
        self.health: dict[CameraId, CameraHealth] = {}
        self.states: dict[CameraId, list[PictureState]] = {}
        self.rounds: list[RoundDone] = []
        self.progress: list[Progress] = []

    def tell(self, said: SweepSaid) -> None:
        match said:
            case Found():
                for one in said.health:
                    self.health[one.camera_id] = one
                    states = self.states.setdefault(one.camera_id, [])
                    if states[-1:] != [one.state]:
                        states.append(one.state)
            case RoundDone():
                self.rounds.append(said)
            case Progress():
                self.progress.append(said)


@asynccontextmanager
async def sweeping(
    town: Town, cameras: Sequence[Swept], **how: Any
) -> AsyncIterator[tuple[Sweep, Heard]]:
    heard = Heard()
    sweep = Sweep(town, heard.tell, lambda: datetime.now(UTC), **{"limits": LIMITS, **how})
    sweep.know(Look(cameras=tuple(cameras), whole=True))
    running = asyncio.create_task(sweep.run())
    try:
        yield sweep, heard
    finally:
        running.cancel()
        await asyncio.wait([running])


async def until(is_true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not is_true():
            await asyncio.sleep(0.005)


def down(state: PictureState = DOWN) -> Broken:
    return Broken(state, "no answer for 5 s", "check its power")


async def test_a_round_asks_every_camera_once_and_no_picture_is_pulled_without_one() -> None:
    town = Town()
    cameras = [swept(f"c{i}") for i in range(12)]
    async with sweeping(town, cameras) as (sweep, heard):
        await asyncio.sleep(0.05)
        assert not town.asked
        start = time.monotonic()
        sweep.begin(Begin(number=7, seconds=1.0))
        await until(lambda: heard.rounds)
        assert town.pulled == Counter({one.pulled.camera_id: 1 for one in cameras})
        at = sorted(when - start for when, _ in town.asked)
        assert at[0] < 0.4
        assert at[-1] > 0.5  # spread over the round
        [told] = heard.rounds
        assert (told.number, told.due, told.looked, told.missed) == (7, 12, 12, 0)
        assert {one.state for one in heard.health.values()} == {LIVE}
        assert heard.health[CameraId("c0")].width == 640
        assert heard.progress[-1].done <= heard.progress[-1].due == 12
        await asyncio.sleep(0.1)
        assert len(town.asked) == 12  # and the round is over


async def test_a_camera_whose_owner_lets_nobody_look_is_only_asked_whether_it_answers() -> None:
    town = Town()
    async with sweeping(town, [swept("closed", looks=False)]) as (sweep, heard):
        sweep.begin(Begin(number=1, seconds=0.2))
        await until(lambda: heard.rounds)
    assert not town.pulled
    assert heard.rounds[0].asked == 1
    health = heard.health[CameraId("closed")]
    assert health.state is LIVE
    assert "does not let us" in health.says


async def rounds(sweep: Sweep, heard: Heard, *numbers: int, seconds: float = 0.15) -> None:
    for number in numbers:
        sweep.begin(Begin(number=number, seconds=seconds))
        await until(lambda: heard.rounds and heard.rounds[-1].number == number)  # noqa: B023


async def test_one_missed_answer_changes_nothing_and_two_do() -> None:
    town, one = Town(), CameraId("one")
    answers = iter([town.answer, down(), town.answer, down(), down()])
    town.answers_of[one] = lambda: next(answers, town.answer)
    async with sweeping(town, [swept("one")]) as (sweep, heard):
        await rounds(sweep, heard, 1, 2)
        assert heard.health[one].state is LIVE
        assert len(town.asked) >= 3
        await rounds(sweep, heard, 3, 4, 5, seconds=0.3)
        assert heard.states[one] == [LIVE, DOWN, LIVE]
        assert heard.health[one].missed == 0


async def test_what_fails_is_asked_again_later_and_later() -> None:
    town = Town()
    town.answer = down()
    async with sweeping(town, [swept("one")], chance=lambda: 0.5) as (sweep, heard):
        sweep.begin(Begin(number=1, seconds=1.2))
        await until(lambda: len(town.asked) >= 5)
    at = [when for when, _ in town.asked]
    waits = [later - when for when, later in pairwise(at)]
    assert waits == pytest.approx([0.03, 0.06, 0.12, 0.24], abs=0.03)
    health = heard.health[CameraId("one")]
    assert (health.state, health.says, health.do) == (DOWN, "no answer for 5 s", "check its power")
    assert health.missed >= 4


async def test_what_is_missed_while_we_are_late_says_nothing_of_a_camera() -> None:
    town, one = Town(), CameraId("one")
    async with sweeping(town, [swept("one")]) as (sweep, heard):
        await rounds(sweep, heard, 1)
        town.answer, town.takes_s = down(), 0.05
        sweep.begin(Begin(number=2, seconds=4))
        for _ in range(3):
            await until(lambda: town.at_once)
            time.sleep(0.4)  # noqa: ASYNC251 - that is what it is about
            await until(lambda: not town.at_once)
        await asyncio.sleep(2 * LIMITS.tell_s)
        assert (heard.health[one].missed, heard.health[one].state) == (0, LIVE)
        await until(lambda: heard.health[one].state is DOWN)  # it is down in truth


async def test_without_a_network_no_camera_is_down() -> None:
    town = Town()
    cameras = [swept(f"c{i}") for i in range(30)]
    async with sweeping(town, cameras) as (sweep, heard):
        await rounds(sweep, heard, 1, seconds=0.3)
        town.answer, town.network = down(), "this machine has no network"
        await rounds(sweep, heard, 2, seconds=0.3)
        assert heard.rounds[1].storm == "this machine has no network"
        assert {one.state for one in heard.health.values()} == {LIVE}
        assert town.most_at_once <= LIMITS.at_once
        town.network = ""
        await rounds(sweep, heard, 3, seconds=0.6)
        assert {one.state for one in heard.health.values()} == {DOWN}
        assert any("our own line" in one.storm for one in heard.progress)


async def test_a_fault_is_looked_at_twice_before_it_is_told() -> None:
    town, one = Town(), CameraId("one")
    covered = drawn.sent(drawn.covered(drawn.street()))
    shown = iter([town.answer, covered, town.answer, town.answer])
    town.answers_of[one] = lambda: next(shown, covered)
    async with sweeping(town, [swept("one")]) as (sweep, heard):
        await rounds(sweep, heard, 1, 2, 3)
        assert len(town.asked) >= 4
        assert heard.health[one].faults == ()
        await rounds(sweep, heard, 4, seconds=0.4)
    assert heard.health[one].faults == (ImageFault.OBSTRUCTED,)
    assert (heard.health[one].state, heard.health[one].says) == (LIVE, "something covers its lens")


async def test_a_wrong_clock_is_a_fault_with_its_figure() -> None:
    town, one = Town(), CameraId("one")
    town.ahead_s = 73.0
    async with sweeping(town, [swept("one", onvif_url="http://10.0.0.9/")]) as (sweep, heard):
        sweep.begin(Begin(number=1, seconds=0.2))
        await until(lambda: heard.rounds)
        health = heard.health[one]
        assert (health.faults, health.clock_error_s) == ((ImageFault.WRONG_CLOCK,), 73.0)
        sweep.begin(Begin(number=2, seconds=0.2))
        await until(lambda: len(heard.rounds) == 2)
        assert heard.health[one].faults == (ImageFault.WRONG_CLOCK,)  # until it is asked anew


async def test_a_picture_that_ended_the_decoder_is_not_decoded_again() -> None:
    town = Town()
    marks: list[str] = []
    cameras = [swept("bad"), swept("good")]
    how = {"mark": marks.append, "ended_by": "bad"}
    async with sweeping(town, cameras, **how) as (sweep, heard):
        sweep.begin(Begin(number=1, seconds=0.5))
        await until(lambda: heard.rounds)
    assert heard.health[CameraId("bad")].state is PictureState.MALFORMED
    assert heard.health[CameraId("good")].state is LIVE
    assert marks == ["good", ""]


async def test_a_new_process_goes_on_where_the_old_one_ended() -> None:
    town, one = Town(), CameraId("one")
    was = CameraHealth(camera_id=one, state=LIVE, since=datetime(2026, 6, 1, tzinfo=UTC))
    async with sweeping(town, [swept("one")]) as (sweep, heard):
        sweep.known([was])
        town.answer = down()
        sweep.begin(Begin(number=1, seconds=0.02))
        await until(lambda: heard.rounds)
        assert heard.health.get(one, was).state is LIVE  # one miss is none
        assert sweep.usual().keys() == {one}


async def test_a_camera_that_shows_itself_to_one_alone_is_not_down() -> None:
    town, one = Town(), CameraId("one")
    async with sweeping(town, [swept("one")]) as (sweep, heard):
        sweep.begin(Begin(number=1, seconds=0.1))
        await until(lambda: heard.rounds)
        town.answer, town.watched = down(PictureState.REFUSED), {one}
        await rounds(sweep, heard, 2, 3, 4)
    assert heard.states[one] == [LIVE]
    assert heard.rounds[-1].live == 1
