import { expect, test } from 'vitest'

import { passingAt } from './reach'

const at = (second: number) => new Date(Date.UTC(2026, 10, 2, 10) + second * 1000).toISOString()
const reader = { device: 'r', name: 'R', earliest_at: at(40), latest_at: at(200) }

test('a car may pass from the earliest to the latest time, and no longer', () => {
  const passing = [0, 39, 40, 120, 200, 201].map((s) => passingAt(reader, Date.parse(at(s))))
  expect(passing).toEqual(['not_yet', 'not_yet', 'could_have', 'could_have', 'could_have', 'over'])
})

test('where no road is known nothing is said of passing', () => {
  expect(passingAt({ device: 'c', name: 'C', metres: 80 }, Date.parse(at(0)))).toBeNull()
})
