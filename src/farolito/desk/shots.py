"""Shots at work: each step passes the gate, is kept as a version, written into history, and told.

Order of locks: who raises or revises (`Shots.hold`), then alerts' rows, then the feed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from farolito.desk import shot_steps as steps
from farolito.desk.desk import NotFound
from farolito.desk.shot_record import record_of
from farolito.desk.steps import P1_TAKEN_WITHIN, Conflict
from farolito.gate import Answer, Ask, Gate, Records, system_ask
from farolito.model import (
    DeviceId,
    MissId,
    OutcomeSaid,
    Person,
    Point,
    Shot,
    ShotAlert,
    ShotAlertId,
    ShotMiss,
    ShotOutcome,
    ShotRecord,
    ShotReview,
    SoundClip,
    SoundKind,
    Thing,
)

Followed = Callable[[Records, ShotAlert, str], Awaitable[None]]
"""Called in the same transaction after an alert changed: (records, alert, what happened)."""

_LOOKED_BACK = timedelta(minutes=10)  # an alert's strings reach no farther behind its newest
_REPEATS_KEPT = 1_000
_BOX_M = 300.0  # by which alerts are preselected: a string lies within 100 m of another of it


class Shown(NamedTuple):
    seq: int
    shots: list[ShotAlert]
    quiet: list[ShotAlert]


class ShotDesk:
    """`zones` names the zone of a place. `hours_of`: the agency's own time, for the figures.
    `chance_heard` tells how likely a shot at a place is heard now, `describe` how people say a
    place, where that is known."""

    def __init__(  # noqa: PLR0913 - wired once, by build
        self,
        gate: Gate,
        system: Person,
        clock: Callable[[], datetime],
        ids: Callable[[], UUID],
        zones: Callable[[Point], str],
        hours_of: tzinfo = UTC,
    ) -> None:
        self._gate = gate
        self._system = system
        self._clock = clock
        self._ids = ids
        self._zones = zones
        self._hours_of = hours_of
        self.chance_heard: Callable[[Point], float | None] = lambda _: None
        self.describe: Callable[[Point], str | None] = lambda _: None
        self.followers: list[Followed] = []
        # Whether a shot is not ours to keep: made on a nation's land, and handed over to it.
        self.elsewhere: Callable[[Shot, str], Awaitable[bool]] | None = None
        # Tracks that only repeat what is kept, in the order they came; a restart begins anew.
        self._repeats: dict[str, None] = {}

    async def hear(self, shot: Shot, track: str, evidence: bytes = b"") -> ShotAlert | None:
        """Take in a solution: it raises an alert, joins one, or revises a string of one.

        `track` is what its teller calls the shot, `<boot>:<number>`; `evidence` the pulses of this
        solution. None where nothing changed: this revision was told before, or a replay after a
        restart says what is known.
        """
        revision = shot.revision

        async def known_already(records: Records) -> bool:
            known = await records.shots.track(track)
            return known is not None and known.revision >= revision

        if await self._gate.following(known_already):
            return None
        if self.elsewhere is not None and await self.elsewhere(shot, track):
            await self.withdraw(track, "It was fired on a nation's land, and is the nation's")
            return None

        async def work(records: Records, permit: int) -> ShotAlert | None:
            await records.shots.hold()
            known = await records.shots.track(track)
            if known is not None:
                if known.revision >= revision:
                    return None
                alert = await _existing(records, known.alert_id)
                twin = steps.Twin(alert, _string(alert, known.shot_id))
                if track in self._repeats:
                    return await self._replay(records, twin, shot, track, evidence, permit)
                return await self._tell_again(records, twin, shot, track, evidence, permit)
            around = await self._around(records, shot)
            claimed = frozenset(
                one.shot_id
                for one in await records.shots.tracks_of([alert.alert_id for alert in around])
                if _teller(one.track) == _teller(track)
            )
            twin_of = steps.same_shot(around, shot, claimed)
            if twin_of is not None:
                return await self._replay(records, twin_of, shot, track, evidence, permit)
            return await self._add(records, around, shot, track, evidence, permit)

        source = None if shot.source == steps.SENSORS else shot.source
        ask = system_ask(
            self._system, Thing.SHOT, f"shot {track} revision {revision}", device=source
        )
        return (await self._gate.act(ask, work)).value

    async def withdraw(self, track: str, says: str) -> ShotAlert | None:
        """Its teller takes a shot back, and says why. None where it is not known, or was taken
        back before; what a person decided stays."""

        async def work(records: Records, permit: int) -> ShotAlert | None:
            await records.shots.hold()
            known = await records.shots.track(track)
            if known is None:
                return None
            alert = await _existing(records, known.alert_id)
            kept = _string(alert, known.shot_id)
            if kept.is_withdrawn:
                return None
            now = self._clock()
            gone = msgspec.structs.replace(
                kept,
                probability=0.0,
                revision=kept.revision + 1,
                located_at=now,
                because=(*kept.because, says),
            )
            after = steps.revised(alert, gone, now)
            await self._keep(records, after, says, None, permit)
            return after

        ask = system_ask(self._system, Thing.SHOT, f"withdraw shot {track}")
        return (await self._gate.act(ask, work)).value

    async def attach(self, alert_id: ShotAlertId, clips: Sequence[SoundClip]) -> ShotAlert:
        """Recordings that sensors sent back, which are kept already. Told twice, it changes
        nothing."""

        async def work(records: Records, permit: int) -> ShotAlert:
            alert = await _existing(records, alert_id)
            after = steps.with_clips(alert, clips, self._clock())
            if after is None:
                return alert
            sensors = ", ".join(clip.sensor for clip in after.clips[len(alert.clips) :])
            await self._keep(records, after, f"Sound came from {sensors}", None, permit)
            return after

        ask = system_ask(self._system, Thing.SHOT, f"sound of shot alert {alert_id}")
        return (await self._gate.act(ask, work)).value

    async def take(self, ask: Ask, alert_id: ShotAlertId) -> Answer[ShotAlert]:
        who = ask.person.person_id
        return await self._step(
            ask, alert_id, "Taken", lambda alert: steps.taken(alert, who, self._clock())
        )

    async def review(  # noqa: PLR0913 - what was heard, and by whom
        self, ask: Ask, alert_id: ShotAlertId, version: int, kind: SoundKind,
        listened: Sequence[DeviceId], note: str = "",
    ) -> Answer[ShotAlert]:  # fmt: skip
        """A person says what it was, having looked at `version`."""
        now = self._clock()
        review = ShotReview(
            at=now, by=ask.person.person_id, kind=kind, listened=tuple(listened), note=note
        )
        more = f" ({note})" if note else ""
        return await self._step(
            ask,
            alert_id,
            f"Reviewed as {kind.value} at version {version}{more}",
            lambda alert: steps.reviewed(alert, review, now),
            version,
        )

    async def outcome(
        self, ask: Ask, alert_id: ShotAlertId, outcome: ShotOutcome, note: str = ""
    ) -> Answer[ShotAlert]:
        """What came of it; said again, the last word counts and every one is kept."""

        async def work(records: Records, permit: int) -> ShotAlert:
            return await self.outcome_in(records, alert_id, outcome, note, ask.person, permit)

        return await self._gate.act(ask, work)

    async def outcome_in(  # noqa: PLR0913 - what came of it, and who says so
        self, records: Records, alert_id: ShotAlertId, outcome: ShotOutcome, note: str,
        who: Person, permit: int,
    ) -> ShotAlert:  # fmt: skip
        """The same in another's transaction that does not hold the feed yet."""
        alert = await _existing(records, alert_id)
        now = self._clock()
        said = OutcomeSaid(outcome=outcome, at=now, by=who.person_id, note=note)
        after = steps.with_outcome(alert, said, now)
        more = f" ({note})" if note else ""
        words = f"Outcome: {outcome.value.replace('_', ' ')}{more}"
        await self._keep(records, after, words, who, permit)
        return after

    async def miss(  # noqa: PLR0913 - one field of the miss each
        self, ask: Ask, at: datetime, place: Point, known_by: ShotOutcome,
        rounds: int | None = None, note: str = "",
    ) -> Answer[ShotMiss]:  # fmt: skip
        """Write down a shooting that is known otherwise and had no alert.

        Raises Conflict where an alert stands within 150 m and 2 min, or the miss is written down
        already: what was heard has an outcome, and is no miss.
        """
        now = self._clock()
        steps.checked_miss(known_by, at, now, rounds)

        async def work(records: Records, permit: int) -> ShotMiss:
            await records.shots.hold()
            await self._refuse_if_heard(records, at, place)
            miss = ShotMiss(
                miss_id=MissId(self._ids()),
                agency=self._gate.owner,
                at=at,
                place=place,
                known_by=known_by,
                said_at=now,
                by=ask.person.person_id,
                rounds=rounds,
                zone=self._zones(place),
                note=note,
                in_coverage=self.chance_heard(place),
            )
            await records.shots.keep_miss(miss)
            return miss

        return await self._gate.act(ask, work)

    async def escalate(self) -> int:
        """P1 alerts that nobody took in time; answers how many."""
        before = self._clock() - P1_TAKEN_WITHIN

        async def work(records: Records, permit: int) -> int:
            late = await records.shots.overdue(before)
            for alert in late:
                after = steps.escalated(alert, self._clock())
                await self._keep(records, after, "Escalated: not taken in 30 s", None, permit)
            return len(late)

        if not await self._gate.following(lambda r: r.shots.overdue(before)):
            return 0
        ask = system_ask(self._system, Thing.SHOT, "escalate overdue shots")
        return (await self._gate.act(ask, work)).value

    async def all(self, ask: Ask) -> Answer[Shown]:
        """The queue with the last decided, what was heard beside it, and the feed's number."""

        async def work(records: Records, permit: int) -> Shown:
            seq = await records.feed.end()
            return Shown(seq, await records.shots.queue(), await records.shots.quiet())

        return await self._gate.read(ask, work)

    async def one(self, ask: Ask, alert_id: ShotAlertId) -> Answer[Mapping[str, Any]]:
        """All that is known of an alert: alert, versions, history and its incident."""

        async def work(records: Records, permit: int) -> Mapping[str, Any]:
            alert = await records.shots.get(alert_id)
            if alert is None:
                raise _gone()
            return {
                "alert": alert,
                "versions": [one._asdict() for one in await records.shots.versions(alert_id)],
                "history": await records.shots.history(alert_id),
                "incident_id": await records.incidents.of_part(alert_id),
            }

        return await self._gate.read(ask, work)

    async def record(self, ask: Ask, since: datetime, until: datetime) -> Answer[ShotRecord]:
        """How good the alerts of that time were."""
        return await self._gate.read(ask, self._record(since, until))

    async def export_record(self, ask: Ask, since: datetime, until: datetime) -> Answer[ShotRecord]:
        return await self._gate.export(ask, self._record(since, until))

    async def publish(self, since: datetime, until: datetime) -> Answer[ShotRecord]:
        """The same for everybody's eyes: the node's own deed, so that the ledger knows of it.

        Nobody may be shown it as it is: small counts tell of single people.
        """
        ask = system_ask(
            self._system, Thing.SHOT, f"publish figures of shots {since:%F} to {until:%F}"
        )
        return await self._gate.act(ask, self._record(since, until))

    async def misses(self, ask: Ask, since: datetime, until: datetime) -> Answer[list[ShotMiss]]:
        async def work(records: Records, permit: int) -> list[ShotMiss]:
            return await records.shots.misses(since, until)

        return await self._gate.read(ask, work)

    # What follows works inside a transaction.

    async def _add(  # noqa: PLR0913 - the solution, and what stands around it
        self, records: Records, around: Sequence[ShotAlert], shot: Shot, track: str,
        evidence: bytes, permit: int,
    ) -> ShotAlert:  # fmt: skip
        """A shot that nobody told of before: a string of an undecided alert, or an alert."""
        now = self._clock()
        home = steps.to_join(around, shot)
        locked = await records.shots.get(home.alert_id, lock=True) if home else None
        if locked is not None and steps.is_undecided(locked):
            after = self._zoned(steps.joined(locked, shot, now))
            await self._kept(records, after, shot, track, shot.revision, evidence)
            words = f"A further string joined: {_rounds(shot)}"
            await self._keep(records, after, words, None, permit)
            return after
        alert = self._zoned(steps.raised(self._ids(), shot, now))
        await records.shots.add(alert)
        await self._kept(records, alert, shot, track, shot.revision, evidence)
        await self._tell(records, alert, f"Raised by the machine: {_rounds(shot)}", None, permit)
        return alert

    async def _replay(  # noqa: PLR0913 - the solution, and what it tells of again
        self, records: Records, twin: steps.Twin, shot: Shot, track: str, evidence: bytes,
        permit: int,
    ) -> ShotAlert | None:  # fmt: skip
        """A track that was not the first to tell of a string: until it says more than is kept,
        it says nothing."""
        alert = await _existing(records, twin.alert.alert_id)
        kept = _string(alert, twin.shot.shot_id)
        if shot.source == kept.source and steps.is_restated(shot, kept):
            await self._kept(records, alert, kept, track, shot.revision, b"")
            self._repeats[track] = None
            if len(self._repeats) > _REPEATS_KEPT:
                del self._repeats[next(iter(self._repeats))]
            return None
        self._repeats.pop(track, None)
        return await self._tell_again(
            records, steps.Twin(alert, kept), shot, track, evidence, permit
        )

    async def _tell_again(  # noqa: PLR0913 - the solution, and what it is one of
        self, records: Records, twin: steps.Twin, shot: Shot, track: str, evidence: bytes,
        permit: int,
    ) -> ShotAlert:  # fmt: skip
        """A later solution of a kept string, or another source's word on it."""
        alert, kept = twin
        now = self._clock()
        away = steps.metres(shot.place, kept.place)
        if steps.replaces(shot, kept):
            newest = msgspec.structs.replace(
                shot, shot_id=kept.shot_id, revision=max(kept.revision + 1, shot.revision)
            )
            after = self._zoned(steps.revised(alert, newest, now))
            words = f"Revision {newest.revision}: {_rounds(newest)}, moved {away:.0f} m"
        else:
            newest, evidence = kept, b""
            after = steps.seconded(alert, shot, now)
            words = f"Also told by {shot.source}: {_rounds(shot)}, {away:.0f} m away"
        await self._kept(records, after, newest, track, shot.revision, evidence)
        await self._keep(records, after, words, None, permit)
        return after

    async def _around(self, records: Records, shot: Shot) -> list[ShotAlert]:
        return await records.shots.near(
            shot.place,
            _BOX_M,
            shot.discharged_at - _LOOKED_BACK,
            shot.rounds[-1].at + steps.JOIN_WITHIN,
        )

    async def _refuse_if_heard(self, records: Records, at: datetime, place: Point) -> None:
        since, until = at - _LOOKED_BACK, at + steps.MISS_WITHIN
        heard = steps.near_enough(await records.shots.near(place, _BOX_M, since, until), place, at)
        if heard is not None:
            raise Conflict(
                f"shot alert {heard.alert_id} of {heard.shots[0].discharged_at:%F %T} UTC heard"
                f" it, {steps.metres(heard.shot.place, place):.0f} m away",
                "write its outcome down instead",
            )
        known = await records.shots.misses(at - steps.MISS_WITHIN, at + steps.MISS_WITHIN)
        if any(steps.metres(one.place, place) <= steps.MISS_WITHIN_M for one in known):
            raise Conflict("this miss is written down already", "look at the list of misses")

    async def _kept(  # noqa: PLR0913 - one column each
        self, records: Records, alert: ShotAlert, shot: Shot, track: str, revision: int,
        evidence: bytes,
    ) -> None:  # fmt: skip
        """The track stands for the shot, and the pulses are those of its newest solution."""
        now = self._clock()
        await records.shots.remember(track, shot.shot_id, alert.alert_id, revision, now)
        if evidence:
            await records.shots.keep_evidence(shot.shot_id, alert.alert_id, evidence, now)

    def _zoned(self, alert: ShotAlert) -> ShotAlert:
        """Where it is, for the figures and for people."""
        place = alert.shot.place
        return msgspec.structs.replace(
            alert, zone=self._zones(place), where=self.describe(place) or ""
        )

    async def _step(
        self,
        ask: Ask,
        alert_id: ShotAlertId,
        says: str,
        step: Callable[[ShotAlert], ShotAlert],
        version: int | None = None,
    ) -> Answer[ShotAlert]:
        async def work(records: Records, permit: int) -> ShotAlert:
            alert = await _existing(records, alert_id)
            if version is not None and version != alert.version:
                seen = await records.shots.version(alert_id, version)
                if seen is None or not steps.is_same_question(seen, alert):
                    raise Conflict(
                        f"the alert changed (version {alert.version}) while you looked at"
                        f" {version}",
                        "look again, then decide",
                    )
            after = step(alert)
            await self._keep(records, after, says, ask.person, permit)
            return after

        return await self._gate.act(ask, work)

    async def _keep(
        self, records: Records, alert: ShotAlert, says: str, who: Person | None, permit: int
    ) -> None:
        await records.shots.save(alert)
        await self._tell(records, alert, says, who, permit)

    async def _tell(
        self, records: Records, alert: ShotAlert, says: str, who: Person | None, permit: int
    ) -> None:
        await records.shots.note(alert, says, who.person_id if who else None, permit)
        await records.feed.tell("shot", alert, alert.changed_at)
        for follow in self.followers:
            await follow(records, alert, says)

    def _record(
        self, since: datetime, until: datetime
    ) -> Callable[[Records, int], Awaitable[ShotRecord]]:
        async def work(records: Records, permit: int) -> ShotRecord:
            cases = await records.shots.cases(since, until)
            missed = await records.shots.missed(since, until)
            return record_of(cases, missed, since, until, self._hours_of)

        return work


async def _existing(records: Records, alert_id: ShotAlertId) -> ShotAlert:
    alert = await records.shots.get(alert_id, lock=True)
    if alert is None:
        raise _gone()
    return alert


def _gone() -> NotFound:
    return NotFound("there is no such shot alert", "it may have ended; reload the queue")


def _string(alert: ShotAlert, shot_id: UUID) -> Shot:
    return next(shot for shot in alert.shots if shot.shot_id == shot_id)


def _teller(track: str) -> str:
    """Who counts: a start of the locator, or a vendor's device."""
    return track.rpartition(":")[0]


def _rounds(shot: Shot) -> str:
    n = len(shot.rounds)
    return f"{n} round{'' if n == 1 else 's'} heard by {len(shot.heard)} sensors"
