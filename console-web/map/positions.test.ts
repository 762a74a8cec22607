import { expect, test } from 'vitest'

import type { PositionRow } from '../wire/model'
import { toWorld } from './mercator'
import { FLOATS_A_UNIT, LOOK_CHOSEN, LOOK_DOUBT, LOOK_MUTED, Positions } from './positions'

const NOW = Date.UTC(2026, 10, 2, 10)
const none = new Set<string>()

function row(unit: string, lat: number | null = 35.1, more: Partial<PositionRow> = []): PositionRow {
  const plain: PositionRow = [unit, lat, lat === null ? null : -106.6, 90, 12, NOW, null, false, 'avl']
  return plain.map((value, i) => (more[i] === undefined ? value : more[i])) as PositionRow
}

function packed(positions: Positions, chosen: ReadonlySet<string> = none, now = NOW) {
  const { points, count } = positions.pack(new Float32Array(0), now, chosen)
  return Array.from({ length: count }, (_, i) => [
    ...points.slice(i * FLOATS_A_UNIT, (i + 1) * FLOATS_A_UNIT),
  ])
}

test('a unit that was never heard of is not drawn in the Gulf of Guinea', () => {
  const positions = new Positions()
  positions.hear([row('2A14'), row('3B02', null)], true)
  expect(positions.size).toBe(2)
  expect(packed(positions)).toHaveLength(1)
  expect(positions.get('3B02')!.place).toBeNull()
})

test('a metre survives the 32-bit buffer, however far the city lies from the equator', () => {
  const positions = new Positions()
  positions.hear([row('A', 35.1), row('B', 35.100009)], true) // a metre further north
  const [, second] = packed(positions)
  const wanted = toWorld({ lat: 35.100009, lon: -106.6 }).y - toWorld({ lat: 35.1, lon: -106.6 }).y
  expect(Math.abs(second![1]! - wanted) / Math.abs(wanted)).toBeLessThan(1e-5)
})

test('a delta moves who it names and leaves the others; a full one replaces everything', () => {
  const positions = new Positions()
  positions.hear([row('A'), row('B')], true)
  positions.hear([row('B', 35.2)], false)
  expect([positions.get('A')!.place!.lat, positions.get('B')!.place!.lat]).toEqual([35.1, 35.2])
  positions.hear([row('C')], true)
  expect(positions.get('A')).toBeNull()
  expect(positions.size).toBe(1)
})

test('an old position grows pale, and one without a time is wholly pale', () => {
  const positions = new Positions()
  const rows = [row('fresh'), row('old', 35.1, [, , , , , NOW - 165_000]), row('lost')]
  rows[2]![5] = null
  positions.hear(rows, true)
  expect(packed(positions).map((p) => p[2])).toEqual([0, 0.5, 1])
})

test('heading, muted, doubt and the chosen unit each have a look of their own', () => {
  const positions = new Positions()
  const rows = [
    row('A', 35.1, [, , , 180]),
    row('B', 35.1, [, , , , , , 'two_places', true]),
    row('C', null),
    row('D'),
  ]
  rows[3]![3] = null
  positions.hear(rows, true)
  const points = packed(positions, new Set(['D']))
  expect(points.map((p) => p[3])).toEqual([0.5, 0.25, -1])
  expect(points.map((p) => p[4])).toEqual([0, LOOK_MUTED + LOOK_DOUBT, LOOK_CHOSEN])
})

test('ten thousand units fit, and keep their places while room is made', () => {
  const positions = new Positions()
  const rows = Array.from({ length: 10_000 }, (_, i) => row(`U${i}`, 35 + i / 100_000))
  positions.hear(rows, true)
  expect(packed(positions)).toHaveLength(10_000)
  expect(positions.get('U9999')!.place!.lat).toBeCloseTo(35.09999, 9)
  expect(positions.get('U0')!.place!.lat).toBe(35)
})

test('the age on screen counts each change once, when it was painted', () => {
  const positions = new Positions()
  positions.hear([row('A', 35.1, [, , , , , NOW - 400]), row('B', 35.1, [, , , , , NOW - 600])], true)
  expect(positions.takeFreshAges(NOW)).toEqual([400, 600])
  expect(positions.takeFreshAges(NOW)).toEqual([])
  positions.hear([row('A', 35.1, [, , , , , NOW])], false)
  expect(positions.takeFreshAges(NOW + 250)).toEqual([250])
})

test('a click finds the nearest unit within reach and nothing beyond it', () => {
  const positions = new Positions()
  positions.hear([row('A', 35.1), row('B', 35.11), row('C', null)], true)
  const near = toWorld({ lat: 35.1004, lon: -106.6 })
  expect(positions.pick(near, 1e-5)).toBe('A')
  expect(positions.pick(near, 1e-9)).toBeNull()
})

test('the list is bounded and says how many it stands for', () => {
  const positions = new Positions()
  positions.hear([row('3B02'), row('2A14'), row('2A15')], true)
  expect(positions.list(1)).toMatchObject({ found: 3, units: [{ unit: '2A14' }] })
  expect(positions.list(9, '2a').units.map((u) => u.unit)).toEqual(['2A14', '2A15'])
})
