import { expect, test } from 'vitest'

import { en } from '../i18n/en'
import type { Brief, Phrase } from '../wire/model'
import { pieces, spelled, spokenBrief, spokenChange, WORDS_MAX } from './speech'

const line = (kind: string, says: string, more = {}) => ({
  kind, says, source: '', as_of: null, confidence: 'confirmed', ...more,
}) // prettier-ignore

const brief = (more: Partial<Brief> = {}) =>
  ({
    unit: '2A14',
    version: 1,
    plate: 'BXW237',
    lines: [
      line('what', 'P2 Stolen vehicle.'),
      line('hazards', 'Nothing asked.', { known: false }),
      line('vehicle', 'NM BXW237: white Toyota.'),
      line('picture', 'Picture of the plate.'),
    ],
    ...more,
  }) as unknown as Brief

test('a plate is spoken letter by letter, as police radio does', () => {
  expect(spelled('BXW237')).toBe('Boy X-ray William 2 3 7')
})

test('what is not known is said to be not known, and the picture is not spoken of', () => {
  const said = spokenBrief(brief(), en.brief)
  expect(said).toContain('Hazards: Not known. Nothing asked.')
  expect(said).toContain('NM Boy X-ray William 2 3 7: white Toyota. Confirmed by a person.')
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

test('a flag is spoken without its source and date, in the language of the words', () => {
  const words = { 'hazards.flag': '{kind}: {text} ({source}).', 'spoken.flag': '{kind}: {text}.', w: 'arma' }
  const flag: Phrase = { key: 'hazards.flag', args: { kind: '@w', text: 'fusil', source: 'CAD' } }
  const lines = [line('hazards', 'weapon', { phrases: [flag] })] as unknown as Brief['lines']
  expect(spokenBrief(brief({ lines }), en.brief, words)).toBe('Brief for 2A14. arma: fusil.')
})

test('what does not fit into twelve seconds stays on the card, and that is said', () => {
  const long = 'a word again and again and again until nobody listens any more to it. '.repeat(2)
  const lines = [
    line('what', 'Shots fired.'),
    line('where', 'Central at San Mateo.'),
    line('hazards', 'Long gun seen.'),
    line('vehicle', long),
    line('with_you', '2A16 is on the way.'),
  ] as unknown as Brief['lines']
  const said = spokenBrief(brief({ lines, plate: null }), en.brief)
  expect(said).toBe(
    'Brief for 2A14. Shots fired. Central at San Mateo. Long gun seen. 2A16 is on the way. More on the card.',
  )
  expect(said.split(' ').length).toBeLessThanOrEqual(WORDS_MAX)
})

test('the next version is spoken as its change', () => {
  const words = { 'change.update': 'Update:', 'last_seen.told': '{text}.' }
  const after = brief({
    version: 2,
    change_phrases: [{ key: 'change.update' }, { key: 'last_seen.told', args: { text: 'heading east' } }],
  })
  expect(spokenChange(brief(), after, en.brief, words)).toBe('Update: heading east.')
})

test('versions that were missed are spoken as one difference, what is the same left out', () => {
  const after = brief({
    version: 5,
    change: 'Update: only the last of them.',
    lines: [
      line('what', 'P2 Stolen vehicle.'),
      line('hazards', 'Long gun seen.'),
      line('vehicle', 'NM BXW237: white Toyota.'),
      line('picture', 'Another picture.'),
    ] as unknown as Brief['lines'],
  })
  expect(spokenChange(brief(), after, en.brief)).toBe('Update, 4 versions. Long gun seen.')
})

test('a long text is cut at the ends of sentences, and nothing is lost', () => {
  const sentence = 'Central at San Mateo, northeast corner, in the lot behind the second house.'
  const text = Array(5).fill(sentence).join(' ')
  expect(pieces(text).join(' ')).toBe(text)
  expect(pieces(text).length).toBeGreaterThan(1)
  expect(pieces('P1 ± 2.5 m. Go!')).toEqual(['P1 ± 2.5 m. Go!'])
  expect(pieces('')).toEqual([])
})
