import { expect, test } from 'vitest'

import type { SharedItem } from './federation'
import { freshRecalls, isKept, keyOf, ofKinds, RECALL_SHOWN_MS, withShared, withSnapshot } from './shared'

const AT = '2026-03-01T12:00:00Z'

function item(more: Partial<SharedItem> = {}): SharedItem {
  return {
    kind: 'alert',
    item_id: 'a1',
    grantor: 'sheriff',
    grantor_name: 'County Sheriff',
    agreement_id: 'g1',
    version: 1,
    at: AT,
    received_at: AT,
    purge_at: '2026-03-08T12:00:00Z',
    title: 'Stolen vehicle',
    ...more,
  }
}

const EMPTY = new Map()

test('a newer version replaces, an older one does not', () => {
  const held = withShared(EMPTY, item({ version: 2, title: 'second' }))
  expect(withShared(held, item({ version: 1, title: 'first' }))).toBe(held)
  expect([...withShared(held, item({ version: 3, title: 'third' })).values()][0]?.title).toBe('third')
})

test('what was recalled stays recalled when news of before arrives late', () => {
  const recalled = item({ version: 1, recalled_at: AT, recall_says: 'Vehicle recovered' })
  const held = withShared(withShared(EMPTY, recalled), item({ version: 5 }))
  expect([...held.values()][0]?.recalled_at).toBe(AT)
})

test('a recall takes hold although its number is lower', () => {
  const held = withShared(withShared(EMPTY, item({ version: 5 })), item({ version: 1, recalled_at: AT }))
  expect([...held.values()][0]?.recalled_at).toBe(AT)
})

test('the same number at two agencies is two things', () => {
  const held = withShared(withShared(EMPTY, item()), item({ grantor: 'pueblo' }))
  expect(held.size).toBe(2)
})

test('what this node deleted leaves the screen', () => {
  const held = withShared(EMPTY, item())
  expect(withShared(held, item({ purged: true })).size).toBe(0)
  expect(withSnapshot(held, []).size).toBe(0)
})

test('a snapshot keeps what the line told newer', () => {
  const held = withShared(EMPTY, item({ version: 4, title: 'newer' }))
  expect([...withSnapshot(held, [item()]).values()][0]?.title).toBe('newer')
})

test('what was taken back sinks below what holds, the newest first', () => {
  const items = [
    item({ item_id: 'old', at: '2026-03-01T10:00:00Z' }),
    item({ item_id: 'back', at: '2026-03-01T13:00:00Z', recalled_at: AT }),
    item({ item_id: 'new' }),
    item({ item_id: 'unit', kind: 'unit' }),
  ]
  const held = items.reduce(withShared, EMPTY as ReturnType<typeof withShared>)
  expect(ofKinds(held, ['alert']).map((i) => i.item_id)).toEqual(['new', 'old', 'back'])
})

test('a recall that came before its thing is kept and not listed', () => {
  const held = withShared(EMPTY, item({ title: '', recalled_at: AT }))
  expect(held.size).toBe(1)
  expect(ofKinds(held, ['alert'])).toEqual([])
})

test('a recall stands on top for an hour or until a person puts it away', () => {
  const held = withShared(EMPTY, item({ recalled_at: AT }))
  const soon = Date.parse(AT) + 1_000
  expect(freshRecalls(held, new Set(), soon)).toHaveLength(1)
  expect(freshRecalls(held, new Set([keyOf(item())]), soon)).toEqual([])
  expect(freshRecalls(held, new Set(), Date.parse(AT) + RECALL_SHOWN_MS)).toEqual([])
})

test('kept until the day on which it is deleted, not after', () => {
  expect(isKept(item(), Date.parse('2026-03-08T11:59:59Z'))).toBe(true)
  expect(isKept(item(), Date.parse('2026-03-08T12:00:00Z'))).toBe(false)
})
