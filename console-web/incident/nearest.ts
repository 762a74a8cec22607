/** Units by straight-line distance; those without a place come last, in the order of their names. */

import type { Point, Unit } from '../wire/model'

const EARTH_RADIUS_M = 6_371_008.8 // mean radius, IUGG

export interface Ranged {
  unit: Unit
  metres: number | null
}

export function metresBetween(a: Point, b: Point): number {
  const rad = Math.PI / 180
  const dLat = (b.lat - a.lat) * rad
  const dLon = (b.lon - a.lon) * rad
  const h =
    Math.sin(dLat / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLon / 2) ** 2
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(h))
}

export function nearestFirst(units: readonly Unit[], where: Point | null): Ranged[] {
  return units
    .map((unit) => ({
      unit,
      metres: where && unit.place ? metresBetween(where, unit.place) : null,
    }))
    .sort(
      (a, b) =>
        (a.metres ?? Infinity) - (b.metres ?? Infinity) ||
        a.unit.unit_id.localeCompare(b.unit.unit_id),
    )
}
