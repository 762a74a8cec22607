"""A node as a witness: what it cosigned for other agencies' ledgers, and what stands against one.

What was seen is written before the cosignature leaves, in the step that compares, so that a
witness that is killed and rises, or two of its tasks, never cosign two histories.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from farolito.audit.checkpoint import Checkpoint
from farolito.audit.evidence import Doubt, Evidence, Standing, bare, signed_checkpoint
from farolito.audit.note import SigningKey, VerifierKey
from farolito.audit.records import Clock
from farolito.audit.tree import EMPTY_ROOT, is_prefix
from farolito.audit.witness import Answer, Asked, Seen, asked, cosigned, refusal
from farolito.model import AgencyId, Invalid
from farolito.store import Database
from farolito.store.witnesses import SeenCheckpoint, StoredAlarm, Witnesses

KEPT = timedelta(days=30)  # checkpoints of others, for comparison; the newest stays known
NEWEST_MAX = 256  # logs that are told of at once
ALARMS_MAX = 500  # told to a person at once
ALARMS_OF_A_LOG_MAX = 100  # of a kind; more say nothing new about it, and are not kept


class Question(msgspec.Struct, frozen=True):
    """To be put to the log: how does `new` continue `old`? Both are bare checkpoints."""

    log: VerifierKey
    old: Checkpoint
    new: Checkpoint
    notes: tuple[str, str]  # the one seen here first
    told: SeenCheckpoint  # what is kept once the log has shown the proof

    @property
    def doubted(self) -> Evidence:
        return Evidence(str(self.log), Doubt.NO_PROOF, self.notes)


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """What this node holds against a ledger. `log`: its verifier key."""

    alarm_id: str
    evidence: Evidence
    state: Standing
    raised_by: AgencyId
    at: datetime
    told: tuple[AgencyId, ...] = ()


class WitnessBook:
    def __init__(self, db: Database, agency: AgencyId, key: SigningKey, clock: Clock) -> None:
        self._db = db
        self._agency = agency
        self._key = key
        self._clock = clock

    @property
    def verifier_key(self) -> str:
        """What is published, and stands on the agency's card."""
        return str(self._key.verifier)

    async def cosign(
        self, log: VerifierKey, request: bytes, at_old: bytes = b""
    ) -> tuple[Answer, Evidence | None]:
        """Answer a request (c2sp.org/tlog-witness) of the one log that the asker may speak for.

        `at_old`: the log's checkpoint of the old size as its storage has it now, signed anew: where
        that is not what was signed before, both together are proof. With the refusal comes what
        stands against the log, if anything does.
        """
        told = asked(request, {log.name: [log]})
        if isinstance(told, Answer):
            return told, None
        async with self._db.transaction(self._agency) as connection:
            rows = Witnesses(connection, self._agency)
            seen = await rows.hold(str(log), EMPTY_ROOT, self._clock())
            refused = refusal(told, Seen(seen.size, seen.root))
            if refused:
                return refused, await _against(rows, told, seen, at_old)
            await rows.move(_kept(log, told), self._clock())
        return cosigned(self._key, told, self._clock()), None

    async def compare(self, log: VerifierKey, note: bytes) -> Evidence | Question | None:
        """Hold what somebody else saw of a log against what this node saw. Raises Invalid for a
        note that is not the log's. None: it fits, or nothing is known here of this log."""
        other = signed_checkpoint(note, log)
        told = SeenCheckpoint(str(log), other.size, other.root, bare(note, log))
        async with self._db.transaction(self._agency) as connection:
            rows = Witnesses(connection, self._agency)
            same = await rows.of_size(str(log), other.size)
            newest = await rows.last(str(log))
        if same is not None:
            return None if same.root == other.root else _two(same.note, told)
        if newest is None or other.size == 0:
            return None
        known = Checkpoint(log.name, newest.size, newest.root)
        old, new = sorted((known, other), key=lambda c: c.size)
        notes = (newest.note.decode(), told.note.decode())
        return Question(log, old, new, notes, told)

    async def judge(self, question: Question, proof: Sequence[bytes] | None) -> Evidence | None:
        """What the log's answer to a question leaves standing against it."""
        old, new = question.old, question.new
        if proof is None or not is_prefix(old.size, old.root, new.size, new.root, proof):
            return question.doubted
        async with self._db.transaction(self._agency) as connection:
            await Witnesses(connection, self._agency).keep(question.told, self._clock())
        return None

    async def newest(self) -> list[tuple[str, str]]:
        """The newest checkpoint of each log that was cosigned here, with the log's key."""
        async with self._db.transaction(self._agency) as connection:
            found = await Witnesses(connection, self._agency).newest(NEWEST_MAX)
        return [(one.log, one.note.decode()) for one in found]

    async def forget_old(self) -> int:
        async with self._db.transaction(self._agency) as connection:
            rows = Witnesses(connection, self._agency)
            return await rows.forget_before(self._clock() - KEPT)

    # Alarms

    async def keep_alarm(
        self, evidence: Evidence, state: Standing, raised_by: AgencyId
    ) -> Alarm | None:
        """None: it is known, or so much is known against this log that no more is kept."""
        at = self._clock()
        stored = StoredAlarm(
            alarm_id=evidence.alarm_id,
            log=evidence.log,
            kind=evidence.doubt.value,
            state=state.value,
            raised_by=raised_by,
            at=at,
            evidence=msgspec.json.encode(evidence),
        )
        async with self._db.transaction(self._agency) as connection:
            rows = Witnesses(connection, self._agency)
            if await rows.count_alarms(stored.log, stored.kind) >= ALARMS_OF_A_LOG_MAX:
                return None
            if not await rows.put_alarm(stored):
                return None
        return Alarm(
            alarm_id=stored.alarm_id, evidence=evidence, state=state, raised_by=raised_by, at=at
        )

    async def alarms(self) -> list[Alarm]:
        """The newest first."""
        async with self._db.transaction(self._agency) as connection:
            found = await Witnesses(connection, self._agency).alarms(ALARMS_MAX)
        return [
            Alarm(
                alarm_id=one.alarm_id,
                evidence=msgspec.json.decode(one.evidence, type=Evidence),
                state=Standing(one.state),
                raised_by=one.raised_by,
                at=one.at,
                told=one.told,
            )
            for one in found
        ]

    async def explained(self, evidence: Evidence) -> None:
        """The log has shown its proof: the alarm is over, and stays readable."""
        async with self._db.transaction(self._agency) as connection:
            rows = Witnesses(connection, self._agency)
            await rows.alarm_is(evidence.alarm_id, Standing.EXPLAINED.value)

    async def told(self, alarm_id: str, partners: Sequence[AgencyId]) -> None:
        async with self._db.transaction(self._agency) as connection:
            await Witnesses(connection, self._agency).alarm_told(alarm_id, partners)


def witness_name(agency: AgencyId) -> str:
    """The name of an agency's key as a witness."""
    return f"farolito/{agency}/witness"


def _kept(log: VerifierKey, told: Asked) -> SeenCheckpoint:
    new = told.checkpoint
    return SeenCheckpoint(str(log), new.size, new.root, bare(told.raw, log))


def _two(first: bytes, second: SeenCheckpoint) -> Evidence:
    notes = (first.decode(), second.note.decode())
    return Evidence(second.log, Doubt.TWO_HISTORIES, notes)


async def _against(
    rows: Witnesses, told: Asked, seen: SeenCheckpoint, at_old: bytes
) -> Evidence | None:
    """What a refused request says against its log. A log that only did not know what was seen
    here last (409) has done nothing."""
    log = told.key
    for note in (bare(told.raw, log), at_old):
        try:
            one = signed_checkpoint(note, log)
        except Invalid:
            continue
        known = await rows.of_size(str(log), one.size)
        if known is not None and known.root != one.root:
            other = SeenCheckpoint(str(log), one.size, one.root, bare(note, log))
            return _two(known.note, other)
    if told.old != seen.size or seen.size == 0:
        return None
    notes = (seen.note.decode(), bare(told.raw, log).decode())
    return Evidence(str(log), Doubt.NO_PROOF, notes)
