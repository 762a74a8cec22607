import { expect, test } from 'vitest'

import { en } from '../i18n/en'
import { es } from '../i18n/es'
import { mayOpen } from '../sign-in/door'
import { sentenceOf, whoOf } from './said'
import { deedsOf, type Did, dueOf, entryOf, figuresOf, looksOf, plateOf, rowsOf, SIDES, type Step, type StepName, type TourView, witnessesOf } from './story'

const STEPS: StepName[] = ['ask', 'refused', 'agree', 'answered', 'recall', 'revoke', 'prove']
const NODES = [
  { agency_id: 'city-pd', name: 'City Police', url: 'http://localhost:1' },
  { agency_id: 'county-so', name: 'County Sheriff', url: 'http://localhost:2' },
  { agency_id: 'pueblo-pd', name: 'Pueblo Police', url: 'http://localhost:3' },
]
const did = (node: string, what: string, told: Did['told'] = {}, permit: number | null = null): Did => ({ node, person: 'Ana Ortiz', what, permit, told })
const step = (name: StepName, ...done: Did[]): Step => ({ name, at: '2026-11-23T10:00:00Z', ms: 1, did: done })
const view = (...done: Step[]): TourView => ({ nodes: NODES, steps: STEPS, done })
const plain = (n: number) => String(n)

test('the next step follows what was taken, and after the last there is none', () => {
  expect(dueOf(view())).toBe('ask')
  expect(dueOf(view(step('ask'), step('refused')))).toBe('agree')
  expect(dueOf(view(...STEPS.map((name) => step(name))))).toBeNull()
})

test('a question that did not leave is drawn as one that was stopped', () => {
  const refused = step('refused', did('city-pd', 'asked', { plate: 'A' }, 5), did('city-pd', 'did_not_leave'))
  expect(deedsOf(view(), refused).map((d) => [d.what, d.side, d.to, d.stopped])).toEqual([
    ['asked', 'city', 'sheriff', true],
    ['did_not_leave', 'city', null, false],
  ])
})

test('the agreement goes out with its last signature, not with its first', () => {
  const agree = step('agree', did('county-so', 'signed', { number: 1, of: 2 }), did('county-so', 'signed', { number: 2, of: 2 }))
  expect(deedsOf(view(), agree).map((d) => d.to)).toEqual([null, 'city'])
})

test('a witness stands in its own column, with the ledgers that it signed for and no others', () => {
  const witnessed = { ok: true, entries: 3, witnesses: ['farolito/pueblo-pd/witness', 'farolito/county-so/witness'] }
  const prove = step('prove', did('city-pd', 'proved', witnessed, 9), did('county-so', 'proved', { ok: false, entries: 2, witnesses: [] }, 4))
  const deeds = deedsOf(view(), prove)
  expect(deeds.at(-1)).toMatchObject({ side: 'pueblo', what: 'cosigned', told: { ledgers: ['City Police'] }, permit: null })
  expect(witnessesOf(witnessed)).toEqual(['pueblo-pd', 'county-so'])
  expect(rowsOf(deeds)).toEqual([0, 0, 0])
})

test('time goes down: what crosses another column has its row to itself', () => {
  const at = (side: (typeof SIDES)[number], to: (typeof SIDES)[number] | null = null) => ({ side, to })
  expect(rowsOf([at('sheriff', 'city'), at('city'), at('sheriff', 'city'), at('city')])).toEqual([0, 1, 2, 3])
  expect(rowsOf([at('city', 'sheriff'), at('pueblo'), at('city')])).toEqual([0, 0, 1])
})

test('only what a node told is a figure', () => {
  const asked = { asked_at: '2026-11-23T10:00:00.000Z', answered_at: '2026-11-23T10:00:00.080Z', receipt: 'city-pd#141:c9' }
  const purged = did('city-pd', 'purged', { kept: 0, receipt: asked })
  expect(figuresOf(step('revoke', did('county-so', 'revoked', { ms: 37 }), purged))).toEqual([
    { what: 'revoked', ms: 37 },
    { what: 'purged', ms: 80 },
  ])
  expect(figuresOf(step('revoke', did('county-so', 'revoked', { ms: null }), did('city-pd', 'purged', { receipt: null })))).toEqual([])
  expect([entryOf(purged), entryOf(did('city-pd', 'asked', {}, 7)), entryOf(did('city-pd', 'purged'))]).toEqual([141, 7, null])
})

test('every page that is offered opens to the role that is named', () => {
  for (const name of STEPS) {
    for (const side of SIDES) for (const look of looksOf(name, side)) expect(mayOpen(look.role, look.page)).toBe(true)
  }
})

test('a deed is said in both tongues, and one without words is told all the same', () => {
  const [answered, strange] = deedsOf(view(), step('answered', did('county-so', 'was_answered', { reads: [{}, {}] }), did('county-so', 'sang_loudly')))
  expect(whoOf(answered!, en.metro)).toBe('The node itself')
  expect(sentenceOf(answered!, view(), en.metro, plain)).toBe('answers Ana Ortiz: 2 reads.')
  expect(sentenceOf(answered!, view(), es.metro, plain)).toBe('responde a Ana Ortiz: 2 lecturas.')
  expect(sentenceOf(strange!, view(), en.metro, plain)).toBe('sang loudly')
})

test('the plate is known from the first step on', () => {
  expect(plateOf(view())).toBe('')
  expect(plateOf(view(step('ask', did('city-pd', 'wonders', { plate: 'KBD472' }))))).toBe('KBD472')
})
