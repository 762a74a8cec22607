/**
 * Boxes that hide a part of a clip, set by hand at some of its pictures.
 *
 * In: keys of a box, a moment, a movement of the hand. Out: keys again, sorted and inside the
 * picture. Never: a box that a person did not set; nothing is found or followed by the machine.
 */

import type { BoxKey } from '../wire/video'

export interface Place {
  x: number
  y: number
  w: number
  h: number
}

export const LEAST = 0.02 // of the picture's side
export const SAME_MS = 20 // nearer than this, it is the same picture
export const FIRST: Place = { x: 0.4, y: 0.4, w: 0.2, h: 0.2 }

/** Inside the picture, and no smaller than can be seen. */
export function inside({ x, y, w, h }: Place): Place {
  const wide = Math.min(1, Math.max(LEAST, w))
  const high = Math.min(1, Math.max(LEAST, h))
  const most = 1 - LEAST
  return {
    x: Math.min(1 - wide, most, Math.max(0, x)),
    y: Math.min(1 - high, most, Math.max(0, y)),
    w: wide,
    h: high,
  }
}

/** From one corner to another, whichever way the hand went. */
export function between(ax: number, ay: number, bx: number, by: number): Place {
  return inside({ x: Math.min(ax, bx), y: Math.min(ay, by), w: Math.abs(bx - ax), h: Math.abs(by - ay) })
}

/** Where it is at a moment; null before its first and after its last key. */
export function placeAt(keys: readonly BoxKey[], atMs: number): Place | null {
  const [first, last] = [keys[0], keys.at(-1)]
  if (!first || !last || atMs < first.at_ms - SAME_MS || atMs > last.at_ms + SAME_MS) return null
  const after = keys.find((key) => key.at_ms >= atMs) ?? last
  const before = keys.findLast((key) => key.at_ms <= atMs) ?? first
  const span = after.at_ms - before.at_ms
  const part = span > 0 ? (atMs - before.at_ms) / span : 0
  const mix = (a: number, b: number) => a + (b - a) * part
  return {
    x: mix(before.x, after.x),
    y: mix(before.y, after.y),
    w: mix(before.w, after.w),
    h: mix(before.h, after.h),
  }
}

/** With a key at this moment, in the order of time; one of the same picture is replaced. */
export function withKey(keys: readonly BoxKey[], atMs: number, place: Place): BoxKey[] {
  const others = keys.filter((key) => Math.abs(key.at_ms - atMs) > SAME_MS)
  return [...others, { at_ms: atMs, ...inside(place) }].sort((a, b) => a.at_ms - b.at_ms)
}

export function withoutKey(keys: readonly BoxKey[], atMs: number): BoxKey[] {
  return keys.filter((key) => Math.abs(key.at_ms - atMs) > SAME_MS)
}

/** Arrows move, with Shift they widen and heighten. */
export function nudged(place: Place, key: string, isSize: boolean, step = 0.01): Place | null {
  const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[key] ?? [0, 0]
  if (!dx && !dy) return null
  const { x, y, w, h } = place
  return inside(isSize ? { x, y, w: w + dx!, h: h + dy! } : { x: x + dx!, y: y + dy!, w, h })
}
