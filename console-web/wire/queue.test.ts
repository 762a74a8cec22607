import { expect, test } from 'vitest'

import type { Alert, AlertState, Level } from './model'
import { DECIDED_SHOWN_MAX, type HeldAlerts, ranked, withAlert, withSnapshot } from './queue'

function alert(id: string, version = 1, level: Level = 2, state: AlertState = 'waiting'): Alert {
  const at = `2026-11-02T10:00:${id.padStart(2, '0')}Z` // a later name is a later alert
  return {
    alert_id: id,
    agency: 'a',
    level,
    state,
    version,
    raised_at: at,
    changed_at: at,
  } as Alert
}

const none: HeldAlerts = new Map()
const plain = (held: HeldAlerts) => ranked(held)

test('a screen after live updates equals the same screen reloaded', () => {
  const steps: [Alert, number][] = [
    [alert('1'), 1],
    [alert('2', 1, 1), 2],
    [alert('1', 2, 2, 'taken'), 3],
    [alert('3', 1, 3), 4],
    [alert('1', 3, 2, 'confirmed'), 5],
    [alert('2', 2, 1, 'rejected'), 6],
  ]
  const live = steps.reduce((held, [a, seq]) => withAlert(held, a, seq), none)
  const now = [alert('1', 3, 2, 'confirmed'), alert('2', 2, 1, 'rejected'), alert('3', 1, 3)]
  expect(plain(live)).toEqual(plain(withSnapshot(none, now, 6)))
})

test('an older version never replaces a newer one, whatever the order of arrival', () => {
  const held = withAlert(withAlert(none, alert('1', 3, 2, 'confirmed'), 9), alert('1', 2), 10)
  expect(held.get('1')!.alert.state).toBe('confirmed')
})

test('a snapshot does not undo what the live line told after it was taken', () => {
  let held = withAlert(none, alert('1', 2, 2, 'taken'), 12)
  held = withAlert(held, alert('2'), 13)
  held = withSnapshot(held, [alert('1', 1)], 11)
  expect(held.get('1')!.alert.version).toBe(2)
  expect(held.has('2')).toBe(true)
})

test('a snapshot lets go what it no longer holds', () => {
  const held = withSnapshot(withAlert(none, alert('1'), 5), [], 6)
  expect(held.size).toBe(0)
})

test('the most urgent stands first, then the one that has waited longest', () => {
  const held = withSnapshot(none, [alert('5', 1, 3), alert('4'), alert('2'), alert('9', 1, 1)], 1)
  expect(ranked(held).waiting.map((a) => a.alert_id)).toEqual(['9', '2', '4', '5'])
})

test('a newcomer of the same level moves no one who was there', () => {
  const before = withSnapshot(none, [alert('1'), alert('2')], 1)
  const after = withAlert(before, alert('3'), 2)
  expect(ranked(after).waiting.map((a) => a.alert_id)).toEqual(['1', '2', '3'])
})

test('decided alerts are bounded, the newest stay', () => {
  const many = Array.from({ length: DECIDED_SHOWN_MAX + 9 }, (_, i) => alert(String(i), 1, 2, 'rejected'))
  const held = withSnapshot(none, many, 1)
  expect(ranked(held).decided).toHaveLength(DECIDED_SHOWN_MAX)
  expect(held.has('58')).toBe(true)
  expect(held.has('0')).toBe(false)
})
