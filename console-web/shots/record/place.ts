/** Coordinates as a person types them. */

import type { Point } from '../../wire/model'

/** "35.0844, -106.6504" as a place; null where it is none, or where it is 0/0, which nobody means. */
export function placeOf(words: string): Point | null {
  const found = /^\s*([+-]?\d+(?:\.\d+)?)\s*°?\s*[,;\s]\s*([+-]?\d+(?:\.\d+)?)\s*°?\s*$/.exec(words)
  if (!found) return null
  const [lat, lon] = [Number(found[1]), Number(found[2])]
  if (Math.abs(lat) > 90 || Math.abs(lon) > 180 || (lat === 0 && lon === 0)) return null
  return { lat, lon }
}

export const placeWords = (place: Point): string =>
  `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`
