import { expect, test } from 'vitest'

import { FIRST, formOf, hoursOf, hoursWords } from './hours'

const NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

test('hours that are shown and kept again are the same', () => {
  const hours = [{ days: [0, 1, 4], since: '22:00:00', until: '06:30:00' }]
  expect(hoursOf(formOf(hours))).toEqual(hours)
  expect(hoursWords(hours, NAMES)).toBe('Mon–Tue Fri 22:00–06:30')
})

test('a window without a day is none', () => {
  expect(hoursOf([{ ...FIRST, days: FIRST.days.map(() => false) }])).toBeNull()
  expect(hoursOf([{ ...FIRST, until: '' }])).toBeNull()
  expect(hoursOf(formOf([]))).toHaveLength(1)
})
