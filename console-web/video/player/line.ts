/**
 * The line to one camera's pictures: asks for the right, shows it, hears, asks again in time.
 *
 * In: a way to ask the node, a way to open a socket, clock, timer and chance. Out: pictures and
 * words, as calls. Never: a token in an address; a second try where the right was taken away.
 */

import type { Mode, PictureWord, Quality, WatchGrant } from '../../wire/video'
import { Offset } from './offset'
import { type Picture, readPicture } from './picture'
import { GOOD_AFTER_MS, type Lost, Retry } from './retry'

export const PING_EVERY_MS = 5_000
export const PINGS_AT_FIRST = 4 // close together, so that the delay is soon a measured one
const PING_FIRST_EVERY_MS = 300
export const OPENS_WITHIN_MS = 10_000 // a socket that does not open, or says nothing
export const HUNG_AFTER_MS = 15_000 // pongs come each 5 s: silence is a dead line
export const PROLONG_AT = 0.7 // of the time that was granted
const PROLONG_AGAIN_MS = 3_000

/** The node said no, and asking again will not change it. */
export interface Refusal {
  says: string
  act: string
  word: string
}

/** Thrown by `ask`: `refusal` where the node said no; none where it did not answer. */
export class NotGranted extends Error {
  constructor(readonly refusal: Refusal | null) {
    super(refusal?.says ?? 'no answer')
  }
}

export interface PictureSocket {
  onopen: (() => void) | null
  onmessage: ((data: string | ArrayBuffer) => void) | null
  onclose: (() => void) | null
  send(text: string): void
  close(): void
}

export type Phase = 'off' | 'asking' | 'connecting' | 'open' | 'again' | 'refused' | 'ended'

export interface LineOptions {
  ask: () => Promise<WatchGrant>
  open: (url: string) => PictureSocket
  now: () => number // ms, never jumps
  later: (run: () => void, ms: number) => () => void
  random: () => number
  onPhase: (phase: Phase) => void
  onGrant: (grant: WatchGrant) => void
  onWord: (word: PictureWord) => void
  onPicture: (picture: Picture) => void
  onRefused: (refusal: Refusal) => void
}

export class Line {
  phase: Phase = 'off'
  lost: Lost | null = null // why it was last lost
  readonly offset = new Offset()
  #socket: PictureSocket | null = null
  #mode: Mode
  #quality: Quality
  #told: Quality // what the picture process knows of it
  #retry: Retry
  #run = 0 // a word of an older run is not heard
  #cancels = new Map<string, () => void>()
  #heardAt = 0
  #pings = 0

  constructor(
    private readonly options: LineOptions,
    mode: Mode,
    quality: Quality,
  ) {
    this.#mode = mode
    this.#quality = this.#told = quality
    this.#retry = new Retry(options.random)
  }

  /** The node's clock now, ms. */
  nodeNow(): number {
    return this.options.now() + this.offset.ms
  }

  start(): void {
    if (!['off', 'refused', 'ended', 'again'].includes(this.phase)) return
    if (this.phase !== 'again') this.#retry.good()
    void this.#ask()
  }

  stop(): void {
    this.#drop()
    this.#say('off')
  }

  setQuality(quality: Quality): void {
    this.#quality = quality
    if (this.phase === 'open') this.#tellQuality()
  }

  #tellQuality(): void {
    if (this.#quality === this.#told) return
    this.#told = this.#quality
    this.#tell({ k: 'quality', quality: this.#quality })
  }

  /** Another way of showing pictures needs a line of its own. */
  setMode(mode: Mode): void {
    if (mode === this.#mode) return
    this.#mode = mode
    if (this.phase !== 'off') this.restart()
  }

  /** The next line, whenever it comes, shows pictures so. */
  nextMode(mode: Mode): void {
    this.#mode = mode
  }

  /** From the beginning, with a new right: a token opens one line. */
  restart(): void {
    void this.#ask()
  }

  async #ask(): Promise<void> {
    this.#drop()
    const run = this.#run
    this.#say('asking')
    let grant: WatchGrant
    try {
      grant = await this.options.ask()
    } catch (error) {
      if (run === this.#run) this.#notGranted(error)
      return
    }
    if (run !== this.#run) return
    this.options.onGrant(grant)
    this.#connect(grant, run)
  }

  #notGranted(error: unknown): void {
    if (!(error instanceof NotGranted)) throw error
    if (error.refusal) {
      this.#drop()
      this.options.onRefused(error.refusal)
      this.#say('refused')
    } else this.#loses('away')
  }

  #connect(grant: WatchGrant, run: number): void {
    this.#say('connecting')
    let socket: PictureSocket
    try {
      socket = this.options.open(grant.url)
    } catch {
      this.#loses('line')
      return
    }
    this.#socket = socket
    this.#heardAt = this.options.now()
    socket.onopen = () => {
      if (run !== this.#run) return
      this.#told = this.#quality
      this.#tell({ k: 'token', token: grant.token, mode: this.#mode, quality: this.#quality })
    }
    socket.onmessage = (data) => {
      if (run === this.#run) this.#hear(data)
    }
    socket.onclose = () => {
      if (run === this.#run) this.#loses('line')
    }
    this.#later('watch', () => this.#watch(), OPENS_WITHIN_MS)
  }

  #hear(data: string | ArrayBuffer): void {
    this.#heardAt = this.options.now()
    if (typeof data !== 'string') {
      const picture = readPicture(data)
      if (picture) this.options.onPicture(picture)
      return
    }
    let word: PictureWord
    try {
      word = JSON.parse(data) as PictureWord
    } catch {
      return // not ours
    }
    switch (word.k) {
      case 'open':
        this.#opened(word)
        break
      case 'pong':
        this.offset.add(word.t, word.now_us / 1000, this.options.now())
        break
    }
    this.options.onWord(word)
    if (word.k === 'end') this.#loses(word.why)
  }

  #opened(word: PictureWord & { k: 'open' }): void {
    this.offset.hint(word.now_us / 1000, this.options.now())
    this.#later('prolong', () => void this.#prolong(), prolongIn(word.until_us - word.now_us))
    if (this.phase === 'open') return // told anew, since a newer token prolonged it
    this.lost = null
    this.#say('open')
    this.#tellQuality() // it may have changed since the token went
    this.#pings = 0
    this.#ping()
    this.#later('good', () => this.#retry.good(), GOOD_AFTER_MS)
  }

  #ping(): void {
    this.#tell({ k: 'ping', t: this.options.now() })
    this.#pings += 1
    const wait = this.#pings < PINGS_AT_FIRST ? PING_FIRST_EVERY_MS : PING_EVERY_MS
    this.#later('ping', () => this.#ping(), wait)
  }

  #watch(): void {
    const limit = this.phase === 'open' ? HUNG_AFTER_MS : OPENS_WITHIN_MS
    if (this.options.now() - this.#heardAt >= limit) this.#loses('line')
    else this.#later('watch', () => this.#watch(), limit / 3)
  }

  async #prolong(): Promise<void> {
    const run = this.#run
    try {
      const grant = await this.options.ask()
      if (run !== this.#run) return
      this.options.onGrant(grant)
      this.#tell({ k: 'token', token: grant.token })
      const left = (Date.parse(grant.until) - this.nodeNow()) * 1000
      this.#later('prolong', () => void this.#prolong(), prolongIn(left))
    } catch (error) {
      if (!(error instanceof NotGranted)) throw error
      if (run !== this.#run) return
      // What was granted still runs; when it is over, the picture process says so.
      if (error.refusal) this.options.onRefused(error.refusal)
      else this.#later('prolong', () => void this.#prolong(), PROLONG_AGAIN_MS)
    }
  }

  #loses(why: Lost): void {
    this.lost = why
    this.#drop()
    const next = this.#retry.next(why)
    if (!next.again) {
      this.#say('ended')
      return
    }
    this.#say('again')
    this.#later('again', () => void this.#ask(), next.afterMs)
  }

  #tell(word: Record<string, unknown>): void {
    this.#socket?.send(JSON.stringify(word))
  }

  #later(what: string, run: () => void, ms: number): void {
    this.#cancels.get(what)?.()
    this.#cancels.set(what, this.options.later(run, ms))
  }

  /** Ends the run: its socket, its timers, and whatever it still waits for. */
  #drop(): void {
    this.#run += 1
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  #say(phase: Phase): void {
    this.phase = phase
    this.options.onPhase(phase)
  }
}

function prolongIn(leftUs: number): number {
  return Math.max(1_000, (leftUs / 1000) * PROLONG_AT)
}
