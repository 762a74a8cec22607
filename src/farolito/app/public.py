"""What the public is told, made of a node's parts: figures, approvals, agreements, and the answer
to the owner of a plate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from farolito.app.config import Config
from farolito.app.retention import Keeping
from farolito.audit import Ledger
from farolito.console.public import Public as PublicRooms
from farolito.gate import Ask, Gate
from farolito.gate.figures import LedgerFigures
from farolito.model import (
    AgencyId,
    AgreementState,
    Camera,
    CameraOwner,
    Device,
    Partner,
    Person,
    SignedAgreement,
)
from farolito.model.figures import OwnPlateAnswer
from farolito.policy import StatePack
from farolito.policy.explain import REASONS
from farolito.transparency import PlateDesk, PublicPages, Published, Publisher
from farolito.transparency.letter import letter
from farolito.transparency.periods import Period

# Refusals that come up beside the rules; those of the rules are in REASONS.
_BESIDE = ("forged_agency", "malformed", "needs_approval", "no_receipt")
# Agreements that the public is told of: those that two people signed, whatever came of them.
_TOLD = frozenset(
    {
        AgreementState.IN_FORCE,
        AgreementState.REVOKED,
        AgreementState.REPLACED,
        AgreementState.EXPIRED,
    }
)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the node has made already. `cameras`: the register."""

    gate: Gate
    ledger: Ledger
    system: Person
    pack: StatePack
    keeping: Keeping
    devices: Callable[[], Awaitable[Sequence[Device]]]
    cameras: Callable[[], Sequence[Camera]]
    partners: Callable[[], Mapping[AgencyId, Partner]]
    agreements: Callable[[], Sequence[SignedAgreement]]
    witnesses: Callable[[], Awaitable[Mapping[str, Any]]]


class Public:
    """`run` belongs among the node's works; `pages` and `plates` are handed to the console."""

    def __init__(
        self, config: Config, parts: Parts, clock: Callable[[], datetime], *, demo: bool
    ) -> None:
        self._config = config
        self._parts = parts
        self._clock = clock
        agency, zone = config.own_agency, ZoneInfo(config.agency.zone)
        self.publisher = Publisher(
            parts.gate,
            LedgerFigures(parts.gate, parts.ledger),
            parts.system,
            agency,
            zone,
            clock,
            agencies=lambda: [one for one in parts.partners() if one != agency.agency_id],
            reasons=[*REASONS, *_BESIDE],
            told=self._told,
            demo=demo,
        )
        self._zone = zone
        self.pages = PublicPages(self.publisher, agency, zone, parts.witnesses, clock)
        self.plates = PlateDesk(parts.gate, agency, zone, parts.pack.own_plate, self._names)
        self.run = self.publisher.run

    def for_screens(self) -> PublicRooms:
        return PublicRooms(
            page=self.pages.page,
            publish=self._publish,
            yearly=self._yearly,
            own_plate=lambda ask, question: self.plates.answer(ask, question, self._clock()),
            letter=self._letter,
        )

    async def _publish(self, name: str) -> Mapping[str, Any]:
        told = self.publisher
        return _card(await (told.so_far() if name == "so-far" else told.month(name)))

    async def _yearly(self, ask: Ask, name: str) -> Mapping[str, Any]:
        return _card(await self.publisher.year(ask, name))

    def _letter(self, answer: OwnPlateAnswer, permit: int, language: str) -> str:
        return letter(answer, permit, self._config.agency.name, self._zone, language)

    async def _told(self, period: Period) -> Mapping[str, Any]:
        """What the agency says of itself besides the counts, at this moment."""
        parts, agency = self._parts, self._config.own_agency
        reviews = await parts.gate.following(
            lambda r: r.reviews.counts(period.since, period.until, self._clock())
        )
        decided = sum((Counter(one.decided) for one in reviews), Counter[str]())
        signed = [one for one in parts.agreements() if _is_told(one, period)]
        return {
            "name": agency.name,
            "ori": agency.ori,
            "government": agency.government,
            "names": self._names(),
            "sensors": await self._sensors(),
            "reads_kept": await parts.gate.following(lambda r: r.figures.reads_kept()),
            "keeping": msgspec.structs.asdict(parts.keeping),
            "agreements": [_agreement(one) for one in signed if not one.agreement.incident],
            "aid": sum(1 for one in signed if one.agreement.incident),
            "reviews": {
                "raised": sum(one.raised for one in reviews),
                "open": sum(one.open for one in reviews),
                "overdue": sum(one.overdue for one in reviews),
                **{word: decided[word] for word in ("explained", "training", "misuse", "referred")},
            },
            "law": _law(parts.pack),
        }

    async def _sensors(self) -> list[Mapping[str, Any]]:
        """How many of each kind, whose, and by which vote they stand here."""
        parts = self._parts
        devices = await parts.devices()
        owners = await parts.gate.following(lambda r: r.cameras.owners())
        cameras = parts.cameras()
        told: list[Mapping[str, Any]] = []
        for kind in ("plate_reader", "camera", "gunshot_sensor"):
            count = sum(1 for one in devices if one.kind == kind)
            of_others = 0
            if kind == "camera":
                count += len(cameras)
                of_others = _of_others(cameras, owners)
            told.append(
                {
                    "kind": kind,
                    "count": count,
                    "of_others": of_others,
                    "approvals": self._approvals(kind, cameras if kind == "camera" else ()),
                }
            )
        return told + self._aircraft()

    def _aircraft(self) -> list[Mapping[str, Any]]:
        """By their approval alone: no aircraft is connected to a node, so none can be counted."""
        approvals = self._approvals("aircraft", ())
        if not approvals:
            return []
        return [{"kind": "aircraft", "count": None, "of_others": None, "approvals": approvals}]

    def _approvals(self, kind: str, cameras: Sequence[Camera]) -> list[Mapping[str, str]]:
        """Those of the configuration, and those that single cameras of the register name."""
        told: list[Mapping[str, str]] = [
            {
                "impact_report": one.impact_report,
                "council_approval": one.council_approval,
                "on": one.on.isoformat() if one.on else "",
            }
            for one in self._config.approval
            if one.kind == kind
        ]
        named = {one.approval for one in cameras if one.approval}
        named -= {one["council_approval"] for one in told}
        return [*told] + [
            {"impact_report": "", "council_approval": one, "on": ""} for one in sorted(named)
        ]

    def _names(self) -> dict[str, str]:
        agency = self._config.own_agency
        names = {str(one): told.card.name for one, told in self._parts.partners().items()}
        return {**names, str(agency.agency_id): agency.name}


def _card(told: Published) -> Mapping[str, Any]:
    return {
        "period": told.period,
        "published_at": told.published_at,
        "permit": told.permit,
        "page": f"/public/{told.period}",
        "figures": told.figures,
    }


def _of_others(cameras: Sequence[Camera], owners: Sequence[CameraOwner]) -> int:
    """Cameras that belong to nobody of the government: shops, homes, churches."""
    private = {one.owner_id for one in owners if one.kind == "private"}
    return sum(1 for one in cameras if one.owner in private)


def _is_told(signed: SignedAgreement, period: Period) -> bool:
    """Whether it was in force in the period, or is."""
    terms = signed.agreement
    ended = signed.changed_at if signed.state is not AgreementState.IN_FORCE else terms.expires
    return signed.state in _TOLD and terms.starts < period.until and ended >= period.since


def _agreement(signed: SignedAgreement) -> Mapping[str, Any]:
    terms = signed.agreement
    declaration = terms.declaration
    return {
        "agreement_id": str(terms.agreement_id),
        "title": terms.title,
        "grantor": terms.grantor,
        "grantee": terms.grantee,
        "state": signed.state.value,
        "starts": f"{terms.starts:%Y-%m-%d}",
        "expires": f"{terms.expires:%Y-%m-%d}",
        "document": signed.document,
        "declaration": declaration.declaration_id if declaration else "",
    }


def _law(pack: StatePack) -> Mapping[str, Any]:
    """The state's own report, where it asks for one."""
    report = pack.yearly_report
    told: dict[str, Any] = {"law": pack.law, "name": pack.name, "report": None}
    if report is not None:
        told["report"] = {
            "to": report.to,
            "due": report.due or "",
            "figures": list(report.figures),
            "unverified": "yearly_report" in pack.unverified,
        }
    return told
