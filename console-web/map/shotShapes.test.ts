import { expect, test } from 'vitest'

import { metresBetween } from '../incident/nearest'
import type { Coverage, Sensor, Shot, ShotAlert } from '../wire/model.shots'
import { ninetyLine, stepOf } from './coverageRaster'
import { ellipseRing } from './mercator'
import { ears, ellipses, modeLabels, pins, rounds } from './shotShapes'

const PLACE = { lat: 35.0844, lon: -106.6504 }
const AT = '2026-11-02T10:00:00Z'
const ellipse = { semi_major_m: 30, semi_minor_m: 10, bearing_deg: 90 }

function alert(string: Partial<Shot>): ShotAlert {
  const shot = {
    place: PLACE, ellipse, rounds: [{ at: AT, sensors: 5 }], probability: 1, kinds: { gunshot: 1 },
    ...string,
  } as Shot
  return { alert_id: 'a', level: 1, shots: [shot], machine: shot } as ShotAlert
}

const sensor = (id: string, east: number, state = 'up') =>
  [id, { sensor: id, name: id, state, place: { lat: PLACE.lat, lon: PLACE.lon + east } }] as [string, Sensor]

test('an ellipse has its true size on the ground, and its long axis points where it should', () => {
  const ring = ellipseRing(PLACE, 30, 10, 90)
  expect(ring[0]).toEqual(ring.at(-1))
  const far = ring.map(([lon, lat]) => metresBetween(PLACE, { lat, lon }))
  expect(Math.max(...far)).toBeCloseTo(30, 0)
  expect(Math.min(...far)).toBeCloseTo(10, 0)
  const longest = ring[far.indexOf(Math.max(...far))]!
  expect(longest[0]).toBeGreaterThan(PLACE.lon) // 90° is east
  expect(longest[1]).toBeCloseTo(PLACE.lat, 5)
})

test('an ambiguous shot shows every place, each with its letter and share', () => {
  const away = { lat: 35.086, lon: -106.651 }
  const two = alert({ modes: [{ place: PLACE, ellipse, share: 0.7 }, { place: away, ellipse, share: 0.3 }] })
  expect(ellipses([two], 'a').features).toHaveLength(2)
  expect(ellipses([two], 'a').features.every((f) => f.properties!['edge'] === 'doubtful')).toBe(true)
  const labels = modeLabels(two, (share) => `${share * 100} %`)
  expect(labels.features.map((f) => f.properties!['says'])).toEqual(['A 70 %', 'B 30 %'])
  expect(modeLabels(alert({}), String).features).toEqual([])
})

test('a vendor that tells no ellipse gets a pin and none is made up', () => {
  const told = alert({ ellipse: null })
  expect(ellipses([told], null).features).toEqual([])
  expect(pins([told], 'a').features[0]!.properties).toEqual({ id: 'a', level: 1, selected: true })
})

test('a shooter who moves leaves a way with numbered rounds; one who stands leaves none', () => {
  const moved = alert({
    rounds: [
      { at: AT, sensors: 5, place: PLACE },
      { at: AT, sensors: 5 },
      { at: AT, sensors: 5, place: { lat: 35.0845, lon: -106.6503 } },
    ],
  })
  const kinds = rounds(moved).features.map((f) => f.geometry.type)
  expect(kinds).toEqual(['LineString', 'Point', 'Point'])
  expect(rounds(moved).features.slice(1).map((f) => f.properties!['says'])).toEqual(['1', '3'])
  expect(rounds(alert({})).features).toEqual([])
})

test('who heard is full, who was silent hollow, who was out crossed; places nobody may see stay out', () => {
  const net = new Map([sensor('e1', 0.001), sensor('e2', 0.002), sensor('e3', 0.003, 'down')])
  const heard = [{ sensor: 'e1', metres: 90, onset_at: AT, rounds: 1, residual_ms: 0 }]
  const one = alert({ heard, silent: ['e2', 'hidden'], down: ['e3'] })
  const drawn = ears(one, net, false)
  const roles = drawn.sensors.features.map((f) => [f.properties!['id'], f.properties!['ear']])
  expect(Object.fromEntries(roles)).toEqual({ e1: 'heard', e2: 'silent', e3: 'down' })
  expect(drawn.lines.features).toHaveLength(1)
  expect(ears(one, new Map(), false).sensors.features).toEqual([])
  expect(ears(null, net, true).sensors.features).toHaveLength(3)
  expect(ears(null, net, false).sensors.features).toEqual([])
})

test('what the machine took back has no pin and no lines, and of the selected alert its outline', () => {
  const heard = [{ sensor: 'e1', metres: 90, onset_at: AT, rounds: 1, residual_ms: 0 }]
  const gone = alert({ probability: 0.02, heard })
  expect(pins([gone], 'a').features).toEqual([])
  expect(ellipses([gone], null).features).toEqual([])
  expect(ellipses([gone], 'a').features.map((f) => f.properties!['edge'])).toEqual(['back'])
  expect(ears(gone, new Map([sensor('e1', 0.001)]), false).sensors.features).toEqual([])
  const mixed = { ...gone, shots: [gone.shots[0]!, alert({}).shots[0]!] } as ShotAlert
  expect(pins([mixed], 'a').features).toHaveLength(1)
  expect(ellipses([mixed], 'a').features.map((f) => f.properties!['edge'])).toEqual(['back', 'sure'])
})

test('steps of the coverage begin where the legend says', () => {
  expect([-1, 0, 49, 50, 69, 70, 89, 90, 100].map(stepOf)).toEqual([-1, 0, 0, 1, 1, 2, 2, 3, 3])
})

test('the 90 % line goes around the cells that have it, in as few strokes as it needs', () => {
  const coverage: Coverage = {
    at: AT, west: 0, south: 0, east: 3, north: 3, columns: 3, rows: 3,
    p: [10, 10, -1, 95, 95, 20, 10, 10, 10],
  }
  const lines = ninetyLine(coverage)
  const length = lines.reduce((sum, [a, b]) => sum + Math.abs(a![0] - b![0]) + Math.abs(a![1] - b![1]), 0)
  expect(length).toBe(6) // two cells beside each other have a border of six sides
  expect(lines).toHaveLength(4)
  expect(lines).toContainEqual([[0, 2], [2, 2]])
})
