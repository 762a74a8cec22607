"""May they? Every question to Farolito is decided here, from rules that people can read.

In: a Request (who, what, to which kind of thing, for which purpose, what is known of it).
Out: a Permit with the rules that gave it, or a Refusal with its reason.
Agreements with other agencies are documents and rules of their own: see `agreements`.
The rules stand in `rules/*.cedar`, what a state's law adds in `packs/*.toml`, and the whole of
what follows from both in `docs/rights.tsv`, written by `python -m farolito.policy.table`.
Never: a yes from a rule that failed to evaluate, a right given to a named person, a reason
somebody typed as a control, a role that opens everything; and in deciding no I/O, clock or chance.
"""

from farolito.policy.agreements import (
    digest,
    facts_of_question,
    minute_of_week,
    parse_document,
    write_document,
    zones_at,
)
from farolito.policy.compare import Change, Difference, compare
from farolito.policy.policies import Policies
from farolito.policy.request import Permit, Refusal, Request
from farolito.policy.state_pack import Retention, StatePack, laws, load_pack

__all__ = [
    "Change",
    "Difference",
    "Permit",
    "Policies",
    "Refusal",
    "Request",
    "Retention",
    "StatePack",
    "compare",
    "digest",
    "facts_of_question",
    "laws",
    "load_pack",
    "minute_of_week",
    "parse_document",
    "write_document",
    "zones_at",
]
