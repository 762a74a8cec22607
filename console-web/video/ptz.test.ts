import { expect, test } from 'vitest'

import { isPtzKey, isStill, SPEED, speedsOf, STILL } from './ptz'

test('keys held together go slantwise, and opposite ones stand still', () => {
  expect(speedsOf(['ArrowLeft', 'ArrowUp'])).toEqual({ pan: -SPEED, tilt: SPEED, zoom: 0 })
  expect(isStill(speedsOf(['ArrowLeft', 'ArrowRight']))).toBe(true)
  expect(speedsOf(['+'])).toEqual({ ...STILL, zoom: SPEED })
  expect(isStill(speedsOf(['x']))).toBe(true)
  expect(isPtzKey('x')).toBe(false)
})
