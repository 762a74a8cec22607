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

export function fromWorld(world: World): Point {
  const y = Math.PI * (1 - 2 * world.y)
  return { lat: (Math.atan(Math.sinh(y)) * 180) / Math.PI, lon: world.x * 360 - 180 }
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

/**
 * The matrix for positions given as offsets from `origin`, folded in double precision.
 *
 * A float of 32 bits near 0.4 steps by 3e-8 of the world, a metre at our latitude: dots would
 * jitter at street zoom. Offsets from a near origin are small and keep their digits.
 */
export function originMatrix(matrix: ArrayLike<number>, origin: World): Float32Array {
  const at = (i: number) => matrix[i] ?? 0
  const moved = Array.from({ length: 16 }, (_, i) => at(i))
  for (let row = 0; row < 4; row += 1) {
    moved[12 + row] = at(row) * origin.x + at(4 + row) * origin.y + at(12 + row)
  }
  return Float32Array.from(moved)
}
