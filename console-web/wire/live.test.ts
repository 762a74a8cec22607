import { beforeEach, describe, expect, test } from 'vitest'

import {
  GAP_SNAPSHOT_EVERY_MS,
  HUNG_AFTER_MS,
  Live,
  type LineState,
  RETRY_FIRST_MS,
  RETRY_MAX_MS,
  type SocketLike,
  staleSeconds,
} from './live'
import type { LiveMessage } from './model'

class Line {
  now = 0
  timers: { at: number; run: () => void; off: boolean }[] = []
  sockets: { url: string; socket: SocketLike; closed: boolean }[] = []
  heard: LiveMessage[] = []
  snapshots: string[] = []
  states: LineState[] = []
  live: Live

  constructor(gapsExpected = false) {
    this.live = new Live({
      url: (after) => `/live?after=${after}`,
      open: (url) => {
        const entry = { url, closed: false, socket: null as unknown as SocketLike }
        entry.socket = { onmessage: null, onclose: null, close: () => (entry.closed = true) }
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
      onMessage: (message) => this.heard.push(message),
      onSnapshotNeeded: (why) => this.snapshots.push(why),
      onState: (state) => this.states.push(state),
      gapsExpected,
    })
  }

  get last() {
    return this.sockets.at(-1)!
  }

  say(message: object): void {
    this.last.socket.onmessage?.({ data: JSON.stringify(message) })
  }

  alert(seq: number): void {
    this.say({ k: 'alert', seq, at: '2026-11-02T10:00:00Z', alert: { alert_id: `a${seq}` } })
  }

  breaks(): void {
    this.last.socket.onclose?.(null)
  }

  pass(ms: number): void {
    const end = this.now + ms
    for (;;) {
      const due = this.timers
        .filter((t) => !t.off && t.at <= end)
        .sort((a, b) => a.at - b.at)[0]
      if (!due) break
      due.off = true
      this.now = Math.max(this.now, due.at)
      due.run()
    }
    this.now = end
  }

  seqs(): number[] {
    return this.heard.flatMap((m) => ('seq' in m ? [m.seq] : []))
  }
}

let line: Line
beforeEach(() => {
  line = new Line()
  line.live.start(10)
})

describe('numbers', () => {
  test('everything after the snapshot is asked for, and told once and in order', () => {
    expect(line.last.url).toBe('/live?after=10')
    for (const seq of [11, 12, 12, 11, 13]) line.alert(seq)
    expect(line.seqs()).toEqual([11, 12, 13])
    expect(line.snapshots).toEqual([])
  })

  test('after a broken line the next one asks for what came after the last number heard', () => {
    line.alert(11)
    line.alert(12)
    line.breaks()
    line.pass(RETRY_FIRST_MS)
    expect(line.sockets).toHaveLength(2)
    expect(line.last.url).toBe('/live?after=12')
    line.alert(12)
    line.alert(13)
    expect(line.seqs()).toEqual([11, 12, 13])
  })

  test('a missing number is shown on and asks for one fresh snapshot', () => {
    line.alert(14)
    line.alert(20)
    expect(line.seqs()).toEqual([14, 20])
    expect(line.snapshots).toEqual(['gap'])
    expect(line.live.gaps).toBe(2)
    line.pass(GAP_SNAPSHOT_EVERY_MS)
    line.alert(30)
    expect(line.snapshots).toEqual(['gap', 'gap'])
  })

  test('an officer hears only of the own unit, so missing numbers ask for nothing', () => {
    const officer = new Line(true)
    officer.live.start(10)
    officer.alert(50)
    expect(officer.seqs()).toEqual([50])
    expect(officer.snapshots).toEqual([])
  })

  test('a reset asks for a snapshot, and numbers may begin anew after it', () => {
    line.alert(11)
    line.say({ k: 'reset' })
    expect(line.snapshots).toEqual(['reset'])
    line.live.snapshotTaken(3, true)
    line.alert(4)
    expect(line.seqs()).toEqual([11, 4])
  })

  test('a snapshot that a live message overtook does not turn the number back', () => {
    line.alert(11)
    line.alert(12)
    line.live.snapshotTaken(11, false)
    line.alert(12)
    expect(line.seqs()).toEqual([11, 12])
  })
})

describe('the line', () => {
  test('pauses between tries grow to a limit and shrink again after a word from the node', () => {
    const waits: number[] = []
    for (let i = 0; i < 7; i += 1) {
      line.breaks()
      const [from, known] = [line.now, line.sockets.length]
      while (line.sockets.length === known) line.pass(100)
      waits.push(line.now - from)
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, RETRY_MAX_MS, RETRY_MAX_MS, RETRY_MAX_MS])
    line.say({ k: 'tick', at: '2026-11-02T10:00:00Z' })
    line.breaks()
    const before = line.sockets.length
    line.pass(RETRY_FIRST_MS)
    expect(line.sockets.length).toBe(before + 1)
  })

  test('an open socket that says nothing is given up for a new one', () => {
    line.pass(HUNG_AFTER_MS + HUNG_AFTER_MS / 2 + RETRY_MAX_MS)
    expect(line.sockets[0]!.closed).toBe(true)
    expect(line.sockets.length).toBeGreaterThan(1)
  })

  test('after a long outage a new socket has its full time to speak', () => {
    line.pass(HUNG_AFTER_MS * 6)
    line.breaks()
    line.pass(RETRY_MAX_MS)
    const opened = line.sockets.length
    line.pass(HUNG_AFTER_MS - RETRY_MAX_MS)
    expect(line.sockets).toHaveLength(opened)
  })

  test('words of a socket that was given up are not heard', () => {
    const old = line.last.socket
    const listener = old.onmessage
    line.pass(HUNG_AFTER_MS * 3)
    listener?.({ data: JSON.stringify({ k: 'alert', seq: 99, at: '', alert: {} }) })
    expect(line.seqs()).toEqual([])
  })

  test('when the node closes the line for good, nobody knocks again', () => {
    line.say({ k: 'closed', reason: 'signed out' })
    line.pass(120_000)
    expect(line.sockets).toHaveLength(1)
    expect(line.states.at(-1)).toBe('closed')
  })

  test('bytes that are no message change nothing', () => {
    line.last.socket.onmessage?.({ data: '{"k":' })
    expect(line.heard).toEqual([])
    expect(line.live.lastHeardAt).toBe(0)
  })
})

describe('age', () => {
  test('up to three seconds of silence are fresh, then whole seconds are told', () => {
    expect(staleSeconds(1_000, 3_999)).toBeNull()
    expect(staleSeconds(1_000, 4_000)).toBe(3)
    expect(staleSeconds(1_000, 8_400)).toBe(7)
  })

  test('a tick makes the news fresh, a mere new socket does not', () => {
    line.pass(7_000)
    line.breaks()
    line.pass(RETRY_FIRST_MS)
    expect(staleSeconds(line.live.lastHeardAt, line.now)).toBe(7)
    line.say({ k: 'tick', at: '2026-11-02T10:00:00Z' })
    expect(staleSeconds(line.live.lastHeardAt, line.now)).toBeNull()
  })
})
