import { expect, test } from 'vitest'

import { actsNow, classPairs, cornersOf, dayAfter, emptyForm, groupOf, missing, type TermsForm, termsOf } from './terms'

const NOW = Date.parse('2026-03-01T12:00:00Z')

function form(more: Partial<TermsForm> = {}): TermsForm {
  return {
    ...emptyForm(NOW),
    grantee: 'sheriff',
    plates: 'full',
    title: 'Plate reads for the county',
    text: 'For cars that cross the line.',
    purposes: ['in_progress_call'],
    roles: ['operator'],
    ...more,
  }
}

test('an empty form says what is missing, and nothing is chosen for anybody', () => {
  expect(missing(emptyForm(NOW), NOW)).toEqual(['grantee', 'title', 'text', 'classes', 'purposes', 'roles'])
})

test('a whole form lacks nothing', () => {
  expect(missing(form(), NOW)).toEqual([])
})

test('a term is at most 365 days, and ends after it begins', () => {
  expect(missing(form({ expires: dayAfter(NOW, 365) }), NOW)).toEqual([])
  expect(missing(form({ expires: dayAfter(NOW, 367) }), NOW)).toEqual(['term'])
  expect(missing(form({ expires: dayAfter(NOW, -1) }), NOW)).toEqual(['expires'])
})

test('nothing shared is no agreement', () => {
  expect(missing(form({ plates: '' }), NOW)).toEqual(['classes'])
})

test('plate reads are asked for, the rest follows', () => {
  expect(termsOf(form(), NOW)).toMatchObject({ classes: { plate_read: 'full' }, sharing: ['ask'] })
  const both = termsOf(form({ plates: 'pointer', follows: { alert: true, shot: false } }), NOW)
  expect(both).toMatchObject({ classes: { plate_read: 'pointer', alert: 'full' }, sharing: ['ask', 'follow'] })
  const flows = termsOf(form({ plates: '', follows: { incident: true } }), NOW)
  expect(flows).toMatchObject({ classes: { incident: 'full' }, sharing: ['follow'] })
})

test('a zone is a name and three corners or more', () => {
  const corners = '35.10, -106.60\n35.10 -106.50\n35.05; -106.55'
  expect(cornersOf(corners)).toHaveLength(3)
  expect(cornersOf('35.1, -106.6\n35.1, -106.5')).toBeNull()
  expect(cornersOf(`${corners}\nnorth of the river`)).toBeNull()
  expect(cornersOf(`${corners}\n95, 0`)).toBeNull()
  expect(missing(form({ zones: [{ name: '', corners }] }), NOW)).toEqual(['zones'])
  expect(missing(form({ zones: [{ name: 'Downtown', corners }] }), NOW)).toEqual([])
})

test('a declaration that was begun must be whole', () => {
  expect(missing(form({ declared: true }), NOW)).toEqual(['declaration'])
  const whole = form({ declared: true, declarationId: 'D-14', declaredBy: 'Chief A. Romero' })
  expect(missing(whole, NOW)).toEqual([])
  expect(termsOf(whole, NOW).declaration?.declaration_id).toBe('D-14')
  expect(termsOf(form(), NOW).declaration).toBeNull()
})

test('an agreement stands where a person looks for it', () => {
  const times = { starts: '2026-02-01T00:00:00Z', expires: '2026-04-01T00:00:00Z' }
  expect(groupOf({ state: 'draft', ...times }, NOW)).toBe('signing')
  expect(groupOf({ state: 'proposed', ...times }, NOW)).toBe('signing')
  expect(groupOf({ state: 'in_force', ...times }, NOW)).toBe('acting')
  expect(groupOf({ state: 'in_force', ...times, starts: '2026-03-02T00:00:00Z' }, NOW)).toBe('later')
  expect(groupOf({ state: 'in_force', ...times }, Date.parse(times.expires))).toBe('over')
  expect(groupOf({ state: 'revoked', ...times }, NOW)).toBe('over')
  expect(actsNow({ state: 'revoked', ...times }, NOW)).toBe(false)
})

test('classes are told in one order', () => {
  expect(classPairs({ unit: 'full', plate_read: 'silent' })).toEqual([
    ['plate_read', 'silent'],
    ['unit', 'full'],
  ])
})
