import { expect, test } from 'vitest'

import { placeOf, placeWords } from './place'

test('coordinates are read as people write them', () => {
  for (const words of ['35.0844, -106.6504', '35.0844 -106.6504', ' 35.0844°,-106.6504° ', '35.0844;-106.6504']) {
    expect(placeOf(words)).toEqual({ lat: 35.0844, lon: -106.6504 })
  }
})

test('what is no place is none: words, one number, off the globe, 0/0', () => {
  for (const words of ['', '4th and Central', '35.0844', '95, 10', '35, 190', '0, 0', '35,0844, -106']) {
    expect(placeOf(words)).toBeNull()
  }
})

test('a place that was picked reads back as itself', () => {
  expect(placeOf(placeWords({ lat: 35.08441, lon: -106.65043 }))).toEqual({ lat: 35.08441, lon: -106.65043 })
})
