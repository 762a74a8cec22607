import { expect, test } from 'vitest'

import { between, inside, LEAST, nudged, placeAt, withKey, withoutKey } from './redaction'

const box = { x: 0.1, y: 0.2, w: 0.2, h: 0.2 }

test('between two keys a box moves evenly, and outside of them it is not', () => {
  const keys = withKey(withKey([], 2_000, { ...box, x: 0.5 }), 1_000, box)
  expect(keys.map((k) => k.at_ms)).toEqual([1_000, 2_000])
  expect(placeAt(keys, 1_500)!.x).toBeCloseTo(0.3)
  expect(placeAt(keys, 1_000)).toEqual(box)
  expect([placeAt(keys, 900), placeAt(keys, 2_100), placeAt([], 0)]).toEqual([null, null, null])
})

test('a second key at the same picture replaces the first', () => {
  const keys = withKey(withKey([], 1_000, box), 1_010, { ...box, y: 0.5 })
  expect(keys).toHaveLength(1)
  expect(keys[0]!.y).toBe(0.5)
  expect(withoutKey(keys, 1_000)).toEqual([])
})

test('whatever the hand does, a box stays inside the picture', () => {
  for (let i = 0; i < 300; i += 1) {
    const at = () => Math.random() * 4 - 2
    const { x, y, w, h } = between(at(), at(), at(), at())
    for (const start of [x, y]) expect(start).toBeGreaterThanOrEqual(0)
    for (const [start, size] of [[x, w], [y, h]] as const) {
      expect(size).toBeGreaterThanOrEqual(LEAST)
      expect(start + size).toBeLessThanOrEqual(1 + 1e-9)
      expect(start).toBeLessThan(1)
    }
  }
  expect(inside({ x: 0, y: 0, w: 9, h: 0 })).toEqual({ x: 0, y: 0, w: 1, h: LEAST })
})

test('arrows move a box, and with Shift they size it', () => {
  expect(nudged(box, 'ArrowRight', false)!.x).toBeCloseTo(0.11)
  expect(nudged(box, 'ArrowDown', true)!.h).toBeCloseTo(0.21)
  expect(nudged(box, 'x', false)).toBeNull()
})
