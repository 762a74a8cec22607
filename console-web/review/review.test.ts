import { expect, test } from 'vitest'

import { fieldsOf, groupOf, leftS, totalOf } from './review'

const NOW = Date.parse('2026-11-23T10:00:00Z')
const due = (hours: number) => ({ due: new Date(NOW + hours * 3_600_000).toISOString() })

test('a deadline is past, within a day, or later', () => {
  expect([-1, 0, 0.5, 24, 25].map((h) => groupOf(due(h), NOW))).toEqual(['late', 'late', 'soon', 'soon', 'later'])
  expect(leftS(due(-1), NOW)).toBe(-3600)
})

test('fields are offered in the order in which one asks, and only those still kept', () => {
  expect(fieldsOf({ openable: ['user', 'case'] })).toEqual(['case', 'user'])
  expect(fieldsOf({ openable: [] })).toEqual([])
})

test('counts of all rules are one line', () => {
  const rules = [
    { rule: 'repeat', raised: 2, open: 1, overdue: 1, decided: { training: 1 } },
    { rule: 'sample', raised: 3, open: 0, overdue: 0, decided: { training: 1, explained: 2 } },
  ]
  expect(totalOf(rules)).toEqual({ raised: 5, open: 1, overdue: 1, decided: { training: 2, explained: 2 } })
})
