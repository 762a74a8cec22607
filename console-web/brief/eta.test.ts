import { expect, test } from 'vitest'

import type { Brief } from '../wire/model'
import { etaOf, type Way } from './eta'

const START = Date.parse('2026-11-23T10:00:00Z')
const AT = '2026-11-23T10:00:00Z'
const brief = (more: Partial<Brief> = {}) =>
  ({ brief_id: 'b1', composed_at: AT, eta_s: 300, place: { lat: 35, lon: -106 }, ...more }) as unknown as Brief
const way = (more: Partial<Way> = {}): Way => ({
  k: 'way', at: AT, brief_id: 'b1', eta_s: 120, metres: 900, speed_mps: 14, ...more,
}) // prettier-ignore

test('the time left is counted down from when it was reckoned, and never below nothing', () => {
  expect(etaOf(brief(), way(), START + 20_000)).toEqual({ seconds: 100, metres: 900, age_s: 20 })
  expect(etaOf(brief(), way(), START + 500_000)?.seconds).toBe(0)
})

test('until the node tells of the way, the brief’s own time counts', () => {
  expect(etaOf(brief(), null, START + 60_000)).toEqual({ seconds: 240, metres: null, age_s: 60 })
  expect(etaOf(brief(), way({ brief_id: 'other' }), START)?.seconds).toBe(300)
})

test('no road and no word are told apart', () => {
  expect(etaOf(brief(), way({ eta_s: null }), START)?.seconds).toBeNull()
  expect(etaOf(brief({ eta_s: null }), null, START)).toBeNull()
})

test('a brief that ended, was recalled or has no place has no time of arrival', () => {
  expect(etaOf(brief({ place: null }), way(), START)).toBeNull()
  expect(etaOf(brief({ ended_at: AT }), way(), START)).toBeNull()
  expect(etaOf(brief({ recalled: true }), way(), START)).toBeNull()
})
