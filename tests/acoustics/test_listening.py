"""The locator as time goes by: early, steady, and the same after a restart."""

from __future__ import annotations

import math
from itertools import pairwise

from farolito.acoustics import Pulse, Source
from farolito.acoustics.listening import CLASSES, Listening, differs
from farolito.simulator.sound_trial import Trial, trial

TICK_S, LATE_S = 0.25, 0.45  # a pulse is picked and sent so long after its onset


def told(made: Trial, listening: Listening, since_s: float = 0.0) -> list[tuple[float, Source]]:
    """Every answer with the moment it was given, pulses arriving as they would."""
    answers = []
    now_s, at = made.span_s[0], 0
    pulses = sorted(made.heard.pulses, key=lambda pulse: pulse.at_s)
    while now_s < made.span_s[1]:
        until = at
        while until < len(pulses) and pulses[until].at_s + LATE_S <= now_s:
            until += 1
        listening.hear(pulse for pulse in pulses[at:until] if pulse.at_s >= since_s)
        answers += [(now_s, source) for source in listening.tick(now_s)]
        at, now_s = until, now_s + TICK_S
    return answers


def newest(answers: list[tuple[float, Source]]) -> dict[int, Source]:
    return {source.track: source for _, source in answers}


def fresh(made: Trial) -> Listening:
    return Listening(made.town.net, made.town.air)


def test_a_shot_is_told_within_three_seconds_of_the_discharge() -> None:
    made = trial("single", 3)
    fired_s = made.events[0].bangs[0].at_s
    first_s = min(
        now_s for now_s, source in told(made, fresh(made)) if source.probability >= CLASSES[0]
    )
    assert first_s - fired_s < 3


def test_revisions_of_a_track_count_up_from_one_and_each_differs() -> None:
    made = trial("string", 2)
    answers = told(made, fresh(made))
    for track in {source.track for _, source in answers}:
        mine = [source for _, source in answers if source.track == track]
        assert [source.revision for source in mine] == list(range(1, len(mine) + 1))
        assert all(differs(later, earlier) for earlier, later in pairwise(mine))


def test_the_last_answer_is_where_it_was() -> None:
    made = trial("string", 2)
    likely = [s for s in newest(told(made, fresh(made))).values() if s.probability >= CLASSES[1]]
    event = made.events[0]
    assert len(likely) == 1
    assert math.dist((likely[0].place.x_m, likely[0].place.y_m), (event.x_m, event.y_m)) < 25


def test_the_same_pulses_after_a_restart_give_the_same_place() -> None:
    made = trial("single", 5)
    once = newest(told(made, fresh(made)))
    again = newest(told(made, fresh(made)))
    assert once == again


def test_nothing_new_is_nothing_told() -> None:
    made = trial("single", 5)
    listening = fresh(made)
    told(made, listening)
    end_s = made.span_s[1] + 1
    listening.tick(end_s)
    assert listening.tick(end_s + TICK_S) == []
    listening.hear(made.heard.pulses)
    assert listening.tick(end_s + 2 * TICK_S) == []


def test_what_is_old_is_forgotten() -> None:
    made = trial("single", 5)
    listening = fresh(made)
    listening.hear(made.heard.pulses)
    listening.tick(made.span_s[1] + 60)
    assert listening.remembered == 0


def test_pulses_of_sensors_that_are_not_in_the_net_are_ignored() -> None:
    made = trial("none", 1)
    listening = fresh(made)
    listening.hear([Pulse(sensor="nobody's", at_s=made.span_s[0] + 1)])
    assert listening.tick(made.span_s[0] + 2) == []
