/**
 * What is to be seen: an incident, a shot or a car, as a question to the node.
 *
 * In: what the desk has selected. Out: which cameras to ask for. Never: a guess of a place.
 */

import type { Alert, Incident, Point } from '../wire/model'
import type { Shot } from '../wire/model.shots'

export interface LastSeen {
  place: Point
  at: string
  bearing: number | null
}

export interface Subject {
  key: string // the same: the same thing, perhaps at another place by now
  path: string | null // null: no place is known
  incidentId: string | null
  lastSeen: LastSeen | null // a car that drives on
}

const exact = (n: number) => n.toFixed(6)

function nearPath({ lat, lon }: Point, at: string): string {
  return `/api/pictures/near?lat=${exact(lat)}&lon=${exact(lon)}&at=${encodeURIComponent(at)}&count=4`
}

export function nextPath({ place, at, bearing }: LastSeen): string {
  const turned = bearing === null ? '' : `&bearing=${Math.round(bearing)}`
  return `/api/pictures/next?lat=${exact(place.lat)}&lon=${exact(place.lon)}&at=${encodeURIComponent(at)}${turned}`
}

export function lastSeenOf(alert: Alert): LastSeen | null {
  const read = alert.last_seen ?? alert.match.read
  if (!read.place) return null
  return { place: read.place, at: read.captured_at, bearing: read.heading_deg ?? null }
}

/** Pictures are asked for an incident while it is open; after that, for what it left behind. */
export const openId = (incident: Incident | null): string | null =>
  incident?.state === 'open' ? incident.incident_id : null

/** The car seen last, where alerts are part of the incident. */
export function ofIncident(incident: Incident, alerts: readonly Alert[]): Subject {
  const seen = alerts
    .map(lastSeenOf)
    .filter((s): s is LastSeen => s !== null)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at))
  return {
    key: `incident ${incident.incident_id}`,
    path: incident.place ? `/api/incidents/${incident.incident_id}/pictures` : null,
    incidentId: openId(incident),
    lastSeen: seen[0] ?? null,
  }
}

export function ofShot(alertId: string, shot: Shot, incidentId: string | null): Subject {
  return {
    key: `shot ${alertId}`,
    path: nearPath(shot.place, shot.discharged_at),
    incidentId,
    lastSeen: null, // nobody saw a car; who could pass stands in the list of what is near
  }
}

export function ofAlert(alert: Alert, incidentId: string | null): Subject {
  const seen = lastSeenOf(alert)
  return {
    key: `alert ${alert.alert_id}`,
    path: seen && nearPath(seen.place, seen.at),
    incidentId,
    lastSeen: seen,
  }
}

/** Changes when the node is to be asked anew. */
export const questionOf = ({ path, lastSeen }: Subject): string =>
  `${path ?? ''} ${lastSeen ? nextPath(lastSeen) : ''}`
