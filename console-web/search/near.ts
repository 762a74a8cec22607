/**
 * The way from an incident to the question which cars passed there, with everything filled in.
 *
 * In: where, when and under which number something happened. Out: an address of the search page, and
 * a form made of one. Never: a question that is sent by itself; anything that reaches a server's log
 * (what stands behind # stays in the browser).
 */

import type { Point } from '../wire/model'
import { emptyQuestion, type QuestionForm, SPAN_MS_MAX } from './question'

const BEFORE_MS = 15 * 60_000 // who came, before anybody called
const AFTER_MS = 30 * 60_000

export interface Happened {
  place: Point
  at: string
  caseNumber: string
}

export const nearHref = ({ place, at, caseNumber }: Happened): string =>
  `/search#${new URLSearchParams({ near: `${place.lat.toFixed(5)},${place.lon.toFixed(5)}`, at, case: caseNumber }).toString()}`

/** From a quarter of an hour before to half an hour after, or to now. */
export function nearForm(hash: string, nowMs: number): Partial<QuestionForm> {
  const told = new URLSearchParams(hash.replace(/^#/, ''))
  const [, lat, lon] = /^(-?\d+\.\d+),(-?\d+\.\d+)$/.exec(told.get('near') ?? '') ?? []
  const at = Date.parse(told.get('at') ?? '')
  if (!lat || !lon || Number.isNaN(at)) return {}
  const from = at - BEFORE_MS
  const to = Math.max(from + 60_000, Math.min(at + AFTER_MS, nowMs, from + SPAN_MS_MAX))
  return {
    about: 'place',
    address: `${lat}, ${lon}`,
    lastMin: 0,
    from: localMinute(from),
    to: localMinute(to + 59_999), // its minute is not over: the newest are the ones that count
    caseNumber: told.get('case') ?? emptyQuestion().caseNumber,
  }
}

/** As a field of date and time takes it: in the screen's own time. */
export function localMinute(ms: number): string {
  const at = new Date(ms)
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
