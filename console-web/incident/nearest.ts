/** Units by straight-line distance; those without a place come last, in the order of their names. */

import type { Point } from '../wire/model'

const EARTH_RADIUS_M = 6_371_008.8 // mean radius, IUGG

interface Placed {
  unit: string
  place: Point | null
}

export interface Ranged<U extends Placed> {
  unit: U
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

export function nearestFirst<U extends Placed>(
  units: readonly U[],
  where: Point | null,
): Ranged<U>[] {
  return units
    .map((unit) => ({
      unit,
      metres: where && unit.place ? metresBetween(where, unit.place) : null,
    }))
    .sort(
      (a, b) =>
        (a.metres ?? Infinity) - (b.metres ?? Infinity) || a.unit.unit.localeCompare(b.unit.unit),
    )
}
