/**
 * What the moving units cost this screen, for `farolito bench positions` and curious developers.
 *
 * In: costs as they arise. Out: `window.farolito`, read from outside. Never: a report to anybody.
 */

const AGES_KEPT_MAX = 100_000 // beyond it the oldest are overwritten

export interface Meter {
  positions: number // position rows taken in
  drawn: number // times the units were painted anew
  decodeMs: number // reading and taking in `positions` messages, altogether
  paintMs: number // packing and drawing units and call signs, altogether
  ageMs: number[] // how old a position was when it was first on screen
}

declare global {
  interface Window {
    farolito?: Meter
  }
}

export const meter: Meter = { positions: 0, drawn: 0, decodeMs: 0, paintMs: 0, ageMs: [] }

let next = 0

export function notePainted(ages: readonly number[]): void {
  meter.drawn += 1
  for (const age of ages) {
    meter.ageMs[next] = age
    next = (next + 1) % AGES_KEPT_MAX
  }
}

if (typeof window !== 'undefined') window.farolito = meter
