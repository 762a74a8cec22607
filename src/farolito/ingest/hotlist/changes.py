"""What a new file changes in a list."""

from __future__ import annotations

from collections import abc
from datetime import timedelta

import msgspec

from farolito.ingest.hotlist.entries import Parsed
from farolito.model import HotListEntry, Rejected

SHRINK_ROWS_MIN = 20  # smaller lists may lose any number of rows
SHRINK_SHARE_MAX = 0.5  # a file that would strike off more than this share needs a person's word


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """`changed` holds the entries as they are to be, `removed` as they were, `unchanged` counts.

    `reinstated`, of those changed or added: recalled before, and entered anew by their source.
    """

    added: tuple[HotListEntry, ...] = ()
    changed: tuple[HotListEntry, ...] = ()
    removed: tuple[HotListEntry, ...] = ()
    unchanged: int = 0
    reinstated: int = 0


def diff(
    old: abc.Iterable[HotListEntry],
    new: Parsed,
    struck_while_recalled: abc.Iterable[HotListEntry] = (),
) -> Diff:
    """What must change for `old`, the entries now on the list, to become those of `new`.

    A recalled entry stays recalled until its source enters it again: with an entered-at that is
    newer than the one recalled and not older than the recall (to the day, where the list dates
    by days). A file written before the recall, or one that repeats an old row, reinstates
    nothing. `struck_while_recalled` are entries that were recalled and have since left the list:
    they come back recalled by the same rule.
    """
    on_list = {entry.entry_id: entry for entry in old}
    struck = {entry.entry_id: entry for entry in struck_while_recalled}
    added, changed = [], []
    unchanged = reinstated = 0
    for entry in new.entries:
        before = on_list.pop(entry.entry_id, None)
        if before is None:
            gone = struck.get(entry.entry_id)
            kept = entry if gone is None else _still_recalled(gone, entry, new.dated_to)
            reinstated += gone is not None and kept.recalled_at is None
            added.append(kept)
            continue
        if entry.entry_id in new.undated:
            entry = msgspec.structs.replace(entry, entered_at=before.entered_at)  # noqa: PLW2901
        kept = _still_recalled(before, entry, new.dated_to)
        if kept == before:
            unchanged += 1
        else:
            reinstated += before.recalled_at is not None and kept.recalled_at is None
            changed.append(kept)
    return Diff(
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(on_list.values()),
        unchanged=unchanged,
        reinstated=reinstated,
    )


def _still_recalled(before: HotListEntry, after: HotListEntry, dated_to: timedelta) -> HotListEntry:
    if before.recalled_at is None:
        return after
    is_newer = after.entered_at > before.entered_at
    if is_newer and after.entered_at + dated_to > before.recalled_at:
        return after
    return msgspec.structs.replace(
        after, recalled_at=before.recalled_at, recall_reason=before.recall_reason
    )


def refuse_collapse(change: Diff) -> None:
    """Raises Rejected for a file that would strike off most of its list.

    A transfer cut short looks just like thousands of recovered cars. The caller skips this check
    when a person has said that the list did shrink.
    """
    before = change.unchanged + len(change.changed) + len(change.removed)
    if len(change.removed) < SHRINK_ROWS_MIN or len(change.removed) <= SHRINK_SHARE_MAX * before:
        return
    raise Rejected(
        "list_collapsed",
        f"this file would strike {len(change.removed)} of {before} rows off the list",
        "check that it arrived whole; import it as shrunk if it did",
        409,
    )
