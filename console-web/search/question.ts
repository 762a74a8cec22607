/**
 * A question about one plate or one place, as a person fills it in, and how whole its answers are.
 *
 * In: a form and who can be asked. Out: what is missing, or what is sent; answers in their order.
 * Never: owners that nobody ticked, or any for a place; answers that look whole when one is missing.
 */

import type { FoundRead, Owner, OwnerAnswered, Purpose } from '../wire/federation'
import type { Point } from '../wire/model'

export const PERIODS_H = [24, 72, 168, 720] as const
export const RADII_M = [100, 250, 500, 1000] as const
export const LAST_MIN = [30, 120, 1440, 0] as const // 0: times of one's own
const MINUTE_MS = 60_000
export const SPAN_MS_MAX = 24 * 60 * MINUTE_MS
const PLATE_CHARACTERS_MAX = 10

/** `from`, `to`: of a place, in the screen's own time, where `lastMin` is 0. */
export interface QuestionForm {
  about: 'plate' | 'place'
  address: string
  radiusM: number
  lastMin: number
  from: string
  to: string
  plate: string
  state: string
  sinceH: number
  purpose: Purpose | ''
  caseNumber: string
  owners: string[]
  behalf: boolean
  behalfOf: string
  behalfAgency: string
  approval: string
}

export const emptyQuestion = (): QuestionForm => ({
  about: 'plate',
  address: '',
  radiusM: 250,
  lastMin: 30,
  from: '',
  to: '',
  plate: '',
  state: '',
  sinceH: 72,
  purpose: '',
  caseNumber: '',
  owners: [],
  behalf: false,
  behalfOf: '',
  behalfAgency: '',
  approval: '',
})

/** As it is written on the form: the node normalises it once more. */
export const tidyPlate = (typed: string): string =>
  typed.toUpperCase().replace(/[^0-9A-Z]/g, '').slice(0, PLATE_CHARACTERS_MAX)

export type Lack = 'plate' | 'place' | 'times' | 'span' | 'purpose' | 'case' | 'approved' | 'behalf'

/** What keeps the question from being asked. A supervisor may name more owners at once. */
export function lacking(form: QuestionForm, ownersMax: number, isSupervisor: boolean): Lack[] {
  const lacks: Lack[] = form.about === 'place' ? lackingOfPlace(form) : tidyPlate(form.plate) ? [] : ['plate']
  if (!form.purpose) lacks.push('purpose')
  if (!form.caseNumber.trim()) lacks.push('case')
  if (form.about === 'plate' && form.owners.length > ownersMax && !isSupervisor && !form.approval.trim()) lacks.push('approved')
  if (form.behalf && !(form.behalfOf.trim() && form.behalfAgency)) lacks.push('behalf')
  return lacks
}

function lackingOfPlace(form: QuestionForm): Lack[] {
  const lacks: Lack[] = form.address.trim() ? [] : ['place']
  if (form.lastMin) return lacks
  const span = Date.parse(form.to) - Date.parse(form.from)
  if (!(span > 0)) lacks.push('times')
  else if (span > SPAN_MS_MAX) lacks.push('span')
  return lacks
}

/** Degrees where somebody typed or pasted them, as "35.0844, -106.6504". */
export function degreesOf(address: string): Point | null {
  const [, lat, lon] = /^\s*(-?\d{1,2}\.\d+)\s*[,; ]\s*(-?\d{1,3}\.\d+)\s*$/.exec(address) ?? []
  return lat && lon ? { lat: Number(lat), lon: Number(lon) } : null
}

export function placeBodyOf(form: QuestionForm, nowMs: number): Record<string, unknown> {
  const at = degreesOf(form.address)
  const until = form.lastMin ? nowMs : Date.parse(form.to)
  const since = form.lastMin ? nowMs - form.lastMin * MINUTE_MS : Date.parse(form.from)
  return {
    ...(at ? { at } : { address: form.address.trim() }),
    radius_m: form.radiusM,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  }
}

export function bodyOf(form: QuestionForm): Record<string, unknown> {
  return {
    plate: tidyPlate(form.plate),
    since_h: form.sinceH,
    owners: form.owners,
    ...(form.state.trim() ? { state: form.state.trim() } : {}),
    ...(form.behalf ? { on_behalf_of: form.behalfOf.trim(), on_behalf_agency: form.behalfAgency } : {}),
    ...(form.approval.trim() ? { approved_by: form.approval.trim() } : {}),
  }
}

/** The same question, whatever the order in which its owners were ticked. */
export function questionKey(form: QuestionForm): string {
  const asked =
    form.about === 'place'
      ? [form.address.trim(), form.radiusM, form.lastMin || [form.from, form.to]]
      : bodyOf({ ...form, owners: [...form.owners].sort() })
  return JSON.stringify([form.about, asked, form.purpose, form.caseNumber.trim()])
}

export type Bar = 'no_agreement' | 'purpose' | 'role' | null

/** Why an owner is going to refuse, as far as one sees from here; null where nothing speaks against. */
export function barOf(owner: Owner, purpose: string, role: string): Bar {
  if (!owner.agreements.length) return 'no_agreement'
  const forRole = owner.agreements.filter((a) => a.roles.includes(role))
  if (!forRole.length) return 'role'
  return !purpose || forRole.some((a) => a.purposes.includes(purpose)) ? null : 'purpose'
}

/** An owner that gave what it has, even where that is nothing. */
export const hasAnswered = (answer: OwnerAnswered): boolean =>
  answer.state === 'answered' || answer.state === 'nothing' || answer.state === 'pointer'

export interface Wholeness {
  answered: number
  all: number
  missing: OwnerAnswered[]
}

/** Every owner that was named counts, one that the node left out of its answer too. */
export function wholeness(answers: readonly OwnerAnswered[], named: readonly string[]): Wholeness {
  const told = new Set(answers.map((a) => a.agency_id))
  const silent = named
    .filter((id) => !told.has(id))
    .map((id): OwnerAnswered => ({ agency_id: id, name: id, state: 'away', reads: [] }))
  const all = [...answers, ...silent]
  const missing = all.filter((a) => !hasAnswered(a))
  return { answered: all.length - missing.length, all: all.length, missing }
}

export interface TimedRead {
  read: FoundRead
  owner: OwnerAnswered
  number: number // 1 is the newest; what only looks alike has none
}

/** All reads of all owners, the newest first. */
export function byTime(answers: readonly OwnerAnswered[]): TimedRead[] {
  const rows = answers.flatMap((owner) => owner.reads.map((read) => ({ read, owner })))
  rows.sort((a, b) => Date.parse(b.read.captured_at) - Date.parse(a.read.captured_at))
  let number = 0
  return rows.map((row) => ({ ...row, number: row.read.look_alike ? 0 : ++number }))
}

export function vehicleWords(read: FoundRead): string {
  return [read.colour, read.make, read.kind].filter(Boolean).join(' ')
}
