/**
 * The incidents of one operator's desk, and what the operator does with them.
 *
 * In: snapshots and the live line, handed on by the desk. Out: reactive values, deeds sent to the
 * node. Never: a decision of its own on what belongs together; the node says it, with the reason.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import {
  type HeldIncidents,
  incidentOfPart,
  openAsks,
  rankedIncidents,
  withIncident,
  withIncidents,
} from '../wire/incidents'
import type {
  Brief,
  Incident,
  IncidentDetail,
  IncidentsSnapshot,
  LineKind,
  LiveMessage,
  OfficerAnswer,
  Receipt,
} from '../wire/model'
import { earcons } from './earcons.svelte'

const LOOK_AFTER_MS = 250 // one passed over with J or K is not looked at, so not logged
const AGAIN_AFTER_MS = 800 // several changes at once are one fresh look
const ETA_EVERY_MS = 20_000 // while somebody is on the way to the incident that is shown
const HANDLED_KEY = 'farolito.handled'
const HANDLED_KEPT_MAX = 200

export type IncidentDeed =
  | { act: 'split'; part_id: string; label: string }
  | { act: 'join'; other: string }
  | { act: 'fact'; line: LineKind; says: string }
  | { act: 'brief'; unit: string }

interface Voice {
  permitted: (permit: number) => void
  say: (says: string, bad: boolean) => void
  complain: (error: unknown) => void
}

export class Board {
  held = $state.raw<HeldIncidents>(new Map())
  answers = $state.raw<readonly OfficerAnswer[]>([])
  handled = $state.raw<ReadonlySet<string>>(new Set(keptHandled()))
  selectedId = $state<string | null>(null)
  detail = $state.raw<IncidentDetail | null>(null)
  known = $state(false) // the node told which incidents there are
  busy = $state(false)

  asks = $derived(openAsks(this.answers, this.held, this.handled))
  ranked = $derived(rankedIncidents(this.held, this.asks))
  order = $derived([...this.ranked.asking, ...this.ranked.open, ...this.ranked.closed])
  open = $derived([...this.ranked.asking, ...this.ranked.open])
  selected = $derived(
    this.selectedId ? (this.held.get(this.selectedId)?.incident ?? null) : null,
  )

  #lookTimer: ReturnType<typeof setTimeout> | undefined
  #etaTimer: ReturnType<typeof setTimeout> | undefined
  #lookDue = Infinity

  constructor(
    readonly me: string,
    private readonly voice: Voice,
  ) {}

  close(): void {
    clearTimeout(this.#lookTimer)
    clearTimeout(this.#etaTimer)
  }

  /** Takes the list anew. Returns the number it was told with; null where it was not told. */
  async snapshot(restarted: boolean): Promise<number | null> {
    try {
      const told = await get<IncidentsSnapshot>('/api/incidents')
      this.held = withIncidents(restarted ? new Map() : this.held, told.incidents, told.seq)
      if (told.asks) this.#keepAnswers(told.asks)
      if (told.permit != null) this.voice.permitted(told.permit)
      this.known = true
      if (this.selectedId) this.#look(AGAIN_AFTER_MS)
      return told.seq
    } catch (error) {
      this.voice.complain(error)
      return null
    }
  }

  hear(message: LiveMessage): void {
    if (message.k === 'incident') this.#hearIncident(message.incident, message.seq)
    else if (message.k === 'answer') this.#hearAnswer(message.answer)
    else if (message.k === 'brief') this.#hearBrief(message.brief)
    else if (message.k === 'receipt') this.#hearReceipt(message.receipt)
  }

  #hearIncident(incident: Incident, seq: number): void {
    const isNews = !this.held.has(incident.incident_id)
    this.held = withIncident(this.held, incident, seq)
    if (isNews && incident.state === 'open' && incident.level === 1) earcons.announce(2)
    if (incident.incident_id !== this.selectedId) return
    if (incident.state === 'joined' && incident.joined_to) this.select(incident.joined_to)
    else this.#look(AGAIN_AFTER_MS)
  }

  #hearAnswer(answer: OfficerAnswer): void {
    if (answer.kind === 'ask_rtcc') earcons.announce(2)
    this.#keepAnswers([answer])
    if (answer.incident_id !== this.selectedId) return
    if (this.detail) {
      const others = this.detail.answers.filter((a) => a.answer_id !== answer.answer_id)
      this.detail = { ...this.detail, answers: [...others, answer] }
    }
    this.#look(AGAIN_AFTER_MS)
  }

  #keepAnswers(answers: readonly OfficerAnswer[]): void {
    const ids = new Set(answers.map((a) => a.answer_id))
    const isShown = (a: OfficerAnswer) => this.held.has(a.incident_id) || ids.has(a.answer_id)
    this.answers = [...this.answers.filter((a) => !ids.has(a.answer_id)), ...answers].filter(isShown)
  }

  #hearBrief(brief: Brief): void {
    if (!brief.incident_id || brief.incident_id !== this.selectedId) return
    this.#look(AGAIN_AFTER_MS)
  }

  /** A receipt stands on the screen at once; the log follows with the fresh look. */
  #hearReceipt(receipt: Receipt): void {
    const detail = this.detail
    const at = detail?.briefs.findIndex((b) => b.brief.brief_id === receipt.brief_id) ?? -1
    if (!detail || at === -1) return
    const briefs = detail.briefs.map((b, i) =>
      i === at ? { ...b, receipts: [...b.receipts, receipt] } : b,
    )
    this.detail = { ...detail, briefs }
    this.#look(AGAIN_AFTER_MS)
  }

  select(id: string | null): void {
    if (id === this.selectedId) return
    this.selectedId = id
    this.detail = null
    clearTimeout(this.#lookTimer)
    clearTimeout(this.#etaTimer)
    this.#lookDue = Infinity
    if (id) this.#look(LOOK_AFTER_MS)
  }

  ofPart(partId: string): Incident | null {
    return incidentOfPart(this.held, partId)
  }

  /** A fresh look soon. One that is already due sooner is not put off by further changes. */
  #look(afterMs: number): void {
    const due = performance.now() + afterMs
    if (due >= this.#lookDue) return
    this.#lookDue = due
    clearTimeout(this.#lookTimer)
    this.#lookTimer = setTimeout(() => void this.#askDetail(), afterMs)
  }

  async #askDetail(): Promise<void> {
    const id = this.selectedId
    this.#lookDue = Infinity
    clearTimeout(this.#etaTimer)
    if (!id) return
    try {
      const detail = await get<IncidentDetail>(`/api/incidents/${id}`)
      if (id !== this.selectedId) return
      clock.heard(detail.at)
      this.detail = detail
      if (detail.permit != null) this.voice.permitted(detail.permit)
      this.#keepAnswers(detail.answers)
      const known = this.held.get(id)
      this.held = withIncident(this.held, detail.incident, known?.seq ?? 0)
    } catch (error) {
      if (id === this.selectedId) this.voice.complain(error)
    }
    this.#watchEtas()
  }

  #watchEtas(): void {
    const units = this.detail?.incident.units ?? []
    const moving = units.some((u) => u.status === 'assigned' || u.status === 'en_route')
    if (!moving || this.selected?.state !== 'open') return
    this.#etaTimer = setTimeout(() => {
      if (document.hidden) this.#watchEtas() // nobody looks, so nothing is asked
      else this.#look(0)
    }, ETA_EVERY_MS)
  }

  /** The operator dealt with an officer's question by voice: it leaves the top of this screen. */
  handle(answerId: string): void {
    this.handled = new Set([...this.handled, answerId].slice(-HANDLED_KEPT_MAX))
    sessionStorage.setItem(HANDLED_KEY, JSON.stringify([...this.handled]))
  }

  /** Does one thing to one incident. True when the node did it. */
  async act(incident: Incident, deed: IncidentDeed): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    try {
      const path = `/api/incidents/${incident.incident_id}/${deed.act}`
      const done = await post<{ incident?: Incident; permit?: number | null }>(path, bodyOf(deed))
      if (done.permit != null) this.voice.permitted(done.permit)
      if (done.incident) this.held = withIncident(this.held, done.incident, 0)
      this.voice.say(this.#said(deed), false)
      this.#look(0)
      return true
    } catch (error) {
      this.voice.complain(error)
      if (error instanceof ApiError && error.status === 409) this.#look(0)
      return false
    } finally {
      this.busy = false
    }
  }

  #said(deed: IncidentDeed): string {
    const t = tongue.t.incident.done
    if (deed.act === 'split') return t.split(deed.label)
    if (deed.act === 'brief') return t.brief(deed.unit)
    return deed.act === 'join' ? t.join : t.fact(tongue.t.brief.kinds[deed.line])
  }
}

function bodyOf(deed: IncidentDeed): Record<string, unknown> {
  switch (deed.act) {
    case 'split':
      return { part_id: deed.part_id }
    case 'join':
      return { other: deed.other }
    case 'fact':
      return { line: deed.line, says: deed.says }
    case 'brief':
      return { unit: deed.unit }
  }
}

function keptHandled(): string[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(HANDLED_KEY) ?? '[]')
    return Array.isArray(kept) ? kept.filter((id): id is string => typeof id === 'string') : []
  } catch {
    return []
  }
}
