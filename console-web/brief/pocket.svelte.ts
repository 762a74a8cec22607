/**
 * The briefs of one unit on one phone.
 *
 * In: the unit's briefs, their live versions, the way there. Out: reactive values; receipts and
 * answers back to the node, kept while the line is down. Never: a brief written to the phone's
 * store, or held longer than its time.
 */

import { ApiError, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import { browserSocket, Live, type LineState, staleSeconds } from '../wire/live'
import type { AnswerKind, Brief, LiveMessage, MineBriefs, Outcome, ReceiptKind } from '../wire/model'
import { session } from '../wire/session.svelte'
import { Outbox, type OutboxItem, type SendResult, type Shelf } from '../wire/outbox'
import { answerItem, furthest, newId, outcomeItem, receiptItem, type StatusKind } from './answers'
import type { Way } from './eta'
import { hasGap, hold, inOrder, wiped, type Held, type HeldBriefs, type Told } from './held'
import { Said } from './said'

const FLUSH_EVERY_MS = 5_000
const WIPE_EVERY_MS = 1_000
const BEGIN_AGAIN_MS = 2_000
const FILL_AFTER_MS = 300 // versions on their way come first; then the missing ones are asked for

export class Pocket {
  held = $state.raw<HeldBriefs>(new Map())
  ready = $state(false)
  permit = $state<number | null>(null)
  line = $state<LineState>('connecting')
  way = $state.raw<Way | null>(null)
  waiting = $state.raw<readonly OutboxItem[]>([])
  refused = $state<string | null>(null)
  said = $state.raw(new Said())
  list = $derived(inOrder(this.held))
  #heardAt = $state(performance.now())
  stale = $derived(
    this.ready ? staleSeconds(this.#heardAt, Math.max(clock.monotonic, this.#heardAt)) : null,
  )
  onRecalled: (brief: Brief) => void = () => undefined
  onNews: (held: Held, isFirst: boolean) => void = () => undefined
  onWay: (way: Way) => void = () => undefined
  onWiped: (brief_id: string) => void = () => undefined
  onLive: () => void = () => undefined

  #live: Live
  #outbox: Outbox
  #shelf: Shelf | null
  #shown: string | null = null
  #filling: ReturnType<typeof setTimeout> | undefined

  constructor(person: string) {
    this.#shelf = shelfOf(person)
    this.said = Said.load(this.#shelf)
    this.#outbox = new Outbox(this.#shelf, (item) => this.#send(item), (waiting, refused) => {
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
      onState: (state) => {
        this.line = state
        if (state === 'closed') void session.check()
        if (state !== 'live') return
        void this.#outbox.flush()
        this.onLive()
      },
      gapsExpected: true,
    })
  }

  open(): () => void {
    void this.#begin()
    const hurry = () => this.#live.hurry()
    const seen = () => this.#receiptsFor([...this.held.values()])
    const flush = setInterval(() => void this.#outbox.flush(), FLUSH_EVERY_MS)
    const wipe = setInterval(() => this.#replace(wiped(this.held, clock.now)), WIPE_EVERY_MS)
    addEventListener('online', hurry)
    document.addEventListener('visibilitychange', seen)
    return () => {
      clearInterval(flush)
      clearInterval(wipe)
      clearTimeout(this.#filling)
      removeEventListener('online', hurry)
      document.removeEventListener('visibilitychange', seen)
      this.#live.stop()
      this.#replace(new Map()) // whoever signs in next finds nothing
    }
  }

  send(message: Record<string, unknown>): boolean {
    return this.#live.send(message)
  }

  async #begin(): Promise<void> {
    while (!(await this.#snapshot(true))) await new Promise((done) => setTimeout(done, BEGIN_AGAIN_MS))
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
      this.#replace(new Map([...this.held].filter(([id]) => kept.has(id))))
      for (const told of answer.briefs) this.#take(told)
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
    if (message.k === 'brief') this.#take({ brief: message.brief })
    if (message.k === 'way') {
      // A word on the speed alone leaves the last reckoning, which shows its age.
      if (message.brief_id !== null) this.way = message
      this.onWay(message)
    }
  }

  #take(told: Told): void {
    const known = this.held.get(told.brief.brief_id)
    this.#replace(hold(this.held, told, clock.now, performance.now()))
    const held = this.held.get(told.brief.brief_id)
    if (!held || held.brief.version !== told.brief.version) return
    if (this.ready && known?.brief.version !== held.brief.version) {
      if (held.brief.recalled && !known?.brief.recalled) this.onRecalled(held.brief)
      else this.onNews(held, !known)
    }
    this.#receiptsFor([held])
    if (known && hasGap(held)) this.#fill()
  }

  /** Versions that passed this phone by are asked for, so that none is missing in its list. */
  #fill(): void {
    clearTimeout(this.#filling)
    this.#filling = setTimeout(() => void this.#snapshot(false), FILL_AFTER_MS)
  }

  #replace(held: HeldBriefs): void {
    const gone = [...this.held.keys()].filter((id) => !held.has(id))
    this.held = held
    for (const brief_id of gone) {
      this.onWiped(brief_id)
      if (this.way?.brief_id === brief_id) this.way = null
      this.#say(this.said.without(brief_id))
    }
  }

  /** This brief is the one on the screen. */
  show(brief_id: string): void {
    this.#shown = brief_id
    const held = this.held.get(brief_id)
    if (held) this.#receiptsFor([held])
  }

  /** Delivered once it is here; opened once a lit screen shows it. */
  #receiptsFor(all: readonly Held[]): void {
    for (const { brief } of all) {
      this.receipt(brief, 'delivered')
      const isShown = brief.brief_id === this.#shown && document.visibilityState === 'visible'
      if (isShown) this.receipt(brief, 'opened')
    }
  }

  receipt(brief: Brief, kind: ReceiptKind): void {
    const held = this.held.get(brief.brief_id)
    if (!held) return
    if (held.brief.version === brief.version) {
      if (held.received.has(kind)) return
      const received = new Set(held.received).add(kind)
      this.held = new Map(this.held).set(brief.brief_id, { ...held, received })
    }
    void this.#outbox.add(receiptItem(brief, kind))
  }

  outcome(brief: Brief, outcome: Outcome): void {
    this.#post(brief, outcomeItem(brief, outcome), { outcome })
  }

  status(brief: Brief, status: StatusKind): void {
    if (this.said.of(brief.brief_id).status === status) return
    this.#post(brief, this.#answer(brief, status, ''), { status })
  }

  ask(brief: Brief, says: string): void {
    this.#post(brief, this.#answer(brief, 'ask_rtcc', says), {})
  }

  #answer(brief: Brief, kind: AnswerKind, says: string): OutboxItem {
    const now = clock.at()
    const id = newId(now, crypto.getRandomValues(new Uint8Array(16)))
    return answerItem(brief, kind, says, id, new Date(now).toISOString())
  }

  #post(brief: Brief, item: OutboxItem, said: { status?: StatusKind; outcome?: Outcome }): void {
    this.refused = null
    this.#say(this.said.with(brief.brief_id, said, item.key))
    void this.#outbox.add(item)
  }

  #say(said: Said): void {
    if (said === this.said) return
    this.said = said
    said.keep(this.#shelf)
  }

  statusOf(brief: Brief): StatusKind | null {
    const told = this.way?.brief_id === brief.brief_id ? this.way.status : null
    return furthest(this.said.of(brief.brief_id).status, told)
  }

  /** Is the last answer to this brief still on the phone? */
  isWaiting(brief: Brief): boolean {
    const { key } = this.said.of(brief.brief_id)
    return this.waiting.some((i) => i.key === key)
  }

  async #send(item: OutboxItem): Promise<SendResult> {
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
      if (item.kind === 'receipt') return 'sent'
      this.#say(this.said.withoutKey(item.key))
      return { refused: error.says }
    }
  }
}

/** A phone may change hands: each person's answers are kept and sent by that person alone. */
function shelfOf(person: string): Shelf | null {
  try {
    const store = localStorage
    return {
      getItem: (key) => store.getItem(`${key}.${person}`),
      setItem: (key, value) => store.setItem(`${key}.${person}`, value),
    }
  } catch {
    return null // a private window may forbid it
  }
}
