/**
 * What each unit has had before its eyes and ears, from the receipts of its briefs.
 *
 * In: briefs with their versions and receipts, as the node tells them. Out: one line a unit.
 * Never: a version called seen that no receipt names. Delivered is not seen.
 */

import type { Brief, Receipt, ReceiptKind } from '../wire/model'

export interface Got {
  kind: ReceiptKind
  version: number
  at: string
}

export interface Seen {
  unit: string
  newest: number
  best: Got | null // the strongest proof: heard before opened before delivered, newest version
  delivered: Got | null
  opened: Got | null
  heard: Got | null
  unseenFrom: number | null // the first version neither opened nor heard; null: all seen
  ended: boolean
  recalled: boolean
  outcome: string | null
}

interface Told {
  brief: Brief
  versions: readonly Brief[]
  receipts: readonly Receipt[]
}

/** By unit. Where a unit had several briefs, the one composed last counts. */
export function seenByUnit(briefs: readonly Told[]): Map<string, Seen> {
  const newest = new Map<string, Told>()
  for (const told of briefs) {
    const known = newest.get(told.brief.unit)
    if (!known || began(known) <= began(told)) newest.set(told.brief.unit, told)
  }
  return new Map([...newest].map(([unit, told]) => [unit, seen(told)]))
}

function began(told: Told): number {
  return Math.max(...[told.brief, ...told.versions].map((b) => Date.parse(b.composed_at)))
}

export function seen(told: Told): Seen {
  const { brief, receipts } = told
  const newest = Math.max(brief.version, ...told.versions.map((v) => v.version))
  const [delivered, opened, heard] = (['delivered', 'opened', 'heard'] as const).map((kind) =>
    latest(receipts, brief.brief_id, kind),
  ) as [Got | null, Got | null, Got | null]
  const upTo = Math.max(opened?.version ?? 0, heard?.version ?? 0)
  return {
    unit: brief.unit,
    newest,
    best: best(heard, opened, delivered),
    delivered,
    opened,
    heard,
    unseenFrom: upTo < newest ? upTo + 1 : null,
    ended: brief.ended_at != null,
    recalled: brief.recalled === true,
    outcome: brief.outcome ?? null,
  }
}

/** The receipt for the newest version of this kind; told twice, the first telling counts. */
function latest(receipts: readonly Receipt[], briefId: string, kind: ReceiptKind): Got | null {
  let found: Got | null = null
  for (const r of receipts) {
    if (r.kind !== kind || r.brief_id !== briefId) continue
    const isNewer = !found || r.version > found.version
    const isEarlier = found?.version === r.version && Date.parse(r.at) < Date.parse(found.at)
    if (isNewer || isEarlier) found = { kind, version: r.version, at: r.at }
  }
  return found
}

/** Heard beats opened of the same version; a newer version opened beats an older one heard. */
function best(...got: (Got | null)[]): Got | null {
  const seenOnes = got.slice(0, 2).filter((g) => g !== null)
  const newest = seenOnes.reduce<Got | null>((a, b) => (a && a.version >= b.version ? a : b), null)
  return newest ?? got[2] ?? null
}
