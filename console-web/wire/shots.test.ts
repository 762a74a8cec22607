import { expect, test } from 'vitest'

import type { Alert, AlertState, Level } from './model'
import type { Shot, ShotAlert } from './model.shots'
import { ranked, withAlert } from './queue'
import {
  DECIDED_SHOWN_MAX,
  type HeldShots,
  leading,
  nothingStands,
  oneQueue,
  quietOnes,
  QUIET_SHOWN_MAX,
  roundsOf,
  standing,
  takenBack,
  withShot,
  withShots,
} from './shots'

const at = (second: number) => new Date(Date.UTC(2026, 10, 2, 10) + second * 1000).toISOString()

function shot(id: number, version = 1, level: Level = 1, state: AlertState = 'waiting', queued = true): ShotAlert {
  return {
    alert_id: `s${id}`,
    agency: 'a',
    level,
    state,
    version,
    raised_at: at(id),
    changed_at: at(id),
    is_queued: queued,
  } as ShotAlert
}

function plate(id: number, level: Level): Alert {
  return {
    alert_id: `p${id}`,
    agency: 'a',
    level,
    state: 'waiting',
    version: 1,
    raised_at: at(id),
    changed_at: at(id),
  } as Alert
}

const none: HeldShots = new Map()
const noPlates = ranked(new Map())
const ids = (held: HeldShots) => oneQueue(noPlates, held).waiting.map((r) => r.id)

test('plates and shots stand in one queue, by priority and then by the longest wait', () => {
  const plates = withAlert(withAlert(new Map(), plate(2, 2), 1), plate(5, 1), 2)
  const shots = withShots(none, [shot(3), shot(9), shot(1, 1, 2)], 1)
  const { waiting } = oneQueue(ranked(plates), shots)
  expect(waiting.map((r) => r.id)).toEqual(['s3', 'p5', 's9', 's1', 'p2'])
  expect(waiting.map((r) => r.kind)).toEqual(['shot', 'alert', 'shot', 'shot', 'alert'])
})

test('a screen after live updates equals the same screen reloaded', () => {
  const steps: [ShotAlert, number][] = [
    [shot(1), 1],
    [shot(2, 1, 2), 2],
    [shot(1, 2, 1, 'taken'), 3],
    [shot(3, 1, 3, 'waiting', false), 4],
    [shot(1, 3, 1, 'confirmed'), 5],
  ]
  const live = steps.reduce((held, [s, seq]) => withShot(held, s, seq), none)
  const now = [shot(1, 3, 1, 'confirmed'), shot(2, 1, 2), shot(3, 1, 3, 'waiting', false)]
  const reloaded = withShots(none, now, 5)
  expect(oneQueue(noPlates, live)).toEqual(oneQueue(noPlates, reloaded))
  expect(quietOnes(live)).toEqual(quietOnes(reloaded))
})

test('an older version never replaces a newer one', () => {
  const held = withShot(withShot(none, shot(1, 3, 1, 'confirmed'), 9), shot(1, 2), 10)
  expect(held.get('s1')!.shot.state).toBe('confirmed')
})

test('a snapshot does not undo what the live line told after it was taken', () => {
  const held = withShots(withShot(none, shot(4), 13), [shot(1)], 11)
  expect(ids(held)).toEqual(['s1', 's4'])
})

test('what is not worth a person’s time stands apart, and joins the queue once it is', () => {
  const quiet = withShot(none, shot(1, 1, 3, 'waiting', false), 1)
  expect(ids(quiet)).toEqual([])
  expect(quietOnes(quiet)).toHaveLength(1)
  const likelier = withShot(quiet, shot(1, 2, 1), 2)
  expect(ids(likelier)).toEqual(['s1'])
  expect(quietOnes(likelier)).toEqual([])
})

test('decided and quiet ones are bounded, the newest stay, and none that waits is let go', () => {
  const many = (count: number, state: AlertState, queued: boolean) =>
    Array.from({ length: count }, (_, i) => ({
      ...shot(i, 1, 1, state, queued),
      alert_id: `${state}${i}`,
    }))
  const held = withShots(
    none,
    [
      ...many(DECIDED_SHOWN_MAX + 9, 'rejected', true),
      ...many(70, 'waiting', true),
      ...many(QUIET_SHOWN_MAX + 9, 'taken', false),
    ],
    1,
  )
  const rows = oneQueue(noPlates, held)
  expect(rows.decided).toHaveLength(DECIDED_SHOWN_MAX)
  expect(rows.waiting).toHaveLength(70)
  expect(quietOnes(held)).toHaveLength(QUIET_SHOWN_MAX)
  expect(held.has('rejected0')).toBe(false)
})

test('the string most likely to be gunfire stands for all', () => {
  const string = (id: string, probability: number, gunshot: number) =>
    ({ shot_id: id, probability, kinds: { gunshot } }) as Shot
  const shots = [string('echo', 0.3, 0.99), string('gun', 0.9, 0.8), string('works', 0.99, 0.1)]
  expect(leading({ ...shot(1), shots }).shot_id).toBe('gun')
})

test('a string that was taken back stands for nothing, however much like a gun it sounded', () => {
  const string = (id: string, probability: number, gunshot: number) =>
    ({ shot_id: id, probability, kinds: { gunshot }, rounds: [{}] }) as Shot
  const shots = [string('gone', 0.05, 1), string('works', 0.9, 0.01)]
  const mixed = { ...shot(1), shots }
  expect(leading(mixed).shot_id).toBe('works')
  expect(roundsOf(mixed)).toBe(1)
  expect(takenBack(mixed).map((s) => s.shot_id)).toEqual(['gone'])
  expect(nothingStands(mixed)).toBe(false)
  const gone = { ...shot(1), shots: [string('a', 0.02, 1), string('b', 0.03, 1)] }
  expect(nothingStands(gone)).toBe(true)
  expect(standing(gone), 'all of them are shown').toHaveLength(2)
  expect(takenBack(gone)).toEqual([])
})
