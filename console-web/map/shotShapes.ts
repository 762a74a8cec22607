/**
 * A shot as shapes on the ground: where, how sure, how it moved, who heard it.
 *
 * In: shot alerts, the selected one, the sensors that may be shown. Out: GeoJSON in true size.
 * Never: a place without its ellipse where one is known.
 */

import type { Point } from '../wire/model'
import type { Mode, Sensor, Shot, ShotAlert } from '../wire/model.shots'
import { isWithdrawn, leading, nothingStands, standing } from '../wire/shots'
import { ellipseRing } from './mercator'

type Collection = GeoJSON.FeatureCollection

const collected = (features: GeoJSON.Feature[]): Collection => ({ type: 'FeatureCollection', features })
const at = (place: Point): [number, number] => [place.lon, place.lat]

function point(place: Point, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature {
  return { type: 'Feature', properties, geometry: { type: 'Point', coordinates: at(place) } }
}

function line(places: readonly Point[], properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature {
  const coordinates = places.map(at)
  return { type: 'Feature', properties, geometry: { type: 'LineString', coordinates } }
}

/** A pin for each open alert, at its likeliest string; none where nothing of it stands. */
export function pins(shots: readonly ShotAlert[], selectedId: string | null): Collection {
  return collected(
    shots.filter((shot) => !nothingStands(shot)).map((shot) =>
      point(leading(shot).place, {
        id: shot.alert_id,
        level: shot.level,
        selected: shot.alert_id === selectedId,
      }),
    ),
  )
}

/** Every place that explains a string, in true size; the likeliest first. */
function placesOf(shot: Shot): { place: Point; ellipse: Mode['ellipse'] | null; share: number | null }[] {
  const modes = shot.modes ?? []
  if (modes.length > 1) return modes
  return [{ place: shot.place, ellipse: shot.ellipse ?? null, share: null }]
}

/** Those of the strings that stand; of the selected alert, also the outline of what was taken back. */
export function ellipses(shots: readonly ShotAlert[], selectedId: string | null): Collection {
  const features: GeoJSON.Feature[] = []
  for (const alert of shots) {
    const selected = alert.alert_id === selectedId
    for (const string of alert.shots) {
      const back = isWithdrawn(string)
      if (back && !selected) continue
      for (const { place, ellipse, share } of placesOf(string)) {
        if (!ellipse) continue
        const ring = ellipseRing(place, ellipse.semi_major_m, ellipse.semi_minor_m, ellipse.bearing_deg)
        const edge = back ? 'back' : share === null ? 'sure' : 'doubtful'
        const properties = { selected, edge }
        features.push({ type: 'Feature', properties, geometry: { type: 'Polygon', coordinates: [ring] } })
      }
    }
  }
  return collected(features)
}

/** Letters with shares at the places of an ambiguous shot: the same letters as in the panel. */
export function modeLabels(shot: ShotAlert | null, percent: (share: number) => string): Collection {
  const modes = shot && !nothingStands(shot) ? (leading(shot).modes ?? []) : []
  if (modes.length < 2) return collected([])
  return collected(
    modes.map((mode, i) =>
      point(mode.place, { says: `${String.fromCharCode(65 + i)} ${percent(mode.share)}` }),
    ),
  )
}

/** What was taken back draws nothing but its outline. */
const shown = (alert: ShotAlert | null): readonly Shot[] =>
  alert && !nothingStands(alert) ? standing(alert) : []

/** Rounds that were located one by one: the way of a shooter who moves, each round numbered. */
export function rounds(shot: ShotAlert | null): Collection {
  const features: GeoJSON.Feature[] = []
  for (const string of shown(shot)) {
    const known = string.rounds.flatMap((round, i) =>
      round.place ? [{ place: round.place, number: i + 1 }] : [],
    )
    if (known.length > 1) features.push(line(known.map((k) => k.place), {}))
    features.push(...known.map((k) => point(k.place, { says: String(k.number) })))
  }
  return collected(features)
}

export type Ear = 'heard' | 'silent' | 'down' | 'up'

/** The sensors of the selected shot with lines from it; with the coverage, all others too. */
export function ears(
  shot: ShotAlert | null,
  sensors: ReadonlyMap<string, Sensor>,
  all: boolean,
): { sensors: Collection; lines: Collection } {
  const role = new Map<string, Ear>()
  if (all) {
    for (const one of sensors.values()) {
      role.set(one.sensor, one.state === 'up' || one.state === 'late' ? 'up' : 'down')
    }
  }
  const lines: GeoJSON.Feature[] = []
  for (const string of shown(shot)) {
    for (const id of string.down ?? []) role.set(id, 'down')
    for (const id of string.silent ?? []) if (role.get(id) !== 'heard') role.set(id, 'silent')
    for (const { sensor } of string.heard ?? []) {
      role.set(sensor, 'heard')
      const place = sensors.get(sensor)?.place
      if (place) lines.push(line([string.place, place], {}))
    }
  }
  const points = [...role].flatMap(([id, ear]) => {
    const known = sensors.get(id)
    return known?.place ? [point(known.place, { id, name: known.name || id, ear })] : []
  })
  return { sensors: collected(points), lines: collected(lines) }
}
