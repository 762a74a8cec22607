"""What can be written in `farolito.toml` about gunshot sensors and vendors. Nothing here opens
anything. Sensors that send over HTTP need no line: they are registered, and that is all."""

from __future__ import annotations

import msgspec

TOPIC = "farolito/sound/+"
WANTS_TOPIC = "farolito/wants"


class GunshotMqtt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[gunshot_mqtt]]`: a broker over which gunshot sensors send what they hear."""

    name: str  # shown as the source
    host: str
    client_id: str  # our own on this broker, and the same after every start
    port: int = 1883  # 8883 is usual with TLS
    username: str = ""
    secret_file: str = ""  # the broker's word for us, alone in a file
    tls: bool = False
    authority: str = ""  # who signed the broker's certificate (PEM); empty: the system's list
    topics: tuple[str, ...] = (TOPIC,)  # the last level is the sensor's name
    wants_topic: str = WANTS_TOPIC  # before the sensor's name, where clips are asked for

    def __repr__(self) -> str:
        return f"GunshotMqtt({self.name}, {self.host}:{self.port})"


class GunshotVendor(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[gunshot_vendor]]`: a service whose alerts come to /ingest/gunshot/vendor."""

    device: str  # the registered device (kind gunshot_sensor, format vendor)
    # A file with the secret (whsec_…) that it signs with, readable by the node alone. Empty: it
    # shows the key of its device.
    secret_file: str = ""
    fields: dict[str, str] = {}  # our name of a part of an alert → the vendor's
    classes: dict[str, str] = {}  # the vendor's name of a class → ours
