/** Web Mercator as the map library counts it: the world is 0…1 in both directions. */

import type { Point } from '../wire/model'

export interface World {
  x: number
  y: number
}

export function toWorld(point: Point): World {
  const y = 180 - (180 / Math.PI) * Math.log(Math.tan(Math.PI / 4 + (point.lat * Math.PI) / 360))
  return { x: (180 + point.lon) / 360, y: y / 360 }
}

/** An ellipse on the ground as a ring of places, closed; the bearing is the long axis', from north. */
export function ellipseRing(
  centre: Point,
  longM: number,
  wideM: number,
  bearingDeg: number,
  corners = 64,
): [number, number][] {
  const degree = 1 / 111_320 // of latitude, per metre
  const stretch = 1 / Math.max(0.01, Math.cos((centre.lat * Math.PI) / 180))
  const turn = (bearingDeg * Math.PI) / 180
  return Array.from({ length: corners + 1 }, (_, i) => {
    const angle = ((i % corners) / corners) * 2 * Math.PI
    const [along, across] = [longM * Math.cos(angle), wideM * Math.sin(angle)]
    const north = along * Math.cos(turn) - across * Math.sin(turn)
    const east = along * Math.sin(turn) + across * Math.cos(turn)
    return [centre.lon + east * degree * stretch, centre.lat + north * degree]
  })
}

/** A circle on the ground as a ring of places, closed, for radii up to some kilometres. */
export function circle(centre: Point, metres: number, corners = 64): [number, number][] {
  const north = metres / 111_320 // degrees of latitude
  const east = north / Math.max(0.01, Math.cos((centre.lat * Math.PI) / 180))
  return Array.from({ length: corners + 1 }, (_, i) => {
    const turn = ((i % corners) / corners) * 2 * Math.PI
    return [centre.lon + east * Math.sin(turn), centre.lat + north * Math.cos(turn)]
  })
}
