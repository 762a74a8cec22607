import { expect, test } from 'vitest'

import { Ages, OLD_AFTER_MS } from './age'
import { Offset } from './offset'
import { AGAIN_FIRST_MS, AGAIN_MAX_MS, Retry, TOKENS_IN_A_ROW_MAX } from './retry'

test('the clocks are compared by the quickest ping', () => {
  const offset = new Offset()
  offset.hint(10_700, 200)
  expect(offset.ms).toBe(10_500)
  expect(offset.doubtMs).toBe(Infinity)
  offset.add(1_000, 11_500, 2_000) // a second on the way
  offset.add(3_000, 13_010, 3_020)
  offset.add(4_000, 14_900, 5_000)
  expect(offset.ms).toBe(10_000)
  expect(offset.doubtMs).toBe(10)
})

test('a quick ping of long ago is forgotten: clocks drift', () => {
  const offset = new Offset()
  offset.add(0, 5_000, 2)
  for (let i = 1; i <= 8; i += 1) offset.add(i * 1_000, i * 1_000 + 7_020, i * 1_000 + 40)
  expect(offset.ms).toBe(7_000)
})

test('the delay is what was measured of live pictures, not of those that waited', () => {
  const ages = new Ages()
  ages.shown(1_000, 3_000, false)
  expect(ages.delayMs).toBeNull()
  expect(ages.ageMs(3_000)).toBe(2_000)
  for (const [at, late] of [[3_960, 1_900], [4_000, 10], [4_040, 200], [4_080, 12]] as const) {
    ages.shown(at, at + late, true)
  }
  expect(ages.delayMs).toBe(12)
})

test('a picture is old after two seconds', () => {
  const ages = new Ages()
  expect(ages.freshness(0, 'full', false)).toBe('none')
  ages.shown(1_000, 1_010, true)
  expect(ages.freshness(1_000 + OLD_AFTER_MS, 'full', false)).toBe('fresh')
  expect(ages.freshness(1_001 + OLD_AFTER_MS, 'full', false)).toBe('old')
})

test('key frames that come every four seconds are not old after three', () => {
  const ages = new Ages()
  for (let at = 0; at <= 20_000; at += 4_000) ages.shown(at, at + 20, true)
  expect(ages.freshness(24_000, 'key', false)).toBe('fresh')
  expect(ages.freshness(24_000, 'full', false)).toBe('old')
  expect(ages.freshness(29_000, 'key', false)).toBe('old')
  ages.newRhythm()
  expect(ages.oldAfterMs('full', false)).toBe(OLD_AFTER_MS)
})

test('a clock that is a little wrong makes no picture of the future', () => {
  const ages = new Ages()
  ages.shown(4_900, 4_890, true)
  ages.shown(5_000, 4_990, true)
  expect(ages.delayMs).toBe(0)
  expect(ages.ageMs(4_990)).toBe(0)
})

test('pauses grow to a limit, and begin anew after good pictures', () => {
  const retry = new Retry(() => 1)
  const waits = Array.from({ length: 8 }, () => retry.next('broken')).map((n) => n.again && n.afterMs)
  expect(waits.slice(0, 3)).toEqual([AGAIN_FIRST_MS, 2 * AGAIN_FIRST_MS, 4 * AGAIN_FIRST_MS])
  expect(waits.at(-1)).toBe(AGAIN_MAX_MS)
  retry.good()
  expect(retry.next('line')).toEqual({ again: true, afterMs: AGAIN_FIRST_MS })
})

test('who was cut off knocks no more, and who ran out asks at once', () => {
  const retry = new Retry(() => 1)
  expect(retry.next('cut')).toEqual({ again: false })
  expect(retry.next('expired')).toEqual({ again: true, afterMs: 0 })
  expect(retry.next('expired')).toMatchObject({ again: true, afterMs: 2 * AGAIN_FIRST_MS })
})

test('a token refused again and again is not asked for for ever', () => {
  const retry = new Retry(() => 0)
  const tries = Array.from({ length: TOKENS_IN_A_ROW_MAX }, () => retry.next('replayed').again)
  expect(tries).toEqual([true, true, false])
})
