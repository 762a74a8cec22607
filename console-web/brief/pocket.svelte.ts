/**
 * The briefs of one unit on one phone.
 *
 * In: the unit's briefs and their live versions. Out: reactive values; receipts and outcomes
 * back to the node, kept while the line is down. Never: a brief written to the phone's store.
 */

import { ApiError, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import { browserSocket, Live, type LineState, staleSeconds } from '../wire/live'
import type { Brief, LiveMessage, MineBriefs, Outcome, ReceiptKind } from '../wire/model'
import { session } from '../wire/session.svelte'
import { Outbox, type OutboxItem, type SendResult } from '../wire/outbox'

const FLUSH_EVERY_MS = 5_000
const VERSIONS_KEPT_MAX = 20 // of one brief; older ones leave the list

export interface Pocketed {
  brief: Brief
  versions: readonly Brief[] // newest first, as this phone has seen them
  received: ReadonlySet<string> // receipts of the newest version that were given
}

export class Pocket {
  briefs = $state.raw<ReadonlyMap<string, Pocketed>>(new Map())
  ready = $state(false)
  permit = $state<number | null>(null)
  line = $state<LineState>('connecting')
  closedReason = $state<string | null>(null)
  waiting = $state.raw<readonly OutboxItem[]>([])
  refused = $state<string | null>(null)
  answered = $state.raw<ReadonlyMap<string, Outcome>>(new Map()) // what this phone said
  list = $derived(
    [...this.briefs.values()].sort(
      (a, b) => Date.parse(b.brief.composed_at) - Date.parse(a.brief.composed_at),
    ),
  )
  #heardAt = $state(performance.now())
  stale = $derived(
    this.ready ? staleSeconds(this.#heardAt, Math.max(clock.monotonic, this.#heardAt)) : null,
  )
  onRecalled: (brief: Brief) => void = () => undefined
  onNews: (brief: Brief) => void = () => undefined

  #live: Live
  #outbox: Outbox

  constructor() {
    this.#outbox = new Outbox(safeStore(), send, (waiting, refused) => {
      this.waiting = waiting
      if (refused !== null) this.refused = refused
    })
    this.waiting = this.#outbox.waiting
    this.#live = new Live({
      url: (after) => `/api/live?after=${after}`,
      open: browserSocket,
      now: () => performance.now(),
      later: (run, ms) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
      random: Math.random,
      onMessage: (message) => this.#hear(message),
      onSnapshotNeeded: (why) => void this.#snapshot(why === 'reset'),
      onState: (state, reason) => {
        this.line = state
        this.closedReason = reason
        if (state === 'closed') void session.check()
        if (state === 'live') void this.#outbox.flush()
      },
      gapsExpected: true,
    })
  }

  open(): () => void {
    void this.#begin()
    const hurry = () => this.#live.hurry()
    const seen = () => this.#receiptsFor([...this.briefs.values()])
    const timer = setInterval(() => void this.#outbox.flush(), FLUSH_EVERY_MS)
    addEventListener('online', hurry)
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(timer)
      removeEventListener('online', hurry)
      document.removeEventListener('visibilitychange', seen)
      this.#live.stop()
    }
  }

  async #begin(): Promise<void> {
    while (!(await this.#snapshot(true))) await new Promise((done) => setTimeout(done, 2_000))
    this.ready = true
    this.#heardAt = performance.now()
    this.#live.start(this.#live.seq)
  }

  async #snapshot(restarted: boolean): Promise<boolean> {
    try {
      const answer = await get<MineBriefs>('/api/briefs/mine')
      if (answer.at) clock.heard(answer.at)
      this.permit = answer.permit ?? this.permit
      const kept = new Set(answer.briefs.map((b) => b.brief.brief_id))
      this.briefs = new Map([...this.briefs].filter(([id]) => kept.has(id)))
      for (const { brief, receipts } of answer.briefs) {
        const given = receipts.filter((r) => r.version === brief.version).map((r) => r.kind)
        this.#put(brief, given)
      }
      this.#live.snapshotTaken(answer.seq, restarted)
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      if (!error.isOffline) this.refused = error.says
      return false
    }
  }

  #hear(message: LiveMessage): void {
    this.#heardAt = performance.now()
    if ('at' in message) clock.heard(message.at)
    if (message.k === 'hello') this.permit = message.permit ?? this.permit
    if (message.k === 'brief') this.#put(message.brief, [])
  }

  #put(brief: Brief, given: readonly ReceiptKind[]): void {
    const known = this.briefs.get(brief.brief_id)
    if (known && known.brief.version > brief.version) return
    const isNews = !known || known.brief.version < brief.version
    const before = known?.versions.filter((v) => v.version !== brief.version) ?? []
    const received = new Set(isNews ? given : [...(known?.received ?? []), ...given])
    const pocketed = { brief, versions: [brief, ...before].slice(0, VERSIONS_KEPT_MAX), received }
    this.briefs = new Map(this.briefs).set(brief.brief_id, pocketed)
    if (isNews && this.ready) {
      if (brief.recalled && !known?.brief.recalled) this.onRecalled(brief)
      else this.onNews(brief)
    }
    this.#receiptsFor([pocketed])
  }

  /** Delivered once it is here; opened once a lit screen shows it. */
  #receiptsFor(pocketed: readonly Pocketed[]): void {
    for (const { brief } of pocketed) {
      this.receipt(brief, 'delivered')
      if (document.visibilityState === 'visible') this.receipt(brief, 'opened')
    }
  }

  receipt(brief: Brief, kind: ReceiptKind): void {
    const pocketed = this.briefs.get(brief.brief_id)
    if (!pocketed || pocketed.received.has(kind)) return
    const received = new Set(pocketed.received).add(kind)
    this.briefs = new Map(this.briefs).set(brief.brief_id, { ...pocketed, received })
    void this.#outbox.add({
      key: `${brief.brief_id}/${brief.version}/${kind}`,
      kind: 'receipt',
      path: `/api/briefs/${brief.brief_id}/receipt`,
      body: { version: brief.version, kind },
    })
  }

  answer(brief: Brief, outcome: Outcome): void {
    this.refused = null
    this.answered = new Map(this.answered).set(brief.brief_id, outcome)
    void this.#outbox.add({
      key: `${brief.brief_id}/outcome`,
      kind: 'outcome',
      path: `/api/briefs/${brief.brief_id}/outcome`,
      body: { outcome },
    })
  }

  isWaiting(brief: Brief): boolean {
    return this.waiting.some((i) => i.key === `${brief.brief_id}/outcome`)
  }
}

async function send(item: OutboxItem): Promise<SendResult> {
  try {
    await post(item.path, item.body)
    return 'sent'
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    // Signed out, or the node in trouble: the answer keeps until that is mended.
    if (error.isOffline || error.status >= 500 || error.status === 401 || error.status === 429) {
      return 'later'
    }
    // A receipt that is not wanted any more troubles nobody; a refused answer must be told.
    return item.kind === 'receipt' ? 'sent' : { refused: error.says }
  }
}

function safeStore(): Storage | null {
  try {
    return localStorage
  } catch {
    return null // a private window may forbid it
  }
}
