import { expect, test } from 'vitest'

import {
  activeUnits,
  CLOSED_SHOWN_MAX,
  type HeldIncidents,
  incidentOfPart,
  openAsks,
  rankedIncidents,
  withIncident,
  withIncidents,
} from './incidents'
import type { AnswerKind, Incident, Level, OfficerAnswer } from './model'

const at = (second: number) => new Date(Date.UTC(2026, 10, 2, 10, 0, second)).toISOString()

function incident(id: string, version = 1, level: Level = 2, more: Partial<Incident> = {}): Incident {
  return {
    incident_id: id,
    agency: 'a',
    version,
    state: 'open',
    kind: 'shots_fired',
    level,
    where: 'Central Av @ San Mateo Bl',
    place: null,
    opened_at: at(Number(id)),
    changed_at: at(Number(id)),
    parts: [],
    ...more,
  }
}

function answer(id: string, kind: AnswerKind, second: number, unit = '2A14'): OfficerAnswer {
  return {
    answer_id: id,
    brief_id: 'b',
    incident_id: '1',
    unit,
    person: 'p',
    kind,
    at: at(second),
  }
}

const none: HeldIncidents = new Map()

test('a screen after live updates equals the same screen reloaded', () => {
  let live = withIncident(none, incident('1'), 1)
  live = withIncident(live, incident('2', 1, 1), 2)
  live = withIncident(live, incident('1', 2, 2, { state: 'closed' }), 3)
  const now = [incident('2', 1, 1), incident('1', 2, 2, { state: 'closed' })]
  expect(rankedIncidents(live, [])).toEqual(rankedIncidents(withIncidents(none, now, 3), []))
})

test('an older version never replaces a newer one', () => {
  const held = withIncident(withIncident(none, incident('1', 3, 1), 9), incident('1', 2, 4), 10)
  expect(held.get('1')!.incident.level).toBe(1)
})

test('a snapshot does not undo what the live line told after it was taken', () => {
  let held = withIncident(none, incident('1', 4), 12)
  held = withIncident(held, incident('2'), 13)
  held = withIncidents(held, [incident('1', 3)], 11)
  expect(held.get('1')!.incident.version).toBe(4)
  expect(held.has('2')).toBe(true)
})

test('the most urgent stands first and a newcomer of the same level moves no one', () => {
  const before = withIncidents(none, [incident('4'), incident('2'), incident('9', 1, 1)], 1)
  expect(rankedIncidents(before, []).open.map((i) => i.incident_id)).toEqual(['9', '2', '4'])
  const after = withIncident(before, incident('5'), 2)
  expect(rankedIncidents(after, []).open.map((i) => i.incident_id)).toEqual(['9', '2', '4', '5'])
})

test('an incident whose parts all went over to another is not shown', () => {
  const held = withIncidents(none, [incident('1', 1, 2, { state: 'joined', joined_to: '2' })], 1)
  const shown = rankedIncidents(held, [])
  expect([...shown.asking, ...shown.open, ...shown.closed]).toEqual([])
})

test('closed incidents are bounded and the newest stay', () => {
  const many = Array.from({ length: CLOSED_SHOWN_MAX + 9 }, (_, i) =>
    incident(String(i), 1, 2, { state: 'closed' }),
  )
  const closed = rankedIncidents(withIncidents(none, many, 1), []).closed
  expect(closed).toHaveLength(CLOSED_SHOWN_MAX)
  expect(closed[0]!.incident_id).toBe('58')
})

test('an officer who asks brings the incident above all others until it is dealt with', () => {
  const held = withIncidents(none, [incident('1', 1, 3), incident('2', 1, 1)], 1)
  const asks = openAsks([answer('x', 'ask_rtcc', 30)], held, new Set())
  const ranked = rankedIncidents(held, asks)
  expect(ranked.asking.map((i) => i.incident_id)).toEqual(['1'])
  expect(ranked.open.map((i) => i.incident_id)).toEqual(['2'])
})

test('a question is dealt with by a later fact, a newer answer, a close or the operator', () => {
  const ask = answer('x', 'ask_rtcc', 30)
  const held = (more: Partial<Incident>) => withIncidents(none, [incident('1', 1, 3, more)], 1)
  const fact = (second: number) => ({
    fact_id: 'f',
    line: 'vehicle' as const,
    says: 'plate ABC123',
    at: at(second),
    by: 'p',
    by_name: 'P',
  })
  expect(openAsks([ask], held({}), new Set())).toHaveLength(1)
  expect(openAsks([ask], held({ facts: [fact(29)] }), new Set())).toHaveLength(1)
  expect(openAsks([ask], held({ facts: [fact(31)] }), new Set())).toEqual([])
  expect(openAsks([ask, answer('y', 'on_scene', 31)], held({}), new Set())).toEqual([])
  expect(openAsks([ask, answer('y', 'on_scene', 31, '3B02')], held({}), new Set())).toHaveLength(1)
  expect(openAsks([ask], held({ state: 'closed' }), new Set())).toEqual([])
  expect(openAsks([ask], held({}), new Set(['x']))).toEqual([])
})

test('cleared units are no longer on it, and those on scene are named first', () => {
  const units = [
    { unit: 'A', status: 'cleared' as const, at: at(1) },
    { unit: 'B', status: 'assigned' as const, at: at(2) },
    { unit: 'C', status: 'on_scene' as const, at: at(3) },
  ]
  expect(activeUnits(incident('1', 1, 2, { units })).map((u) => u.unit)).toEqual(['C', 'B'])
})

test('an alert finds the incident it is a part of', () => {
  const link = { by: 'first' as const, says: '' }
  const part = { kind: 'alert' as const, part_id: 'p', label: 'ABC123', at: at(1), joined_at: at(1), link }
  const held = withIncidents(none, [incident('1'), incident('2', 1, 2, { parts: [part] })], 1)
  expect(incidentOfPart(held, 'p')?.incident_id).toBe('2')
  expect(incidentOfPart(held, 'q')).toBeNull()
})
