/**
 * One unit's way through an incident as a strip: where each step lies, and what fills between.
 *
 * In: a row of timings. Out: marks and phases in shares of the strip's width, 0…1.
 * Never: a step that nobody recorded; a step moved to make the strip look better.
 *
 * Zero is the moment the unit was assigned: from then on it is up to us. The scale to both sides is
 * log(1 + seconds / 0.05): 20 ms and 20 min are both to be seen, and the same place means the same
 * time in every row.
 */

import type { Timings, UnitTiming } from '../wire/model'

export const STEPS = [
  'call',
  'here',
  'assigned',
  'composed',
  'delivered',
  'opened',
  'heard',
  'on_scene',
] as const
export type Step = (typeof STEPS)[number]
export type PhaseName = 'before' | 'wait' | 'ours' | 'reach' | 'way'

export const BEFORE_S_MAX = 1_800 // what lies farther off is drawn at the edge, and said
export const AFTER_S_MAX = 1_800
const FINE_S = 0.05
const ZERO = 0.32 // where on the strip the unit is assigned
const APART = 0.055 // marks closer together share one label

export interface Mark {
  at: number // where the label stands
  ticks: number[]
  steps: number[] // 1…8, in the order of STEPS
}

export interface Phase {
  name: PhaseName
  from: number
  to: number
}

export interface Strip {
  marks: Mark[]
  phases: Phase[]
  beyond: { before: boolean; after: boolean } // a step lies off the scale
}

/** Seconds between two steps; null where one of them is not known. */
export function between(row: UnitTiming, from: Step, to: Step): number | null {
  const [start, end] = [row[`${from}_at`], row[`${to}_at`]]
  return start && end ? (Date.parse(end) - Date.parse(start)) / 1000 : null
}

/** Seconds from the call's arrival here. */
export const secondsOf = (row: UnitTiming, step: Step) => between(row, 'here', step)

/** What zero is: the assignment, or the first that is known of what follows it. */
export function zeroOf(row: UnitTiming): Step {
  return row.assigned_at ? 'assigned' : row.composed_at ? 'composed' : 'here'
}

/** Where a second lies on the strip. */
export function placeOf(seconds: number): number {
  if (seconds < 0) return ZERO * (1 - Math.min(1, scaled(-seconds, BEFORE_S_MAX)))
  return ZERO + (1 - ZERO) * Math.min(1, scaled(seconds, AFTER_S_MAX))
}

function scaled(seconds: number, most: number): number {
  return Math.log1p(seconds / FINE_S) / Math.log1p(most / FINE_S)
}

export function stripOf(row: UnitTiming): Strip {
  const known = STEPS.flatMap((step, i) => {
    const seconds = between(row, zeroOf(row), step)
    return seconds === null ? [] : [{ number: i + 1, seconds, at: placeOf(seconds) }]
  }).sort((a, b) => a.seconds - b.seconds || a.number - b.number)
  const marks: Mark[] = []
  for (const { number, at } of known) {
    const last = marks.at(-1)
    if (last && at - last.ticks[0]! < APART) {
      last.steps.push(number)
      last.ticks.push(at)
      last.at = (last.ticks[0]! + at) / 2
    } else marks.push({ at, ticks: [at], steps: [number] })
  }
  const beyond = {
    before: known.some((k) => k.seconds < -BEFORE_S_MAX),
    after: known.some((k) => k.seconds > AFTER_S_MAX),
  }
  return { marks, phases: phasesOf(row), beyond }
}

/** Between known ends only: where an end is missing, nothing is filled. */
function phasesOf(row: UnitTiming): Phase[] {
  const spans: [PhaseName, Step, Step][] = [
    ['before', 'call', 'here'],
    ['wait', 'here', 'assigned'],
    ['ours', row.assigned_at ? 'assigned' : 'here', 'composed'],
    ['reach', 'composed', row.opened_at ? 'opened' : 'heard'],
    ['way', row.opened_at ? 'opened' : row.heard_at ? 'heard' : 'composed', 'on_scene'],
  ]
  return spans.flatMap(([name, start, end]) => {
    const from = between(row, zeroOf(row), start)
    const to = between(row, zeroOf(row), end)
    if (from === null || to === null || to < from) return []
    return [{ name, from: placeOf(from), to: placeOf(to) }]
  })
}

/** "2–5", or "3, 6": neighbouring numbers are drawn together. */
export function labelOf(steps: readonly number[]): string {
  const sorted = [...steps].sort((a, b) => a - b)
  const runs: number[][] = []
  for (const n of sorted) {
    const run = runs.at(-1)
    if (run && n === run.at(-1)! + 1) run.push(n)
    else runs.push([n])
  }
  return runs.map((r) => (r.length > 1 ? `${r[0]}–${r.at(-1)}` : String(r[0]))).join(', ')
}

/** 0.4 s, 12 s, 3 min 05 s: as exact as it matters. Null: nothing to say. */
export function span(seconds: number | null): string | null {
  if (seconds === null) return null
  const s = Math.abs(seconds)
  if (s < 1) return `${Math.round(s * 1000)} ms`
  if (s < 10) return `${s.toFixed(1)} s`
  const whole = Math.round(s)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`
}

export const COMPARED_FROM = 10 // calls on each side; fewer say nothing about a difference

/** May the two waits be set beside each other at all? */
export function comparable(delay: Timings['p1_delay']): boolean {
  return delay.busy.n >= COMPARED_FROM && delay.free.n >= COMPARED_FROM
}
