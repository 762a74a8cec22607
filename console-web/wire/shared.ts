/**
 * What partners share, as a screen holds it: snapshots and single items end in the same picture.
 *
 * In: items as told. Out: a new map, and the lists in the order they are shown.
 * Never: an older version over a newer one; a recall undone by news that was sent before it.
 */

import type { SharedItem, SharedKind } from './federation'

export type HeldShared = ReadonlyMap<string, SharedItem>

export const RECALL_SHOWN_MS = 3_600_000 // at the head of the queue, unless a person put it away

export const keyOf = (item: Pick<SharedItem, 'grantor' | 'kind' | 'item_id'>): string =>
  `${item.grantor} ${item.kind} ${item.item_id}`

export function withShared(held: HeldShared, item: SharedItem): HeldShared {
  const key = keyOf(item)
  const known = held.get(key)
  if (item.purged) {
    if (!known) return held
    const next = new Map(held)
    next.delete(key)
    return next
  }
  if (known && isOlder(item, known)) return held
  return new Map(held).set(key, item)
}

/** A snapshot replaces the picture, save what is known of a thing in a newer version. */
export function withSnapshot(held: HeldShared, items: readonly SharedItem[]): HeldShared {
  const next = new Map<string, SharedItem>()
  for (const item of items) {
    if (item.purged) continue
    const known = held.get(keyOf(item))
    next.set(keyOf(item), known && isOlder(item, known) ? known : item)
  }
  return next
}

/** What was recalled stays so, whatever else is told of it. */
function isOlder(item: SharedItem, known: SharedItem): boolean {
  if (known.recalled_at && !item.recalled_at) return true
  if (item.recalled_at && !known.recalled_at) return false
  return item.version < known.version
}

/** Not yet past the day on which this node deletes it. */
export const isKept = (item: SharedItem, now: number): boolean => Date.parse(item.purge_at) > now

/** A recall that came before its thing has nothing to show but itself. */
export const isNamed = (item: SharedItem): boolean => Boolean(item.title)

export function ofKinds(held: HeldShared, kinds: readonly SharedKind[]): SharedItem[] {
  return [...held.values()].filter((item) => kinds.includes(item.kind) && isNamed(item)).sort(inOrder)
}

/** Those in force first, the newest on top; what was taken back sinks below. */
function inOrder(a: SharedItem, b: SharedItem): number {
  if (Boolean(a.recalled_at) !== Boolean(b.recalled_at)) return a.recalled_at ? 1 : -1
  return Date.parse(b.at) - Date.parse(a.at) || keyOf(a).localeCompare(keyOf(b))
}

/** Recalls that nobody at this screen has put away yet, the newest first. */
export function freshRecalls(held: HeldShared, seen: ReadonlySet<string>, now: number): SharedItem[] {
  return [...held.values()]
    .filter((item) => {
      if (!item.recalled_at || !isNamed(item) || seen.has(keyOf(item))) return false
      return now - Date.parse(item.recalled_at) < RECALL_SHOWN_MS
    })
    .sort((a, b) => Date.parse(b.recalled_at!) - Date.parse(a.recalled_at!))
}
