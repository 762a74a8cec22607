import { expect, test } from 'vitest'

import type { FoundRead, Owner, OwnerAnswered } from '../wire/federation'
import { barOf, bodyOf, byTime, degreesOf, emptyQuestion, lacking, placeBodyOf, questionKey, type QuestionForm, tidyPlate, wholeness } from './question'

function form(more: Partial<QuestionForm> = {}): QuestionForm {
  return { ...emptyQuestion(), plate: 'abc 123', purpose: 'in_progress_call', caseNumber: '26-118204', ...more }
}

function read(id: string, minute: number, more: Partial<FoundRead> = {}): FoundRead {
  const captured_at = new Date(Date.UTC(2026, 2, 1, 12, minute)).toISOString()
  return { read_id: id, captured_at, plate: 'ABC123', state: 'NM', reader: 'r1', ...more }
}

function answer(agency_id: string, more: Partial<OwnerAnswered> = {}): OwnerAnswered {
  return { agency_id, name: agency_id, state: 'answered', reads: [], ...more }
}

test('a plate is tidied as it is typed', () => {
  expect(tidyPlate(' abc-123 ')).toBe('ABC123')
  expect(bodyOf(form())).toEqual({ plate: 'ABC123', since_h: 72, owners: [] })
})

test('nothing is asked without a purpose and a case', () => {
  expect(lacking(emptyQuestion(), 5, false)).toEqual(['plate', 'purpose', 'case'])
  expect(lacking(form(), 5, false)).toEqual([])
})

test('more than five owners want a supervisor or an approval', () => {
  const wide = form({ owners: ['a', 'b', 'c', 'd', 'e', 'f'] })
  expect(lacking(wide, 5, false)).toEqual(['approved'])
  expect(lacking(wide, 5, true)).toEqual([])
  expect(lacking({ ...wide, approval: '0198' }, 5, false)).toEqual([])
})

test('whoever types for somebody else names both', () => {
  expect(lacking(form({ behalf: true, behalfOf: 'A. Ruiz' }), 5, false)).toEqual(['behalf'])
  const whole = form({ behalf: true, behalfOf: 'A. Ruiz', behalfAgency: 'pueblo' })
  expect(bodyOf(whole)).toMatchObject({ on_behalf_of: 'A. Ruiz', on_behalf_agency: 'pueblo' })
})

test('a changed form is another question', () => {
  expect(questionKey(form({ owners: ['a', 'b'] }))).toBe(questionKey(form({ owners: ['b', 'a'], plate: 'ABC123' })))
  expect(questionKey(form({ sinceH: 24 }))).not.toBe(questionKey(form()))
})

test('a place is asked for by an address or by degrees, within a day', () => {
  const place = form({ about: 'place', plate: '', address: ' Central & 4th ', owners: ['a', 'b', 'c', 'd', 'e', 'f'] })
  const now = Date.UTC(2026, 2, 1, 12)
  expect(lacking(place, 5, false)).toEqual([]) // nobody else is asked about a place
  expect(placeBodyOf(place, now)).toEqual({
    address: 'Central & 4th',
    radius_m: 250,
    since: '2026-03-01T11:30:00.000Z',
    until: '2026-03-01T12:00:00.000Z',
  })
  expect(placeBodyOf(form({ address: '35.0844, -106.6504' }), now)).toMatchObject({ at: { lat: 35.0844, lon: -106.6504 } })
  expect(degreesOf('1200 Central')).toBeNull()
  expect(lacking({ ...place, address: ' ' }, 5, false)).toEqual(['place'])
})

test('times of one’s own have an end after their beginning', () => {
  const own = form({ about: 'place', address: 'Central & 4th', lastMin: 0 })
  expect(lacking(own, 5, false)).toEqual(['times'])
  expect(lacking({ ...own, from: '2026-03-01T10:00', to: '2026-03-01T09:00' }, 5, false)).toEqual(['times'])
  expect(lacking({ ...own, from: '2026-03-01T10:00', to: '2026-03-02T10:01' }, 5, false)).toEqual(['span'])
  expect(lacking({ ...own, from: '2026-03-01T10:00', to: '2026-03-02T10:00' }, 5, false)).toEqual([])
})

test('a plate and a place are never the same question, and time that goes by changes none', () => {
  const place = form({ about: 'place', address: 'Central & 4th' })
  expect(questionKey(place)).not.toBe(questionKey(form()))
  expect(questionKey(place)).toBe(questionKey({ ...place, plate: 'XYZ' }))
  expect(questionKey({ ...place, radiusM: 500 })).not.toBe(questionKey(place))
})

test('one sees beforehand what an agreement does not say', () => {
  const owner = (purposes: string[], roles: string[]): Owner => ({
    agency_id: 'sheriff',
    name: 'Sheriff',
    agreements: [{ agreement_id: 'g', title: '', expires: '', purposes, roles }],
  })
  expect(barOf({ agency_id: 'x', name: 'X', agreements: [] }, '', 'operator')).toBe('no_agreement')
  expect(barOf(owner(['missing_person'], ['detective']), '', 'operator')).toBe('role')
  expect(barOf(owner(['missing_person'], ['operator']), 'in_progress_call', 'operator')).toBe('purpose')
  expect(barOf(owner(['missing_person'], ['operator']), '', 'operator')).toBeNull()
})

test('an owner who is away or refuses keeps the answer from looking whole', () => {
  const answers = [answer('city'), answer('sheriff', { state: 'away' }), answer('pueblo', { state: 'refused' })]
  expect(wholeness(answers, ['sheriff', 'pueblo'])).toMatchObject({ answered: 1, all: 3 })
  expect(wholeness([answer('city'), answer('x', { state: 'nothing' }), answer('y', { state: 'pointer' })], []).missing).toEqual([])
})

test('an owner whom the node left out counts as away', () => {
  const told = wholeness([answer('city')], ['sheriff'])
  expect(told).toMatchObject({ answered: 1, all: 2 })
  expect(told.missing.map((a) => a.agency_id)).toEqual(['sheriff'])
})

test('reads of all owners stand in one order, and look-alikes have no number', () => {
  const rows = byTime([
    answer('city', { reads: [read('old', 1), read('alike', 9, { look_alike: true })] }),
    answer('sheriff', { reads: [read('new', 5)] }),
  ])
  expect(rows.map((r) => [r.read.read_id, r.number])).toEqual([
    ['alike', 0],
    ['new', 1],
    ['old', 2],
  ])
})
