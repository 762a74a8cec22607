"""What the configuration says of dispatch systems that we watch or listen to."""

from __future__ import annotations

import msgspec

from farolito.ingest.cad.heartbeat import STALE_AFTER_S


class CadFolder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[cad_folder]]`: a folder into which a CAD, or somebody by SFTP, puts files."""

    device: str  # the registered device (kind cad) whose calls these are
    folder: str  # the folder to watch; not what is below it
    mapping: str  # the mapping file (YAML) that says what the files mean
    heartbeat: str = ""  # a file in the folder that the exporter touches to say that it lives
    stale_after_s: float = STALE_AFTER_S  # silent for longer: the alarm. 0: never
    poll_s: float = 1.0  # how often it is looked at besides, since network drives announce nothing
    settle_s: float = 10.0  # a file that cannot be read is tried for so long before it is refused
    still_s: float = 1.0  # a CSV file is read when it has not changed for so long
    ignore_older_h: float = 24.0  # files older than this are left alone. 0: none are
    done: str = ""  # a folder in it to which read files are moved. Empty: they stay
    bad: str = ""  # a folder in it to which refused files are moved. Empty: they stay


class CadConveyance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[cad_conveyance]]`: an EIDO service that we subscribe to (NENA-STA-024.1a)."""

    device: str  # the registered device (kind cad) whose calls these are
    url: str  # wss://…/IncidentData/ent
    retrieval_url: str = ""  # https://…/IncidentData/v1, to fetch what is only referred to
    certificate: str = ""  # our certificate (PEM), where the service wants to know who we are
    key: str = ""  # its key (PEM); empty: it stands in the certificate's file
    authority: str = ""  # who signed the service's certificate (PEM); empty: the system's list
    filter: str = ""  # the standard's qualFilter; empty: every incident
    expires_s: int = 3600  # how long a subscription is asked for; it is renewed before
    min_rate_s: int = 5  # an empty notification at least so often says that the service lives
    stale_after_s: float = STALE_AFTER_S  # silent for longer: the alarm. 0: never


class CadWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[cad_webhook]]`: a CAD that sends signed CloudEvents to /ingest/cad/cloudevents."""

    device: str  # the registered device (kind cad) whose calls these are
    secret_file: str  # a file with the secret (whsec_…), readable by the node alone
    stale_after_s: float = STALE_AFTER_S  # silent for longer: the alarm. 0: never
