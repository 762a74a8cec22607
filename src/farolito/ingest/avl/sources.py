"""What can be written in `farolito.toml` about sources of positions. Nothing here opens anything.

A table `units` maps what a source calls a unit to the call sign: `{ "bus-12" = "2A14" }`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Callsigns = Literal["known", "any", "none"]


class TakServerConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[tak_server]: our own small TAK server, for ATAK, WinTAK and iTAK.

    With `certificate`, `key` and `ca` it speaks TLS and lets in who has a certificate of that CA.
    Without them it speaks plain TCP, where nobody can prove a name: keep that on 127.0.0.1.
    """

    host: str = "127.0.0.1"
    port: int = 8089  # TAK's usual port for TLS; plain TCP is usually 8087
    certificate: str = ""  # our certificate, a .pem file
    key: str = ""  # its private key, a .pem file
    ca: str = ""  # whose client certificates are let in, a .pem file
    # Names (CN) that are let in; empty: every certificate of the CA.
    users: tuple[str, ...] = ()
    # Certificate name, device uid or call sign → unit. A certificate's name wins: whoever has it
    # can be no other unit.
    units: dict[str, str] = {}
    # Certificate name → id of a person who signs in here (an operator at WinTAK). Officers need
    # no line: whoever is the unit is its officer.
    people: dict[str, str] = {}
    # Whose own word on the call sign counts: "known" units', "any", "none" (the table only).
    callsigns: Callsigns = "known"
    without_certificates: bool = False  # must be said to speak plain TCP beyond this machine
    protobuf: bool = True  # offer version 1 of the TAK protocol
    events_a_second: int = 50  # of one client; more are conflated or wait


class TakClientConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[tak]]: a TAK server that we connect to (TAK Server, taky, OpenTAKServer)."""

    name: str  # shown as the source of its positions: "tak <name>"
    host: str
    port: int = 8089
    tls: bool = True
    certificate: str = ""  # our client certificate with its key, a .pem file
    key: str = ""  # the key, where it is in a file of its own
    ca: str = ""  # the CA of the server's certificate, a .pem file; empty: the system's
    server_name: str = ""  # the name in the server's certificate, where it is not `host`
    callsign: str = "RTCC"  # how we show up on their maps
    # Whether incidents and briefs go to its users. Such a server vouches for their call signs, so
    # it must be the agency's own; without it positions come in, and nothing goes out.
    deliver: bool = False
    uid: str = ""  # empty: made from `callsign`
    lat: float | None = None  # where we show up; none: announced without a place
    lon: float | None = None
    units: dict[str, str] = {}  # device uid or call sign → unit
    callsigns: Callsigns = "known"
    protobuf: bool = True  # ask for version 1 of the TAK protocol where the server offers it
    events_a_second: int = 4_000  # of the whole server


class GpsListener(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[gps]]: modems that send NMEA or TAIP. They prove nothing: listen on a closed network."""

    protocol: Literal["nmea", "taip"]
    transport: Literal["udp", "tcp"] = "udp"
    host: str = "127.0.0.1"
    port: int = 0
    # NMEA: sender's address ("10.8.0.14" or "10.8.0.14:5017") → unit. TAIP: vehicle id → unit.
    units: dict[str, str] = {}
    # A unit named in the message itself ($PFAR,2A14 or ;ID=2A14) counts without the table.
    names_itself: bool = False
    # TAIP: how far the modem's time of day is ahead of UTC; 18 where it counts GPS time.
    clock_ahead_s: float = 0.0


class GtfsFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[gtfs]]: vehicle positions of a GTFS-realtime feed, asked for again and again."""

    name: str
    url: str
    every_s: float = 5.0
    units: dict[str, str] = {}  # vehicle label or id → unit
    any_vehicle: bool = False  # a vehicle beside the table is heard under its label or id


class MqttPositions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """[[positions_mqtt]]: a broker that carries positions (OwnTracks, or our own JSON)."""

    name: str
    host: str
    client_id: str  # the source's own, and the same after every start
    port: int = 1883
    username: str | None = None
    secret_file: str = ""  # the broker's word for us, alone in a file
    tls: bool = False
    topics: tuple[str, ...] = ("owntracks/+/+",)
    units: dict[str, str] = {}  # topic → unit
    # A unit beside the table is heard under the last level of its topic.
    any_topic: bool = False
