import { expect, test } from 'vitest'

import type { Brief } from '../wire/model'
import { Outbox, type OutboxItem, type SendResult } from '../wire/outbox'
import { answerItem, furthest, newId, nextStatus, outcomeItem, QUESTION_CHARACTERS_MAX, receiptItem } from './answers'

const SECRET = 'Central @ San Mateo'
const brief = {
  brief_id: 'b1',
  version: 2,
  plate: 'BXW237',
  lines: [{ kind: 'where', says: SECRET }],
} as unknown as Brief

class Phone {
  kept = new Map<string, string>()
  line: SendResult = 'later'
  sent: OutboxItem[] = []
  getItem = (key: string) => this.kept.get(key) ?? null
  setItem = (key: string, value: string) => void this.kept.set(key, value)
  outbox = () =>
    new Outbox(
      this,
      async (item) => {
        if (this.line === 'sent') this.sent.push(item)
        return this.line
      },
      () => undefined,
    )
}

test('taps made without a line arrive in their order, each with its own id and time', async () => {
  const phone = new Phone()
  const outbox = phone.outbox()
  await outbox.add(answerItem(brief, 'en_route', '', 'id-1', '2026-11-23T10:00:00Z'))
  await outbox.add(answerItem(brief, 'ask_rtcc', 'Which way?', 'id-2', '2026-11-23T10:00:20Z'))
  await outbox.add(answerItem(brief, 'on_scene', '', 'id-3', '2026-11-23T10:01:00Z'))
  phone.line = 'sent'
  await phone.outbox().flush() // another start of the page: they were kept
  expect(phone.sent.map((i) => [i.body['answer_id'], i.body['kind'], i.body['tapped_at']])).toEqual([
    ['id-1', 'en_route', '2026-11-23T10:00:00Z'],
    ['id-2', 'ask_rtcc', '2026-11-23T10:00:20Z'],
    ['id-3', 'on_scene', '2026-11-23T10:01:00Z'],
  ])
  expect(phone.sent[0]!.path).toBe('/api/briefs/b1/answer')
})

test('an answer that is tried again keeps its id, so the node keeps it once', async () => {
  const phone = new Phone()
  const outbox = phone.outbox()
  const tried: unknown[] = []
  const flaky = new Outbox(
    null,
    async (item) => {
      tried.push(item.body['answer_id'])
      return tried.length < 3 ? 'later' : 'sent'
    },
    () => undefined,
  )
  await flaky.add(answerItem(brief, 'on_scene', '', 'id-1', 'now'))
  await flaky.flush()
  await flaky.flush()
  expect(tried).toEqual(['id-1', 'id-1', 'id-1'])
  expect(outbox.waiting).toEqual([])
})

test('nothing of the brief is written to the phone', async () => {
  const phone = new Phone()
  const outbox = phone.outbox()
  await outbox.add(receiptItem(brief, 'opened'))
  await outbox.add(outcomeItem(brief, 'gone'))
  await outbox.add(answerItem(brief, 'on_scene', '', 'id-1', 'now'))
  const written = [...phone.kept.values()].join()
  expect(written).toContain('id-1')
  expect(written).not.toContain(SECRET)
  expect(written).not.toContain('BXW237')
})

test('the next likely tap: on the way, there, clear', () => {
  expect(nextStatus(null)).toBe('en_route')
  expect(nextStatus('en_route')).toBe('on_scene')
  expect(nextStatus('on_scene')).toBe('clear')
  expect(nextStatus('clear')).toBeNull()
})

test('what the dispatcher told counts as much as a tap', () => {
  expect(furthest(null, 'on_scene')).toBe('on_scene')
  expect(furthest('on_scene', 'en_route')).toBe('on_scene')
  expect(furthest('en_route', 'assigned')).toBe('en_route')
  expect(furthest('en_route', undefined)).toBe('en_route')
})

test('an id is a UUIDv7 of its moment', () => {
  const id = newId(Date.UTC(2026, 10, 23), new Uint8Array(16).fill(0xff))
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(Date.UTC(2026, 10, 23))
})

test('a question is cut at its limit', () => {
  const item = answerItem(brief, 'ask_rtcc', 'x'.repeat(999), 'id', 'now')
  expect(String(item.body['says'])).toHaveLength(QUESTION_CHARACTERS_MAX)
})
