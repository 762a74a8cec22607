import { expect, test } from 'vitest'

import { landShapes } from './partnerLayers'

const square = (side: number, lon = 0) => [
  { lat: 0, lon },
  { lat: 0, lon: lon + side },
  { lat: side, lon: lon + side },
  { lat: side, lon },
]

test('each ring of a land is closed, and its name stands once in the largest', () => {
  const shapes = landShapes({ agency_id: 'pueblo', name: 'Pueblo', rings: [square(1), square(4, 10)] })
  expect(shapes.map((s) => s.geometry.type)).toEqual(['Polygon', 'Polygon', 'Point'])
  const [area] = shapes
  const ring = (area!.geometry as GeoJSON.Polygon).coordinates[0]!
  expect(ring.at(-1)).toEqual(ring[0])
  expect((shapes[2]!.geometry as GeoJSON.Point).coordinates).toEqual([12, 2])
})

test('a ring of two points is no land', () => {
  expect(landShapes({ agency_id: 'x', name: 'X', rings: [square(1).slice(0, 2)] })).toEqual([])
})
