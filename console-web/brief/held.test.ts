import { describe, expect, test } from 'vitest'

import type { Brief, BriefLine, Receipt } from '../wire/model'
import { BURST_MS, hasGap, hold, inOrder, isWiped, WIPED_AFTER_MS, wiped, type HeldBriefs } from './held'

const START = Date.parse('2026-11-23T10:00:00Z')
const at = (ms: number) => new Date(START + ms).toISOString()

const line = (says: string): BriefLine => ({
  kind: 'what', says, source: 'CAD', as_of: null, confidence: 'machine',
}) // prettier-ignore

const brief = (version: number, more: Partial<Brief> = {}): Brief => ({
  brief_id: 'b1',
  agency: 'nm-practice',
  unit: '2A14',
  version,
  composed_at: at(version * 1_000),
  lines: [line(`v${version}`)],
  change: `Update ${version}.`,
  ...more,
})

const NOTHING: HeldBriefs = new Map()
const opened = (version: number): Receipt => ({
  brief_id: 'b1', version, kind: 'opened', at: at(0), person: 'p',
}) // prettier-ignore

describe('versions', () => {
  test('an older version never replaces a newer one', () => {
    const held = hold(hold(NOTHING, { brief: brief(3) }, START, 0), { brief: brief(2) }, START, 1)
    expect(held.get('b1')!.brief.version).toBe(3)
  })

  test('the same version told again changes nothing but the receipts', () => {
    const once = hold(NOTHING, { brief: brief(1) }, START, 0)
    const twice = hold(once, { brief: brief(1), receipts: [opened(1)] }, START, 9_000)
    expect(twice.get('b1')!.versions).toHaveLength(1)
    expect(twice.get('b1')!.newsAt).toBe(0)
    expect([...twice.get('b1')!.received]).toEqual(['opened'])
  })

  test('versions that come together after an outage are one change to what was seen before', () => {
    let held = hold(NOTHING, { brief: brief(1) }, START, 0)
    for (let v = 2; v <= 5; v += 1) held = hold(held, { brief: brief(v) }, START, 60_000 + v)
    expect(held.get('b1')!.seen?.version).toBe(1)
    expect(held.get('b1')!.versions.map((v) => v.version)).toEqual([5, 4, 3, 2, 1])
    held = hold(held, { brief: brief(6) }, START, 60_000 + BURST_MS * 2)
    expect(held.get('b1')!.seen?.version).toBe(5)
  })

  test('a snapshot fills in the versions that were missed', () => {
    let held = hold(NOTHING, { brief: brief(1) }, START, 0)
    held = hold(held, { brief: brief(4) }, START, 60_000)
    expect(hasGap(held.get('b1')!)).toBe(true)
    held = hold(held, { brief: brief(4), versions: [4, 3, 2, 1].map((v) => brief(v)) }, START, 61_000)
    expect(hasGap(held.get('b1')!)).toBe(false)
    expect(held.get('b1')!.seen?.version).toBe(1)
  })

  test('after a reload, changes are marked to the version that was opened last', () => {
    const versions = [5, 4, 3, 2, 1].map((v) => brief(v))
    const held = hold(NOTHING, { brief: brief(5), versions, receipts: [opened(1), opened(2)] }, START, 0)
    expect(held.get('b1')!.seen?.version).toBe(2)
  })
})

describe('an ended brief', () => {
  const ended = brief(3, { ended_at: at(0) })

  test('is shown for ten minutes and then wiped from memory', () => {
    const held = hold(NOTHING, { brief: ended }, START, 0)
    expect(wiped(held, START + WIPED_AFTER_MS - 1)).toBe(held)
    expect(wiped(held, START + WIPED_AFTER_MS).size).toBe(0)
  })

  test('does not come back with a later snapshot', () => {
    expect(isWiped(ended, START + WIPED_AFTER_MS)).toBe(true)
    expect(hold(NOTHING, { brief: ended }, START + WIPED_AFTER_MS, 0).size).toBe(0)
  })

  test('leaves with all its versions when its end is told too late', () => {
    const held = hold(NOTHING, { brief: brief(2) }, START, 0)
    expect(hold(held, { brief: ended }, START + WIPED_AFTER_MS, 0).size).toBe(0)
  })

  test('stands after those that run', () => {
    let held = hold(NOTHING, { brief: ended }, START, 0)
    held = hold(held, { brief: brief(1, { brief_id: 'b0', composed_at: at(-60_000) }) }, START, 0)
    expect(inOrder(held).map((h) => h.brief.brief_id)).toEqual(['b0', 'b1'])
  })
})
