"""`farolito.toml`: one file, every field documented here, checked when it is read."""

from __future__ import annotations

import os
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from farolito.ingest.avl.sources import (
    GpsListener,
    GtfsFeed,
    MqttPositions,
    TakClientConfig,
    TakServerConfig,
)
from farolito.ingest.cad.sources import CadConveyance, CadFolder, CadWebhook
from farolito.ingest.gunshot.sources import GunshotMqtt, GunshotVendor
from farolito.model import Agency, AgencyId, FarolitoError, Government, ShareClass
from farolito.model.camera import WATCH_MINUTES_MAX
from farolito.model.provider import Provider

FILE = "farolito.toml"


class Node(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[node]"""

    name: str = "farolito"  # shown on every screen
    state_dir: str = ""  # where everything is kept; empty: the account's own place for state
    host: str = "127.0.0.1"  # the address the web and the doors listen on
    port: int = 8700
    # Readers may send to `port`. Each port here is a door in a process of its own besides, for
    # machines with more cores than one process fills.
    door_ports: tuple[int, ...] = ()
    bus_port: int = 0  # NATS; 0 chooses a free one and keeps it
    origin: str = ""  # the https address people open; empty: http://localhost:<port>


class AgencyConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[agency]"""

    id: str
    name: str
    ori: str  # nine characters, as NCIC assigns it
    law: str = "us-nm"  # the state pack: forbidden purposes and categories, retention
    government: Government = "city"  # city, county, state, tribal, federal, other
    keep_reads_days: int = 14  # how long reads are kept; a shorter limit of the law wins
    keep_calls_days: int = 365  # calls, incidents and the briefs of them
    keep_hits_days: int = 365  # alerts with their briefs and pictures; likewise
    language: str = "en"  # of briefs on TAK and by voice; each phone chooses its own
    zone: str = "America/Denver"  # IANA zone of the times that briefs say
    keep_ledger_days: int = 1825  # personal values of the ledger; a longer limit of the law wins


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[limits]"""

    dead_letters: int = 10_000  # kept; the oldest goes first, counts stay
    disk_free_gb_min: float = 2.0  # under this the doors refuse and the health page says so


class PictureLinks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[pictures]"""

    hosts: tuple[str, ...] = ()  # whose signed picture links are fetched for alerts, https only


class Mqtt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[mqtt]]: a broker to read plate events from (Frigate)."""

    device: str  # the plate reader this stands for, as registered
    host: str
    port: int = 1883
    topics: tuple[str, ...] = ("frigate/tracked_object_update", "frigate/events")


class Cad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[cad]"""

    # A folder with NENA's EIDO schema (openapi.yaml and what it refers to). With it each EIDO is
    # held against the schema, and what it breaks is named to its sender. Empty: only decoded.
    eido_schema: str = ""


class Gunshot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[gunshot]"""

    # A GeoJSON file of the agency's beats, each with a name: the zones of the figures. Empty:
    # squares of about 1 km, named as in a city atlas.
    beats: str = ""


class Video(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[video]: cameras, and the processes that fetch and hand out their pictures."""

    processes: int = 1  # that hold pictures; a core each holds some 400 streams
    port: int = 0  # of the first, where browsers connect; the next ones follow. 0: free ones
    # How browsers reach them where a proxy stands before the node: wss://rtcc.example.gov/pictures/
    # and the number of the process, 0 first, is put behind it. Empty: the ports themselves.
    url: str = ""
    # Networks of cameras besides private and public addresses: loopback and link-local are closed
    # unless they are named here.
    networks: tuple[str, ...] = ()
    minutes: int = 10  # a permission to watch lasts so long, and is asked for anew while one looks
    # Of what somebody watches, where its owner allows a recording, the last seconds stay in memory
    # while they look, so that a clip may begin with what was just seen: 7.5 MB a picture. 0: none.
    keep_watched_s: float = 30.0
    ring_mb: int = 1024  # memory for what chosen cameras saw before an event, all together
    sweep_minutes: float = 5.0  # each camera's picture is looked at once in so long. 0: never
    keep_clips_days: int = 365  # clips of no case; with a case they stay as long as hits do

    def __post_init__(self) -> None:
        if not 1 <= self.minutes <= WATCH_MINUTES_MAX:
            raise ValueError(f"[video] minutes: 1 to {WATCH_MINUTES_MAX}")
        if self.processes < 1 or self.ring_mb < 0 or self.sweep_minutes < 0:
            raise ValueError("[video] processes, ring_mb, sweep_minutes: no less than 1, 0, 0")


class Push(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[push]: waking the phones of officers whose page is closed, by their browsers' services."""

    contact: str = ""  # mailto: or https: of whoever runs this node; empty: no phone is woken
    allowed: tuple[str, ...] = ()  # push services inside the agency's own network


class Federation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[federation]: the line to other agencies. Without partners nothing of it listens."""

    # Where partners' nodes connect (mutual TLS). 0: nobody can; we connect to them. Of two
    # partners one must listen.
    port: int = 0
    host: str = "0.0.0.0"  # noqa: S104 - partners come from outside
    address: str = ""  # how partners reach that port: rtcc.example.gov:7422
    contact: str = ""  # whom a partner calls where an agreement says "pointer"
    # A nation's land, as GeoJSON polygons: records made there belong to it.
    land: str = ""
    # What nobody has of that land without the nation's signed consent.
    consent_classes: tuple[ShareClass, ...] = ()
    witnesses_min: int = 2  # who must have cosigned a checkpoint, one of another government


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[approval]]: by which impact report and which vote a kind of sensor stands here. The public
    pages show it, and that there is none."""

    kind: Literal["plate_reader", "camera", "gunshot_sensor", "aircraft"]
    impact_report: str  # its number, or where it is published
    council_approval: str  # the resolution, ordinance or order
    on: date | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    agency: AgencyConfig
    node: Node = Node()
    limits: Limits = Limits()
    pictures: PictureLinks = PictureLinks()
    mqtt: tuple[Mqtt, ...] = ()
    cad: Cad = Cad()
    cad_folder: tuple[CadFolder, ...] = ()
    cad_conveyance: tuple[CadConveyance, ...] = ()
    cad_webhook: tuple[CadWebhook, ...] = ()
    tak_server: TakServerConfig | None = None
    tak: tuple[TakClientConfig, ...] = ()
    gps: tuple[GpsListener, ...] = ()
    gtfs: tuple[GtfsFeed, ...] = ()
    positions_mqtt: tuple[MqttPositions, ...] = ()
    gunshot: Gunshot = Gunshot()
    gunshot_mqtt: tuple[GunshotMqtt, ...] = ()
    gunshot_vendor: tuple[GunshotVendor, ...] = ()
    video: Video = Video()
    push: Push = Push()
    federation: Federation = Federation()
    approval: tuple[Approval, ...] = ()
    oidc: tuple[Provider, ...] = ()

    @property
    def state(self) -> Path:
        return Path(self.node.state_dir or default_state()).absolute()

    @property
    def origin(self) -> str:
        return self.node.origin or f"http://localhost:{self.node.port}"

    @property
    def own_agency(self) -> Agency:
        return Agency(
            agency_id=AgencyId(self.agency.id),
            name=self.agency.name,
            ori=self.agency.ori,
            law=self.agency.law,
            government=self.agency.government,
            keep_reads=timedelta(days=self.agency.keep_reads_days),
            keep_hits=timedelta(days=self.agency.keep_hits_days),
            keep_calls=timedelta(days=self.agency.keep_calls_days),
            keep_ledger=timedelta(days=self.agency.keep_ledger_days),
        )


def load(path: Path) -> Config:
    """Read the file. Raises FarolitoError that names the field and says what to write."""
    try:
        text = path.read_text()
    except OSError as error:
        raise FarolitoError(
            f"cannot read {path}: {error.strerror}",
            "write one from examples/farolito.toml, or name it with --config",
        ) from error
    try:
        return msgspec.convert(tomllib.loads(text), Config)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise FarolitoError(f"{path}: {error}", "see examples/farolito.toml") from error


def default_state() -> Path:
    """Root's state is under /var/lib, where PostgreSQL's account can reach it."""
    if os.geteuid() == 0:
        return Path("/var/lib/farolito")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "farolito"
