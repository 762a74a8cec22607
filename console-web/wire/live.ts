/**
 * One live socket that says honestly how old its news is.
 *
 * In: the node's messages. Out: each numbered message once, in order; a call for a fresh snapshot
 * when some may be missing; the state of the line. Never: knowledge of what an alert is.
 *
 * The clock, the timer, chance and the socket are arguments, so that the rules can be tried.
 */

import type { LiveMessage } from './model'

export const STALE_AFTER_MS = 3_000 // the node ticks each second; three missed are no accident
export const HUNG_AFTER_MS = 10_000 // an open but silent socket is given up and opened anew
export const RETRY_FIRST_MS = 500
export const RETRY_MAX_MS = 8_000
export const GAP_SNAPSHOT_EVERY_MS = 5_000 // gaps closer together share one snapshot

export type LineState = 'connecting' | 'live' | 'lost' | 'closed'

export interface SocketLike {
  onmessage: ((event: { data: unknown }) => void) | null
  onclose: ((event: unknown) => void) | null
  send?(text: string): void
  close(): void
}

export interface LiveOptions {
  url: (after: number) => string
  open: (url: string) => SocketLike
  now: () => number
  later: (run: () => void, ms: number) => () => void
  random: () => number
  /** Numbered messages once each and in order; unnumbered ones as they come. */
  onMessage: (message: LiveMessage) => void
  onSnapshotNeeded: (why: 'reset' | 'gap') => void
  onState?: (state: LineState, reason: string | null) => void
  /** What reading one message cost this thread, for measurement. */
  onDecoded?: (kind: LiveMessage['k'], ms: number) => void
  /** An officer's socket leaves out other units' news, so missing numbers mean nothing there. */
  gapsExpected?: boolean
}

export class Live {
  state: LineState = 'connecting'
  lastHeardAt: number
  gaps = 0
  #seq = 0
  #socket: SocketLike | null = null
  #attempt = 0
  #stopped = false
  #cancelRetry: (() => void) | null = null
  #cancelWatch: (() => void) | null = null
  #lastGapAt = -Infinity
  #openedAt = -Infinity

  constructor(private readonly options: LiveOptions) {
    this.lastHeardAt = options.now()
  }

  get seq(): number {
    return this.#seq
  }

  /** Opens the line; everything after `after` is wanted (the number that the snapshot carried). */
  start(after: number): void {
    this.#seq = after
    this.#stopped = false
    this.lastHeardAt = this.options.now()
    this.#connect()
    this.#watch()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelRetry?.()
    this.#cancelWatch?.()
    this.#drop()
  }

  /** Tells the node something of the moment; false where there is no line: it is then too late. */
  send(message: Record<string, unknown>): boolean {
    if (this.state !== 'live' || !this.#socket?.send) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  /** A snapshot is in place: what it holds need not be told again. Numbers may begin anew. */
  snapshotTaken(seq: number, restarted: boolean): void {
    this.#seq = restarted ? seq : Math.max(this.#seq, seq)
  }

  /** The network is said to be back: no need to wait out the pause. */
  hurry(): void {
    if (this.#stopped || this.#socket !== null) return
    this.#cancelRetry?.()
    this.#connect()
  }

  #say(state: LineState, reason: string | null = null): void {
    this.state = state
    this.options.onState?.(state, reason)
  }

  #connect(): void {
    this.#say('connecting')
    this.#openedAt = this.options.now()
    let socket: SocketLike
    try {
      socket = this.options.open(this.options.url(this.#seq))
    } catch {
      this.#retry()
      return
    }
    this.#socket = socket
    socket.onmessage = (event) => {
      if (this.#socket === socket) this.#heard(event.data)
    }
    socket.onclose = () => {
      if (this.#socket !== socket) return
      this.#socket = null
      if (!this.#stopped) this.#retry()
    }
  }

  #drop(): void {
    const socket = this.#socket
    this.#socket = null
    if (socket === null) return
    socket.onmessage = null
    socket.onclose = null
    socket.close()
  }

  #retry(): void {
    this.#say('lost')
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.#attempt)
    this.#attempt += 1
    // Half fixed, half chance: a hundred screens do not come back in the same instant.
    const wait = ceiling / 2 + (ceiling / 2) * this.options.random()
    this.#cancelRetry = this.options.later(() => this.#connect(), wait)
  }

  #watch(): void {
    this.#cancelWatch = this.options.later(() => {
      if (this.#stopped) return
      // A socket just opened has its own time to speak, however long the silence before it.
      const silent = this.options.now() - Math.max(this.lastHeardAt, this.#openedAt)
      if (this.#socket !== null && silent >= HUNG_AFTER_MS) {
        // The age goes on counting: a new socket is not yet news.
        this.#drop()
        this.#retry()
      }
      this.#watch()
    }, HUNG_AFTER_MS / 2)
  }

  #heard(raw: unknown): void {
    const began = this.options.now()
    let message: LiveMessage
    try {
      message = JSON.parse(String(raw)) as LiveMessage
    } catch {
      return // not ours; the silence that follows shows as staleness
    }
    this.lastHeardAt = this.options.now()
    this.options.onDecoded?.(message.k, this.lastHeardAt - began)
    this.#attempt = 0
    if (message.k === 'closed') {
      this.#stopped = true
      this.#cancelWatch?.()
      this.#drop()
      this.#say('closed', message.reason)
      return
    }
    if (this.state !== 'live') this.#say('live')
    if (message.k === 'reset') this.options.onSnapshotNeeded('reset')
    else if ('seq' in message && message.k !== 'hello') this.#numbered(message)
    else this.options.onMessage(message)
  }

  #numbered(message: LiveMessage & { seq: number }): void {
    if (message.seq <= this.#seq) return // told before the line broke, and told again
    const missing = message.seq > this.#seq + 1
    this.#seq = message.seq
    this.options.onMessage(message)
    if (!missing || this.options.gapsExpected === true) return
    this.gaps += 1
    const now = this.options.now()
    if (now - this.#lastGapAt < GAP_SNAPSHOT_EVERY_MS) return
    this.#lastGapAt = now
    this.options.onSnapshotNeeded('gap')
  }
}

/** Whole seconds since the last word from the node once that is too long ago; null while fresh. */
export function staleSeconds(lastHeardAt: number, now: number): number | null {
  const silent = now - lastHeardAt
  return silent >= STALE_AFTER_MS ? Math.floor(silent / 1000) : null
}

/** A socket of the browser to the node that served this page. */
export function browserSocket(path: string): SocketLike {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(`${scheme}//${location.host}${path}`)
  const like: SocketLike = {
    onmessage: null,
    onclose: null,
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => socket.close(),
  }
  socket.onmessage = (event) => like.onmessage?.({ data: event.data as unknown })
  socket.onclose = (event) => like.onclose?.(event)
  return like
}
