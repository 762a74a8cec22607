/**
 * The briefs a phone holds in memory, and what of them the officer has not seen yet.
 *
 * In: versions as they come, one by one or together after an outage. Out: a new map each time.
 * Never: a version put back by an older one; a brief held past its end.
 */

import type { Brief, Receipt, ReceiptKind } from '../wire/model'

export const WIPED_AFTER_MS = 600_000 // an ended brief leaves memory and screen
export const VERSIONS_KEPT_MAX = 20 // of one brief; older ones leave the list
export const BURST_MS = 1_500 // versions closer together are read as one change

export interface Held {
  brief: Brief
  versions: readonly Brief[] // the newest first
  received: ReadonlySet<ReceiptKind> // receipts of the newest version that were given
  seen: Brief | null // the version before, as the officer last had it: changes are marked to it
  newsAt: number // monotonic ms
}

export type HeldBriefs = ReadonlyMap<string, Held>

/** `versions` where the node sent them all; `receipts` as the node knows them. */
export interface Told {
  brief: Brief
  versions?: readonly Brief[]
  receipts?: readonly Receipt[]
}

export function isWiped(brief: Brief, now: number): boolean {
  return !!brief.ended_at && now - Date.parse(brief.ended_at) >= WIPED_AFTER_MS
}

/** Takes a version in. The same map where it is older than what is held, or ended too long ago. */
export function hold(held: HeldBriefs, told: Told, now: number, monotonic: number): HeldBriefs {
  const { brief } = told
  const known = held.get(brief.brief_id)
  if (isWiped(brief, now)) return known ? without(held, brief.brief_id) : held
  if (known && known.brief.version > brief.version) return held
  const isNews = !known || known.brief.version < brief.version
  const given = (told.receipts ?? [])
    .filter((r) => r.version === brief.version)
    .map((r) => r.kind)
  const versions = merged(brief, told.versions ?? [], known?.versions ?? [])
  return new Map(held).set(brief.brief_id, {
    brief,
    versions,
    received: new Set(isNews ? given : [...known.received, ...given]),
    seen: isNews ? seenBefore(brief, versions, known, told.receipts, monotonic) : known.seen,
    newsAt: isNews ? monotonic : known.newsAt,
  })
}

/** In a burst the officer still has the version before it in mind, not those that flashed by. */
function seenBefore(
  brief: Brief,
  versions: readonly Brief[],
  known: Held | undefined,
  receipts: readonly Receipt[] | undefined,
  monotonic: number,
): Brief | null {
  if (known) return (monotonic - known.newsAt < BURST_MS && known.seen) || known.brief
  const opened = (receipts ?? [])
    .filter((r) => r.kind !== 'delivered' && r.version < brief.version)
    .map((r) => r.version)
  const last = opened.length ? Math.max(...opened) : brief.version - 1
  return versions.find((v) => v.version === last) ?? null
}

function merged(...lists: [Brief, readonly Brief[], readonly Brief[]]): readonly Brief[] {
  const byVersion = new Map<number, Brief>()
  for (const brief of lists.flat()) if (!byVersion.has(brief.version)) byVersion.set(brief.version, brief)
  return [...byVersion.values()].sort((a, b) => b.version - a.version).slice(0, VERSIONS_KEPT_MAX)
}

/** Are there versions between, that this phone never got? */
export function hasGap({ brief, versions }: Held): boolean {
  return versions.length < Math.min(brief.version, VERSIONS_KEPT_MAX)
}

export function wiped(held: HeldBriefs, now: number): HeldBriefs {
  const kept = [...held].filter(([, { brief }]) => !isWiped(brief, now))
  return kept.length === held.size ? held : new Map(kept)
}

function without(held: HeldBriefs, brief_id: string): HeldBriefs {
  return new Map([...held].filter(([id]) => id !== brief_id))
}

/** Running ones before ended ones, then the newest first. */
export function inOrder(held: HeldBriefs): readonly Held[] {
  return [...held.values()].sort(
    (a, b) =>
      Number(!!a.brief.ended_at) - Number(!!b.brief.ended_at) ||
      Date.parse(b.versions.at(-1)!.composed_at) - Date.parse(a.versions.at(-1)!.composed_at) ||
      Date.parse(b.brief.composed_at) - Date.parse(a.brief.composed_at),
  )
}
