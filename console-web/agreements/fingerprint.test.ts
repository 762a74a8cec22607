import { expect, test } from 'vitest'

import { isSame, readAloud } from './fingerprint'

const PRINT = '0a1b 2c3d 4e5f 6071 8293 a4b5 c6d7 e8f9'

test('what was typed is the same however it was separated', () => {
  expect(readAloud('0A1B-2c3d4')).toEqual(['0a1b', '2c3d', '4'])
  expect(isSame(PRINT.toUpperCase().replaceAll(' ', '-'), PRINT)).toBe(true)
})

test('one wrong digit, or one that is missing, is not the same', () => {
  expect(isSame(PRINT.replace('9', '8'), PRINT)).toBe(false)
  expect(isSame(PRINT.slice(0, -1), PRINT)).toBe(false)
  expect(isSame('', '')).toBe(false)
})
