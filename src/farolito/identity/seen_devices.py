"""Which device a request comes from, in a word that tells only one sign-in's devices apart.

In: a session, the browser's own words for itself, the address. Out: a pseudonym under a key that
lives in memory and is another one after each start. Never: an address kept, a device known again
under another sign-in.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from farolito.model import SessionId

# About one provider's customers: a phone or a car changes its address within them.
NETWORK_V4, NETWORK_V6 = 16, 32
AGENT_CHARACTERS_MAX = 500
_WORD = 16  # hexadecimal digits


def network_of(address: str) -> str:
    """The network of an address; '' for what is none."""
    try:
        found = ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    bits = NETWORK_V4 if found.version == 4 else NETWORK_V6
    return str(ip_network((found, bits), strict=False))


def device_word(secret: bytes, session: SessionId, user_agent: str, address: str) -> str:
    """The same for one browser as long as its address stays in one network."""
    told = "\0".join((str(session), user_agent[:AGENT_CHARACTERS_MAX], network_of(address)))
    return "d-" + hmac.new(secret, told.encode(errors="replace"), sha256).hexdigest()[:_WORD]
