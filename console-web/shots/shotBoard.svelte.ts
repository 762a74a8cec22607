/**
 * The shots of one operator's desk, and what the operator does with them.
 *
 * In: snapshots and the live line, handed on by the desk. Out: reactive values, deeds sent to the
 * node. Never: a review without a sound that was heard; a draft lost because the node solved anew.
 */

import { ApiError, get, post } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import type { LiveMessage } from '../wire/model'
import type {
  Clip,
  ShotActed,
  ShotAlert,
  ShotDetail,
  ShotOutcome,
  ShotsSnapshot,
  SoundKind,
  Wave,
} from '../wire/model.shots'
import { type HeldShots, leading, quietOnes, withShot, withShots } from '../wire/shots'
import { tongue } from '../i18n/tongue.svelte'
import { placed } from './align'
import { type Difference, differencesOf } from './differences'
import { Player } from './player.svelte'
import { isEmpty, type Reach } from './reach'

const LOOK_AFTER_MS = 250 // one passed over with J or K is not looked at, so not logged
const AGAIN_AFTER_MS = 500 // several changes at once are one fresh look
const CHANGES_SHOWN_MAX = 5
const WAVES_KEPT_MAX = 32
const DRAFTS_KEPT_MAX = 50

export type ShotDeed =
  | { act: 'take' }
  | { act: 'review'; kind: SoundKind; note: string }
  | { act: 'outcome'; outcome: ShotOutcome; note: string }

/** What one person has heard and written of one alert, before anything is sent. */
export interface Draft {
  listened: readonly string[] // sensors
  note: string
}

export interface ShownChange {
  version: number
  at: number // by the node's clock, ms
  differences: Difference[]
}

interface Voice {
  permitted: (permit: number) => void
  say: (says: string, bad: boolean) => void
  complain: (error: unknown) => void
}

const NO_DRAFT: Draft = { listened: [], note: '' }

export class ShotBoard {
  held = $state.raw<HeldShots>(new Map())
  known = $state(false) // the node tells this person of shots
  selectedId = $state<string | null>(null)
  detail = $state.raw<ShotDetail | null>(null)
  reach = $state.raw<Reach | null>(null)
  waves = $state.raw<ReadonlyMap<string, Wave | 'failed'>>(new Map()) // by the clip's digest
  changes = $state.raw<readonly ShownChange[]>([]) // since this alert was opened, the newest first
  drafts = $state.raw<ReadonlyMap<string, Draft>>(new Map())
  again = $state<string | null>(null) // decided, and being reviewed once more
  busy = $state(false)

  quiet = $derived(quietOnes(this.held))
  selected = $derived(this.selectedId ? (this.held.get(this.selectedId)?.shot ?? null) : null)
  draft = $derived(this.drafts.get(this.selectedId ?? '') ?? NO_DRAFT)
  readonly player: Player

  #lookTimer: ReturnType<typeof setTimeout> | undefined
  #askedWaves = new Set<string>()

  constructor(
    readonly me: string,
    private readonly voice: Voice,
  ) {
    this.player = new Player(
      (sensor) => this.#listenedTo(sensor),
      (permit) => this.voice.permitted(permit),
    )
  }

  close(): void {
    clearTimeout(this.#lookTimer)
    this.player.stop()
  }

  /** Takes the list anew. Returns the number it was told with; null where it was not told. */
  async snapshot(restarted: boolean): Promise<number | null> {
    try {
      const told = await get<ShotsSnapshot>('/api/shots')
      const all = [...told.shots, ...told.quiet]
      this.held = withShots(restarted ? new Map() : this.held, all, told.seq)
      if (told.permit != null) this.voice.permitted(told.permit)
      this.known = true
      if (this.selectedId) this.#look(AGAIN_AFTER_MS)
      return told.seq
    } catch (error) {
      // Not every role is told of shots, and not every node listens for them.
      const isNotTold = error instanceof ApiError && [403, 404].includes(error.status)
      if (!isNotTold) this.voice.complain(error)
      return null
    }
  }

  /** True where it is news. */
  hear(message: LiveMessage & { k: 'shot' }): boolean {
    this.known = true
    return this.#keep(message.shot, message.seq)
  }

  #keep(shot: ShotAlert, seq: number): boolean {
    const before = this.held.get(shot.alert_id)?.shot
    this.held = withShot(this.held, shot, seq)
    if (before && before.version >= shot.version) return false
    if (shot.alert_id === this.selectedId) {
      if (before) this.#noteChange(before, shot)
      this.#look(AGAIN_AFTER_MS)
    }
    return true
  }

  #noteChange(before: ShotAlert, now: ShotAlert): void {
    const differences = differencesOf(before, now).filter((d) => !this.#isMine(d, now))
    if (differences.length === 0) return
    const change = { version: now.version, at: clock.at(), differences }
    this.changes = [change, ...this.changes].slice(0, CHANGES_SHOWN_MAX)
  }

  /** What this person did is no news to them, also where the line tells it before the answer. */
  #isMine(difference: Difference, now: ShotAlert): boolean {
    if (difference.what === 'taken') return now.taken_by === this.me
    if (difference.what === 'review') return now.review?.by === this.me
    return difference.what === 'outcome' && now.outcome?.by === this.me
  }

  select(id: string | null): void {
    if (id === this.selectedId) return
    this.player.stop()
    this.player.failed = null
    this.selectedId = id
    this.again = null
    this.detail = null
    this.reach = null
    this.changes = []
    clearTimeout(this.#lookTimer)
    if (id) this.#look(LOOK_AFTER_MS)
  }

  #look(afterMs: number): void {
    clearTimeout(this.#lookTimer)
    this.#lookTimer = setTimeout(() => void this.#askDetail(), afterMs)
  }

  async #askDetail(): Promise<void> {
    const id = this.selectedId
    if (!id) return
    try {
      const detail = await get<ShotDetail>(`/api/shots/${id}`)
      if (detail.permit != null) this.voice.permitted(detail.permit)
      if (id !== this.selectedId) return
      this.detail = detail
      this.held = withShot(this.held, detail.alert, this.held.get(id)?.seq ?? 0)
      void this.#askWaves(detail.alert)
      void this.#askReach(id)
    } catch (error) {
      if (id === this.selectedId) this.voice.complain(error)
    }
  }

  async #askWaves(alert: ShotAlert): Promise<void> {
    const wanted = placed(alert.clips ?? [], leading(alert)).map((p) => p.clip)
    const fresh = wanted.filter((clip) => !this.#askedWaves.has(clip.sha256))
    for (const clip of fresh) this.#askedWaves.add(clip.sha256)
    await Promise.all(fresh.map((clip) => this.#askWave(alert.alert_id, clip)))
  }

  async #askWave(alertId: string, { sensor, sha256 }: Clip): Promise<void> {
    try {
      const path = `/api/shots/${alertId}/wave/${encodeURIComponent(sensor)}`
      this.#keepWave(sha256, await get<Wave>(path))
    } catch {
      this.#askedWaves.delete(sha256) // asked again with the next look
      this.#keepWave(sha256, 'failed')
    }
  }

  #keepWave(sha256: string, wave: Wave | 'failed'): void {
    const next = new Map(this.waves)
    next.set(sha256, wave)
    for (const old of [...next.keys()].slice(0, Math.max(0, next.size - WAVES_KEPT_MAX))) {
      next.delete(old)
      this.#askedWaves.delete(old)
    }
    this.waves = next
  }

  async #askReach(id: string): Promise<void> {
    try {
      const reach = await get<Reach>(`/api/shots/${id}/reach`)
      if (id === this.selectedId) this.reach = isEmpty(reach) ? null : reach
    } catch {
      if (id === this.selectedId) this.reach = null // the list is an aid: without it, no list
    }
  }

  #listenedTo(sensor: string): void {
    const id = this.selectedId
    if (!id || this.draft.listened.includes(sensor)) return
    this.#sketch(id, { listened: [...this.draft.listened, sensor] })
  }

  write(note: string): void {
    if (this.selectedId) this.#sketch(this.selectedId, { note })
  }

  #sketch(id: string, change: Partial<Draft>): void {
    const next = new Map(this.drafts)
    next.delete(id)
    next.set(id, { ...(this.drafts.get(id) ?? NO_DRAFT), ...change })
    if (next.size > DRAFTS_KEPT_MAX) next.delete([...next.keys()][0]!)
    this.drafts = next
  }

  /** The clips in the order of their keys, the nearest sensor first. */
  playables(alert: ShotAlert): { name: string; url: string }[] {
    const clips = placed(alert.clips ?? [], leading(alert))
    return clips.map(({ clip }) => this.playable(alert, clip.sensor))
  }

  playable(alert: ShotAlert, sensor: string): { name: string; url: string } {
    const path = `/api/shots/${alert.alert_id}/clip/${encodeURIComponent(sensor)}`
    return { name: sensor, url: path }
  }

  /** May this person review it now? Where there are clips, one of them was heard first. */
  mayReview(alert: ShotAlert): boolean {
    return !alert.clips?.length || this.listenedOf(alert).length > 0
  }

  isReviewOpen(alert: ShotAlert): boolean {
    return alert.state === 'waiting' || alert.state === 'taken' || this.again === alert.alert_id
  }

  listenedOf(alert: ShotAlert): string[] {
    const have = new Set((alert.clips ?? []).map((c) => c.sensor))
    return (this.drafts.get(alert.alert_id)?.listened ?? []).filter((sensor) => have.has(sensor))
  }

  /** Does one thing to one alert. True when the node did it. */
  async act(alert: ShotAlert, deed: ShotDeed): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    try {
      // Deciding is also having it: nobody else should work on the same alert meanwhile.
      if (deed.act === 'review' && alert.state === 'waiting') {
        alert = await this.#send(alert, { act: 'take' })
      }
      await this.#send(alert, deed)
      if (deed.act === 'review') {
        this.#sketch(alert.alert_id, { note: '' })
        this.again = null
      }
      this.voice.say(saidOf(deed), false)
      return true
    } catch (error) {
      this.voice.complain(error)
      if (error instanceof ApiError && error.status === 409) this.#look(0) // the draft stays
      return false
    } finally {
      this.busy = false
    }
  }

  async #send(alert: ShotAlert, deed: ShotDeed): Promise<ShotAlert> {
    const path = `/api/shots/${alert.alert_id}/${deed.act}`
    const done = await post<ShotActed>(path, bodyOf(deed, alert, this.listenedOf(alert)))
    if (done.permit != null) this.voice.permitted(done.permit)
    const after = done.shot ?? alert
    this.held = withShot(this.held, after, this.held.get(alert.alert_id)?.seq ?? 0)
    if (alert.alert_id === this.selectedId) this.#look(AGAIN_AFTER_MS)
    return after
  }
}

function bodyOf(deed: ShotDeed, alert: ShotAlert, listened: string[]): Record<string, unknown> {
  switch (deed.act) {
    case 'take':
      return {}
    case 'review':
      return { version: alert.version, kind: deed.kind, listened, note: deed.note }
    case 'outcome':
      return { outcome: deed.outcome, note: deed.note }
  }
}

function saidOf(deed: ShotDeed): string {
  const t = tongue.t.shots.done
  if (deed.act === 'take') return t.take
  if (deed.act === 'outcome') return t.outcome
  return deed.kind === 'gunshot' ? t.gunshot : t.other(tongue.t.shots.kinds[deed.kind])
}
