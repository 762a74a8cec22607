import { expect, test } from 'vitest'

import type { Incident } from '../wire/model'
import type { CameraRow } from '../wire/video'
import { byOwner, inTurns, urgentFirst } from './filling'

const incident = (id: string, level: number, minute: number, more: object = {}) =>
  ({
    incident_id: id,
    level,
    opened_at: `2026-11-02T10:${minute}:00Z`,
    state: 'open',
    place: { lat: 35, lon: -106 },
    ...more,
  }) as unknown as Incident
const camera = (id: string, owner: string, more: Partial<CameraRow> = {}) =>
  ({ id, owner, state: 'unknown', open: true, ...more }) as CameraRow

test('a wall is filled for the most urgent incidents first, of equals for the newest', () => {
  const all = [incident('a', 3, 30), incident('b', 1, 10), incident('c', 1, 20), incident('d', 1, 5, { place: null })]
  expect(urgentFirst(all).map((one) => one.incident_id)).toEqual(['c', 'b', 'a'])
})

test('every incident has its best camera before any has its second, and none comes twice', () => {
  expect(inTurns([['a', 'b', 'c'], ['d'], ['a', 'e']])).toEqual(['a', 'd', 'b', 'e', 'c'])
  expect(inTurns([])).toEqual([])
})

test('owner by owner, what shows nothing or is not open stays away', () => {
  const cameras = [
    camera('a', 'city', { state: 'unreachable' }),
    camera('b', 'city'),
    camera('c', 'city', { state: 'live' }),
    camera('d', 'transit', { open: false }),
    camera('e', 'transit'),
    camera('f', 'transit', { faults: ['black'] }),
  ]
  expect(byOwner(cameras)).toEqual(['c', 'e', 'b'])
})
