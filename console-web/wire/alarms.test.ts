import { expect, test } from 'vitest'

import { AlarmKeeper } from './alarms'
import type { LiveMessage, Storm } from './model'

const AT = '2026-12-31T23:59:00Z'
const show: Storm = { number: 3, kind: 'show', says: 'fireworks: 40 sources', since: AT, sources: 40 }
const hello: LiveMessage = { k: 'hello', seq: 1, at: AT }
const tick: LiveMessage = { k: 'tick', at: AT }

function after(messages: readonly LiveMessage[], keeper = new AlarmKeeper()) {
  return messages.map((message) => keeper.hear(message)).at(-1)!
}

test('a storm stands until the node no longer names it', () => {
  const keeper = new AlarmKeeper()
  expect(after([hello, tick, { k: 'storms', at: AT, storms: [show] }], keeper).storms).toEqual([show])
  const grown = { ...show, sources: 60 }
  expect(after([tick, { k: 'storms', at: AT, storms: [grown] }], keeper).storms).toEqual([grown])
  expect(after([tick, tick, tick], keeper).storms).toEqual([grown])
  expect(after([{ k: 'storms', at: AT, storms: [] }], keeper).storms).toEqual([])
})

test('an alarm that ended while the line was down does not stand for ever', () => {
  const keeper = new AlarmKeeper()
  const old = { k: 'lists', at: AT, old: [{ name: 'NCIC', hours: 30, dead: false }] } as const
  after([hello, tick, { k: 'storms', at: AT, storms: [show] }, { ...old, old: [...old.old] }], keeper)
  const again = after([hello, tick, { ...old, old: [...old.old] }], keeper)
  expect(again.storms, 'it may still be told').toEqual([show])
  const now = after([tick], keeper)
  expect(now.storms).toEqual([])
  expect(now.oldLists, 'told anew').toHaveLength(1)
})
