/**
 * The shot alerts a screen holds, and the one queue in which they stand with plate alerts.
 *
 * In: snapshots and single shot alerts, each with the number it came with. Out: a new map, and
 * rows in the order they are shown. Never: an older version over a newer one; a newcomer that
 * moves those who were there.
 */

import type { Alert } from './model'
import type { Shot, ShotAlert } from './model.shots'
import { isOpen, needsAPerson, type Ranked } from './queue'

export interface HeldShot {
  shot: ShotAlert
  seq: number
}

export type HeldShots = ReadonlyMap<string, HeldShot>

export const DECIDED_SHOWN_MAX = 50 // as many as a snapshot carries; the oldest leave the screen
export const QUIET_SHOWN_MAX = 50

/** A row of the queue: what both kinds of alerts have in common, and which of them it is. */
export type Row =
  | { kind: 'alert'; id: string; alert: Alert }
  | { kind: 'shot'; id: string; alert: ShotAlert }

export interface Rows {
  waiting: Row[]
  watched: Row[]
  decided: Row[]
}

export function withShot(held: HeldShots, shot: ShotAlert, seq: number): HeldShots {
  const known = held.get(shot.alert_id)
  if (known && known.shot.version >= shot.version) return held
  const next = new Map(held)
  next.set(shot.alert_id, { shot, seq })
  return pruned(next)
}

/** A snapshot of number `seq` replaces the picture, save what was told after it. */
export function withShots(held: HeldShots, shots: readonly ShotAlert[], seq: number): HeldShots {
  const next = new Map<string, HeldShot>()
  for (const shot of shots) next.set(shot.alert_id, { shot, seq })
  for (const [id, known] of held) {
    const told = next.get(id)
    if (told ? known.shot.version > told.shot.version : known.seq > seq) next.set(id, known)
  }
  return pruned(next)
}

function pruned(held: Map<string, HeldShot>): HeldShots {
  const shots = [...held.values()].map((h) => h.shot)
  const decided = shots.filter((s) => isQueued(s) && !isOpen(s)).sort(newestChangeFirst)
  const quiet = shots.filter((s) => !isQueued(s)).sort(newestChangeFirst)
  for (const shot of decided.slice(DECIDED_SHOWN_MAX)) held.delete(shot.alert_id)
  for (const shot of quiet.slice(QUIET_SHOWN_MAX)) held.delete(shot.alert_id)
  return held
}

export const isQueued = (shot: ShotAlert) => shot.is_queued !== false

/** Heard and kept, the newest first. */
export function quietOnes(held: HeldShots): ShotAlert[] {
  return [...held.values()]
    .map((h) => h.shot)
    .filter((s) => !isQueued(s))
    .sort(newestChangeFirst)
}

/** Plate alerts and shots in one order: the most urgent, then the one that waited longest. */
export function oneQueue(alerts: Ranked, held: HeldShots): Rows {
  const shots = [...held.values()].map((h) => h.shot).filter(isQueued)
  const rows = (plates: readonly Alert[], those: readonly ShotAlert[]): Row[] => [
    ...plates.map((alert): Row => ({ kind: 'alert', id: alert.alert_id, alert })),
    ...those.map((alert): Row => ({ kind: 'shot', id: alert.alert_id, alert })),
  ]
  const needing = shots.filter(needsAPerson)
  return {
    waiting: rows(alerts.waiting, needing).sort(mostUrgentFirst),
    watched: rows(alerts.watched, shots.filter((s) => s.state === 'confirmed')).sort(mostUrgentFirst),
    decided: rows(alerts.decided, shots.filter((s) => !isOpen(s))).sort((a, b) =>
      newestChangeFirst(a.alert, b.alert),
    ),
  }
}

function mostUrgentFirst(a: Row, b: Row): number {
  return (
    a.alert.level - b.alert.level ||
    Date.parse(a.alert.raised_at) - Date.parse(b.alert.raised_at) ||
    a.id.localeCompare(b.id)
  )
}

interface Changing {
  alert_id: string
  changed_at: string
}

function newestChangeFirst(a: Changing, b: Changing): number {
  return (
    Date.parse(b.changed_at) - Date.parse(a.changed_at) || a.alert_id.localeCompare(b.alert_id)
  )
}

/** How likely a string was gunfire at all: there was such a source, and it was a gun. */
export const gunshotOf = (shot: Shot): number => shot.probability * (shot.kinds.gunshot ?? 0)

const WITHDRAWN = 0.05 // as the model has it: at or below it the machine took the string back

export const isWithdrawn = (shot: Shot) => shot.probability <= WITHDRAWN

/** The machine took back every string of it. */
export const nothingStands = (alert: ShotAlert) => alert.shots.every(isWithdrawn)

/** The strings that stand; what was taken back is kept, and counts for nothing beside others. */
export function standing(alert: ShotAlert): readonly Shot[] {
  return nothingStands(alert) ? alert.shots : alert.shots.filter((shot) => !isWithdrawn(shot))
}

/** Those taken back beside others that stand; none where nothing stands: then all are. */
export function takenBack(alert: ShotAlert): readonly Shot[] {
  return nothingStands(alert) ? [] : alert.shots.filter(isWithdrawn)
}

/** Of those that stand, the string most likely to be gunfire, for all; the earliest of equals. */
export function leading(alert: ShotAlert): Shot {
  return standing(alert).reduce((best, shot) => (gunshotOf(shot) > gunshotOf(best) ? shot : best))
}

export const roundsOf = (alert: ShotAlert): number =>
  standing(alert).reduce((sum, shot) => sum + shot.rounds.length, 0)
