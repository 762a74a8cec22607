import { expect, test } from 'vitest'

import { metresBetween } from '../incident/nearest'
import { circle, fromWorld, originMatrix, toWorld } from './mercator'

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

test('the folded matrix sends an offset where the plain one sends the place', () => {
  const matrix = [2, 0, 0, 0, 0, -3, 0, 0, 0, 0, 1, 0, -0.25, 0.5, 0, 1]
  const origin = { x: 0.2, y: 0.4 }
  const folded = originMatrix(matrix, origin)
  expect(folded[12]).toBeCloseTo(2 * 0.2 - 0.25, 6)
  expect(folded[13]).toBeCloseTo(-3 * 0.4 + 0.5, 6)
  expect(folded[15]).toBe(1)
})

test('a place goes to the world and comes back', () => {
  const back = fromWorld(toWorld({ lat: 35.0844, lon: -106.6504 }))
  expect(back.lat).toBeCloseTo(35.0844, 9)
  expect(back.lon).toBeCloseTo(-106.6504, 9)
})

test('the circle of doubt is as wide as it says, and closed', () => {
  const centre = { lat: 35.0844, lon: -106.6504 }
  const ring = circle(centre, 120)
  expect(ring[0]).toEqual(ring.at(-1))
  for (const [lon, lat] of ring) {
    expect(Math.abs(metresBetween(centre, { lat, lon }) - 120)).toBeLessThan(1)
  }
})
