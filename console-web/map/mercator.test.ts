import { expect, test } from 'vitest'

import { metresBetween } from '../incident/nearest'
import { circle, toWorld } from './mercator'

test('the equator and the date line stand where the map library wants them', () => {
  expect(toWorld({ lat: 0, lon: 0 })).toEqual({ x: 0.5, y: 0.5 })
  expect(toWorld({ lat: 0, lon: -180 }).x).toBe(0)
  expect(toWorld({ lat: 85.0511287798, lon: 0 }).y).toBeCloseTo(0, 9)
})

test('a centimetre survives the 32-bit floats when it is an offset from the origin', () => {
  const here = { lat: 35.0844, lon: -106.6504 }
  const origin = toWorld(here)
  const near = toWorld({ lat: here.lat, lon: here.lon + 1e-7 }) // about 9 mm
  const plain = Math.fround(near.x) - Math.fround(origin.x)
  const offset = Math.fround(near.x - origin.x)
  const wanted = 1e-7 / 360
  expect(Math.abs(plain - wanted) / wanted).toBeGreaterThan(0.5)
  expect(Math.abs(offset - wanted) / wanted).toBeLessThan(1e-4)
})

test('the circle of doubt is as wide as it says, and closed', () => {
  const centre = { lat: 35.0844, lon: -106.6504 }
  const ring = circle(centre, 120)
  expect(ring[0]).toEqual(ring.at(-1))
  for (const [lon, lat] of ring) {
    expect(Math.abs(metresBetween(centre, { lat, lon }) - 120)).toBeLessThan(1)
  }
})
