/**
 * The pictures of a clip, one at a time, as its file has them.
 *
 * In: a clip and a moment. Out: an address of the picture. Never: the file itself; that is an export.
 */

import { tongue } from '../i18n/tongue.svelte'
import { ApiError, fetchFile } from '../wire/api'
import { caseOf } from './underCase.svelte'
import type { VideoClip } from '../wire/video'

export const STEP_MS = 200
const LOOK_AFTER_MS = 150 // while the slider moves, not every picture of the way is asked for

export class ClipFrames {
  atMs = $state(0)
  shown = $state<string | null>(null)
  problem = $state('')
  ratio = $state(16 / 9)
  readonly lastMs: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly clip: VideoClip) {
    this.lastMs = Math.max(0, Date.parse(clip.until) - Date.parse(clip.since))
  }

  /** Asks for the picture of this moment, once the moment stands still. */
  want(at: number): () => void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(at), LOOK_AFTER_MS)
    return () => clearTimeout(this.#timer)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#put(null)
  }

  loaded(image: HTMLImageElement): void {
    if (image.naturalHeight) this.ratio = image.naturalWidth / image.naturalHeight
  }

  async #look(at: number): Promise<void> {
    try {
      const path = `/api/clips/${this.clip.clip_id}/frames?at_ms=${Math.round(at)}`
      const { blob } = await fetchFile(path, caseOf(this.clip.case))
      if (at !== this.atMs) return
      this.#put(URL.createObjectURL(blob))
      this.problem = ''
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      const e = tongue.t.errors
      this.problem = error.isOffline ? e.offline : [error.says || e.unknown, error.act].filter(Boolean).join('. ')
    }
  }

  #put(address: string | null): void {
    if (this.shown) URL.revokeObjectURL(this.shown)
    this.shown = address
  }
}
