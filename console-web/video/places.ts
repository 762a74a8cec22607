/**
 * The places of a wall: which camera stands where.
 *
 * In: places and a wish. Out: new places. Never: one camera twice, since that would be two viewings.
 */

import type { SavedWall } from '../wire/video'

export const SIZES = [1, 4, 9, 16, 25, 36, 64] as const
export type Size = (typeof SIZES)[number]
export type Places = readonly (string | null)[]

export const columnsOf = (size: Size): number => Math.sqrt(size)

/** The smallest wall that has room for so many. */
export function sizeFor(count: number): Size {
  return SIZES.find((size) => size >= count) ?? 64
}

export function emptied(size: Size): Places {
  return Array.from({ length: size }, () => null)
}

/** Another number of places. Cameras move up where their place is gone; too many are left out. */
export function resized(places: Places, size: Size): Places {
  const kept = places.slice(0, size)
  const over = places.slice(size).filter((id) => id !== null)
  const next: (string | null)[] = [...kept, ...emptied(size)].slice(0, size)
  for (const id of over) {
    const free = next.indexOf(null)
    if (free === -1) break
    next[free] = id
  }
  return next
}

export function swapped(places: Places, a: number, b: number): Places {
  if (a === b || !(a in places) || !(b in places)) return places
  const next = [...places]
  ;[next[a], next[b]] = [places[b]!, places[a]!]
  return next
}

export function without(places: Places, at: number): Places {
  return places.map((id, i) => (i === at ? null : id))
}

/** With one more camera, at `at` where that is free, else at the first free place; null: no room. */
export function withCamera(places: Places, id: string, at: number): Places | null {
  if (places.includes(id)) return places
  const place = places[at] === null ? at : places.indexOf(null)
  if (place === -1) return null
  return places.map((old, i) => (i === place ? id : old))
}

export type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown'

export function isArrow(key: string): key is Arrow {
  return ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'].includes(key)
}

/** The place an arrow leads to; the same one at the edge. */
export function neighbour(at: number, arrow: Arrow, columns: number, count: number): number {
  const column = at % columns
  if (arrow === 'ArrowLeft') return column > 0 ? at - 1 : at
  if (arrow === 'ArrowRight') return column < columns - 1 && at + 1 < count ? at + 1 : at
  const next = arrow === 'ArrowUp' ? at - columns : at + columns
  return next >= 0 && next < count ? next : at
}

/** Places of a saved wall; what is no wall becomes an empty one. */
export function placesOf(wall: Pick<SavedWall, 'columns' | 'tiles'>): Places {
  const size = sizeFor(Math.max(wall.columns ** 2, wall.tiles.length, 1))
  const seen = new Set<string>()
  const ids = wall.tiles.map((tile) => {
    const id = tile?.camera_id ?? null
    if (id === null || seen.has(id)) return null
    seen.add(id)
    return id
  })
  return resized(ids, size)
}

export function savedOf(name: string, places: Places): SavedWall {
  return {
    name,
    columns: columnsOf(sizeFor(places.length)),
    tiles: places.map((id) => (id === null ? null : { camera_id: id })),
  }
}
