import { expect, test } from 'vitest'

import type { UnitTiming } from '../wire/model'
import { between, comparable, labelOf, placeOf, secondsOf, span, stripOf } from './strips'

const HERE = Date.UTC(2026, 10, 2, 10)
const at = (seconds: number) => new Date(HERE + seconds * 1000).toISOString()

function row(more: Partial<UnitTiming> = {}): UnitTiming {
  return {
    incident_id: 'i',
    label: '26-1',
    kind: 'robbery',
    level: 1,
    unit: '2A14',
    by_alert: false,
    call_at: at(-8),
    here_at: at(0),
    assigned_at: at(0.01),
    composed_at: at(0.05),
    delivered_at: at(0.2),
    opened_at: at(4),
    heard_at: at(9),
    on_scene_at: at(240),
    on_scene_by: 'officer',
    ...more,
  }
}

test('the same time lies at the same place in every row, and later lies further right', () => {
  const times = [-1_800, -5, 0, 0.02, 1, 60, 600, 1_800]
  const places = times.map(placeOf)
  expect([...places].sort((a, b) => a - b)).toEqual(places)
  expect(places[0]).toBe(0)
  expect(places.at(-1)).toBe(1)
})

test('a step that nobody recorded has neither a mark nor a phase', () => {
  const strip = stripOf(row({ call_at: null, opened_at: null, heard_at: null, on_scene_at: null }))
  expect(strip.marks.flatMap((m) => m.steps)).toEqual([2, 3, 4, 5])
  expect(strip.phases.map((p) => p.name)).toEqual(['wait', 'ours'])
})

test('the phases follow each other without a hole where every step is known', () => {
  const { phases } = stripOf(row())
  expect(phases.map((p) => p.name)).toEqual(['before', 'wait', 'ours', 'reach', 'way'])
  for (const [i, phase] of phases.slice(1).entries()) expect(phase.from).toBe(phases[i]!.to)
})

test('marks too close to be read apart share one label, and none is lost', () => {
  const strip = stripOf(row({ assigned_at: at(0), composed_at: at(0.001) }))
  const first = strip.marks.find((m) => m.steps.includes(2))!
  expect(first.steps).toEqual([2, 3, 4])
  expect(labelOf(first.steps)).toBe('2–4')
  expect(first.ticks).toHaveLength(3)
  expect(strip.marks.flatMap((m) => m.steps).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test('a step out of order is drawn where it was, and fills nothing backwards', () => {
  const strip = stripOf(row({ on_scene_at: at(2) }))
  expect(strip.phases.map((p) => p.name)).not.toContain('way')
  expect(strip.marks.map((m) => m.steps[0])).toContain(8)
})

test('what lies off the scale is said to', () => {
  expect(stripOf(row()).beyond).toEqual({ before: false, after: false })
  expect(stripOf(row({ on_scene_at: at(4_000) })).beyond.after).toBe(true)
  expect(stripOf(row({ call_at: at(-4_000) })).beyond.before).toBe(true)
})

test('a long wait for the dispatcher does not squeeze the steps that follow', () => {
  const late = stripOf(
    row({ assigned_at: at(70), composed_at: at(70.02), delivered_at: at(70.4), opened_at: at(73) }),
  )
  const place = (n: number) => late.marks.find((m) => m.steps.includes(n))!.at
  expect(place(6) - place(5)).toBeGreaterThan(0.08)
  expect(between(row(), 'assigned', 'opened')).toBeCloseTo(3.99, 6)
})

test('an alert without a call begins where it was here', () => {
  expect(secondsOf(row({ call_at: null }), 'call')).toBeNull()
  expect(secondsOf(row({ here_at: null }), 'opened')).toBeNull()
})

test('numbers that do not follow each other are named one by one', () => {
  expect(labelOf([6, 3])).toBe('3, 6')
  expect(labelOf([5])).toBe('5')
})

test('a time is as exact as it matters', () => {
  expect([0.0421, 4.26, 59.6, 185, 7_260].map(span)).toEqual([
    '42 ms',
    '4.3 s',
    '1 min 00 s',
    '3 min 05 s',
    '2 h 01 min',
  ])
  expect(span(null)).toBeNull()
})

test('too few calls on either side are not compared', () => {
  const spread = (n: number) => ({ n, p50_s: 60, p95_s: 90 })
  const delay = { calls: 30, waited: 2, waited_s: 40, busy: spread(9), free: spread(21) }
  expect(comparable(delay)).toBe(false)
  expect(comparable({ ...delay, busy: spread(10) })).toBe(true)
})
