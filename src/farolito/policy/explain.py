"""Why a question was refused, in a word and a sentence.

Cedar's default no has no reason. So the same rules are asked again about the same person with
everything right, and then with one thing at a time as it was: whatever turns the yes back into a
no is what stands in the way. The reasons can never disagree with the rules, for they come from
them. Costs one more question for each fact that the role's rules ask for, on refusals only, and
twelve once for each kind of question.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from farolito.model import Act, OwnerId, Purpose, Thing, UnitId
from farolito.policy.request import Fact, Request
from farolito.policy.rule_book import CASE, FACTS, Answer, RuleBook

# The order in which reasons are told: what can never be mended first. The first is the reason
# in the ledger. {who}, {act}, {thing} and {purposes} are filled in.
REASONS: Mapping[str, tuple[str, str]] = {
    "prohibited_purpose": (
        "the law rules this purpose out",
        "no role and no agreement opens it; the question stands in the ledger",
    ),
    "foreign_agency": (
        "this belongs to another agency, and no signed agreement opens it",
        "ask the owner",
    ),
    "no_purpose": ("no purpose was given", "choose one from the list"),
    "no_agreement": (
        "no signed agreement with you opens this",
        "ask the owner for an agreement, or name the one that you have",
    ),
    "not_a_partner": (
        "nobody at the owner has confirmed this agency as a partner",
        "let people of both compare the fingerprints",
    ),
    "agreement_revoked": ("the agreement was revoked", "ask the owner, whose people ended it"),
    "agreement_replaced": ("another agreement took the place of this one", "name the new one"),
    "agreement_expired": ("the agreement has ended", "ask the owner to sign a new one"),
    "agreement_not_begun": ("the agreement has not begun yet", "ask when it has"),
    "out_of_state": (
        "the owner's law lets nothing out to other states or federal agencies",
        "no agreement opens it",
    ),
    "no_declaration": (
        "the owner's law wants a declaration from agencies of other states, and none is valid",
        "sign a declaration, and let the owner put it into a new agreement",
    ),
    "logs_not_data": (
        "{who} reads no other agency's data",
        "ask somebody who works on the call or the case",
    ),
    "never_streamed": ("plate reads never flow", "ask for one plate at a time"),
    "class_not_shared": ("the agreement does not share {thing}", "it shares: {classes}"),
    "sharing_not_agreed": (
        "the agreement does not let a partner {act} {thing}",
        "ask in the way that is agreed, or for another agreement",
    ),
    "other_incident": ("the agreement opens one incident, and not this one", "ask about that one"),
    "role_not_agreed": ("the agreement does not name {who}", "it names: {roles}"),
    "purpose_not_agreed": (
        "the agreement does not name this purpose",
        "possible purposes: {purposes}",
    ),
    "role": ("{who} may not {act} {thing}", "ask somebody whose duty it is"),
    "purpose": ("{who} may not {act} {thing} for this purpose", "possible purposes: {purposes}"),
    "on_behalf_of": (
        "asked on behalf of somebody whose agency may not ask this, or is not told",
        "let them ask themselves",
    ),
    "no_consent": (
        "its owner does not let us look now",
        "the camera's card says when it does; the owner alone can widen it",
    ),
    "no_recording": (
        "its owner allows no recording",
        "watch it while it matters; ask the owner for their own recording",
    ),
    "not_your_camera": ("this camera is another owner's", "its own owner decides"),
    "sign_in_too_old": ("the sign-in is older than 12 hours", "sign in again"),
    "sign_in_again": (
        "this wants your passkey, shown within the last 5 minutes",
        "show your passkey again",
    ),
    "case": ("no case or call number was given", "give the number of the open case or call"),
    "outside_zone": (
        "this is not known to lie within the zones of the agreement",
        "ask within its zones",
    ),
    "outside_hours": ("the agreement does not hold at this hour", "its text says when it does"),
    "too_old_records": (
        "the agreement opens no records as old as these",
        "ask for the last {days} days",
    ),
    "unconfirmed": ("no person has confirmed this alert", "confirm it first"),
    "not_your_unit": ("this is not your unit's", "ask the desk to brief your unit"),
    "not_near": (
        "this camera is not near an incident that your unit is sent to",
        "ask the desk to look, or to send your unit",
    ),
    "reason_code": ("no reason from the closed list was given", "choose a reason code"),
    "records": (
        "the answer would hold records of people or vehicles, which {who} does not open",
        "ask for the counts alone",
    ),
    "not_understood": ("the question could not be decided", "report this: {errors}"),
}
_OF_CAMERAS = frozenset({Thing.CAMERA, Thing.CONSENT, Thing.VIEWING, Thing.CLIP})
_IDEAL_UNIT = UnitId("1")
_IDEAL_OWNER = OwnerId("1")
_ABOUT = {
    "case": CASE,
    "unconfirmed": "confirmed",
    "not_your_unit": "assigned_unit",
    "reason_code": "reason_code",
    "records": "records",
    "no_consent": "consent_open",
    "no_recording": "may_record",
    "not_near": "near_assigned",
    "not_your_camera": "camera_owner",
}
_IDEAL: Mapping[str, Fact] = {
    "confirmed": True,
    "assigned_unit": _IDEAL_UNIT,
    "records": False,
    "reason_code": "routine_review",
}
_IDEAL_OF_CAMERAS: Mapping[str, Fact] = {
    "consent_open": True,
    "near_assigned": True,
    "camera_owner": _IDEAL_OWNER,
    "may_record": True,
}
ACTS: Mapping[Act, str] = {
    Act.READ: "read",
    Act.LIVE: "follow",
    Act.WATCH: "watch",
    Act.ACT: "change",
    Act.EXPORT: "take out",
}
THINGS_TOLD: Mapping[Thing, str] = {
    Thing.ALERT: "alerts",
    Thing.BRIEF: "briefs",
    Thing.CALL: "calls for service",
    Thing.INCIDENT: "incidents",
    Thing.SHOT: "shots",
    Thing.SHOT_FIGURE: "the figures of shots",
    Thing.SOUND: "recordings of impulses",
    Thing.SENSOR: "gunshot sensors",
    Thing.TIMING: "timings",
    Thing.PLATE_READ: "plate reads",
    Thing.PICTURE: "pictures",
    Thing.CAMERA: "cameras",
    Thing.CONSENT: "consent for cameras",
    Thing.VIEWING: "who watched cameras",
    Thing.CLIP: "clips",
    Thing.HOT_LIST: "hot lists",
    Thing.UNIT: "units",
    Thing.MAP: "the map",
    Thing.LEDGER: "the ledger",
    Thing.LEDGER_FIELD: "the ledger's personal fields",
    Thing.HEALTH: "the health page",
    Thing.DEVICE: "devices",
    Thing.PERSON: "the people who sign in here",
    Thing.DEAD_LETTER: "dead letters",
    Thing.PARTNER: "other agencies",
    Thing.AGREEMENT: "agreements",
    Thing.SHARED: "what partners share",
    Thing.REVIEW: "reviews",
    Thing.REPORT: "reports",
}


class Why(msgspec.Struct, frozen=True):
    reasons: tuple[str, ...]
    purposes: tuple[Purpose, ...]


def why(book: RuleBook, request: Request, answer: Answer) -> Why:
    """All reasons for `answer`, the foremost first. Never empty."""
    found = {rule for rule in answer.rules if rule in REASONS}
    purposes = open_purposes(book, request)
    if not purposes:
        found.add("role")
    elif request.purpose not in purposes:
        if request.purpose is not None:
            found.add("purpose")
        found |= _lacking(book, request, purposes[0])
    else:
        found |= _lacking(book, request, request.purpose)
    if answer.errors and not found:
        found.add("not_understood")
    return Why(tuple(r for r in REASONS if r in found) or ("not_understood",), purposes)


def open_purposes(book: RuleBook, request: Request) -> tuple[Purpose, ...]:
    """For which purposes this role may do this to that thing, were all else right."""
    kind = (request.owner, request.person.role, request.act, request.thing)
    known = book.open_purposes.get(kind)
    if known is not None:
        return known
    purposes = list(Purpose)
    answers = book.ask([ideal(request, p) for p in purposes])
    found = tuple(p for p, a in zip(purposes, answers, strict=True) if a.yes)
    if request.owner in book.agencies:  # so that made-up owners cannot fill the memory
        book.open_purposes[kind] = found
    return found


def ideal(request: Request, purpose: Purpose) -> Request:
    """The same role, act and thing, with everything else as the rules would have it."""
    person = msgspec.structs.replace(
        request.person, agency=request.owner, unit=_IDEAL_UNIT, owner=_IDEAL_OWNER
    )
    return msgspec.structs.replace(
        request,
        person=person,
        purpose=purpose,
        signed_in_s=0,
        proved_s=None,
        case="1",
        on_behalf_of=None,
        facts={**_IDEAL, **_IDEAL_OF_CAMERAS} if request.thing in _OF_CAMERAS else _IDEAL,
    )


def _lacking(book: RuleBook, request: Request, purpose: Purpose) -> set[str]:
    best = ideal(request, purpose)
    tries = {
        "case": msgspec.structs.replace(best, case=request.case),
        "unconfirmed": _with_fact(best, request, "confirmed"),
        "not_your_unit": msgspec.structs.replace(
            _with_fact(best, request, "assigned_unit"),
            person=msgspec.structs.replace(best.person, unit=request.person.unit),
        ),
        "reason_code": _with_fact(best, request, "reason_code"),
        "records": _with_fact(best, request, "records"),
    }
    if request.thing in _OF_CAMERAS:
        tries |= {
            "no_consent": _with_fact(best, request, "consent_open"),
            "no_recording": _with_fact(best, request, "may_record"),
            "not_near": _with_fact(best, request, "near_assigned"),
            "not_your_camera": msgspec.structs.replace(
                _with_fact(best, request, "camera_owner"),
                person=msgspec.structs.replace(best.person, owner=request.person.owner),
            ),
        }
    asked = book.asks_for(request.person.role)
    told = {reason: one for reason, one in tries.items() if _ABOUT[reason] in asked}
    answers = book.ask(list(told.values()))
    return {reason for reason, a in zip(told, answers, strict=True) if not a.yes}


def _with_fact(best: Request, request: Request, name: str) -> Request:
    assert name in FACTS
    facts: dict[str, Fact] = {n: v for n, v in best.facts.items() if n != name}
    if name in request.facts:
        facts[name] = request.facts[name]
    return msgspec.structs.replace(best, facts=facts)


def sentence(reason: str, request: Request, why: Why, errors: tuple[str, ...]) -> tuple[str, str]:
    """What to say and what to do, for a person."""
    words = {
        "who": role_told(request),
        "act": ACTS[request.act],
        "thing": THINGS_TOLD[request.thing],
        "purposes": ", ".join(p.value.replace("_", " ") for p in why.purposes),
        "errors": "; ".join(errors) or "no rule and no reason found",
    }
    says, do = REASONS[reason]
    return says.format(**words), do.format(**words)


def role_told(request: Request) -> str:
    role = request.person.role.value.replace("_", " ")
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"
