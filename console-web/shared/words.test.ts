import { expect, test } from 'vitest'

import type { SharedItem } from '../wire/federation'
import { clockLeft, factsOf, fieldsOf, levelOf, plateOf, unitsOf } from './words'

const item = (detail: Record<string, unknown>): SharedItem => ({
  kind: 'alert',
  item_id: 'a',
  grantor: 'sheriff',
  grantor_name: 'Sheriff',
  agreement_id: null,
  version: 1,
  at: '2026-03-01T12:00:00Z',
  received_at: '2026-03-01T12:00:00Z',
  purge_at: '2026-03-08T12:00:00Z',
  title: 'x',
  detail,
})

test('a field that we have no word for is told all the same', () => {
  const told = item({ level: 1, plate: 'ABC123', reason: 'stolen', axle_count: 4.04, at_dusk: true, none: null, tags: ['a'] })
  expect(fieldsOf(told)).toEqual([
    { name: 'reason', value: 'stolen', isTime: false },
    { name: 'axle_count', value: '4', isTime: false },
    { name: 'at_dusk', value: '✓', isTime: false },
    { name: 'tags', value: '["a"]', isTime: false },
  ])
})

test('a time is known as one', () => {
  expect(fieldsOf(item({ confirmed_at: '2026-03-01T12:00:00Z' }))[0]?.isTime).toBe(true)
})

test('a priority that is none does not shout', () => {
  expect(levelOf(item({ level: 1 }))).toBe(1)
  expect(levelOf(item({ level: 'very high' }))).toBe(3)
  expect(levelOf(item({}))).toBe(3)
})

test('units and facts that are not written as such are left to the fields', () => {
  expect(unitsOf(item({ units: [{ unit: '2A11', status: 'en_route' }, 'x', { unit: 4 }] }))).toHaveLength(1)
  expect(factsOf(item({ facts: 'none' }))).toEqual([])
  expect(plateOf(item({ plate: 'ABC123', plate_state: 'NM' }))).toEqual({ plate: 'ABC123', state: 'NM' })
  expect(plateOf(item({}))).toBeNull()
})

test('the clock of mutual aid runs down to nothing and no further', () => {
  const until = '2026-03-01T16:00:00Z'
  expect(clockLeft(until, Date.parse('2026-03-01T12:47:51Z'))).toBe('3:12:09')
  expect(clockLeft(until, Date.parse('2026-03-01T17:00:00Z'))).toBe('0:00:00')
})
