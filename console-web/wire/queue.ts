/**
 * The alerts a screen holds: snapshots and live changes end in the same picture.
 *
 * In: snapshots and single alerts, each with the number it came with. Out: a new map of alerts.
 * Never: an older version over a newer one.
 */

import type { Alert } from './model'

export interface Held {
  alert: Alert
  seq: number
}

export type HeldAlerts = ReadonlyMap<string, Held>

export const DECIDED_SHOWN_MAX = 50 // as many as a snapshot carries; the oldest leave the screen

const OPEN = new Set(['waiting', 'taken', 'confirmed'])

export function isOpen(alert: Pick<Alert, 'state'>): boolean {
  return OPEN.has(alert.state)
}

export function needsAPerson(alert: Pick<Alert, 'state'>): boolean {
  return alert.state === 'waiting' || alert.state === 'taken'
}

/** One alert into the picture; the same picture where it is not news. */
export function withAlert(held: HeldAlerts, alert: Alert, seq: number): HeldAlerts {
  const known = held.get(alert.alert_id)
  if (known && known.alert.version >= alert.version) return held
  const next = new Map(held)
  next.set(alert.alert_id, { alert, seq })
  return pruned(next)
}

/**
 * A snapshot of number `seq` replaces the picture, save what was told after it.
 *
 * The socket may overtake the snapshot: then the newer version stays.
 */
export function withSnapshot(held: HeldAlerts, alerts: readonly Alert[], seq: number): HeldAlerts {
  const next = new Map<string, Held>()
  for (const alert of alerts) next.set(alert.alert_id, { alert, seq })
  for (const [id, known] of held) {
    const told = next.get(id)
    const newer = told ? known.alert.version > told.alert.version : known.seq > seq
    if (newer) next.set(id, known)
  }
  return pruned(next)
}

function pruned(held: Map<string, Held>): HeldAlerts {
  const decided = [...held.values()].map((h) => h.alert).filter((a) => !isOpen(a))
  if (decided.length > DECIDED_SHOWN_MAX) {
    decided.sort(newestChangeFirst)
    for (const alert of decided.slice(DECIDED_SHOWN_MAX)) held.delete(alert.alert_id)
  }
  return held
}

export interface Ranked {
  waiting: Alert[] // a person is needed
  watched: Alert[] // confirmed, no outcome yet
  decided: Alert[]
}

/** Most urgent first, then the one that has waited longest: a newcomer never moves the others. */
export function ranked(held: HeldAlerts): Ranked {
  const alerts = [...held.values()].map((h) => h.alert)
  return {
    waiting: alerts.filter(needsAPerson).sort(mostUrgentFirst),
    watched: alerts.filter((a) => a.state === 'confirmed').sort(mostUrgentFirst),
    decided: alerts.filter((a) => !isOpen(a)).sort(newestChangeFirst),
  }
}

function mostUrgentFirst(a: Alert, b: Alert): number {
  return (
    a.level - b.level ||
    Date.parse(a.raised_at) - Date.parse(b.raised_at) ||
    a.alert_id.localeCompare(b.alert_id)
  )
}

function newestChangeFirst(a: Alert, b: Alert): number {
  return (
    Date.parse(b.changed_at) - Date.parse(a.changed_at) || a.alert_id.localeCompare(b.alert_id)
  )
}
