"""Agreements between agencies: as a document that people read and sign, and as rules.

In: the terms. Out: one file whose sentences are made from the terms, and rules of Cedar that say
the same: one permit, `agreement:<id>`, and what stood in the way where it did not hold.
Never: a sentence that the terms do not hold, a permit to whom no agreement names, a name pasted
into the text of a rule, anything that goes on to a third agency.
"""

from farolito.policy.agreements.document import digest, parse_document, write_document
from farolito.policy.agreements.facts import facts_of_question, minute_of_week, zones_at

__all__ = [
    "digest",
    "facts_of_question",
    "minute_of_week",
    "parse_document",
    "write_document",
    "zones_at",
]
