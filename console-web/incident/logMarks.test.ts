import { expect, test } from 'vitest'

import { markOf } from './logMarks'

test('each step of a shot has a sign of its own, and one not known yet has that of shots', () => {
  const steps = ['shot_linked', 'shot_confirmed', 'shot_rejected', 'shot_revised', 'shot_closed']
  expect(steps.map((what) => markOf(what).icon)).toEqual(['wave', 'check', 'cross', 'differs', 'lock'])
  expect(markOf('shot_confirmed').tone).toBe('good')
  expect(markOf('shot_of_tomorrow').icon).toBe('wave')
})

test('the longest beginning that fits decides, and an unknown word has the plain sign', () => {
  expect(markOf('alert_confirmed').icon).toBe('check')
  expect(markOf('alert_linked').icon).toBe('plus')
  expect(markOf('tea_served').icon).toBe('dots')
})
