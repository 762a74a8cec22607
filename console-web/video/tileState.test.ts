import { expect, test } from 'vitest'

import { en } from '../i18n/en'
import { es } from '../i18n/es'
import { PICTURE_STATES } from '../wire/video'
import { type Known, SHAPE_OF, standingOf } from './tileState'
import { reasonWords } from './words'

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

test('a reason is told in the language of the screen, and in the node’s own where it is new', () => {
  const turns = { word: 'turns', says: 'must turn first, about 2.5 s', values: { seconds: 2.5 } }
  expect(reasonWords(turns, en.video)).toBe('must turn first, about 2.5 s')
  expect(reasonWords(turns, es.video)).toBe('antes debe girar, unos 2.5 s')
  const down = { word: 'state_unreachable_since', says: 'down since 10:42', values: { since: '10:42' } }
  expect(reasonWords(down, es.video)).toBe('No se alcanza desde 10:42')
  expect(reasonWords({ word: 'fault_blur', says: '' }, es.video)).toBe('Imagen borrosa')
  expect(reasonWords({ word: 'new', says: 'a new one' }, es.video)).toBe('a new one')
})
