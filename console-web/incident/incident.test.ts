import { expect, test } from 'vitest'

import type { Match } from '../wire/model'
import { columns, pairs } from './align'
import { metresBetween, nearestFirst } from './nearest'

function match(listed: string, read: string, more: Partial<Match> = {}): Match {
  return { read: { plate: read }, entry: { plate: listed }, checks: [], ...more } as unknown as Match
}

test('a doubtful character is marked for a look, with what else it could be', () => {
  const cells = columns(match('BXW237', 'BXW237', { doubtful: [5], alternatives: ['2Z'] }))
  expect(cells.map((c) => c.mark)).toEqual(['same', 'same', 'same', 'same', 'same', 'look'])
  expect(cells[5]!.alternatives).toBe('2Z')
})

test('a differing character is never shown as the same', () => {
  const cells = columns(match('BXW237', 'BXW232'))
  expect(cells[5]).toMatchObject({ listed: '7', read: '2', mark: 'differs' })
})

test('a character that was not read leaves a hole, not a shift of all that follow', () => {
  const cells = columns(match('ABC123', 'AC123'))
  expect(cells.map((c) => c.read)).toEqual(['A', null, 'C', '1', '2', '3'])
  expect(cells.filter((c) => c.mark === 'differs')).toHaveLength(1)
})

test('a character too many stands beside nothing', () => {
  expect(pairs('ABC', 'XABC')).toEqual([
    [null, 0],
    [0, 1],
    [1, 2],
    [2, 3],
  ])
})

test('confidences stay with the characters they were given for', () => {
  const m = match('ABC123', 'AC123')
  m.read.characters = [0.9, 0.8, 0.7, 0.6, 0.5]
  expect(columns(m).map((c) => c.sure)).toEqual([0.9, null, 0.8, 0.7, 0.6, 0.5])
})

test('a hundredth of a degree of latitude is 1,112 m', () => {
  const metres = metresBetween({ lat: 35, lon: -106 }, { lat: 35.01, lon: -106 })
  expect(metres).toBeGreaterThan(1_111)
  expect(metres).toBeLessThan(1_113)
})

test('the nearest unit comes first and one without a place last', () => {
  const unit = (name: string, lat?: number) => ({
    unit: name,
    place: lat === undefined ? null : { lat, lon: -106 },
  })
  const found = nearestFirst([unit('far', 35.2), unit('lost'), unit('near', 35.01)], {
    lat: 35,
    lon: -106,
  })
  expect(found.map((r) => r.unit.unit)).toEqual(['near', 'far', 'lost'])
})
