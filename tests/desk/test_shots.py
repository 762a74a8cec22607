"""A shot is raised once, grows surer in versions, and stays what a person made of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from farolito.desk import P1_TAKEN_WITHIN, Conflict, NotFound, NotListened
from farolito.desk.shot_steps import STRINGS_MAX
from farolito.model import (
    AlertState,
    DeviceId,
    Level,
    Round,
    ShotAlertId,
    ShotOutcome,
    SoundKind,
)
from tests.desk.city import START, City
from tests.desk.gunfire import BOOT, Ears, clip, shot

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def ears(shot_city: City) -> Ears:
    return await Ears.anew(shot_city)


async def test_a_sure_shot_is_urgent_and_told_to_screens_and_followers(ears: Ears) -> None:
    alert = await ears.heard(shot(gun=0.9))
    assert (alert.level, alert.state, alert.version) == (Level.P1, AlertState.WAITING, 1)
    assert alert.zone == "east"
    assert alert.machine == alert.shot
    assert await ears.feed() == [("shot", 1)]
    assert [one for one, _ in ears.told] == [alert]
    assert await ears.history(alert) == ["Raised by the machine: 3 rounds heard by 8 sensors"]


@pytest.mark.parametrize(
    ("gun", "level", "queued"),
    [(0.5, Level.P1, True), (0.49, Level.P2, True), (0.2, Level.P2, True), (0.19, Level.P3, False)],
)
async def test_the_probability_of_gunfire_makes_the_level(
    ears: Ears, gun: float, level: Level, queued: bool
) -> None:
    alert = await ears.heard(shot(gun=gun))
    assert (alert.level, alert.is_queued) == (level, queued)
    shown = (await ears.desk.all(ears.ask())).value
    assert (shown.shots, shown.quiet) == (([alert], []) if queued else ([], [alert]))
    assert await ears.feed() == [("shot", 1)], "what is not queued is told all the same"


async def test_a_source_that_hardly_exists_is_no_urgent_gun(ears: Ears) -> None:
    alert = await ears.heard(shot(gun=1.0, probability=0.3))
    assert alert.level is Level.P2


async def test_a_vendors_gunshot_is_urgent_by_its_class(ears: Ears) -> None:
    kinds = {SoundKind.GUNSHOT: 0.4, SoundKind.FIREWORK: 0.3, SoundKind.OTHER: 0.3}
    told = shot(source="vendor", kinds=kinds, ellipse=None)
    assert (await ears.heard(told, "vendor:77")).level is Level.P1
    kinds = {SoundKind.GUNSHOT: 0.4, SoundKind.FIREWORK: 0.6}
    told = shot(1500, source="vendor", kinds=kinds, ellipse=None)
    assert (await ears.heard(told, "vendor:78")).level is Level.P2


async def test_a_later_solution_is_a_version_of_the_same_shot(ears: Ears) -> None:
    first = await ears.heard(shot(500, rounds=2, gun=0.3))
    better = await ears.heard(shot(512, rounds=4, gun=0.8, revision=2))
    assert better.alert_id == first.alert_id
    assert (better.level, better.version, better.shot.revision) == (Level.P1, 2, 2)
    assert better.shot.shot_id == first.shot.shot_id, "whatever id the new solution carried"
    assert better.machine == first.shot, "the first answer stands for ever"
    assert (await ears.history(better))[-1].startswith("Revision 2: 4 rounds heard by 8 sensors")
    assert await ears.versions(better) == [first, better]
    assert await ears.feed() == [("shot", 1), ("shot", 2)]


async def test_a_ghost_that_is_taken_back_leaves_the_count_and_then_the_queue(ears: Ears) -> None:
    """Before sound has crossed the city, a mixture of rounds can pass for a source."""
    await ears.heard(shot(rounds=5))
    both = await ears.heard(shot(550, rounds=2), f"{BOOT}:2")
    assert (len(both.shots), both.rounds) == (2, 7)
    alone = await ears.heard(shot(550, rounds=2, revision=2, probability=0.02), f"{BOOT}:2")
    assert (len(alone.shots), alone.rounds, alone.is_queued) == (2, 5, True)
    none = await ears.heard(shot(rounds=5, revision=2, probability=0.02))
    assert not none.is_queued, "nobody had come, and nothing of it stands"


async def test_a_vendor_takes_back_what_it_told_and_nothing_is_lost(ears: Ears) -> None:
    told = await ears.heard(shot(source="vendor", ellipse=None), "vendor:v:77")
    back = await ears.desk.withdraw("vendor:v:77", "Taken back by the vendor: a truck")
    assert back is not None
    assert (back.shot.is_withdrawn, back.is_queued) == (True, False)
    assert back.shot.because[-1] == "Taken back by the vendor: a truck"
    assert await ears.versions(told) == [told, back]
    assert await ears.desk.withdraw("vendor:v:77", "again") is None
    assert await ears.desk.withdraw("vendor:v:78", "never told") is None


async def test_a_shot_is_where_people_say_it_is(ears: Ears) -> None:
    ears.desk.describe = lambda _: "4th & Central"
    assert (await ears.heard(shot())).where == "4th & Central"


async def test_a_level_follows_the_machine_until_somebody_came_and_never_out_of_sight(
    ears: Ears,
) -> None:
    alert = await ears.heard(shot(gun=0.9))
    less = await ears.heard(shot(gun=0.05, revision=2))
    assert (less.level, less.is_queued) == (Level.P2, True)
    more = await ears.heard(shot(gun=0.8, revision=3))
    assert more.level is Level.P1
    await ears.desk.take(ears.ask(), alert.alert_id)
    last = await ears.heard(shot(gun=0.05, revision=4))
    assert (last.level, last.is_queued) == (Level.P1, True)


async def test_the_same_solution_told_again_changes_nothing(ears: Ears) -> None:
    told = shot(revision=3)
    alert = await ears.heard(told)
    size = ears.city.ledger.status().size
    assert await ears.desk.hear(told, "boot1:1") is None
    assert await ears.desk.hear(msgspec.structs.replace(told, revision=2), "boot1:1") is None
    assert await ears.now(alert.alert_id) == alert
    assert ears.city.ledger.status().size == size, "nothing was done, so nothing is written"
    assert len(ears.told) == 1


async def test_each_change_is_an_entry_of_the_ledger(ears: Ears) -> None:
    before = ears.city.ledger.status().size
    await ears.heard(shot())
    await ears.heard(shot(503, revision=2))
    assert ears.city.ledger.status().size == before + 2
    said = await ears.city.ledger.open_field(before + 1, "query")
    assert said == "shot boot1:1 revision 2"


async def test_after_a_restart_the_same_shot_is_the_same_shot(ears: Ears) -> None:
    alert = await ears.heard(shot(500), "boot1:1")
    again = shot(502, at=START + timedelta(seconds=0.01))
    assert await ears.desk.hear(again, "boot2:1") is None, "it says nothing new"
    assert await ears.now(alert.alert_id) == alert
    more = await ears.heard(shot(540, rounds=5, revision=2), "boot2:1")
    assert (more.alert_id, more.shot.shot_id) == (alert.alert_id, alert.shot.shot_id)
    assert len(more.shots) == 1
    assert more.shot.revision == 2


async def test_a_better_replay_is_a_revision_at_once(ears: Ears) -> None:
    alert = await ears.heard(shot(500, sensors=5, revision=4), "boot1:1")
    better = await ears.heard(shot(530, sensors=9), "boot2:1")
    assert better.alert_id == alert.alert_id
    assert len(better.shot.heard) == 9
    assert better.shot.revision == 5, "versions of one shot count on, whoever counted"


async def test_a_poorer_replay_takes_nothing_away(ears: Ears) -> None:
    alert = await ears.heard(shot(500, sensors=9), "boot1:1")
    assert await ears.desk.hear(shot(530, sensors=5), "boot2:1") is None
    assert await ears.now(alert.alert_id) == alert


async def test_two_shooters_of_one_start_stay_two_strings(ears: Ears) -> None:
    """50 m apart and at once: one teller counts them, so they are two, before and after it was
    started anew."""
    one = await ears.heard(shot(500), "boot1:1")
    both = await ears.heard(shot(550), "boot1:2")
    assert both.alert_id == one.alert_id
    assert len(both.shots) == 2
    assert await ears.desk.hear(shot(551), "boot2:1") is None
    assert await ears.desk.hear(shot(501), "boot2:2") is None
    assert await ears.now(one.alert_id) == both


async def test_a_place_too_far_for_a_replay_is_another_alert(ears: Ears) -> None:
    one = await ears.heard(shot(500), "boot1:1")
    other = await ears.heard(shot(700), "boot2:1")
    assert other.alert_id != one.alert_id


async def test_strings_near_and_soon_join_one_alert(ears: Ears) -> None:
    first = await ears.heard(shot(500, rounds=3), "boot1:1")
    later = shot(590, at=START + timedelta(seconds=100), rounds=2)
    both = await ears.heard(later, "boot1:2")
    assert both.alert_id == first.alert_id
    assert (both.rounds, both.version) == (5, 2)
    assert both.machine == first.machine
    assert [one.discharged_at for one in both.shots] == [START, later.discharged_at]
    assert (await ears.history(both))[-1] == "A further string joined: 2 rounds heard by 8 sensors"


@pytest.mark.parametrize(("metres", "seconds"), [(110, 10), (10, 130)])
async def test_what_is_farther_or_later_is_an_alert_of_its_own(
    ears: Ears, metres: float, seconds: float
) -> None:
    first = await ears.heard(shot(500, rounds=1), "boot1:1")
    later = shot(500 + metres, at=START + timedelta(seconds=seconds))
    assert (await ears.heard(later, "boot1:2")).alert_id != first.alert_id


async def test_a_surer_string_makes_a_quiet_alert_urgent(ears: Ears) -> None:
    quiet = await ears.heard(shot(500, gun=0.1), "boot1:1")
    both = await ears.heard(shot(520, gun=0.9), "boot1:2")
    assert both.alert_id == quiet.alert_id
    assert (both.level, both.is_queued) == (Level.P1, True)


async def test_a_string_after_the_decision_is_an_alert_of_its_own(ears: Ears) -> None:
    first = await ears.reviewed(await ears.heard(shot(500), "boot1:1"))
    second = await ears.heard(shot(500, at=START + timedelta(seconds=20)), "boot1:2")
    assert second.alert_id != first.alert_id
    assert second.state is AlertState.WAITING


async def test_an_alert_takes_in_no_more_strings_than_its_limit(ears: Ears) -> None:
    ids = set()
    for n in range(STRINGS_MAX + 1):
        told = shot(500, at=START + timedelta(seconds=5 * n), rounds=1)
        ids.add((await ears.heard(told, f"boot1:{n}")).alert_id)
    assert len(ids) == 2


async def test_a_person_decides_and_no_machine_takes_it_back(ears: Ears) -> None:
    alert = await ears.heard(shot(gun=0.3))
    rejected = await ears.reviewed(alert, SoundKind.FIREWORK)
    assert (rejected.state, rejected.decision_reason) == (AlertState.REJECTED, "firework")
    surer = await ears.heard(shot(gun=0.99, rounds=6, revision=2))
    assert (surer.state, surer.review, surer.level) == (
        AlertState.REJECTED, rejected.review, Level.P1,
    )  # fmt: skip
    assert surer.rounds == 6
    assert ears.told[-1][0] == surer, "whoever was told before is told now"
    shown = (await ears.desk.all(ears.ask())).value
    assert [one.state for one in shown.shots] == [AlertState.REJECTED], "rejected is kept"


async def test_a_rejected_alert_can_be_reviewed_again(ears: Ears) -> None:
    rejected = await ears.reviewed(await ears.heard(shot()), SoundKind.VEHICLE)
    confirmed = await ears.reviewed(rejected, SoundKind.GUNSHOT)
    assert (confirmed.state, confirmed.decision_reason) == (AlertState.CONFIRMED, None)
    states = [one.state for one in await ears.versions(confirmed)]
    assert states == [AlertState.WAITING, AlertState.REJECTED, AlertState.CONFIRMED]


async def test_a_quiet_one_that_a_person_calls_gunfire_is_in_the_queue(ears: Ears) -> None:
    confirmed = await ears.reviewed(await ears.heard(shot(gun=0.1)))
    assert (confirmed.state, confirmed.is_queued) == (AlertState.CONFIRMED, True)
    assert confirmed.level is Level.P3, "the machine's own word stays to be seen"


async def test_who_has_sound_must_listen(ears: Ears) -> None:
    alert = await ears.heard(shot())
    alert = await ears.desk.attach(alert.alert_id, [clip("ear-1"), clip("ear-2")])
    for listened in ([], ["ear-9"]):
        with pytest.raises(NotListened):
            await ears.reviewed(alert, SoundKind.GUNSHOT, listened)
    assert (await ears.now(alert.alert_id)).state is AlertState.WAITING
    done = await ears.reviewed(alert, SoundKind.GUNSHOT, ["ear-2"])
    assert done.review is not None
    assert done.review.listened == (DeviceId("ear-2"),)


async def test_sound_that_came_twice_is_there_once(ears: Ears) -> None:
    alert = await ears.heard(shot())
    one = await ears.desk.attach(alert.alert_id, [clip("ear-1")])
    assert [c.sensor for c in one.clips] == ["ear-1"]
    assert await ears.desk.attach(alert.alert_id, [clip("ear-1")]) == one
    two = await ears.desk.attach(alert.alert_id, [clip("ear-1"), clip("ear-2")])
    assert [c.sensor for c in two.clips] == ["ear-1", "ear-2"]
    assert await ears.versions(two) == [alert, one, two]


async def test_a_better_place_does_not_stop_who_is_listening(ears: Ears) -> None:
    looked_at = await ears.heard(shot(500))
    await ears.heard(shot(505, revision=2))
    assert (await ears.reviewed(looked_at)).state is AlertState.CONFIRMED


async def test_a_further_string_or_another_persons_word_is_looked_at_first(ears: Ears) -> None:
    looked_at = await ears.heard(shot(500), "boot1:1")
    joined = await ears.heard(shot(520), "boot1:2")
    with pytest.raises(Conflict):
        await ears.reviewed(looked_at)
    await ears.reviewed(joined, SoundKind.OTHER)
    with pytest.raises(Conflict):
        await ears.reviewed(joined, SoundKind.GUNSHOT)
    with pytest.raises(Conflict):
        await ears.reviewed(msgspec.structs.replace(joined, version=99))


async def test_taking_is_for_what_nobody_decided(ears: Ears) -> None:
    alert = await ears.heard(shot())
    taken = (await ears.desk.take(ears.ask(), alert.alert_id)).value
    assert (taken.state, taken.taken_by) == (AlertState.TAKEN, ears.city.operator.person_id)
    await ears.reviewed(taken)
    with pytest.raises(Conflict):
        await ears.desk.take(ears.ask(), alert.alert_id)
    with pytest.raises(NotFound):
        await ears.desk.take(ears.ask(), ShotAlertId(alert.machine.shot_id))


async def test_every_outcome_is_kept_and_the_last_counts(ears: Ears) -> None:
    alert = await ears.reviewed(await ears.heard(shot()))
    desk, alert_id = ears.desk, alert.alert_id
    await desk.outcome(ears.ask(), alert_id, ShotOutcome.NOTHING_FOUND)
    last = (await desk.outcome(ears.ask(), alert_id, ShotOutcome.CASINGS, "two, by the bin")).value
    assert last.state is AlertState.CLOSED
    assert last.outcome is not None
    assert (last.outcome.outcome, last.outcome.note) == (ShotOutcome.CASINGS, "two, by the bin")
    said = [one.outcome.outcome for one in await ears.versions(last) if one.outcome]
    assert said == [ShotOutcome.NOTHING_FOUND, ShotOutcome.CASINGS]
    assert (await ears.history(last))[-1] == "Outcome: casings (two, by the bin)"


async def test_an_alert_turned_away_keeps_the_outcome_that_proves_it_wrong(ears: Ears) -> None:
    rejected = await ears.reviewed(await ears.heard(shot()), SoundKind.FIREWORK)
    after = (await ears.desk.outcome(ears.ask(), rejected.alert_id, ShotOutcome.VICTIM)).value
    assert after.state is AlertState.REJECTED
    assert after.outcome is not None
    again = await ears.reviewed(after, SoundKind.GUNSHOT)
    assert again.state is AlertState.CLOSED, "its outcome is known"


async def test_an_urgent_shot_that_nobody_takes_escalates_once(ears: Ears) -> None:
    await ears.heard(shot(500))
    await ears.heard(shot(900, gun=0.3), "boot1:2")
    await ears.heard(shot(1300, gun=0.1), "boot1:3")
    ears.city.later(P1_TAKEN_WITHIN.total_seconds() - 1)
    assert await ears.desk.escalate() == 0
    ears.city.later(2)
    assert await ears.desk.escalate() == 1
    size = ears.city.ledger.status().size
    assert await ears.desk.escalate() == 0
    assert ears.city.ledger.status().size == size
    late = [one for one in (await ears.desk.all(ears.ask())).value.shots if one.escalated_at]
    assert [one.level for one in late] == [Level.P1]


async def test_pulses_are_kept_of_the_newest_solution(ears: Ears) -> None:
    alert = await ears.heard(shot(), pulses=b"first")
    await ears.heard(shot(504, revision=2), pulses=b"second")
    await ears.heard(shot(505, revision=3))
    async with ears.city.records() as records:
        assert await records.shots.evidence(alert.shot.shot_id) == b"second"


async def test_a_vendor_who_tells_of_a_located_shot_adds_its_word_not_a_shot(ears: Ears) -> None:
    ours = await ears.heard(shot(500, gun=0.3))
    vendors = shot(530, at=START + timedelta(seconds=2), source="vendor", ellipse=None, rounds=4)
    both = await ears.heard(vendors, "vendor:5")
    assert both.alert_id == ours.alert_id
    assert both.shots == ours.shots, "one shot is not counted twice"
    assert both.level is Level.P1
    assert (await ears.history(both))[-1].startswith("Also told by vendor: 4 rounds")


async def test_our_own_place_takes_the_place_of_a_vendors_without_an_ellipse(ears: Ears) -> None:
    vendors = await ears.heard(shot(530, source="vendor", ellipse=None), "vendor:5")
    ours = await ears.heard(shot(500), "boot1:1")
    assert ours.alert_id == vendors.alert_id
    assert (len(ours.shots), ours.shot.source) == (1, "sensors")
    again = await ears.heard(shot(531, source="vendor", ellipse=None, revision=2), "vendor:5")
    assert again.shot.place == ours.shot.place


async def test_solutions_told_at_once_raise_one_alert(ears: Ears) -> None:
    told = [shot(500 + n, rounds=2) for n in range(6)]
    answers = await asyncio.gather(*(ears.desk.hear(t, f"b{n}:1") for n, t in enumerate(told)))
    alerts = (await ears.desk.all(ears.ask())).value.shots
    assert len(alerts) == 1
    assert len(alerts[0].shots) == 1
    assert sum(answer is not None for answer in answers) >= 1


async def test_decisions_and_solutions_at_once_are_all_kept(ears: Ears) -> None:
    alert = await ears.heard(shot())
    await asyncio.gather(
        ears.desk.take(ears.ask(), alert.alert_id),
        *(ears.desk.attach(alert.alert_id, [clip(f"ear-{n}")]) for n in range(4)),
        *(ears.desk.hear(shot(650 + 150 * n), f"boot1:{n + 9}") for n in range(3)),
        ears.desk.hear(shot(501, rounds=4, revision=2), "boot1:1"),
    )
    after = await ears.now(alert.alert_id)
    assert (after.state, after.version, len(after.clips)) == (AlertState.TAKEN, 7, 4)
    assert after.rounds == 4
    assert [one.version for one in await ears.versions(after)] == list(range(1, 8))


async def test_a_shot_whose_round_moves_on_keeps_the_order_of_time(ears: Ears) -> None:
    await ears.heard(shot(500, at=START + timedelta(seconds=10)), "boot1:1")
    both = await ears.heard(shot(510, at=START), "boot1:2")
    assert [one.discharged_at for one in both.shots] == [START, START + timedelta(seconds=10)]
    assert isinstance(both.shots[0].rounds[0], Round)
