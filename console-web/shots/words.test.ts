import { expect, test } from 'vitest'

import { en } from '../i18n/en'
import type { Mode, Shot, ShotAlert } from '../wire/model.shots'
import { differencesOf, versionsOf } from './differences'
import {
  answerWords,
  delaySeconds,
  differenceWords,
  doubtsFireworks,
  ellipseWords,
  elsewhere,
  kindShares,
  likeliest,
  modesOf,
  roundsWords,
  type Speaker,
  whereWords,
  withinWords,
} from './words'

const say: Speaker = {
  t: en,
  number: String,
  percent: (value) => `${Math.round(value * 100)} %`,
  compass: (degrees) => en.compass[Math.round(degrees / 45) % 8] ?? '',
}
const PLACE = { lat: 35.0844, lon: -106.6504 }
const at = (second: number) => new Date(Date.UTC(2026, 10, 2, 10) + second * 1000).toISOString()
const mode = (share: number): Mode => ({
  place: PLACE, share, ellipse: { semi_major_m: 20, semi_minor_m: 9, bearing_deg: 45 },
})

function shot(more: Partial<Shot> = {}): Shot {
  return {
    shot_id: 's',
    agency: 'a',
    revision: 1,
    source: 'sensors',
    discharged_at: at(0),
    located_at: at(2.3),
    place: PLACE,
    rounds: [0, 1, 2, 3, 4].map((i) => ({ at: at(i * 0.3), sensors: 6 })),
    probability: 1,
    kinds: { gunshot: 0.9, firework: 0.1 },
    ellipse: { semi_major_m: 9, semi_minor_m: 5, bearing_deg: 45 },
    ...more,
  }
}

function alert(shots: Shot[], more: Partial<ShotAlert> = {}): ShotAlert {
  return {
    alert_id: 'x',
    agency: 'a',
    version: 1,
    level: 1,
    state: 'waiting',
    shots,
    machine: shots[0]!,
    raised_at: at(3),
    changed_at: at(3),
    ...more,
  }
}

const words = (before: ShotAlert, now: ShotAlert) =>
  differencesOf(before, now).map((d) => differenceWords(d, say))

test('an interval is told only where it says more than the number', () => {
  expect(roundsWords(alert([shot()]), say)).toBe('5 rounds')
  expect(roundsWords(alert([shot({ rounds_low: 5, rounds_high: 5 })]), say)).toBe('5 rounds')
  expect(roundsWords(alert([shot({ rounds_low: 4, rounds_high: 7 })]), say)).toBe('5 rounds (4 to 7)')
  expect(roundsWords(alert([shot(), shot()]), say)).toBe('10 rounds in 2 strings')
  expect(roundsWords(alert([shot({ rounds: [{ at: at(0), sensors: 6 }] })]), say)).toBe('1 round')
})

test('the ellipse is told along its axes, and what is not told is said to be so', () => {
  expect(ellipseWords(shot(), say)).toBe('± 9 m to the north-east, ± 5 m across (95 %)')
  const round = { semi_major_m: 8, semi_minor_m: 8, bearing_deg: 0 }
  expect(ellipseWords(shot({ ellipse: round }), say)).toBe('± 8 m (95 %)')
  expect(ellipseWords(shot({ ellipse: null }), say)).toBe('how exact is not told')
  const hair = { semi_major_m: 0.3, semi_minor_m: 0.1, bearing_deg: 0 }
  expect(ellipseWords(shot({ ellipse: hair }), say)).toBe('± 1 m (95 %)') // never ± 0
})

test('two possible places are never told as one', () => {
  const two = shot({ modes: [mode(0.68), mode(0.27)] })
  expect(withinWords(two, say)).toBe('one of two places')
  expect(modesOf(two, say).map((m) => `${m.letter} ${m.percent}`)).toEqual(['A 68 %', 'B 27 %'])
  expect(elsewhere(two)).toBeCloseTo(0.05)
  expect(withinWords(shot({ modes: [mode(0.4), mode(0.3), mode(0.3)] }), say)).toBe('one of 3 places')
  expect(elsewhere(shot({ modes: [mode(0.7), mode(0.3)] }))).toBeNull()
  expect(modesOf(shot({ modes: [mode(1)] }), say)).toEqual([])
  expect(withinWords(shot(), say)).toBe('± 9 m')
})

test('kinds keep their order whatever their shares, and one that is missing has none', () => {
  const shares = kindShares(shot({ kinds: { other: 0.6, gunshot: 0.4 } }))
  expect(shares.map((s) => s.kind)).toEqual(['gunshot', 'firework', 'vehicle', 'construction', 'other'])
  expect(shares[1]!.share).toBe(0)
  expect(likeliest(shot({ kinds: { other: 0.6, gunshot: 0.4 } })).kind).toBe('other')
})

test('fireworks are said to be untested where they are possible at all', () => {
  expect(doubtsFireworks(alert([shot()]))).toBe(true)
  expect(doubtsFireworks(alert([shot({ kinds: { gunshot: 0.995, firework: 0.005 } })]))).toBe(false)
})

test('a time that makes no sense is no delay', () => {
  expect(delaySeconds(shot())).toBeCloseTo(2.3)
  expect(delaySeconds(shot({ located_at: at(-5) }))).toBeNull()
})

test('a place goes by its own words, else its incident, else its zone, else its coordinates', () => {
  const named = alert([shot()], { zone: 'E2', where: '4th & Central' })
  expect(whereWords(named, '412 4th St')).toBe('4th & Central')
  expect(whereWords(alert([shot()], { zone: 'E2' }), '412 4th St')).toBe('412 4th St')
  expect(whereWords(alert([shot()], { zone: 'E2', where: '' }), undefined)).toBe('E2')
  expect(whereWords(alert([shot()]), undefined)).toBe('35.0844, -106.6504')
})

test('strings that the machine took back count for nothing, and it is told that they were', () => {
  const gone = shot({ probability: 0.02, kinds: { firework: 0.9, gunshot: 0.1 } })
  const sure = shot({ kinds: { gunshot: 0.99 }, rounds_low: 5, rounds_high: 5 })
  expect(roundsWords(alert([sure, gone]), say)).toBe('5 rounds')
  expect(doubtsFireworks(alert([sure, gone]))).toBe(false)
  expect(words(alert([sure, { ...gone, probability: 0.8 }]), alert([sure, gone]))).toEqual([
    'now 5 rounds', 'one string', 'one string taken back',
  ])
  expect(answerWords(gone, say)).toBe('Taken back')
  expect(answerWords(sure, say)).toBe('Gunshot 99 %')
})

test('an alert of which nothing stands says so once', () => {
  const gone = alert([shot({ probability: 0.01 })], { version: 2 })
  expect(words(alert([shot()]), gone)).toEqual(['taken back by the machine'])
  expect(differencesOf(gone, { ...gone, version: 3 })).toEqual([])
})

test('a revision is told by what it changed: moved, more rounds, fewer places', () => {
  const before = alert([shot({ modes: [mode(0.6), mode(0.3)] })])
  const away = { lat: PLACE.lat + 14 / 111_195, lon: PLACE.lon }
  const rounds = Array.from({ length: 7 }, (_, i) => ({ at: at(i * 0.3), sensors: 7 }))
  const now = alert([shot({ revision: 2, place: away, rounds })], { version: 2 })
  expect(words(before, now)).toEqual(['moved 14 m', 'now 7 rounds', 'one place remains'])
})

test('what is too little to act on is no change', () => {
  const near = { lat: PLACE.lat + 0.5 / 111_195, lon: PLACE.lon }
  const now = alert([shot({ place: near, kinds: { gunshot: 0.92, firework: 0.08 } })], { version: 2 })
  expect(words(alert([shot()]), now)).toEqual([])
})

test('versions are told newest first, the machine’s answer and every later one', () => {
  const one = alert([shot()])
  const two = { ...one, version: 2, clips: [{ sensor: 'e' }] } as ShotAlert
  const three = { ...two, version: 3, state: 'taken' } as ShotAlert
  const four = {
    ...three, version: 4, state: 'rejected', review: { at: at(20), by: 'p', kind: 'firework' },
  } as ShotAlert
  const five = { ...four, version: 5 } as ShotAlert
  const told = versionsOf([one, two, three, four, five].map((a) => ({ version: a.version, at: at(3), alert: a })))
  expect(told.map((v) => v.version)).toEqual([5, 4, 3, 2, 1])
  expect(told.map((v) => v.differences.map((d) => differenceWords(d, say)).join())).toEqual([
    'no visible change', 'reviewed: Firework', 'taken', '1 clip to hear', 'heard and located',
  ])
})
