import { expect, test } from 'vitest'

import { Motion, OWN_SPEED_KEPT_MS, REST_AFTER_MS, SPEED_FORGOTTEN_MS } from './motion'

const kmh = (speed: number) => speed / 3.6

test('a car is in motion above 8 km/h and not at a walk', () => {
  const motion = new Motion()
  expect(motion.hear('phone', kmh(7.9), 0)).toBe(false)
  expect(motion.hear('phone', kmh(8.1), 1_000)).toBe(true)
})

test('creeping between 5 and 8 km/h changes nothing, whichever way it came', () => {
  const motion = new Motion()
  expect(motion.hear('phone', kmh(6), 0)).toBe(false)
  motion.hear('phone', kmh(30), 1_000)
  for (let at = 2_000; at < 60_000; at += 1_000) {
    expect(motion.hear('phone', kmh(6), at)).toBe(true)
  }
})

test('it rests only after five whole seconds under 5 km/h', () => {
  const motion = new Motion()
  motion.hear('phone', kmh(40), 0)
  motion.hear('phone', kmh(2), 1_000)
  expect(motion.at(1_000 + REST_AFTER_MS - 1)).toBe(true)
  expect(motion.at(1_000 + REST_AFTER_MS)).toBe(false)
})

test('a moment of rolling begins the five seconds anew', () => {
  const motion = new Motion()
  motion.hear('phone', kmh(40), 0)
  motion.hear('phone', kmh(2), 1_000)
  motion.hear('phone', kmh(6), 5_500)
  motion.hear('phone', kmh(1), 6_000)
  expect(motion.at(10_999)).toBe(true)
  expect(motion.at(11_000)).toBe(false)
})

test('stop and go does not flicker', () => {
  const motion = new Motion()
  const seen = new Set<boolean>()
  motion.hear('phone', kmh(20), 0)
  for (let s = 1; s < 120; s += 1) seen.add(motion.hear('phone', kmh(s % 4 === 0 ? 12 : 1), s * 1_000))
  expect([...seen]).toEqual([true])
})

test('the phone’s own speed stands before the node’s, as long as it is fresh', () => {
  const motion = new Motion()
  motion.hear('phone', kmh(0), 0)
  expect(motion.hear('node', kmh(60), OWN_SPEED_KEPT_MS - 1)).toBe(false)
  expect(motion.hear('node', kmh(60), OWN_SPEED_KEPT_MS)).toBe(true)
})

test('a speed that is not known changes nothing, and is forgotten in the end', () => {
  const motion = new Motion()
  motion.hear('node', kmh(60), 0)
  expect(motion.hear('node', null, 2_000)).toBe(true)
  expect(motion.hear('phone', Number.NaN, 3_000)).toBe(true)
  expect(motion.at(SPEED_FORGOTTEN_MS - 1)).toBe(true)
  expect(motion.at(SPEED_FORGOTTEN_MS)).toBe(false)
})
