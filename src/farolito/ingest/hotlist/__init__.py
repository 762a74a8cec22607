"""Lists of wanted plates come in here, by a mapping file that a person wrote.

In: a list's bytes (delimited, fixed width, JSON), a mapping, the list, what the law forbids, the
time. Out: entries, bad rows by line with their reasons, counts; and what a new file changes.
Never: a column, code or format of any agency's list in code; a row of a forbidden category kept,
shown or logged; a clock, the store, or the answer who may see a row.
"""

from farolito.ingest.hotlist.changes import Diff, diff, refuse_collapse
from farolito.ingest.hotlist.entries import BAD_ROWS_MAX, BadRow, Parsed, parse
from farolito.ingest.hotlist.law import ForbiddenCategories
from farolito.ingest.hotlist.mapping import READY, Mapping, load_mapping, ready_mapping
from farolito.ingest.hotlist.rows import FILE_BYTES_MAX, LINE_BYTES_MAX, ROWS_MAX

__all__ = [
    "BAD_ROWS_MAX",
    "FILE_BYTES_MAX",
    "LINE_BYTES_MAX",
    "READY",
    "ROWS_MAX",
    "BadRow",
    "Diff",
    "ForbiddenCategories",
    "Mapping",
    "Parsed",
    "diff",
    "load_mapping",
    "parse",
    "ready_mapping",
    "refuse_collapse",
]
