import { expect, test } from 'vitest'

import { localMinute, nearForm, nearHref } from './near'
import { emptyQuestion, lacking, placeBodyOf } from './question'

const AT = '2026-03-01T12:00:30.000Z'
const HAPPENED = { place: { lat: 35.0844, lon: -106.6504 }, at: AT, caseNumber: '26-118204' }

function asked(now: string): Record<string, unknown> {
  const hash = new URL(nearHref(HAPPENED), 'http://localhost').hash
  return placeBodyOf({ ...emptyQuestion(), ...nearForm(hash, Date.parse(now)) }, Date.parse(now))
}

test('an incident gives place, case and the time around it', () => {
  expect(asked('2026-03-01T18:00:00Z')).toEqual({
    at: { lat: 35.0844, lon: -106.6504 },
    radius_m: 250,
    since: '2026-03-01T11:45:00.000Z',
    until: '2026-03-01T12:31:00.000Z',
  })
  const form = { ...emptyQuestion(), ...nearForm(new URL(nearHref(HAPPENED), 'http://localhost').hash, Date.parse(AT)) }
  expect(form.caseNumber).toBe('26-118204')
  expect(lacking({ ...form, purpose: 'in_progress_call' }, 5, false)).toEqual([])
})

test('what happened just now is asked about up to this minute', () => {
  expect(asked('2026-03-01T12:03:10Z')).toMatchObject({ until: '2026-03-01T12:04:00.000Z' })
})

test('an address that says nothing fills in nothing', () => {
  for (const hash of ['', '#', '#near=here&at=now', '#near=35.1,-106.6', `#at=${AT}`]) {
    expect(nearForm(hash, 0)).toEqual({})
  }
})

test('a minute is written in the time of the screen', () => {
  expect(Date.parse(localMinute(Date.parse('2026-07-01T10:20:59Z')))).toBe(Date.parse('2026-07-01T10:20:00Z'))
})
