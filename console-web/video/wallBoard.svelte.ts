/**
 * One wall: which camera stands at which place, and the walls that were saved.
 *
 * In: what the person does, the node's list of walls, the live line. Out: reactive values.
 * Never: a picture; those belong to the tiles.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, call, get, put } from '../wire/api'
import { clock } from '../wire/clock.svelte'
import { browserSocket, Live, staleSeconds } from '../wire/live'
import { session } from '../wire/session.svelte'
import type { IncidentsSnapshot } from '../wire/model'
import type { BestAnswer, SavedWall } from '../wire/video'
import { CameraBoard } from './cameraBoard.svelte'
import { byOwner, inTurns, shown, urgentFirst } from './filling'
import { emptied, type Places, placesOf, resized, savedOf, type Size, SIZES, swapped, withCamera, without } from './places'

const KEPT_KEY = 'farolito.wall' // of this window: a reload shows the same wall

export class WallBoard {
  places = $state.raw<Places>(emptied(9))
  at = $state(0) // the tile that one is on
  name = $state('')
  saved = $state.raw<readonly SavedWall[]>([])
  permit = $state<number | null>(null)
  isFilling = $state(false)
  notice = $state.raw<{ says: string; bad: boolean } | null>(null)
  readonly board = new CameraBoard((permit) => (this.permit = permit))
  #heardAt = $state(performance.now())
  stale = $derived(staleSeconds(this.#heardAt, Math.max(clock.monotonic, this.#heardAt)))
  size = $derived((SIZES.find((size) => size === this.places.length) ?? 9) as Size)

  #live = new Live({
    url: () => '/api/live?after=now', // only what comes: nothing here is to be caught up with
    open: browserSocket,
    now: () => performance.now(),
    later: (run, ms) => {
      const timer = setTimeout(run, ms)
      return () => clearTimeout(timer)
    },
    random: Math.random,
    gapsExpected: true,
    onSnapshotNeeded: () => undefined,
    onMessage: (message) => {
      this.#heardAt = performance.now()
      if ('at' in message && message.at) clock.heard(message.at)
      if (message.k === 'cameras') this.board.hear(message)
    },
    onState: (state) => {
      if (state === 'closed') void session.check()
    },
  })

  open(): () => void {
    this.#resume()
    void this.board.ask()
    void this.#askSaved()
    this.#live.start(0)
    return () => this.#live.stop()
  }

  get current(): string | null {
    return this.places[this.at] ?? null
  }

  resize(size: Size): void {
    this.#set(resized(this.places, size))
    this.at = Math.min(this.at, size - 1)
  }

  add(id: string): void {
    const next = withCamera(this.places, id, this.at)
    if (!next) {
      this.say(tongue.t.video.wall.full, true)
      return
    }
    this.#set(next)
    this.at = next.indexOf(id)
  }

  /** The free places: with what sees the open incidents, then owner by owner. */
  async fill(): Promise<void> {
    if (this.isFilling) return
    this.isFilling = true
    try {
      await this.board.want()
      const seeing = await this.#seeing()
      let places = this.places
      for (const id of inTurns([[...seeing, ...byOwner(this.board.cameras.values())]])) {
        places = withCamera(places, id, 0) ?? places
      }
      this.#set(places)
      const { wall } = tongue.t.video
      this.say(seeing.length ? wall.filled : wall.filledByOwner, false)
    } catch (error) {
      this.#complain(error)
    } finally {
      this.isFilling = false
    }
  }

  async #seeing(): Promise<string[]> {
    const told = await get<IncidentsSnapshot>('/api/incidents')
    const answers = await Promise.all(
      urgentFirst(told.incidents).map((one) =>
        get<BestAnswer>(`/api/incidents/${one.incident_id}/pictures?count=${this.size}`),
      ),
    )
    for (const { permit } of answers) if (permit != null) this.permit = permit
    return inTurns(answers.map((answer) => shown(answer.cameras)))
  }

  take(at: number): void {
    this.#set(without(this.places, at))
  }

  clear(): void {
    this.name = ''
    this.#set(emptied(this.size))
  }

  swap(from: number, to: number): void {
    const id = this.places[from]
    this.#set(swapped(this.places, from, to))
    this.at = to
    if (id && from !== to) this.say(tongue.t.video.wall.moved(this.nameOf(id), to + 1), false)
  }

  nameOf(id: string): string {
    return this.board.get(id)?.name ?? id
  }

  choose(name: string): void {
    const wall = this.saved.find((w) => w.name === name)
    if (!wall) return
    this.name = name
    this.at = 0
    this.#set(placesOf(wall))
  }

  async save(name: string): Promise<boolean> {
    try {
      const { columns, tiles } = savedOf(name, this.places)
      await put(`/api/walls/${encodeURIComponent(name)}`, { columns, tiles })
      this.name = name
      this.say(tongue.t.video.wall.savedAs(name), false)
      await this.#askSaved()
      return true
    } catch (error) {
      this.#complain(error)
      return false
    }
  }

  async remove(): Promise<void> {
    const { name } = this
    try {
      await call('DELETE', `/api/walls/${encodeURIComponent(name)}`)
      this.name = ''
      this.say(tongue.t.video.wall.removed(name), false)
      await this.#askSaved()
    } catch (error) {
      this.#complain(error)
    }
  }

  say(says: string, bad: boolean): void {
    this.notice = { says, bad }
  }

  async #askSaved(): Promise<void> {
    try {
      const answer = await get<{ walls: SavedWall[] }>('/api/walls')
      this.saved = answer.walls
    } catch {
      this.saved = [] // the wall works without
    }
  }

  #set(places: Places): void {
    this.places = places
    sessionStorage.setItem(KEPT_KEY, JSON.stringify(savedOf(this.name, places)))
  }

  /** The wall of this window before, or the cameras that the address names. */
  #resume(): void {
    const asked = new URLSearchParams(location.search).get('cameras')?.split(',').filter(Boolean)
    if (asked?.length) {
      const tiles = asked.slice(0, 64).map((camera_id) => ({ camera_id }))
      this.#set(placesOf({ columns: Math.ceil(Math.sqrt(tiles.length)), tiles }))
      return
    }
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT_KEY) ?? 'null') as SavedWall | null
      if (!kept) return
      this.places = placesOf(kept)
      this.name = kept.name
    } catch {
      sessionStorage.removeItem(KEPT_KEY)
    }
  }

  #complain(error: unknown): void {
    if (!(error instanceof ApiError)) throw error
    if (error.status === 401) return
    const t = tongue.t.errors
    const says = [error.says || tongue.t.video.wall.lost, error.act].filter(Boolean).join('. ')
    this.say(error.isOffline ? t.offline : says, true)
  }
}
