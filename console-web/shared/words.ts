/**
 * What a partner told of a thing, as words of this screen.
 *
 * In: an item's detail, whatever its owner put there. Out: pairs to show, times as times.
 * Never: a field left out because we have no word for it; its own name then stands there.
 */

import type { SharedItem } from '../wire/federation'
import type { Level } from '../wire/model'

const HEAD = ['level', 'state', 'units', 'facts', 'heading_deg', 'bearing_deg', 'semi_major_m', 'semi_minor_m', 'plate', 'plate_state']
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/

export interface Field {
  name: string
  value: string
  isTime: boolean
}

/** Its owner's priority; without one it stands as the least of those that need a person. */
export function levelOf(item: SharedItem): Level {
  const level = item.detail?.['level']
  return level === 1 || level === 2 || level === 3 || level === 4 ? level : 3
}

/** Taken back, or closed by its owner: nothing is to be done by it. */
export const isOver = (item: SharedItem): boolean =>
  Boolean(item.recalled_at) || item.detail?.['state'] === 'closed'

/** What stands in the head of the panel, in its own place or in a list is not told twice. */
export function fieldsOf(item: SharedItem): Field[] {
  return Object.entries(item.detail ?? {}).flatMap(([name, value]): Field[] => {
    if (HEAD.includes(name) || value === null || value === undefined || value === '') return []
    if (typeof value === 'string') return [{ name, value, isTime: TIME.test(value) }]
    if (typeof value === 'number') return [{ name, value: String(Math.round(value * 10) / 10), isTime: false }]
    if (typeof value === 'boolean') return value ? [{ name, value: '✓', isTime: false }] : []
    return [{ name, value: JSON.stringify(value), isTime: false }]
  })
}

export interface ToldUnit {
  unit: string
  status: string
}

export interface ToldFact {
  line: string
  says: string
  at: string
}

function listOf<T>(item: SharedItem, name: string, parts: readonly string[]): T[] {
  const told = item.detail?.[name]
  if (!Array.isArray(told)) return []
  return told.filter((one): one is T => {
    return typeof one === 'object' && one !== null && parts.every((p) => typeof (one as Record<string, unknown>)[p] === 'string')
  })
}

export const unitsOf = (item: SharedItem): ToldUnit[] => listOf<ToldUnit>(item, 'units', ['unit', 'status'])
export const factsOf = (item: SharedItem): ToldFact[] => listOf<ToldFact>(item, 'facts', ['line', 'says', 'at'])

export function plateOf(item: SharedItem): { plate: string; state: string | null } | null {
  const { plate, plate_state: state } = item.detail ?? {}
  return typeof plate === 'string' && plate ? { plate, state: typeof state === 'string' ? state : null } : null
}

/** Hours and minutes and seconds that are left, as a clock runs: 3:12:09. */
export function clockLeft(until: string, now: number): string {
  const seconds = Math.max(0, Math.floor((Date.parse(until) - now) / 1000))
  const two = (n: number) => String(n).padStart(2, '0')
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}
