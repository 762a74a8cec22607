"""One read against one row: four checks by the machine, the fifth left to a person.

Each check can only remove. All are made and kept even when an earlier one has stopped the match,
since the second reason is what tells an operator (and a court) how wrong a hit would have been.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from farolito.model import HotList, HotListEntry, Match, PlateRead, Standing, fold_o
from farolito.model.alert import Check, CheckName, CheckOutcome
from farolito.model.plates import ALPHABET
from farolito.plates.confusion import Confusion
from farolito.plates.index import is_likely, is_offered
from farolito.plates.posterior import (
    STATE_UNRATED,
    Posterior,
    is_folded,
    posterior,
    same_text,
)
from farolito.plates.traffic import Traffic
from farolito.plates.vehicle import Comparison, compare

POSSIBLE_MIN = 0.3  # the same text with a posterior below this: history, no alert
LIKELY_MIN = 0.5  # another text must be likelier than not: look-alikes are many
# A lead needs this much from the characters alone: the base rate may lower a posterior, but not
# make up for characters that the reader itself doubted.
LEAD_TEXT_MIN = 0.7
STATE_READ_MIN = 0.5  # a state read with less confidence than this is as good as not read
STATE_SURE = 0.9  # from here on, and where no confidence is told, another state stops
READ_AGE_MAX = timedelta(minutes=15)  # an older read is for history: the car is elsewhere
DOUBTFUL_MAX = 4  # positions marked on the crop, or as many more as are just as risky
DOUBT_MIN = 0.02  # an alternative the reader gives at least this is marked, look-alike or not
ALTERNATIVES_MAX = 3  # per position


def judge(
    read: PlateRead,
    entry: HotListEntry,
    hot_list: HotList,
    traffic: Traffic,
    now: datetime,
) -> Match:
    """The whole chain of DESIGN 4.1 but the person.

    LEAD: the same text, posterior at or over the list's threshold, the characters themselves at
    LEAD_TEXT_MIN or more, nothing stopped. POSSIBLE: not stopped, and either the same text at
    POSSIBLE_MIN or more, or another that the reader itself offered or doubted, at LIKELY_MIN or
    more. STOPPED: all else, with its reasons.
    """
    sight = compare(read.vehicle, entry.vehicle)
    result = posterior(read, entry, hot_list, traffic, sight.likelihood)
    text = _text(read, entry, hot_list, result, traffic.confusion)
    checks = (
        text,
        _state(read, entry),
        _vehicle(read, entry, sight),
        _fresh(read, entry, hot_list, now),
        Check(
            CheckName.PERSON,
            CheckOutcome.WAITING,
            "Nobody has compared the picture with the row yet.",
        ),
    )
    if any(c.outcome is CheckOutcome.STOPPED for c in checks):
        standing = Standing.STOPPED
    else:
        lead = text.outcome is CheckOutcome.PASSED
        standing = Standing.LEAD if lead else Standing.POSSIBLE
    differing = _differing(read, entry, is_folded(read, hot_list))
    doubtful = _doubtful(read, entry, result, differing, traffic.confusion)
    return Match(
        read=read,
        entry=entry,
        standing=standing,
        posterior=min(max(result.listed, 0.0), 1.0),
        checks=checks,
        differing=differing,
        doubtful=tuple(j for j, _ in doubtful),
        alternatives=tuple(characters for _, characters in doubtful),
    )


def _text(
    read: PlateRead,
    entry: HotListEntry,
    hot_list: HotList,
    result: Posterior,
    confusion: Confusion,
) -> Check:
    if same_text(read, entry, hot_list):
        return Check(
            CheckName.TEXT, *_same_text(entry, hot_list, result, is_folded(read, hot_list))
        )
    folded = is_folded(read, hot_list)
    offered = is_offered(read, entry.plate, folded)
    what = f"The reader wrote {read.plate}, the row says {entry.plate}"
    if not (offered or is_likely(read, entry.plate, folded, confusion)):
        return Check(
            CheckName.TEXT,
            CheckOutcome.STOPPED,
            f"{what}; the reader neither offered the listed plate nor doubted what differs.",
        )
    what += "; it offered the listed plate too" if offered else "; it was unsure where they differ"
    percent = _percent(result.listed)
    if result.listed >= LIKELY_MIN:
        return Check(
            CheckName.TEXT,
            CheckOutcome.UNKNOWN,
            f"{what}. {percent} that it is this plate. Look at the picture.",
        )
    return Check(
        CheckName.TEXT,
        CheckOutcome.STOPPED,
        f"{what}, but it is only {percent} that it is this plate{_strongest_rival(result)}.",
    )


def _same_text(
    entry: HotListEntry, hot_list: HotList, result: Posterior, folded: bool
) -> tuple[CheckOutcome, str]:
    what = "The reader wrote the listed plate"
    if folded and "0" in fold_o(entry.plate):
        what += " (O and 0 are not told apart)"
    percent = _percent(result.listed)
    if result.listed >= hot_list.threshold:
        if result.text >= LEAD_TEXT_MIN:
            return CheckOutcome.PASSED, f"{what}; {percent} that it is this plate."
        return CheckOutcome.UNKNOWN, f"{what}, but was unsure of it. Look at the picture."
    what += f", but it is only {percent} that it is this plate{_strongest_rival(result)}."
    if result.listed >= POSSIBLE_MIN:
        return CheckOutcome.UNKNOWN, f"{what} Look at the picture."
    return CheckOutcome.STOPPED, what


def _percent(probability: float) -> str:
    if probability < 0.01:
        return "less than 1 % likely"
    if probability > 0.99:
        return "more than 99 % likely"
    return f"{probability * 100:.0f} % likely"


def _strongest_rival(result: Posterior) -> str:
    plate, share = result.rivals[0] if result.rivals else ("", 0.0)
    if result.other_state > max(share, 0.05):
        return f"; {_percent(result.other_state)} the same text issued by another state"
    if share > 0.05:
        return f"; {_percent(share)} {plate}"
    return ""


def _state(read: PlateRead, entry: HotListEntry) -> Check:
    def says(outcome: CheckOutcome, sentence: str) -> Check:
        return Check(CheckName.STATE, outcome, sentence)

    if entry.state is None:
        seen = f"the reader saw {read.state}" if read.state else "the reader read none"
        return says(
            CheckOutcome.UNKNOWN, f"The row names no state, {seen}. Ask whoever entered it."
        )
    confidence = STATE_UNRATED if read.state_confidence is None else read.state_confidence
    sure = "" if read.state_confidence is None else f" ({_percent(confidence)})"
    if read.state is None:
        return says(
            CheckOutcome.UNKNOWN,
            f"The reader did not read the state; the row says {entry.state}. Look at the picture.",
        )
    if read.state == entry.state:
        if confidence >= STATE_READ_MIN:
            return says(
                CheckOutcome.PASSED, f"The state was read as {read.state}{sure}, as listed."
            )
        return says(
            CheckOutcome.UNKNOWN,
            f"The state was read as {read.state}, as listed, but hardly{sure}. "
            "Look at the picture.",
        )
    if read.state_confidence is None or confidence >= STATE_SURE:
        return says(
            CheckOutcome.STOPPED,
            f"The plate was read as one of {read.state}{sure}; the row lists one of {entry.state}.",
        )
    return says(
        CheckOutcome.UNKNOWN,
        f"The state looks like {read.state}{sure}, not {entry.state} as listed; "
        "too unsure to decide. Look at the picture.",
    )


def _vehicle(read: PlateRead, entry: HotListEntry, sight: Comparison) -> Check:
    def says(outcome: CheckOutcome, sentence: str) -> Check:
        return Check(CheckName.VEHICLE, outcome, sentence)

    if against := sight.having("contradicts"):
        what = " and ".join(f"{seen} for {listed}" for _, seen, listed, _ in against)
        return says(CheckOutcome.STOPPED, f"The car is not the listed one: seen {what}.")
    if unsure := sight.having("unsure"):
        what = " and ".join(f"{seen} for {listed}" for _, seen, listed, _ in unsure)
        return says(
            CheckOutcome.UNKNOWN,
            f"The car may not be the listed one: seen, without certainty, {what}. "
            "Look at the picture.",
        )
    if agree := sight.having("agrees"):
        what = ", ".join(f"{attribute} {listed}" for attribute, _, listed, _ in agree)
        return says(CheckOutcome.PASSED, f"The car agrees with the row: {what}.")
    if alike := sight.having("alike"):
        what = " and ".join(f"{seen} for {listed}" for _, seen, listed, _ in alike)
        return says(
            CheckOutcome.PASSED, f"Nothing seen contradicts the row: {what} are often mixed up."
        )
    if entry.vehicle is None:
        return says(CheckOutcome.UNKNOWN, "The row does not describe the car.")
    return says(CheckOutcome.UNKNOWN, "The reader saw nothing of the car that the row describes.")


def _fresh(read: PlateRead, entry: HotListEntry, hot_list: HotList, now: datetime) -> Check:
    reasons: list[str] = []
    if entry.recalled_at is not None and entry.recalled_at <= now:
        why = f" ({entry.recall_reason})" if entry.recall_reason else ""
        reasons.append(f"The row was recalled {_ago(now - entry.recalled_at)}{why}.")
    if entry.expires_at is not None and entry.expires_at <= now:
        reasons.append(f"The row expired {_ago(now - entry.expires_at)}.")
    if entry.entered_at > now:
        reasons.append("The row is not in force yet.")
    age = None if hot_list.imported_at is None else now - hot_list.imported_at
    if age is None:
        reasons.append(f"Nobody knows how old the list {hot_list.name} is; import it again.")
    elif age >= hot_list.dead_after:
        reasons.append(f"The list {hot_list.name} was last imported {_ago(age)}, too long ago.")
    read_age = now - read.captured_at
    if read_age > READ_AGE_MAX:
        reasons.append(f"The car passed {_ago(read_age)}: for the history, not for an alert.")
    if reasons:
        return Check(CheckName.FRESH, CheckOutcome.STOPPED, " ".join(reasons))
    assert age is not None
    if age >= hot_list.stale_after:
        return Check(
            CheckName.FRESH,
            CheckOutcome.UNKNOWN,
            f"The list {hot_list.name} was last imported {_ago(age)}, later than it should be. "
            "Confirm the row with its issuer.",
        )
    return Check(
        CheckName.FRESH,
        CheckOutcome.PASSED,
        f"The row is in force, entered {_ago(now - entry.entered_at)}; its list was imported "
        f"{_ago(age)}.",
    )


def _ago(span: timedelta) -> str:
    minutes = max(int(span.total_seconds() // 60), 0)
    for size, word in ((60 * 24, "day"), (60, "hour"), (1, "minute")):
        if minutes >= size:
            count = minutes // size
            return f"{count} {word}{'s' if count > 1 else ''} ago"
    return "just now"


def _differing(read: PlateRead, entry: HotListEntry, folded: bool) -> tuple[int, ...]:
    """Positions of the listed plate that the read text has otherwise, or does not have.

    Texts of unequal length are laid against each other at both ends; what is left over differs.
    """
    text, listed = read.plate, entry.plate
    if folded:
        text, listed = text.replace("O", "0"), listed.replace("O", "0")
    if len(text) == len(listed):
        return tuple(j for j, c in enumerate(listed) if text[j] != c)
    shorter = min(len(text), len(listed))
    head = next((j for j in range(shorter) if text[j] != listed[j]), shorter)
    tail = next(
        (j for j in range(shorter - head) if text[-1 - j] != listed[-1 - j]), shorter - head
    )
    # A character that the reader added stands between two positions: the one after it is marked.
    end = max(len(listed) - tail, head + 1)
    return tuple(range(min(head, len(listed) - 1), min(end, len(listed))))


def _doubtful(
    read: PlateRead,
    entry: HotListEntry,
    result: Posterior,
    differing: tuple[int, ...],
    confusion: Confusion,
) -> list[tuple[int, str]]:
    """Positions of the listed plate a person should look at, the riskiest first, with the
    characters that could stand there instead, the likeliest first.

    Look-alikes are marked even where the reader was certain, since its certainty can be false;
    they are ranked by the posterior of the plate that they would make.
    """
    risk = dict(result.rivals)
    listed = entry.plate
    marks: list[tuple[float, int, str]] = []
    spread = result.evidence.spread if len(read.plate) == len(listed) else None
    for j, c in enumerate(listed):
        options = set(confusion.errors.look_alikes[c])
        if spread is not None:
            told = spread[j]
            options |= {a for a, p in zip(ALPHABET, told, strict=True) if p >= DOUBT_MIN}
            options.add(read.plate[j])
        options.discard(c)
        ranked = sorted(
            ((risk.get(listed[:j] + a + listed[j + 1 :], 0.0), a) for a in options),
            key=lambda pair: (-pair[0], pair[1]),
        )[:ALTERNATIVES_MAX]
        if ranked:
            first = 1.0 if j in differing else 0.0
            marks.append((first + sum(r for r, _ in ranked), j, "".join(a for _, a in ranked)))
    marks.sort(key=lambda mark: (-mark[0], mark[1]))
    kept = max(DOUBTFUL_MAX, len(differing))
    if len(marks) > kept:
        # Two 7s are as doubtful as each other: the limit does not fall between equals.
        least = marks[kept - 1][0] * (1 - 1e-6)
        marks = [mark for mark in marks if mark[0] >= least]
    return [(j, characters) for _, j, characters in marks]
