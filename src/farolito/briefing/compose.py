"""Seven lines from what is known: plain functions, the same knowledge gives the same lines.

Each line says its source and how old it is; what nobody knows is said as such, because a silent
line reads like an all-clear. What calls tell differently is said as such too.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from farolito.briefing.hazards import hazards
from farolito.briefing.known import Known, fired_at, main_call, newest_first
from farolito.briefing.saying import Draft, differing, minutes, phrase, said, sentence, told, wind
from farolito.briefing.shots import reviewer, said_of_shots, withdrawn
from farolito.briefing.vehicle import vehicle
from farolito.briefing.where import where
from farolito.briefing.words import Words
from farolito.model import (
    Alert,
    BriefLine,
    Call,
    CalledUnit,
    CallKind,
    Confidence,
    Fact,
    Going,
    Level,
    LineKind,
    Phrase,
)

NEAR_SAID_MAX = 3
WITH_YOU_SAID_MAX = 6
FACTS_SAID_MAX = 3  # of one line, the newest; older ones stay in the incident's log
HEADINGS_DIFFER_DEG = 90.0  # two callers' directions further apart contradict each other


def compose(known: Known, words: Words, language: str) -> tuple[BriefLine, ...]:
    """The lines in the order of `LineKind`, said in `language`."""
    drafts = (
        _what(known),
        where(known),
        hazards(known),
        vehicle(known),
        _last_seen(known),
        _with_you(known),
        _picture(known),
    )
    return tuple(said(_with_facts(draft, known, words, language), words, language)
                 for draft in drafts)  # fmt: skip


def level_of(known: Known) -> Level:
    """From what a person told or confirmed; an alert that nobody confirmed raises nothing."""
    told_ = [call.priority for call in known.calls] + [alert.level for alert in known.alerts]
    told_ += [Level.P1 for _ in known.shots]
    return min(told_, default=known.incident.level if known.incident else Level.P3)


def _with_facts(draft: Draft, known: Known, words: Words, language: str) -> Draft:
    """What operators pushed comes first, under their names, and is a person's word."""
    facts = known.facts(draft.kind)
    if not facts:
        return draft
    newest = facts[0]
    base = draft.source
    other = words.say(base, language) if base.args else f"@{base.key}"
    return Draft(
        kind=draft.kind,
        phrases=(*(_fact(fact) for fact in facts[:FACTS_SAID_MAX]), *draft.phrases),
        source=phrase("source.operator", name=told(newest.by_name), other=other),
        as_of=newest.at,
        confidence=Confidence.CONFIRMED,
        known=True,
    )


def _fact(fact: Fact) -> Phrase:
    return phrase("fact", name=told(fact.by_name), text=sentence(fact.says))


def _what(known: Known) -> Draft:
    alert = known.alert or next(iter(known.withdrawn), None)
    if known.calls:
        draft = _what_calls(known)
    elif alert is not None:
        draft = _what_alert(known, alert)
    elif known.shots or known.withdrawn_shots:
        return _what_shots(known)
    else:
        draft = _what_reports(known)
    return _and_shots(known, draft)


def _what_shots(known: Known) -> Draft:
    """Shots that nobody has called in yet. Withdrawn ones are said where nothing else is left."""
    newest = max((*known.shots, *known.withdrawn_shots), key=fired_at)
    level = phrase("what.call", level=int(level_of(known)), kind="@kind.shots_fired")
    return Draft(
        kind=LineKind.WHAT,
        phrases=(
            *withdrawn(known),
            *((level,) if known.shots else ()),
            *said_of_shots(known),
            *_reported(known),
        ),
        source=phrase("source.sensors_reviewed", name=reviewer(newest, known)),
        as_of=fired_at(newest),
        confidence=Confidence.CONFIRMED,
    )


def _and_shots(known: Known, draft: Draft) -> Draft:
    """What sensors heard beside what calls or alerts tell: after the first sentence."""
    if not known.shots:
        return replace(draft, phrases=(*withdrawn(known), *draft.phrases))
    newest = max(known.shots, key=fired_at)
    first, *rest = draft.phrases
    source = draft.source
    is_of_shots = bool(known.calls) and main_call(known.calls).kind is CallKind.SHOTS_FIRED
    if known.calls:
        number, name = told(main_call(known.calls).number), reviewer(newest, known)
        source = phrase("source.call_and_sensors", number=number, name=name)
    return replace(
        draft,
        phrases=(*withdrawn(known), first, *said_of_shots(known), *rest),
        source=source,
        confidence=Confidence.CONFIRMED if is_of_shots else draft.confidence,
    )


def _what_calls(known: Known) -> Draft:
    newest = newest_first(known.calls)
    gravest = main_call(newest)
    phrases = [phrase("what.call", level=int(level_of(known)), kind=_kind(gravest))]
    others = [c for c in newest if c.kind not in (gravest.kind, CallKind.OTHER)]
    phrases += [phrase("what.also", kind=kind) for kind in dict.fromkeys(map(_kind, others))][:1]
    people = differing(call.people or "" for call in newest)
    if len(people) == 1:
        phrases.append(phrase("what.people", text=people[0].rstrip(".")))
    elif people:
        phrases.append(phrase("differ.two", a=people[0], b=people[1]))
    note = max((n for c in known.calls for n in c.notes), key=lambda n: n.at, default=None)
    if note is not None and sentence(note.says):
        phrases.append(phrase("what.note", text=sentence(note.says)))
    if len(newest) > 1:
        phrases.append(phrase("what.callers", n=len(newest)))
    phrases += _reported(known)
    number = told(gravest.number)
    return Draft(
        kind=LineKind.WHAT,
        phrases=tuple(phrases),
        source=phrase("source.call", number=number),
        as_of=gravest.taken_at or gravest.here_at,
        confidence=Confidence.TOLD,
    )


def _kind(call: Call) -> str:
    """The kind's key; the dispatcher's own word where our list has none."""
    if call.kind is CallKind.OTHER and call.kind_says.strip():
        return sentence(call.kind_says)
    return f"@kind.{call.kind.value}"


def _reported(known: Known) -> list[Phrase]:
    return [
        phrase("what.report", name=told(r.by_name), text=sentence(r.says))
        for r in known.reports[:1]
    ]


def _what_reports(known: Known) -> Draft:
    report = next(iter(known.reports), None)
    kind = f"@kind.{(known.incident.kind if known.incident else CallKind.OTHER).value}"
    return Draft(
        kind=LineKind.WHAT,
        phrases=(phrase("what.call", level=int(level_of(known)), kind=kind), *_reported(known)),
        source=phrase("source.person", name=told(report.by_name)) if report
        else phrase("source.nobody"),
        as_of=report.at if report else None,
        confidence=Confidence.TOLD if report else Confidence.MACHINE,
        known=report is not None,
    )  # fmt: skip


def _what_alert(known: Known, alert: Alert) -> Draft:
    entry = alert.match.entry
    args: dict[str, str | int] = {"level": int(alert.level), "reason": sentence(entry.reason)}
    says = phrase("what.alert", **args)
    if entry.case:
        says = phrase("what.alert_case", **args, case=told(entry.case))
    return Draft(
        kind=LineKind.WHAT,
        phrases=(says, *_reported(known)),
        source=phrase(
            "source.compared",
            who=told(known.confirmed_by.get(alert.alert_id, "")) or "@source.a_person",
            agency=told(entry.source_agency),
            confirm_with=told(entry.confirm_with),
        ),
        as_of=entry.entered_at,
        confidence=Confidence.CONFIRMED,
    )


def _last_seen(known: Known) -> Draft:
    """The newest of what a reader saw and what callers told; headings that differ are said."""
    calls = [c for c in known.calls if c.going is not None]
    goings = sorted(((c.going, c) for c in calls if c.going), key=lambda g: g[0].at, reverse=True)
    alert = known.alert
    by_reader = _read_of(known, alert) if alert is not None else []
    if goings and (alert is None or goings[0][0].at > alert.newest.captured_at):
        going, call = goings[0]
        return Draft(
            kind=LineKind.LAST_SEEN,
            phrases=(_going(going), *_headings([g for g, _ in goings]), *by_reader),
            source=phrase("source.caller", number=told(call.number)),
            as_of=going.at,
            confidence=Confidence.TOLD,
        )
    if alert is not None:
        return Draft(
            kind=LineKind.LAST_SEEN,
            phrases=(*by_reader, *(_going(going) for going, _ in goings[:1])),
            source=phrase("source.plate_reader"),
            as_of=alert.newest.captured_at,
        )
    return Draft(
        kind=LineKind.LAST_SEEN,
        phrases=(phrase("last_seen.none"),),
        source=phrase("source.nobody"),
        as_of=None,
        known=False,
    )


def _going(going: Going) -> Phrase:
    if going.heading_deg is None:
        return phrase("last_seen.told", text=sentence(going.says))
    return phrase("last_seen.told_heading", text=sentence(going.says), wind=wind(going.heading_deg))


def _headings(goings: Sequence[Going]) -> list[Phrase]:
    headings = [g.heading_deg for g in goings if g.heading_deg is not None]
    for other in headings[1:]:
        if abs((headings[0] - other + 180) % 360 - 180) > HEADINGS_DIFFER_DEG:
            return [phrase("differ.two", a=wind(headings[0]), b=wind(other))]
    return []


def _read_of(known: Known, alert: Alert) -> list[Phrase]:
    read = alert.newest
    reader = told(known.around.readers.get(read.reader, str(read.reader)))
    if read.heading_deg is None:
        phrases = [phrase("last_seen.read", reader=reader)]
    else:
        phrases = [phrase("last_seen.read_heading", reader=reader, wind=wind(read.heading_deg))]
    if alert.repeats:
        phrases.append(phrase("last_seen.times", n=alert.repeats + 1))
    return phrases


def _with_you(known: Known) -> Draft:
    others = known.others
    phrases = [_other(unit) for unit in others[:WITH_YOU_SAID_MAX]]
    if len(others) > WITH_YOU_SAID_MAX:
        phrases.append(phrase("with_you.more", n=len(others) - WITH_YOU_SAID_MAX))
    if others:
        source, as_of = phrase("source.dispatch"), max(unit.at for unit in others)
    else:
        phrases = _nearest(known)
        source, as_of = phrase("source.positions"), known.now
    return Draft(
        kind=LineKind.WITH_YOU,
        phrases=tuple(phrases),
        source=source,
        as_of=as_of,
        known=bool(others) or bool(known.around.near),
    )


def _other(unit: CalledUnit) -> Phrase:
    return phrase(f"with_you.{unit.status.value}", unit=told(unit.unit))


def _nearest(known: Known) -> list[Phrase]:
    near = known.around.near[:NEAR_SAID_MAX]
    phrases = [phrase("with_you.alone" if near else "with_you.nobody")]
    for one in near:
        if one.seconds is not None:
            phrases.append(phrase("with_you.near", unit=told(one.unit.unit_id),
                                  n=minutes(one.seconds)))  # fmt: skip
        else:
            phrases.append(phrase("with_you.straight", unit=told(one.unit.unit_id),
                                  metres=_round_m(one.metres)))  # fmt: skip
    return phrases


def _picture(known: Known) -> Draft:
    read = known.alert.newest if known.alert else None
    if read is not None and not read.pictures and known.alert:
        read = known.alert.match.read if known.alert.match.read.pictures else read
    shows = {p.shows for p in read.pictures} if read else set()
    best = next((s for s in ("scene", "vehicle", "plate") if s in shows), None)
    eye = known.around.eye
    if read is not None and best is not None:
        reader = told(known.around.readers.get(read.reader, str(read.reader)))
        says, source = phrase(f"picture.{best}"), phrase("source.reader", name=reader)
    elif eye is not None:
        word = "picture.camera_sees" if eye.sees else f"picture.near_{eye.kind}"
        says = phrase(word, name=told(eye.name), metres=_round_m(eye.metres))
        source = phrase("source.devices")
    else:
        looking = not known.is_complete and (known.calls or known.shots)
        says = phrase("picture.looking" if looking else "picture.none")
        source = phrase("source.plate_reader" if read else "source.devices")
    return Draft(
        kind=LineKind.PICTURE,
        phrases=(says,),
        source=source,
        as_of=read.captured_at if read is not None and best else None,
        known=best is not None,
    )


def _round_m(metres: float) -> int:
    return max(10, round(metres / 10) * 10)
