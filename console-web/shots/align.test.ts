import { expect, test } from 'vitest'

import type { Clip, Heard, Shot } from '../wire/model.shots'
import { axisOf, placed, plainTravel, roundSeconds, share, ticks, travelOf } from './align'

const BEGAN = Date.UTC(2026, 10, 2, 10, 0, 0)
const at = (seconds: number) => new Date(BEGAN + seconds * 1000).toISOString()
const PACE_S = 0.3
const LEAD_S = 0.5

const heard = (sensor: string, metres: number, onset: number, residual_ms = 0): Heard => ({
  sensor, metres, onset_at: at(onset), rounds: 3, residual_ms,
})
const clip = (sensor: string, starts: number, seconds = 3): Clip => ({
  sensor, sha256: `${sensor}${starts}`, starts_at: at(starts), seconds, rate_hz: 12_000,
})

function shot(who: Heard[], rounds = 3): Shot {
  return {
    discharged_at: at(0),
    rounds: Array.from({ length: rounds }, (_, i) => ({ at: at(i * PACE_S), sensors: who.length })),
    heard: who,
    weather: { at: at(0), temperature_c: 20 },
  } as Shot
}

test('sound needs about three seconds for a kilometre, longer in the cold', () => {
  expect(plainTravel(1_000, 20)).toBeCloseTo(2.916, 3)
  expect(plainTravel(1_000, -20)).toBeGreaterThan(plainTravel(1_000, 35))
})

test('one round stands at one place in every clip, near or far', () => {
  const who = [170, 480, 910].map((m, i) => heard(`ear-${i}`, m, plainTravel(m, 20)))
  const clips = who.map((h, i) => clip(h.sensor, plainTravel(h.metres, 20) - LEAD_S - i / 10))
  for (const [i, { starts }] of placed(clips, shot(who)).entries()) {
    expect(starts! + LEAD_S + i / 10).toBeCloseTo(0, 2) // the first round, in each clip
  }
})

test('wind is in the solved onset, so the clip follows it and not the plain speed of sound', () => {
  const plain = plainTravel(900, 20)
  const downwind = heard('ear', 900, plain - 0.06)
  expect(travelOf(downwind, shot([downwind]))).toBeCloseTo(plain - 0.06, 2)
})

test('a sensor that came late by a bent way is not moved to look on time', () => {
  const late = heard('ear', 300, plainTravel(300, 20) + 0.04, 40)
  expect(travelOf(late, shot([late]))).toBeCloseTo(plainTravel(300, 20), 2)
})

test('who heard only the third round is aligned by the third round', () => {
  const third = heard('ear', 600, plainTravel(600, 20) + 2 * PACE_S)
  expect(travelOf(third, shot([third]))).toBeCloseTo(plainTravel(600, 20), 2)
})

test('an onset that fits no round leaves the plain speed of sound', () => {
  const odd = heard('ear', 600, plainTravel(600, 20) + 5)
  expect(travelOf(odd, shot([odd]))).toBeCloseTo(plainTravel(600, 20), 6)
})

test('the nearest stands first; one whose way is not known is last and not aligned', () => {
  const who = [heard('far', 800, 2.4), heard('near', 120, 0.4)]
  const order = placed([clip('stranger', 0), clip('far', 2), clip('near', 0)], shot(who))
  expect(order.map((c) => c.clip.sensor)).toEqual(['near', 'far', 'stranger'])
  expect(order[2]!.starts).toBeNull()
})

test('of two clips of one sensor the one nearer to what it heard stands for it', () => {
  const who = [heard('ear', 340, 1)]
  const both = placed([clip('ear', 40), clip('ear', 0.6)], shot(who))
  expect(both.map((c) => c.clip.starts_at)).toEqual([at(0.6)])
})

test('the axis takes in every round, and its marks are whole steps within it', () => {
  const who = [heard('ear', 340, plainTravel(340, 20))]
  const long = shot(who, 20)
  const axis = axisOf(long, placed([clip('ear', 0.5)], long))
  for (const round of roundSeconds(long)) {
    expect(share(round, axis)).toBeGreaterThan(0)
    expect(share(round, axis)).toBeLessThan(1)
  }
  const marks = ticks(axis)
  expect(marks).toContain(0)
  expect(marks.length).toBeGreaterThan(4)
  expect(marks.length).toBeLessThan(14)
  expect(marks.every((m) => m >= axis.from && m <= axis.to)).toBe(true)
})
