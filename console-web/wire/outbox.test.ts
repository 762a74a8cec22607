import { expect, test } from 'vitest'

import { Outbox, OUTBOX_ITEMS_MAX, type OutboxItem, type SendResult, type Shelf } from './outbox'

class Phone implements Shelf {
  kept = new Map<string, string>()
  line: SendResult = 'sent'
  sent: string[] = []
  refused: string[] = []

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null
  }
  setItem(key: string, value: string): void {
    this.kept.set(key, value)
  }
  outbox(): Outbox {
    return new Outbox(
      this,
      async (item) => {
        if (this.line === 'sent') this.sent.push(`${item.key}=${String(item.body['outcome'] ?? '')}`)
        return this.line
      },
      (_, refused) => {
        if (refused) this.refused.push(refused)
      },
    )
  }
}

const tap = (outcome: string, brief = 'b1'): OutboxItem => ({
  key: `${brief}/outcome`,
  kind: 'outcome',
  path: `/api/briefs/${brief}/outcome`,
  body: { outcome },
})

const receipt = (n: number): OutboxItem => ({
  key: `r${n}`,
  kind: 'receipt',
  path: '/r',
  body: {},
})

test('an answer given while the line is down is sent when it is back, once', async () => {
  const phone = new Phone()
  const outbox = phone.outbox()
  phone.line = 'later'
  await outbox.add(tap('gone'))
  await outbox.flush()
  expect(phone.sent).toEqual([])
  phone.line = 'sent'
  await outbox.flush()
  await outbox.flush()
  expect(phone.sent).toEqual(['b1/outcome=gone'])
  expect(outbox.waiting).toEqual([])
})

test('an answer survives the page: another start of it sends what was kept', async () => {
  const phone = new Phone()
  phone.line = 'later'
  await phone.outbox().add(tap('right_car'))
  phone.line = 'sent'
  await phone.outbox().flush()
  expect(phone.sent).toEqual(['b1/outcome=right_car'])
})

test('a second tap replaces the first as long as neither was sent', async () => {
  const phone = new Phone()
  const outbox = phone.outbox()
  phone.line = 'later'
  await outbox.add(tap('right_car'))
  await outbox.add(tap('wrong_car'))
  phone.line = 'sent'
  await outbox.flush()
  expect(phone.sent).toEqual(['b1/outcome=wrong_car'])
})

test('a tap during a slow sending is neither lost nor sent twice', async () => {
  const phone = new Phone()
  let release: () => void = () => undefined
  const held = new Promise<void>((done) => (release = done))
  const sent: string[] = []
  const outbox = new Outbox(
    phone,
    async (item) => {
      await held
      sent.push(String(item.body['outcome']))
      return 'sent'
    },
    () => undefined,
  )
  const first = outbox.add(tap('right_car'))
  const second = outbox.add(tap('gone'))
  release()
  await Promise.all([first, second])
  expect(sent).toEqual(['right_car', 'gone'])
  expect(outbox.waiting).toEqual([])
})

test('an answer that the node refuses is told and does not block the next', async () => {
  const phone = new Phone()
  const outbox = phone.outbox()
  phone.line = { refused: 'the brief was recalled' }
  await outbox.add(tap('gone'))
  expect(phone.refused).toEqual(['the brief was recalled'])
  phone.line = 'sent'
  await outbox.add(tap('gone', 'b2'))
  expect(phone.sent).toEqual(['b2/outcome=gone'])
})

test('a full outbox lets the oldest receipt go and keeps the answers', async () => {
  const phone = new Phone()
  const outbox = phone.outbox()
  phone.line = 'later'
  await outbox.add(tap('gone'))
  for (let n = 0; n < OUTBOX_ITEMS_MAX + 5; n += 1) await outbox.add(receipt(n))
  expect(outbox.waiting).toHaveLength(OUTBOX_ITEMS_MAX)
  expect(outbox.waiting[0]!.key).toBe('b1/outcome')
})

test('a store that holds nonsense is an empty outbox', () => {
  const phone = new Phone()
  phone.kept.set('farolito.outbox', '{"not": "a list"')
  expect(phone.outbox().waiting).toEqual([])
})
