"""The locator against the live fire of Pittsburgh, blind, one firing position left out.

A firing position was never seen by what judges it: what a deployment teaches is learnt from the
other positions. Draws of sensors are fixed by the test's name.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from farolito.acoustics import Source
from farolito.acoustics.deployment import Deployment, Solved, fit_deployment
from farolito.acoustics.evaluate import holds
from farolito.acoustics.locate import locate
from tests.acoustics.pittsburgh import LiveFire, live_fires

pytestmark = [pytest.mark.real_input, pytest.mark.timeout(400)]
REACHES = 0.2  # a source less likely reaches nobody


@pytest.fixture(scope="module")
def fires(real_inputs: Path) -> list[LiveFire]:
    return live_fires(real_inputs)


@pytest.fixture(scope="module")
def learnt(fires: list[LiveFire]) -> dict[str, Deployment]:
    """For each firing position what all others teach."""
    solved = [
        (fire.position, Solved(net=fire.net, source=_best(fire, Deployment()), truth=_truth(fire)))
        for fire in fires[::3]
    ]
    return {
        position: fit_deployment([case for other, case in solved if other != position])
        for position in {fire.position for fire in fires}
    }


@pytest.fixture(scope="module")
def answers(
    fires: list[LiveFire], learnt: dict[str, Deployment]
) -> list[tuple[LiveFire, list[Source]]]:
    return [(fire, list(_answer(fire, learnt[fire.position]))) for fire in fires]


def test_every_live_fire_is_located_within_25_m(
    answers: list[tuple[LiveFire, list[Source]]],
) -> None:
    errors = [_error_m(fire, sources[0]) for fire, sources in answers]
    assert max(errors) < 25
    assert statistics.quantiles(errors, n=20)[-1] <= 8


def test_rounds_are_counted_as_they_were_fired(
    answers: list[tuple[LiveFire, list[Source]]],
) -> None:
    exact = [len(sources[0].rounds) == fire.rounds for fire, sources in answers]
    assert statistics.mean(exact) >= 0.97


def test_the_ellipse_holds_the_survey_point_as_often_as_it_says(
    answers: list[tuple[LiveFire, list[Source]]],
) -> None:
    held = [holds(sources[0].place, fire.x_m, fire.y_m) for fire, sources in answers]
    assert 0.93 <= statistics.mean(held) <= 0.99


def test_hardly_any_event_is_made_up(answers: list[tuple[LiveFire, list[Source]]]) -> None:
    extra = sum(len(sources) - 1 for _, sources in answers)
    assert extra <= len(answers) / 100


def test_with_six_sensors_the_truth_is_found_or_is_among_the_places_shown(
    fires: list[LiveFire], learnt: dict[str, Deployment]
) -> None:
    shown = []
    for fire in fires[::2]:  # of each firing position half: the whole takes a core 40 s
        chosen = random.Random(fire.name).sample(sorted(fire.direct), min(6, len(fire.direct)))
        thin = fire.heard_by(frozenset(chosen))
        sources = list(_answer(thin, learnt[fire.position]))
        shown.append(bool(sources) and _is_shown(fire, sources[0]))
    assert statistics.mean(shown) >= 0.95


def _answer(fire: LiveFire, deployment: Deployment) -> Iterator[Source]:
    """Sources that would reach somebody, the best first."""
    sources = locate(fire.net, fire.pulses, fire.air, deployment=deployment)
    sources.sort(key=lambda source: -source.score)
    return (source for source in sources if source.probability >= REACHES)


def _best(fire: LiveFire, deployment: Deployment) -> Source:
    return next(_answer(fire, deployment))


def _is_shown(fire: LiveFire, source: Source) -> bool:
    return any(fire.error_m(place.x_m, place.y_m) < 25 for place in source.places)


def _error_m(fire: LiveFire, source: Source) -> float:
    return fire.error_m(source.place.x_m, source.place.y_m)


def _truth(fire: LiveFire) -> tuple[float, float]:
    return fire.x_m, fire.y_m
