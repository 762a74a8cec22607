/**
 * The incidents a screen holds: snapshots and live changes end in the same picture.
 *
 * In: snapshots and single incidents, each with the number it came with; officers' questions.
 * Out: a new map, and the lists in the order they are shown.
 * Never: an older version over a newer one; one whose parts all went over to another.
 */

import type { CalledUnit, Incident, OfficerAnswer, Part } from './model'

export interface HeldIncident {
  incident: Incident
  seq: number
}

export type HeldIncidents = ReadonlyMap<string, HeldIncident>

export const CLOSED_SHOWN_MAX = 50 // as many as a snapshot carries

export function withIncident(held: HeldIncidents, incident: Incident, seq: number): HeldIncidents {
  const known = held.get(incident.incident_id)
  if (known && known.incident.version >= incident.version) return held
  const next = new Map(held)
  next.set(incident.incident_id, { incident, seq })
  return pruned(next)
}

/** A snapshot of number `seq` replaces the picture, save what was told after it. */
export function withIncidents(
  held: HeldIncidents,
  incidents: readonly Incident[],
  seq: number,
): HeldIncidents {
  const next = new Map<string, HeldIncident>()
  for (const incident of incidents) next.set(incident.incident_id, { incident, seq })
  for (const [id, known] of held) {
    const told = next.get(id)
    const newer = told ? known.incident.version > told.incident.version : known.seq > seq
    if (newer) next.set(id, known)
  }
  return pruned(next)
}

function pruned(held: Map<string, HeldIncident>): HeldIncidents {
  const closed = [...held.values()].map((h) => h.incident).filter((i) => i.state === 'closed')
  closed.sort(newestChangeFirst)
  for (const incident of closed.slice(CLOSED_SHOWN_MAX)) held.delete(incident.incident_id)
  return held
}

export interface RankedIncidents {
  asking: Incident[] // an officer on it waits for the operator's answer
  open: Incident[]
  closed: Incident[]
}

/** Questions first, then the most urgent, then the oldest: a newcomer never moves the others. */
export function rankedIncidents(
  held: HeldIncidents,
  asks: readonly OfficerAnswer[],
): RankedIncidents {
  const asked = new Set(asks.map((a) => a.incident_id))
  const all = [...held.values()].map((h) => h.incident)
  const open = all.filter((i) => i.state === 'open').sort(mostUrgentFirst)
  return {
    asking: open.filter((i) => asked.has(i.incident_id)),
    open: open.filter((i) => !asked.has(i.incident_id)),
    closed: all.filter((i) => i.state === 'closed').sort(newestChangeFirst),
  }
}

function mostUrgentFirst(a: Incident, b: Incident): number {
  return (
    a.level - b.level ||
    Date.parse(a.opened_at) - Date.parse(b.opened_at) ||
    a.incident_id.localeCompare(b.incident_id)
  )
}

function newestChangeFirst(a: Incident, b: Incident): number {
  return (
    Date.parse(b.changed_at) - Date.parse(a.changed_at) ||
    a.incident_id.localeCompare(b.incident_id)
  )
}

/** Units that still have to do with it, those on scene first, then the one sent earliest. */
export function activeUnits(incident: Incident): CalledUnit[] {
  const order = { on_scene: 0, en_route: 1, assigned: 2, cleared: 3 } as const
  return (incident.units ?? [])
    .filter((u) => u.status !== 'cleared')
    .sort((a, b) => order[a.status] - order[b.status] || Date.parse(a.at) - Date.parse(b.at))
}

/** The number people say on the radio: of the call that came first. None where no call is in it. */
export function numberOf(incident: Incident): string | null {
  return incident.parts.find((p) => p.kind === 'call')?.label ?? null
}

/** The shots that were joined first: those the incident is most likely about. */
export function firstShotOf(incident: Incident): string | null {
  return incident.parts.find((p) => p.kind === 'shot')?.part_id ?? null
}

export function countOf(incident: Incident, kind: Part['kind']): number {
  return incident.parts.filter((p) => p.kind === kind).length
}

/** The incident an alert is a part of. */
export function incidentOfPart(held: HeldIncidents, partId: string): Incident | null {
  for (const { incident } of held.values()) {
    if (incident.state !== 'joined' && incident.parts.some((p) => p.part_id === partId)) {
      return incident
    }
  }
  return null
}

/**
 * Questions that nobody has dealt with yet.
 *
 * A question counts as dealt with when a fact was pushed after it, when the same unit said
 * something newer, when the incident closed, or when the operator said so on this screen.
 */
export function openAsks(
  asks: readonly OfficerAnswer[],
  held: HeldIncidents,
  handled: ReadonlySet<string>,
): OfficerAnswer[] {
  const newest = new Map<string, OfficerAnswer>()
  for (const answer of asks) {
    const key = `${answer.incident_id}/${answer.unit}`
    const known = newest.get(key)
    if (!known || Date.parse(known.at) <= Date.parse(answer.at)) newest.set(key, answer)
  }
  return [...newest.values()].filter((answer) => {
    if (answer.kind !== 'ask_rtcc' || handled.has(answer.answer_id)) return false
    const incident = held.get(answer.incident_id)?.incident
    if (!incident || incident.state !== 'open') return false
    return !(incident.facts ?? []).some((f) => Date.parse(f.at) > Date.parse(answer.at))
  })
}
