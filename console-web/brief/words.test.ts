import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import type { Brief, BriefLine, Phrase } from '../wire/model'
import { changeSays, changedLines, lineInTwo, lineSays, lineShown, plateShown, plateStanding, say, sayAll, type Words } from './words'

const catalogue = (language: string): Words =>
  JSON.parse(
    readFileSync(new URL(`../../src/farolito/briefing/words/${language}.json`, import.meta.url), 'utf-8'),
  ) as Words
const en = catalogue('en')
const es = catalogue('es')

describe('a phrase', () => {
  test('takes its arguments, and those that are keys in the same language', () => {
    const phrase: Phrase = {
      key: 'where.cross_corner',
      args: { street: 'Central', cross: 'San Mateo', side: '@compass.northeast' },
    }
    expect(say(phrase, en)).toBe('Central @ San Mateo, northeast corner.')
    expect(say(phrase, es)).toContain('noreste')
  })

  test('takes one or other by its number', () => {
    const words = { 'units.one': 'one unit', 'units.other': '{n} units', units: '{n}' }
    expect(say({ key: 'units', args: { n: 1 } }, words)).toBe('one unit')
    expect(say({ key: 'units', args: { n: 3 } }, words)).toBe('3 units')
    expect(say({ key: 'units', args: { n: 3 } }, { units: '{n}' })).toBe('3')
  })

  test('says a key that nobody wrote as it is, as the node does', () => {
    expect(say({ key: 'text', args: { text: '@nobody.wrote' } }, en)).toBe('@nobody.wrote')
  })

  test('is not said by halves', () => {
    expect(say({ key: 'nobody.wrote' }, en)).toBeNull()
    expect(say({ key: 'text' }, en)).toBeNull()
    expect(say({ key: 'constructor' }, en)).toBeNull()
    expect(sayAll([{ key: 'change.new' }, { key: 'nobody.wrote' }], en)).toBeNull()
  })
})

const line = (kind: BriefLine['kind'], says: string, more: Partial<BriefLine> = {}): BriefLine => ({
  kind, says, source: 'CAD', as_of: null, confidence: 'machine', ...more,
}) // prettier-ignore
const brief = (more: Partial<Brief>) => ({ version: 1, lines: [], change: '', ...more }) as unknown as Brief

describe('a line', () => {
  test('falls back to what the agency said where the words are not at hand', () => {
    const own = line('what', 'P1 shots fired.', { phrases: [{ key: 'nobody.wrote' }] })
    expect(lineSays(own, {})).toBe('P1 shots fired.')
    expect(changeSays(brief({ change: 'New brief.' }), es)).toBe('New brief.')
  })

  test('leaves out what stands beside it, and only that', () => {
    const where = line('where', 'all', {
      phrases: [
        { key: 'where.cross', args: { street: 'Central', cross: 'San Mateo' } },
        { key: 'where.eta', args: { n: 4 } },
      ],
    })
    expect(lineShown(where, en, ['where.eta'])).toBe('Central @ San Mateo.')
    expect(lineShown(line('where', 'all'), en, ['where.eta'])).toBe('all')
  })

  test('never leaves a doubt to the rest', () => {
    const where = line('where', 'all', {
      phrases: [
        { key: 'where.address', args: { address: '12 A St' } },
        { key: 'where.street', args: { street: 'A St' } },
        { key: 'differ.two', args: { a: '12 A St', b: '9 B St' } },
      ],
    })
    expect(lineInTwo(where, en, [])).toEqual({
      lead: '12 A St. Callers disagree: 12 A St or 9 B St.',
      rest: 'A St.',
    })
  })

  test('leads with its first sentence, or with each flag of danger', () => {
    const told: Phrase = { key: 'text', args: { text: 'Two men.' } }
    const lines = line('what', 'all', { phrases: [{ key: 'change.new' }, told] })
    expect(lineInTwo(lines, en, [])).toEqual({ lead: 'New brief.', rest: 'Two men.' })
    expect(lineInTwo(line('what', 'all'), en, [])).toEqual({ lead: 'all', rest: '' })
  })

  test('is changed when it says something else, or became known', () => {
    const before = brief({ lines: [line('what', 'a'), line('where', 'b'), line('hazards', 'c', { known: false })] })
    const after = brief({ lines: [line('what', 'a'), line('where', 'B'), line('hazards', 'c')] })
    expect(changedLines(before, after).map((l) => l.kind)).toEqual(['where', 'hazards'])
  })
})

describe('a plate', () => {
  const vehicle = (key: string, plate = 'BXW237') =>
    brief({ plate: 'BXW237', lines: [line('vehicle', '', { phrases: [{ key, args: { plate } }] })] })

  test('is confirmed by a person who compared it, never by a caller', () => {
    expect(plateStanding(vehicle('vehicle.confirmed'))).toBe('confirmed')
    expect(plateStanding(vehicle('vehicle.told_plate'))).toBe('told')
    expect(plateStanding(vehicle('vehicle.confirmed', 'OTHER1'))).toBe('told')
    expect(plateStanding(vehicle('vehicle.withdrawn'))).toBe('withdrawn')
  })

  test('is a caller’s where nobody confirmed one, and says so', () => {
    const told = (key: string, args: Phrase['args']) =>
      brief({ plate: null, lines: [line('vehicle', '', { phrases: [{ key, args }] })] })
    const caller = told('vehicle.told_plate', { what: 'a car', state: 'NM', plate: 'BXW237' })
    expect(plateShown(caller)).toEqual({ plate: 'BXW237', state: 'NM' })
    expect(plateStanding(caller)).toBe('told')
    const stateless = told('vehicle.plate_told', { state: '@vehicle.no_state', plate: 'BXW237' })
    expect(plateShown(stateless)).toEqual({ plate: 'BXW237', state: null })
    expect(plateShown(told('vehicle.none', {}))).toBeNull()
  })
})

interface Said {
  phrase: Phrase
  language: string
  says: string
}

// The same phrases that the node's own formatter is tried with: both must say the same.
const SHARED = new URL('../../tests/briefing/phrases.json', import.meta.url)
const shared = JSON.parse(readFileSync(SHARED, 'utf-8')) as readonly Said[]
test.each(shared)('the phone says as the node does, $language: $says', ({ phrase, language, says }) => {
  expect(say(phrase, catalogue(language))).toBe(says)
})
