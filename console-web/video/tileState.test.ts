import { expect, test } from 'vitest'

import { PICTURE_STATES } from '../wire/video'
import { type Known, SHAPE_OF, standingOf } from './tileState'

const live: Known = {
  phase: 'open',
  lost: null,
  state: 'live',
  freshness: 'fresh',
  faults: [],
  cannot: false,
}

test('a picture looks alive only where it is', () => {
  expect(standingOf(live)).toEqual({ of: 'live', shape: 'live' })
  for (const state of PICTURE_STATES) {
    const { shape } = standingOf({ ...live, state })
    if (SHAPE_OF[state] === 'fault' || SHAPE_OF[state] === 'stop') expect(shape).not.toBe('live')
  }
  expect(standingOf({ ...live, freshness: 'old' })).toEqual({ of: 'old', shape: 'old' })
  expect(standingOf({ ...live, freshness: 'none' })).toEqual({ of: 'opening', shape: 'wait' })
  expect(standingOf({ ...live, phase: 'again', lost: 'broken' }).shape).toBe('wait')
})

test('a picture that does not change is named before other faults', () => {
  expect(standingOf({ ...live, faults: ['blur', 'frozen'] })).toMatchObject({ fault: 'frozen' })
})

test('while it comes back, the reason of the loss stays on the tile', () => {
  expect(standingOf({ ...live, phase: 'asking', lost: 'silent' })).toEqual({
    of: 'end',
    shape: 'wait',
    why: 'silent',
  })
  expect(standingOf({ ...live, phase: 'asking' })).toEqual({ of: 'opening', shape: 'wait' })
})
