import { beforeEach, expect, test } from 'vitest'

import type { PictureWord, WatchGrant } from '../../wire/video'
import { HUNG_AFTER_MS, Line, NotGranted, OPENS_WITHIN_MS, type Phase, type PictureSocket } from './line'
import type { Picture } from './picture'
import { AGAIN_MAX_MS } from './retry'
import { message } from './sample'

const NODE_AHEAD = 5_000

class Rig {
  now = 1_000
  timers: { at: number; run: () => void; off: boolean }[] = []
  sockets: { url: string; said: Record<string, unknown>[]; closed: boolean; socket: PictureSocket }[] = []
  phases: Phase[] = []
  pictures: Picture[] = []
  words: PictureWord[] = []
  refusals: string[] = []
  asked = 0
  answer: () => Promise<WatchGrant> = () => Promise.resolve(this.grant())
  line = new Line(
    {
      ask: () => {
        this.asked += 1
        return this.answer()
      },
      open: (url) => {
        const entry = { url, said: [] as Record<string, unknown>[], closed: false, socket: null! as PictureSocket }
        entry.socket = {
          onopen: null,
          onmessage: null,
          onclose: null,
          send: (text) => entry.said.push(JSON.parse(text) as Record<string, unknown>),
          close: () => (entry.closed = true),
        }
        this.sockets.push(entry)
        return entry.socket
      },
      now: () => this.now,
      later: (run, ms) => {
        const timer = { at: this.now + ms, run, off: false }
        this.timers.push(timer)
        return () => (timer.off = true)
      },
      random: () => 1,
      onPhase: (phase) => this.phases.push(phase),
      onGrant: () => undefined,
      onWord: (word) => this.words.push(word),
      onPicture: (picture) => this.pictures.push(picture),
      onRefused: ({ word }) => this.refusals.push(word),
    },
    'units',
    'key',
  )

  grant(minutes = 2): WatchGrant {
    const until = new Date(this.now + NODE_AHEAD + minutes * 60_000).toISOString()
    const token = `token ${this.asked}`
    return { permit: 7, token, until, url: 'ws://node:9/watch', watermark: '', name: 'c', state: 'live' }
  }

  get last() {
    return this.sockets.at(-1)!
  }

  hear(word: object): void {
    this.last.socket.onmessage?.(JSON.stringify(word))
  }

  opens(seconds = 120): void {
    this.last.socket.onopen?.()
    this.begins(seconds)
  }

  begins(seconds = 120): void {
    const now_us = (this.now + NODE_AHEAD) * 1000
    const until_us = now_us + seconds * 1_000_000
    this.hear({ k: 'open', camera_id: 'c', codec: 'h264', quality: 'key', until_us, now_us })
  }

  /** Answers pings as a living process does, unless it is to be mute. */
  async pass(ms: number, isMute = false): Promise<void> {
    const end = this.now + ms
    for (;;) {
      await settled()
      const due = this.timers.filter((t) => !t.off && t.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      due.off = true
      this.now = Math.max(this.now, due.at)
      due.run()
      const ping = this.sockets.at(-1)?.said.findLast((s) => s['k'] === 'ping')
      if (ping && !isMute) this.hear({ k: 'pong', t: ping['t'], now_us: (this.now + NODE_AHEAD) * 1000 })
    }
    this.now = end
    await settled()
  }
}

const settled = async () => {
  for (let i = 0; i < 5; i += 1) await Promise.resolve()
}

let rig: Rig
beforeEach(async () => {
  rig = new Rig()
  rig.line.start()
  await settled()
})

test('the token is the first message and never stands in the address', () => {
  rig.opens()
  expect(rig.last.url).toBe('ws://node:9/watch')
  expect(rig.last.said[0]).toEqual({ k: 'token', token: 'token 1', mode: 'units', quality: 'key' })
  expect(rig.phases).toEqual(['asking', 'connecting', 'open'])
})

test('pictures are handed on and the clocks compared', async () => {
  rig.opens()
  rig.last.socket.onmessage?.(message(1, 3, rig.now + NODE_AHEAD))
  rig.last.socket.onmessage?.(new ArrayBuffer(3))
  rig.last.socket.onmessage?.('{"k":')
  expect(rig.pictures.map((p) => p.sequence)).toEqual([3])
  await rig.pass(1_000)
  expect(rig.line.nodeNow() - rig.now).toBe(NODE_AHEAD)
})

test('a new right is asked for well before the old one ends, and shown on the same line', async () => {
  rig.opens(120)
  await rig.pass(90_000)
  expect(rig.asked).toBe(2)
  expect(rig.last.said).toContainEqual({ k: 'token', token: 'token 2' })
  expect(rig.sockets).toHaveLength(1)
  await rig.pass(100_000)
  expect(rig.asked).toBe(3)
  expect(rig.line.phase).toBe('open')
})

test('a refused prolongation is said, and the line lives until it is ended', async () => {
  rig.opens(120)
  rig.answer = () => Promise.reject(new NotGranted({ says: 'no', act: '', word: 'no_consent' }))
  await rig.pass(100_000)
  expect(rig.refusals).toEqual(['no_consent'])
  expect(rig.line.phase).toBe('open')
  rig.hear({ k: 'end', why: 'expired' })
  await rig.pass(1_000)
  expect(rig.line.phase).toBe('refused')
})

test('a refusal opens no socket and is not asked again', async () => {
  const no = new Rig()
  no.answer = () => Promise.reject(new NotGranted({ says: 'no', act: '', word: 'no_consent' }))
  no.line.start()
  await no.pass(120_000)
  expect([no.asked, no.sockets.length, no.line.phase]).toEqual([1, 0, 'refused'])
})

test('a broken line comes back with a new token', async () => {
  rig.opens()
  rig.last.socket.onclose?.()
  expect(rig.line.phase).toBe('again')
  await rig.pass(1_000)
  expect(rig.asked).toBe(2)
  rig.opens()
  expect(rig.last.said[0]).toMatchObject({ token: 'token 2' })
})

test('a node that does not answer is asked with growing pauses', async () => {
  const away = new Rig()
  away.answer = () => Promise.reject(new NotGranted(null))
  away.line.start()
  await away.pass(10 * AGAIN_MAX_MS)
  expect(away.asked).toBeGreaterThan(8)
  expect(away.asked).toBeLessThan(20)
})

test('cut off means cut off until a person asks', async () => {
  rig.opens()
  rig.hear({ k: 'end', why: 'cut', says: 'consent was withdrawn' })
  await rig.pass(120_000)
  expect([rig.asked, rig.line.phase, rig.line.lost]).toEqual([1, 'ended', 'cut'])
  rig.line.start()
  await settled()
  expect(rig.asked).toBe(2)
})

test('a socket that never opens, and one that falls silent, are given up', async () => {
  await rig.pass(OPENS_WITHIN_MS + 1)
  expect(rig.sockets[0]!.closed).toBe(true)
  await rig.pass(1_000)
  rig.opens()
  const before = rig.sockets.length
  await rig.pass(2 * HUNG_AFTER_MS, true)
  expect(rig.sockets.length).toBeGreaterThan(before)
})

test('words of a line that was given up are not heard', async () => {
  rig.opens()
  const old = rig.last.socket.onmessage
  rig.line.stop()
  old?.(message(1, 9, 0))
  await rig.pass(300_000)
  expect([rig.pictures.length, rig.sockets.length, rig.line.phase]).toEqual([0, 1, 'off'])
})

test('a right that comes after the tile was closed opens nothing', async () => {
  const late = new Rig()
  let give: (grant: WatchGrant) => void = () => undefined
  late.answer = () => new Promise((resolve) => (give = resolve))
  late.line.start()
  late.line.stop()
  give(late.grant())
  await settled()
  expect(late.sockets).toHaveLength(0)
})

test('a quality that changes while the line opens is told when it is open', () => {
  rig.last.socket.onopen?.()
  rig.line.setQuality('full')
  expect(rig.last.said.map((word) => word['k'])).toEqual(['token'])
  rig.begins()
  const qualities = rig.last.said.filter((word) => word['k'] === 'quality')
  expect(qualities).toEqual([{ k: 'quality', quality: 'full' }])
})

test('another quality is asked for on the open line, another way on a new one', async () => {
  rig.opens()
  rig.line.setQuality('full')
  expect(rig.last.said.at(-1)).toEqual({ k: 'quality', quality: 'full' })
  rig.line.setMode('mse')
  await settled()
  rig.last.socket.onopen?.()
  expect(rig.last.said[0]).toMatchObject({ mode: 'mse', quality: 'full' })
  expect(rig.sockets[0]!.closed).toBe(true)
})
