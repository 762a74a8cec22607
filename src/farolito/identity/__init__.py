"""Who is asking: people with passkeys, devices with keys, and how long that is believed.

In: what a browser's authenticator answers, what an agency's identity provider signs, a session's
cookie, a device's key, a sensor's name.
Out: SignedIn with its Person, a Device, a sensor's public key, what a camera wants to hear, or a
refusal with its reason.
Never: a password, a secret kept in the clear (only hashes are), a decision about rights (that is
`policy`), a persona without a passkey outside a demo on this machine.
"""

from farolito.identity.agency_key import AgencyKey, fingerprint, signed_by
from farolito.identity.camera_logins import CameraLogins
from farolito.identity.device_keys import DeviceKeys
from farolito.identity.duties import local_admin, system_person
from farolito.identity.elsewhere import Answer as ProviderAnswer
from farolito.identity.elsewhere import Elsewhere
from farolito.identity.identity import NEVER, Identity, SignedIn
from farolito.identity.personas import CREW, PERSONAS, Persona, person_for
from farolito.identity.proving import Proving
from farolito.identity.sensor_keys import SensorKeys, public_key_of

__all__ = [
    "CREW",
    "NEVER",
    "PERSONAS",
    "AgencyKey",
    "CameraLogins",
    "DeviceKeys",
    "Elsewhere",
    "Identity",
    "Persona",
    "ProviderAnswer",
    "Proving",
    "SensorKeys",
    "SignedIn",
    "fingerprint",
    "local_admin",
    "person_for",
    "public_key_of",
    "signed_by",
    "system_person",
]
