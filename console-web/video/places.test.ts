import { expect, test } from 'vitest'

import type { CameraRow } from '../wire/video'
import { found } from './finding'
import {
  columnsOf,
  emptied,
  neighbour,
  placesOf,
  resized,
  savedOf,
  sizeFor,
  SIZES,
  swapped,
  withCamera,
  without,
} from './places'

test('a smaller wall keeps as many cameras as it has room for', () => {
  const nine = ['a', null, 'c', 'd', 'e', null, 'g', null, null]
  expect(resized(nine, 4)).toEqual(['a', 'e', 'c', 'd'])
  expect(resized(['a'], 4)).toEqual(['a', null, null, null])
  expect(resized(nine, 1)).toEqual(['a'])
})

test('a camera stands on a wall once, and a full wall takes no other', () => {
  expect(withCamera(['a', null], 'a', 1)).toEqual(['a', null])
  expect(withCamera(['a', null, null], 'b', 2)).toEqual(['a', null, 'b'])
  expect(withCamera(['a', null, 'b'], 'c', 2)).toEqual(['a', 'c', 'b'])
  expect(withCamera(['a', 'b'], 'c', 0)).toBeNull()
})

test('tiles change places and go away', () => {
  expect(swapped(['a', 'b', null], 0, 2)).toEqual([null, 'b', 'a'])
  expect(swapped(['a', 'b'], 0, 9)).toEqual(['a', 'b'])
  expect(without(['a', 'b'], 0)).toEqual([null, 'b'])
})

test('arrows stop at the edges', () => {
  expect(neighbour(0, 'ArrowLeft', 3, 9)).toBe(0)
  expect(neighbour(2, 'ArrowRight', 3, 9)).toBe(2)
  expect(neighbour(4, 'ArrowUp', 3, 9)).toBe(1)
  expect(neighbour(7, 'ArrowDown', 3, 9)).toBe(7)
})

test('what is saved and opened again is the same wall', () => {
  for (const size of SIZES) {
    const places = withCamera(emptied(size), 'a', size - 1)!
    const saved = savedOf('night', places)
    expect(saved.columns).toBe(columnsOf(size))
    expect(placesOf(saved)).toEqual(places)
  }
})

test('a saved wall that names a camera twice shows it once', () => {
  const tile = { camera_id: 'a' }
  expect(placesOf({ columns: 2, tiles: [tile, tile, null, null] })).toEqual(['a', null, null, null])
  expect(sizeFor(70)).toBe(64)
  expect(placesOf({ columns: 0, tiles: [] })).toEqual([null])
})

test('cameras are found by words of name and owner, accents or not', () => {
  const camera = (id: string, name: string, owner: string) => ({ id, name, owner }) as CameraRow
  const all = [camera('c2', 'Plaza Vieja', 'transit'), camera('c1', 'Céntral @ 4th', 'city')]
  const owner = (c: CameraRow) => (c.owner === 'city' ? 'City of Alba' : 'Tránsito')
  expect(found(all, owner, 'central city').map((c) => c.id)).toEqual(['c1'])
  expect(found(all, owner, 'transito').map((c) => c.id)).toEqual(['c2'])
  expect(found(all, owner, '').map((c) => c.id)).toEqual(['c1', 'c2'])
})
