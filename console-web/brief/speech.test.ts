import { expect, test } from 'vitest'

import { en } from '../i18n/en'
import type { Brief } from '../wire/model'
import { spelled, spokenBrief } from './speech'

const line = (kind: string, says: string, more = {}) => ({
  kind, says, source: '', as_of: null, confidence: 'confirmed', ...more,
}) // prettier-ignore

const brief = (more: Partial<Brief> = {}) =>
  ({
    unit: '2A14',
    plate: 'BXW237',
    lines: [
      line('what', 'P2 Stolen vehicle.'),
      line('hazards', 'Nothing asked.', { known: false }),
      line('vehicle', 'NM BXW237: white Toyota.'),
      line('picture', 'Picture of the plate.'),
    ],
    ...more,
  }) as unknown as Brief

test('a plate is spoken letter by letter', () => {
  expect(spelled('BXW237')).toBe('bravo x-ray whiskey 2 3 7')
})

test('what is not known is said to be not known, and the picture is not spoken of', () => {
  const said = spokenBrief(brief(), en.brief)
  expect(said).toContain('Hazards: Not known. Nothing asked.')
  expect(said).toContain('NM bravo x-ray whiskey 2 3 7: white Toyota. Confirmed by a person.')
  expect(said).not.toContain('Picture')
})

test('a line that itself says it is not known is told so once', () => {
  const own = line('hazards', 'Not known: who drives.', { known: false })
  const said = spokenBrief(brief({ lines: [own] as unknown as Brief['lines'] }), en.brief)
  expect(said).toContain('Hazards. Not known: who drives.')
})

test('a recalled brief speaks of the recall alone', () => {
  const said = spokenBrief(brief({ recalled: true, recall_reason: 'Vehicle recovered' }), en.brief)
  expect(said).toBe('Recalled. Do not act on this brief. Reason: Vehicle recovered.')
})
