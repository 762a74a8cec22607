import { expect, test } from 'vitest'

import type { Brief, Incident, Receipt, ReceiptKind } from '../wire/model'
import { changesOf } from './changes'
import { seen, seenByUnit } from './seen'

const at = (second: number) => new Date(Date.UTC(2026, 10, 2, 10, 0, second)).toISOString()

function brief(version: number, more: Partial<Brief> = {}): Brief {
  return {
    brief_id: 'b',
    agency: 'a',
    unit: '2A14',
    version,
    composed_at: at(version),
    lines: [],
    change: '',
    ...more,
  }
}

function receipt(version: number, kind: ReceiptKind, second: number, brief_id = 'b'): Receipt {
  return { brief_id, version, kind, at: at(second), person: 'p' }
}

test('a unit that opened an older version is told not to have seen the newer ones', () => {
  const told = {
    brief: brief(4),
    versions: [brief(1), brief(2), brief(3), brief(4)],
    receipts: [receipt(1, 'opened', 5), receipt(2, 'opened', 9)],
  }
  expect(seen(told)).toMatchObject({ newest: 4, unseenFrom: 3, best: { kind: 'opened', version: 2 } })
})

test('delivered is not seen', () => {
  const told = { brief: brief(1), versions: [], receipts: [receipt(1, 'delivered', 2)] }
  expect(seen(told)).toMatchObject({ unseenFrom: 1, best: { kind: 'delivered', version: 1 } })
})

test('what was heard counts as seen, even where nothing was opened', () => {
  const told = { brief: brief(3), versions: [], receipts: [receipt(3, 'heard', 8)] }
  expect(seen(told)).toMatchObject({ unseenFrom: null, best: { kind: 'heard', version: 3 } })
})

test('heard beats opened of the same version, a newer one opened beats an older one heard', () => {
  const same = [receipt(2, 'heard', 8), receipt(2, 'opened', 7)]
  expect(seen({ brief: brief(2), versions: [], receipts: same }).best!.kind).toBe('heard')
  const newer = [receipt(2, 'heard', 8), receipt(3, 'opened', 9)]
  expect(seen({ brief: brief(3), versions: [], receipts: newer }).best).toMatchObject({
    kind: 'opened',
    version: 3,
  })
})

test('a receipt told twice counts from its first telling', () => {
  const receipts = [receipt(1, 'opened', 9), receipt(1, 'opened', 4)]
  expect(seen({ brief: brief(1), versions: [], receipts }).opened!.at).toBe(at(4))
})

test('nothing told is nothing seen', () => {
  const none = seen({ brief: brief(2), versions: [], receipts: [] })
  expect(none).toMatchObject({ best: null, unseenFrom: 1 })
})

test('a unit sent a second time is judged by its newest brief', () => {
  const old = { brief: brief(5), versions: [], receipts: [receipt(5, 'heard', 6)] }
  const fresh = {
    brief: brief(1, { brief_id: 'c', composed_at: at(40) }),
    versions: [],
    receipts: [receipt(1, 'delivered', 41, 'c')],
  }
  expect(seenByUnit([fresh, old]).get('2A14')).toMatchObject({ newest: 1, unseenFrom: 1 })
})

const link = { by: 'near' as const, says: '' }
const part = (id: string) => ({
  kind: 'call' as const,
  part_id: id,
  label: `26-${id}`,
  at: at(0),
  joined_at: at(0),
  link,
})

function version(n: number, more: Partial<Incident> = {}): Incident {
  return {
    incident_id: 'i',
    agency: 'a',
    version: n,
    state: 'open',
    kind: 'shots_fired',
    level: 2,
    where: 'Central',
    place: null,
    opened_at: at(0),
    changed_at: at(n),
    parts: [part('1')],
    ...more,
  }
}

test('each version of an incident says what it brought', () => {
  const sent = [{ unit: '2A14', status: 'assigned' as const, at: at(2) }]
  const told = changesOf([
    version(1),
    version(2, { units: sent }),
    version(3, { units: sent, parts: [part('1'), part('2')], level: 1 }),
    version(4, { units: sent, level: 1, state: 'closed' }),
    version(5, { units: sent, level: 1, state: 'closed' }),
  ])
  expect(told.map((v) => v.changes)).toEqual([
    [{ what: 'first' }],
    [{ what: 'unit', unit: '2A14', status: 'assigned' }],
    [{ what: 'part_in', label: '26-2' }, { what: 'level', level: 1 }],
    [{ what: 'part_out', label: '26-2' }, { what: 'closed' }],
    [{ what: 'same' }],
  ])
})
