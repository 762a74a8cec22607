/**
 * What changed from one version of an incident to the next, as things a screen can say.
 *
 * In: versions, the oldest first. Out: the changes each brought. Never: a guess at the reason.
 */

import type { Incident, Level, UnitStatus } from '../wire/model'

export type Change =
  | { what: 'first' | 'place' | 'closed' | 'open' | 'joined' | 'doubt' | 'sure' | 'same' }
  | { what: 'part_in' | 'part_out'; label: string }
  | { what: 'unit'; unit: string; status: UnitStatus }
  | { what: 'fact'; says: string }
  | { what: 'level'; level: Level }
  | { what: 'kind'; kind: string }
  | { what: 'where'; where: string }

export interface VersionChanges {
  version: number
  at: string
  changes: Change[]
}

export function changesOf(versions: readonly Incident[]): VersionChanges[] {
  return versions.map((now, i) => {
    const before = versions[i - 1]
    const changes = before ? between(before, now) : firstOf(now)
    return { version: now.version, at: now.changed_at, changes }
  })
}

function firstOf(now: Incident): Change[] {
  return [{ what: 'first' }, ...units(undefined, now)]
}

function between(before: Incident, now: Incident): Change[] {
  const changes = [
    ...parts(before, now),
    ...units(before, now),
    ...facts(before, now),
    ...whole(before, now),
  ]
  return changes.length ? changes : [{ what: 'same' }]
}

function parts(before: Incident, now: Incident): Change[] {
  const had = new Set(before.parts.map((p) => p.part_id))
  const has = new Set(now.parts.map((p) => p.part_id))
  return [
    ...now.parts
      .filter((p) => !had.has(p.part_id))
      .map((p): Change => ({ what: 'part_in', label: p.label })),
    ...before.parts
      .filter((p) => !has.has(p.part_id))
      .map((p): Change => ({ what: 'part_out', label: p.label })),
  ]
}

function units(before: Incident | undefined, now: Incident): Change[] {
  const had = new Map((before?.units ?? []).map((u) => [u.unit, u.status]))
  return (now.units ?? [])
    .filter((u) => had.get(u.unit) !== u.status)
    .map((u) => ({ what: 'unit', unit: u.unit, status: u.status }))
}

function facts(before: Incident, now: Incident): Change[] {
  const had = new Set((before.facts ?? []).map((f) => f.fact_id))
  return (now.facts ?? [])
    .filter((f) => !had.has(f.fact_id))
    .map((f) => ({ what: 'fact', says: f.says }))
}

function whole(before: Incident, now: Incident): Change[] {
  const changes: Change[] = []
  if (before.level !== now.level) changes.push({ what: 'level', level: now.level })
  if (before.kind !== now.kind) changes.push({ what: 'kind', kind: now.kind })
  if (before.where !== now.where) changes.push({ what: 'where', where: now.where })
  else if (JSON.stringify(before.place) !== JSON.stringify(now.place)) {
    changes.push({ what: 'place' })
  }
  if (before.state !== now.state) changes.push({ what: now.state })
  if (Boolean(before.doubtful) !== Boolean(now.doubtful)) {
    changes.push({ what: now.doubtful ? 'doubt' : 'sure' })
  }
  return changes
}
