/**
 * Hours of consent as a person edits them: one window of some days.
 *
 * In: the hours that the node keeps. Out: a form, and hours again. Never: a window without a day.
 */

import type { Hours } from '../wire/video'

export interface HoursForm {
  days: boolean[] // 0 Monday … 6 Sunday
  since: string // 22:00
  until: string
}

const short = (time: string) => time.slice(0, 5)

/** Nights of the week, where nothing was chosen before. */
export const FIRST: HoursForm = {
  days: Array.from({ length: 7 }, () => true),
  since: '22:00',
  until: '06:00',
}

export function formOf(hours: readonly Hours[] | undefined): HoursForm[] {
  if (!hours?.length) return [structuredClone(FIRST)]
  return hours.map(({ days, since, until }) => ({
    days: Array.from({ length: 7 }, (_, day) => days.includes(day)),
    since: short(since),
    until: short(until),
  }))
}

/** Null where a window has no day or no time. */
export function hoursOf(forms: readonly HoursForm[]): Hours[] | null {
  const hours = forms.map(({ days, since, until }) => ({
    days: days.flatMap((on, day) => (on ? [day] : [])),
    since: `${since}:00`,
    until: `${until}:00`,
  }))
  const isWhole = hours.every((h) => h.days.length && h.since.length === 8 && h.until.length === 8)
  return isWhole && hours.length ? hours : null
}

/** Runs of days by name: Mon–Fri 22:00–06:00. */
export function hoursWords(hours: readonly Hours[], names: readonly string[]): string {
  return hours
    .map(({ days, since, until }) => `${daysWords(days, names)} ${short(since)}–${short(until)}`)
    .join(', ')
}

function daysWords(days: readonly number[], names: readonly string[]): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b)
  const runs: [number, number][] = []
  for (const day of sorted) {
    const last = runs.at(-1)
    if (last && last[1] === day - 1) last[1] = day
    else runs.push([day, day])
  }
  return runs.map(([a, b]) => (a === b ? names[a] : `${names[a]}–${names[b]}`)).join(' ')
}
