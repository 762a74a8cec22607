/**
 * What one operator's desk shows, and what the operator does with it.
 *
 * In: snapshots and the live line. Out: reactive values, and deeds sent to the node.
 * Never: a decision of its own; the node says what an alert's state is.
 */

import { tongue } from '../i18n/tongue.svelte'
import { AlarmKeeper, type Alarms, NO_ALARMS } from '../wire/alarms'
import { ApiError, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import { browserSocket, Live, type LineState, staleSeconds } from '../wire/live'
import { meter } from '../map/meter'
import { Positions } from '../map/positions'
import type { NationLand, SharedItem } from '../wire/federation'
import type {
  Acted,
  Alert,
  AlertDetail,
  AlertsSnapshot,
  Brief,
  Device,
  Found,
  Incident,
  Level,
  LiveMessage,
  MapFacts,
  Role,
  StoppedMatch,
} from '../wire/model'
import { session } from '../wire/session.svelte'
import { type HeldAlerts, ranked, withAlert, withSnapshot } from '../wire/queue'
import { keyOf } from '../wire/shared'
import { oneQueue, type Row, type Rows } from '../wire/shots'
import { SharedBoard } from '../shared/sharedBoard.svelte'
import { SensorNet } from '../shots/sensorNet.svelte'
import { ShotBoard } from '../shots/shotBoard.svelte'
import { CameraBoard } from '../video/cameraBoard.svelte'
import { NearVideo } from '../video/nearVideo.svelte'
import { Board } from './board.svelte'
import { bodyOf, type Deed } from './deeds'
import { earcons } from './earcons.svelte'

const LOOK_AFTER_MS = 250 // an alert passed over with J or K is not looked at, so not logged
const LOG_AFTER_MS = 500 // several changes at once are one fresh log
const STOPPED_SHOWN_MAX = 100
const NOTICE_MS = 6_000
const READERS_EVERY_MS = 60_000
const TILES_EVERY_MS = 15_000 // while there are none: a new node's streets may still be made

export type Tab = 'calls' | 'alerts' | 'stopped'
export const TABS: readonly Tab[] = ['calls', 'alerts', 'stopped']
const TAB_KEY = 'farolito.tab'

/** A row that J and K come by. */
interface Step {
  id: string
  go: () => void
}

export interface Notice {
  says: string
  bad: boolean
  at: number
}

export class Desk {
  held = $state.raw<HeldAlerts>(new Map())
  ready = $state(false)
  selectedId = $state<string | null>(null)
  detail = $state.raw<AlertDetail | null>(null)
  versions = $state.raw<readonly Brief[]>([]) // of the selected alert's brief, as they came
  readonly positions = new Positions() // plain arrays: nobody is told of a move but the map
  onPositions: () => void = () => undefined
  readonly board: Board
  readonly shots: ShotBoard
  readonly shared: SharedBoard
  readonly net = new SensorNet((permit) => (this.permit = permit))
  readonly cameras = new CameraBoard((permit) => (this.permit = permit))
  readonly near = new NearVideo((permit) => (this.permit = permit))
  quietShown = $state(false) // the shots that were heard and not queued
  tab = $state<Tab>('alerts')
  picked = $state<string | null>(null) // the unit that was clicked on the map or in a panel
  alarms = $state.raw<Alarms>(NO_ALARMS)
  readers = $state.raw<readonly Device[]>([])
  lands = $state.raw<readonly NationLand[]>([])
  reporting = $state<{ fine: number; all: number } | null>(null)
  tiles = $state<string | null>(null)
  mapKnown = $state(false)
  stopped = $state.raw<readonly StoppedMatch[] | null>(null)
  selectedStopped = $state<string | null>(null)
  permit = $state<number | null>(null)
  actions = $state.raw<Partial<Record<Level, string>>>({})
  line = $state<LineState>('connecting')
  closedReason = $state<string | null>(null)
  busy = $state(false)
  notice = $state<Notice | null>(null)

  ranked = $derived(ranked(this.held))
  rows = $derived(this.#queue())
  order = $derived(this.#inOrder())
  selected = $derived(this.selectedId ? (this.held.get(this.selectedId)?.alert ?? null) : null)
  stoppedSelected = $derived(
    this.stopped?.find((s) => s.match.read.read_id === this.selectedStopped) ?? null,
  )
  #heardAt = $state(performance.now())
  stale = $derived(
    this.ready ? staleSeconds(this.#heardAt, Math.max(clock.monotonic, this.#heardAt)) : null,
  )
  readerNames = $derived(new Map(this.readers.map((r) => [r.device_id, r.name])))

  #keeper = new AlarmKeeper()
  #live: Live
  #lookTimer: ReturnType<typeof setTimeout> | undefined
  #tilesTimer: ReturnType<typeof setTimeout> | undefined
  #announced = new Set<string>()
  #unnamed = new Set<string>() // readers that were asked for because an alert came from them

  constructor(
    readonly me: string,
    readonly isSupervisor = false,
    readonly needsCase = false, // a detective looks under a case, which each question names
    role: Role = 'operator',
  ) {
    const voice = {
      permitted: (permit: number) => (this.permit = permit),
      say: (says: string, bad: boolean) => this.#say(says, bad),
      complain: (error: unknown) => this.#complain(error),
    }
    this.board = new Board(me, voice)
    this.shots = new ShotBoard(me, voice)
    this.shared = new SharedBoard(role, voice)
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
      onDecoded: (kind, ms) => {
        if (kind === 'positions') meter.decodeMs += ms
      },
      onSnapshotNeeded: (why) => void this.#snapshot(why === 'reset'),
      onState: (state, reason) => {
        this.line = state
        this.closedReason = reason
        if (state === 'closed') void session.check()
      },
    })
  }

  /** Begins to listen. Returns the way to stop. */
  open(): () => void {
    void this.#begin()
    const hurry = () => this.#live.hurry()
    addEventListener('online', hurry)
    return () => {
      removeEventListener('online', hurry)
      clearTimeout(this.#lookTimer)
      clearTimeout(this.#tilesTimer)
      this.board.close()
      this.shots.close()
      this.net.close()
      this.#live.stop()
    }
  }

  async #begin(): Promise<void> {
    void this.#askMap()
    void this.shared.askPartners()
    await this.#snapshot(true)
    this.#openTab()
    this.ready = true
    this.#heardAt = performance.now()
    this.#live.start(this.#live.seq)
  }

  async #snapshot(restarted: boolean): Promise<void> {
    try {
      // Each holds what came until its own number; the line goes on from the older one.
      const [answer, boardSeq, shotSeq, sharedSeq] = await Promise.all([
        get<AlertsSnapshot>('/api/alerts'),
        this.board.snapshot(restarted),
        this.shots.snapshot(restarted),
        this.shared.snapshot(restarted),
      ])
      clock.heard(answer.at)
      this.held = withSnapshot(restarted ? new Map() : this.held, answer.alerts, answer.seq)
      this.permit = answer.permit ?? this.permit
      this.actions = answer.actions ?? {}
      const others = [boardSeq, shotSeq, sharedSeq].filter((seq) => seq !== null)
      const seq = Math.min(answer.seq, ...others)
      this.#live.snapshotTaken(seq, restarted)
      for (const alert of answer.alerts) this.#announced.add(alert.alert_id)
      for (const id of this.shots.held.keys()) this.#announced.add(id)
      this.#soundForWaiting()
      if (this.selectedId) this.#look(this.selectedId, LOG_AFTER_MS)
    } catch (error) {
      this.#complain(error)
    }
  }

  async #askMap(): Promise<void> {
    try {
      const answer = await get<MapFacts>('/api/map')
      this.readers = answer.readers
      this.lands = answer.lands ?? []
      this.tiles = answer.tiles
    } catch {
      this.tiles = null // the map says that it has no streets
    } finally {
      this.mapKnown = true
      if (!this.tiles) this.#tilesTimer = setTimeout(() => void this.#askMap(), TILES_EVERY_MS)
    }
  }

  /** A reader that was added while this screen is open gets its name, and its place on the map. */
  async #nameReader(reader: string): Promise<void> {
    if (!this.mapKnown || this.readerNames.has(reader) || this.#unnamed.has(reader)) return
    this.#unnamed.add(reader)
    try {
      this.readers = (await get<MapFacts>('/api/map')).readers
    } catch {
      this.#unnamed.delete(reader) // its id stands there until the next alert of it
    }
  }

  /** Asks now and each minute how many readers report. Returns the way to stop. */
  watchReaders(): () => void {
    const ask = async () => {
      try {
        const health = await get<{ sources: { device: string; state: string }[] }>('/api/health')
        const readers = new Set(this.readers.map((r) => r.device_id))
        const sources = health.sources.filter((s) => readers.has(s.device))
        const fine = sources.filter((s) => s.state === 'fine').length
        this.reporting = sources.length ? { fine, all: sources.length } : null
      } catch {
        this.reporting = null // then we say only what we know
      }
    }
    void ask()
    const timer = setInterval(() => void ask(), READERS_EVERY_MS)
    return () => clearInterval(timer)
  }

  async askStopped(): Promise<void> {
    try {
      const answer = await get<{ matches: StoppedMatch[] }>(
        `/api/stopped?limit=${STOPPED_SHOWN_MAX}`,
      )
      this.stopped = answer.matches
    } catch (error) {
      this.#complain(error)
    }
  }

  #hear(message: LiveMessage): void {
    this.#heardAt = performance.now()
    if ('at' in message) clock.heard(message.at)
    this.alarms = this.#keeper.hear(message)
    switch (message.k) {
      case 'hello':
        this.permit = message.permit ?? this.permit
        break
      case 'alert':
        this.#hearAlert(message.alert, message.seq)
        break
      case 'brief':
        this.board.hear(message)
        this.#hearBrief(message.brief)
        break
      case 'incident':
      case 'answer':
        this.board.hear(message)
        break
      case 'shot':
        if (this.shots.hear(message) && message.shot.is_queued !== false) this.#announce(message.shot)
        this.#soundForWaiting()
        break
      case 'shared':
        // Soft, and no more: it is its owner's to act on, and ours to know. A recall is heard too.
        if (this.shared.hear(message)) earcons.announce(2)
        break
      case 'receipt':
        this.board.hear(message)
        if (this.detail?.brief?.brief_id === message.receipt.brief_id) {
          this.detail = { ...this.detail, receipts: [...this.detail.receipts, message.receipt] }
          this.#look(this.detail.alert.alert_id, LOG_AFTER_MS)
        }
        break
      case 'cameras':
        this.cameras.hear(message)
        break
      case 'positions':
        this.#hearPositions(message)
        break
    }
  }

  #hearPositions(message: LiveMessage & { k: 'positions' }): void {
    const began = performance.now()
    this.positions.hear(message.p, message.full)
    meter.positions += message.p.length
    meter.decodeMs += performance.now() - began
    this.onPositions()
  }

  #hearAlert(alert: Alert, seq: number): void {
    this.held = withAlert(this.held, alert, seq)
    void this.#nameReader((alert.last_seen ?? alert.match.read).reader)
    this.#announce(alert)
    this.#soundForWaiting()
    if (alert.alert_id === this.selectedId) this.#look(alert.alert_id, LOG_AFTER_MS)
  }

  #announce(alert: Pick<Alert, 'alert_id' | 'state' | 'level'>): void {
    if (alert.state !== 'waiting' || this.#announced.has(alert.alert_id)) return
    this.#announced.add(alert.alert_id)
    earcons.announce(alert.level)
  }

  #hearBrief(brief: Brief): void {
    if (!brief.alert_id || brief.alert_id !== this.selectedId || !this.detail) return
    this.#keepVersion(brief)
    const shown = this.detail.brief
    if (!shown || shown.brief_id !== brief.brief_id || shown.version <= brief.version) {
      this.detail = { ...this.detail, brief }
    }
    this.#look(brief.alert_id, LOG_AFTER_MS)
  }

  #keepVersion(brief: Brief): void {
    const others = this.versions.filter(
      (b) => b.brief_id !== brief.brief_id || b.version !== brief.version,
    )
    this.versions = [...others, brief].sort(
      (a, b) => Date.parse(b.composed_at) - Date.parse(a.composed_at) || b.version - a.version,
    )
  }

  /** Priority 1 goes on sounding until somebody has it. */
  #soundForWaiting(): void {
    earcons.insist(this.rows.waiting.some((r) => r.alert.level === 1 && r.alert.state === 'waiting'))
  }

  /** Where this screen was left; at first what needs a person, else what is going on. */
  #openTab(): void {
    const left = TABS.find((tab) => tab === sessionStorage.getItem(TAB_KEY))
    if (left) this.showTab(left)
    else if (this.board.selectedId) this.tab = 'calls'
    else if (this.selectedId || this.rows.waiting.length) this.tab = 'alerts'
    else this.tab = this.board.order.length ? 'calls' : 'alerts'
  }

  showTab(tab: Tab): void {
    this.tab = tab
    sessionStorage.setItem(TAB_KEY, tab)
    if (tab === 'stopped') void this.askStopped()
  }

  select(id: string | null): void {
    this.selectedStopped = null
    this.shared.select(null)
    if (id) {
      this.board.select(null)
      this.shots.select(null)
      this.showTab('alerts')
    }
    if (id === this.selectedId) return
    this.selectedId = id
    this.detail = null
    this.versions = []
    if (id) this.#look(id, LOOK_AFTER_MS)
  }

  selectShot(id: string | null): void {
    this.select(null)
    if (id) {
      this.board.select(null)
      this.showTab('alerts')
    }
    this.shots.select(id)
  }

  selectRow(row: Row): void {
    if (row.kind === 'shot') this.selectShot(row.id)
    else this.select(row.id)
  }

  selectIncident(id: string | null): void {
    this.select(null)
    this.shots.select(null)
    if (id) this.showTab('calls')
    this.board.select(id)
  }

  selectShared(key: string | null): void {
    this.select(null)
    this.board.select(null)
    this.shots.select(null)
    const item = key ? this.shared.held.get(key) : null
    if (item) this.showTab(item.kind === 'incident' ? 'calls' : 'alerts')
    this.shared.select(key)
  }

  /** Shows one unit on the map; the same again lets it go. */
  pick(unit: string | null): void {
    this.picked = unit === this.picked ? null : unit
  }

  selectStopped(readId: string): void {
    this.select(null)
    this.board.select(null)
    this.shots.select(null)
    this.selectedStopped = readId
  }

  /** To the next or previous row of the list that is shown. Returns its id. */
  move(step: 1 | -1): string | null {
    const rows = this.tab === 'calls' ? this.#callSteps() : this.#alertSteps()
    const chosen = this.shared.selectedKey ?? this.board.selectedId ?? this.selectedId ?? this.shots.selectedId
    const at = chosen ? rows.findIndex((row) => row.id === chosen) : -1
    const next = rows[at === -1 ? (step === 1 ? 0 : rows.length - 1) : at + step]
    next?.go()
    return next?.id ?? null
  }

  #callSteps(): Step[] {
    const { asking, open, closed } = this.board.ranked
    const own = (incidents: readonly Incident[]) =>
      incidents.map(({ incident_id: id }): Step => ({ id, go: () => this.selectIncident(id) }))
    return [...own([...asking, ...open]), ...this.#sharedSteps(this.shared.incidents), ...own(closed)]
  }

  #alertSteps(): Step[] {
    const own = (rows: readonly Row[]) => rows.map((row): Step => ({ id: row.id, go: () => this.selectRow(row) }))
    const before = this.rows.waiting.length + this.rows.watched.length
    return [
      ...own(this.order.slice(0, before)),
      ...this.#sharedSteps(this.shared.alerts),
      ...own(this.order.slice(before)),
    ]
  }

  #sharedSteps(items: readonly SharedItem[]): Step[] {
    return items.map((item): Step => ({ id: keyOf(item), go: () => this.selectShared(keyOf(item)) }))
  }

  #queue(): Rows {
    return oneQueue(this.ranked, this.shots.held)
  }

  #inOrder(): Row[] {
    const { waiting, watched, decided } = this.rows
    const quiet = this.quietShown ? this.shots.quiet : []
    const last = quiet.map((alert): Row => ({ kind: 'shot', id: alert.alert_id, alert }))
    return [...waiting, ...watched, ...decided, ...last]
  }

  #look(id: string, afterMs: number): void {
    clearTimeout(this.#lookTimer)
    this.#lookTimer = setTimeout(() => void this.#askDetail(id), afterMs)
  }

  async #askDetail(id: string): Promise<void> {
    try {
      const detail = await get<AlertDetail>(`/api/alerts/${id}`)
      if (id !== this.selectedId) return
      this.detail = detail
      this.permit = detail.permit ?? this.permit
      for (const brief of detail.briefs ?? []) this.#keepVersion(brief)
      if (detail.brief) this.#keepVersion(detail.brief)
      this.held = withAlert(this.held, detail.alert, this.#live.seq)
    } catch (error) {
      if (id === this.selectedId) this.#complain(error)
    }
  }

  /** Does one thing to one alert. True when the node did it. */
  async act(alert: Alert, deed: Deed): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    try {
      // Deciding is also having it: nobody else should work on the same alert meanwhile.
      const first = deed.act === 'confirm' || deed.act === 'reject'
      if (first && alert.state === 'waiting') alert = await this.#send(alert, { act: 'take' })
      await this.#send(alert, deed)
      const done = tongue.t.panel.done
      this.#say(deed.act === 'brief' ? done.brief(deed.unit) : done[deed.act], false)
      return true
    } catch (error) {
      this.#complain(error)
      if (error instanceof ApiError && error.status === 409) {
        this.#say(error.says || tongue.t.errors.moved, true)
        void this.#askDetail(alert.alert_id)
      }
      return false
    } finally {
      this.busy = false
    }
  }

  async #send(alert: Alert, deed: Deed): Promise<Alert> {
    const { entry } = alert.match
    if (deed.act === 'recall') {
      const path = `/api/lists/${encodeURIComponent(entry.list_id)}/entries/${entry.entry_id}/recall`
      await post(path, { reason: deed.reason })
      return alert
    }
    const answer = await post<Acted>(`/api/alerts/${alert.alert_id}/${deed.act}`, {
      version: alert.version,
      ...bodyOf(deed),
    })
    this.permit = answer.permit ?? this.permit
    const after = answer.alert ?? alert
    this.held = withAlert(this.held, after, this.#live.seq)
    this.#soundForWaiting()
    if (answer.brief) this.#hearBrief(answer.brief)
    if (alert.alert_id === this.selectedId) this.#look(alert.alert_id, LOG_AFTER_MS)
    return after
  }

  async find(words: string): Promise<Found | null> {
    try {
      const found = await get<Found>(`/api/find?q=${encodeURIComponent(words)}`)
      this.permit = found.permit ?? this.permit
      return found
    } catch (error) {
      this.#complain(error)
      return null
    }
  }

  /** Shows an alert that a search found and the queue may not hold. */
  showAlert(alert: Alert): void {
    this.held = withAlert(this.held, alert, this.#live.seq)
    this.select(alert.alert_id)
  }

  #say(says: string, bad: boolean): void {
    const notice = { says, bad, at: Date.now() }
    this.notice = notice
    setTimeout(() => {
      if (this.notice?.at === notice.at && !bad) this.notice = null
    }, NOTICE_MS)
  }

  #complain(error: unknown): void {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401) return // the sign-in screen says it
    const t = tongue.t.errors
    const says = error.isOffline ? t.offline : [error.says || t.unknown, error.act].filter(Boolean)
    this.#say(Array.isArray(says) ? says.join('. ') : says, true)
  }
}
