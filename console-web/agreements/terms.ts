/**
 * The terms of an agreement as a person fills them in.
 *
 * In: a form. Out: what the node is asked to draft, or what is missing. Never: a way of sharing that
 * does not follow from the classes; plate reads are asked for, everything else follows by itself.
 */

import type { Agreement, Mode, ShareClass, Terms, Zone } from '../wire/federation'
import { MODES, SHARE_CLASSES } from '../wire/federation'
import { type HoursForm, hoursOf } from '../owner/hours'

export const TERM_DAYS_MAX = 365
export const KEEP_DAYS_MAX = 365
const DAY_MS = 86_400_000

export interface ZoneForm {
  name: string
  corners: string // a line each: latitude, longitude
}

export interface TermsForm {
  grantee: string
  title: string
  text: string
  plates: Mode | ''
  follows: Partial<Record<ShareClass, boolean>>
  purposes: string[]
  roles: string[]
  starts: string // 2026-03-01, local; '' is now
  expires: string
  keepDays: number
  recordDays: number
  zones: ZoneForm[]
  hours: HoursForm[]
  onBehalfOf: string[]
  declared: boolean
  declarationId: string
  declaredBy: string
  declarationExpires: string
  supersedes: string | null
}

export type Missing =
  | 'grantee'
  | 'title'
  | 'text'
  | 'classes'
  | 'purposes'
  | 'roles'
  | 'expires'
  | 'term'
  | 'keep'
  | 'record'
  | 'zones'
  | 'hours'
  | 'declaration'

/** The day `days` after a time, as a date field wants it. */
export function dayAfter(now: number, days: number): string {
  const day = new Date(now + days * DAY_MS)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`
}

export function emptyForm(now: number): TermsForm {
  return {
    grantee: '',
    title: '',
    text: '',
    plates: '',
    follows: {},
    purposes: [],
    roles: [],
    starts: '',
    expires: dayAfter(now, 180),
    keepDays: 7,
    recordDays: 30,
    zones: [],
    hours: [],
    onBehalfOf: [],
    declared: false,
    declarationId: '',
    declaredBy: '',
    declarationExpires: dayAfter(now, 180),
    supersedes: null,
  }
}

/** Corners from lines of "latitude, longitude"; null where a line is none, or fewer than three. */
export function cornersOf(text: string): Zone['ring'] | null {
  const lines = text.split('\n').map((line) => line.trim()).filter(Boolean)
  const ring = lines.map((line) => {
    const numbers = line.split(/[\s,;]+/).map(Number)
    const [lat, lon] = numbers
    const isPlace = numbers.length === 2 && Math.abs(lat!) <= 90 && Math.abs(lon!) <= 180
    return isPlace ? { lat: lat!, lon: lon! } : null
  })
  const corners = ring.filter((corner) => corner !== null)
  return corners.length === ring.length && corners.length >= 3 ? corners : null
}

const midnight = (day: string): number => new Date(`${day}T00:00:00`).getTime()
const startOf = (form: TermsForm, now: number) => (form.starts ? midnight(form.starts) : now)

export function missing(form: TermsForm, now: number): Missing[] {
  const lacks: Missing[] = []
  const need = (ok: unknown, what: Missing) => {
    if (!ok) lacks.push(what)
  }
  const starts = startOf(form, now)
  const expires = midnight(form.expires)
  need(form.grantee, 'grantee')
  need(form.title.trim(), 'title')
  need(form.text.trim(), 'text')
  need(Object.keys(classesOf(form)).length, 'classes')
  need(form.purposes.length, 'purposes')
  need(form.roles.length, 'roles')
  need(expires > Math.max(starts, now), 'expires')
  if (expires > starts) need(expires - starts <= TERM_DAYS_MAX * DAY_MS, 'term')
  need(isWhole(form.keepDays, 0, KEEP_DAYS_MAX), 'keep')
  need(!form.plates || isWhole(form.recordDays, 1, Infinity), 'record')
  need(form.zones.every((z) => z.name.trim() && cornersOf(z.corners)), 'zones')
  need(form.hours.length === 0 || hoursOf(form.hours), 'hours')
  if (form.declared) {
    const whole = form.declarationId.trim() && form.declaredBy.trim()
    need(whole && midnight(form.declarationExpires) > now, 'declaration')
  }
  return lacks
}

const isWhole = (n: number, least: number, most: number) => Number.isInteger(n) && n >= least && n <= most

function classesOf(form: TermsForm): Partial<Record<ShareClass, Mode>> {
  const classes: Partial<Record<ShareClass, Mode>> = form.plates ? { plate_read: form.plates } : {}
  for (const name of SHARE_CLASSES) if (name !== 'plate_read' && form.follows[name]) classes[name] = 'full'
  return classes
}

/** To be called where nothing is missing. */
export function termsOf(form: TermsForm, now: number): Terms {
  const classes = classesOf(form)
  const flows = Object.keys(classes).some((name) => name !== 'plate_read')
  return {
    grantee: form.grantee,
    title: form.title.trim(),
    text: form.text.trim(),
    classes,
    sharing: [...(form.plates ? (['ask'] as const) : []), ...(flows ? (['follow'] as const) : [])],
    purposes: form.purposes,
    roles: form.roles,
    starts: new Date(startOf(form, now)).toISOString(),
    expires: new Date(midnight(form.expires)).toISOString(),
    keep_days: form.keepDays,
    record_days: form.recordDays,
    zones: form.zones.map((z) => ({ name: z.name.trim(), ring: cornersOf(z.corners) ?? [] })),
    hours: form.hours.length ? (hoursOf(form.hours) ?? []) : [],
    on_behalf_of: form.onBehalfOf,
    declaration: form.declared
      ? {
          declaration_id: form.declarationId.trim(),
          signed_by: form.declaredBy.trim(),
          expires: new Date(midnight(form.declarationExpires)).toISOString(),
        }
      : null,
    supersedes: form.supersedes,
  }
}

/** Whole days until a time, never below zero. */
export const daysLeft = (until: string, now: number): number =>
  Math.max(0, Math.floor((Date.parse(until) - now) / DAY_MS))

/** Acts at this moment; an agreement may be in force and begin tomorrow. */
export const actsNow = (a: Pick<Agreement, 'state' | 'starts' | 'expires'>, now: number): boolean =>
  a.state === 'in_force' && Date.parse(a.starts) <= now && now < Date.parse(a.expires)

export type Group = 'acting' | 'signing' | 'later' | 'over'
export const GROUPS: readonly Group[] = ['signing', 'acting', 'later', 'over']

/** Where an agreement stands in the list: what waits for a person, what acts, what is past. */
export function groupOf(a: Pick<Agreement, 'state' | 'starts' | 'expires'>, now: number): Group {
  if (a.state === 'draft' || a.state === 'proposed') return 'signing'
  if (a.state !== 'in_force' || now >= Date.parse(a.expires)) return 'over'
  return actsNow(a, now) ? 'acting' : 'later'
}

/** The classes as pairs, in the order in which they are always told. */
export function classPairs(classes: Agreement['classes']): [ShareClass, Mode][] {
  return SHARE_CLASSES.flatMap((name): [ShareClass, Mode][] => {
    const mode = classes[name]
    return mode && MODES.includes(mode) ? [[name, mode]] : []
  })
}
