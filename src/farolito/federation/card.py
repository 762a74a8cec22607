"""An agency's card, signed by its own key: how it says who it is, wherever the card travels."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from farolito.identity import AgencyKey, signed_by
from farolito.model import AgencyCard, Invalid, Refused
from farolito.model.joining import SignedCard

CARD_CHARS_MAX = 200_000  # a nation's land is the most of it
# What people compared and agreed with. Where one of these is another, they join anew.
LASTING = ("agency_id", "key", "name", "ori", "law", "government", "ledger_key")

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(AgencyCard).decode


def signed_card(card: AgencyCard, key: AgencyKey) -> SignedCard:
    assert card.key == key.public, "an agency signs its own card"
    content = _encode(card)
    return SignedCard(content.decode(), key.sign("card", content).hex())


def opened_card(signed: SignedCard) -> AgencyCard:
    """The card, where it is signed by the key it names. Raises Refused."""
    content = signed.content.encode()
    if len(signed.content) > CARD_CHARS_MAX:
        raise Refused("malformed", "a card that is too long", "tell the land in fewer points")
    try:
        card = _decode(content)
        signature = bytes.fromhex(signed.signature)
    except (msgspec.DecodeError, Invalid, ValueError) as error:
        raise Refused("malformed", f"a card that is none: {error}", "send the agency's own") from (
            error
        )
    if not signed_by(card.key, "card", content, signature):
        raise Refused("altered", "a card that its own key has not signed", "send the agency's own")
    return card


def digest(signed: SignedCard) -> str:
    """SHA-256, hexadecimal: what a ledger's entry about a card fixes."""
    return sha256(signed.content.encode()).hexdigest()


def changes(before: AgencyCard, after: AgencyCard) -> list[str]:
    """What of LASTING is another now."""
    return [name for name in LASTING if getattr(before, name) != getattr(after, name)]


def check_changed(before: AgencyCard, after: AgencyCard) -> None:
    """A partner may tell of another contact, witness key, authority or land. Raises Refused where
    it would be somebody else by that."""
    other = changes(before, after)
    if other:
        raise Refused(
            "another_agency",
            f"{before.agency_id} tells of another {', '.join(other)}",
            "people compare anew: join again",
        )
