/**
 * One person's hand on a camera that turns: taken, lent, given back.
 *
 * In: wishes. Out: who has it and until when. Never: a camera that goes on turning after this closes.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, get, post } from '../wire/api'
import type { Point } from '../wire/model'
import type { CameraDetail, PtzHeld, PtzOp } from '../wire/video'
import { isStill, REPEAT_MS, type Speeds, STILL } from './ptz'

export class Control {
  held = $state.raw<PtzHeld>({ held_by: null })
  yours = $state(false)
  says = $state('')
  problem = $state('')
  arrivesAt = $state<number | null>(null) // by the screen's own count: when it looks at the place
  #speeds: Speeds = STILL
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(readonly cameraId: string) {}

  /** Asks who has it now. */
  async look(): Promise<void> {
    try {
      const detail = await get<CameraDetail>(`/api/cameras/${encodeURIComponent(this.cameraId)}`)
      const { ptz_held: held } = detail
      if (!this.yours) this.held = { held_by: held?.by ?? null, until: held?.until, waiting: held?.waiting }
    } catch (error) {
      this.#complain(error)
    }
  }

  close(): void {
    clearInterval(this.#timer)
    if (!this.yours) return
    if (!isStill(this.#speeds)) void this.do('stop')
    void this.do('release')
  }

  async do(op: PtzOp, more: Record<string, unknown> = {}): Promise<void> {
    this.problem = ''
    try {
      const path = `/api/cameras/${encodeURIComponent(this.cameraId)}/ptz`
      this.held = await post<PtzHeld>(path, { op, ...more })
      this.yours = this.held.yours ?? false
      this.says = op === 'ask' && !this.yours ? tongue.t.video.ptz.asked : ''
      const { turn_s: turnS } = this.held
      this.arrivesAt = turnS == null ? null : performance.now() + turnS * 1000
    } catch (error) {
      this.#complain(error)
      if (error instanceof ApiError && (error.status === 409 || error.status === 403)) {
        this.yours = false
        this.#speeds = STILL
        clearInterval(this.#timer)
      }
    }
  }

  /** Turns to a place of the map, as near as the camera can. */
  lookAt({ lat, lon }: Point): Promise<void> {
    return this.do('look_at', { lat, lon })
  }

  /** Turns so fast until told otherwise; nothing where the hand is another's. */
  turn(speeds: Speeds): void {
    const same = JSON.stringify(speeds) === JSON.stringify(this.#speeds)
    if (!this.yours || same) return
    this.#speeds = speeds
    clearInterval(this.#timer)
    if (isStill(speeds)) {
      void this.do('stop')
      return
    }
    const move = () => void this.do('move', { ...speeds })
    move()
    this.#timer = setInterval(move, REPEAT_MS)
  }

  #complain(error: unknown): void {
    if (!(error instanceof ApiError)) throw error
    const t = tongue.t.errors
    this.problem = error.isOffline ? t.offline : [error.says || t.unknown, error.act].filter(Boolean).join('. ')
  }
}
