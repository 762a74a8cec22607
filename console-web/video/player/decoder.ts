/**
 * H.264 access units to pictures by WebCodecs (W3C WebCodecs; AVC registration, Annex B form).
 *
 * In: access units. Out: pictures to draw, each closed here after the call. Never: a picture from
 * before this viewer came, unless it is the last; a delta without its key frame.
 */

import { codecOf, findSps, isSame } from './nal'
import type { Picture } from './picture'

export const DRAWN_WHILE_QUEUED_MAX = 2 // behind by more: decoded, not drawn
export const QUEUED_MAX = 60 // behind by more: everything until the next key frame is left out
const META_KEPT_MAX = 4 * QUEUED_MAX
export const FAILS_MAX = 3 // in a row, without a picture between: this browser cannot

const SEQUENCES = 2 ** 32

type Meta = Pick<Picture, 'sequence' | 'receivedMs' | 'isCatchUp'>

export interface DecoderEvents {
  onPicture: (frame: VideoFrame, meta: Meta) => void
  onSkipped: () => void
  onCannot: (says: string) => void
}

export class UnitDecoder {
  #decoder: VideoDecoder | null = null
  #sps: Uint8Array | null = null
  #waitsForKey = true
  #metas = new Map<number, Meta>() // by timestamp
  #lastTimestamp = -1
  #lastSequence = -1
  #fails = 0

  constructor(private readonly events: DecoderEvents) {}

  take(picture: Picture): void {
    // A gap in the numbers: what this one builds on never came, as after key frames alone.
    const isNext = picture.sequence === (this.#lastSequence + 1) % SEQUENCES
    this.#lastSequence = picture.sequence
    if (!picture.isKey && !isNext) this.#waitsForKey = true
    if (this.#waitsForKey && !picture.isKey) return
    if (picture.isKey && !this.#ready(picture)) return
    const decoder = this.#decoder
    if (!decoder) return
    if (decoder.decodeQueueSize > QUEUED_MAX && !picture.isKey) {
      this.#waitsForKey = true
      this.events.onSkipped()
      return
    }
    this.#waitsForKey = false
    // Timestamps are ours to choose, and must grow: a camera's own may stand still.
    const timestamp = Math.max(this.#lastTimestamp + 1, picture.mediaUs)
    this.#lastTimestamp = timestamp
    this.#metas.set(timestamp, picture)
    if (this.#metas.size > META_KEPT_MAX) this.#metas.delete(this.#metas.keys().next().value!)
    try {
      decoder.decode(
        new EncodedVideoChunk({ type: picture.isKey ? 'key' : 'delta', timestamp, data: picture.data }),
      )
    } catch (error) {
      this.#failed(String(error))
    }
  }

  close(): void {
    const decoder = this.#decoder
    this.#decoder = null
    this.#metas.clear()
    this.#waitsForKey = true
    this.#lastTimestamp = -1
    if (decoder && decoder.state !== 'closed') decoder.close()
  }

  /** A decoder that fits this key frame: a new one where size or profile changed. */
  #ready(picture: Picture): boolean {
    const sps = findSps(picture.data)
    if (this.#decoder && (sps === null || isSame(sps, this.#sps))) return true
    const codec = sps ? codecOf(sps) : null
    if (!sps || !codec) return false
    this.close()
    this.#sps = sps.slice()
    const decoder = new VideoDecoder({
      output: (frame) => this.#out(frame),
      error: (error) => {
        if (decoder === this.#decoder) this.#failed(error.message)
      },
    })
    this.#decoder = decoder
    try {
      decoder.configure({ codec, optimizeForLatency: true })
    } catch (error) {
      this.#failed(String(error))
    }
    return this.#decoder !== null
  }

  #out(frame: VideoFrame): void {
    const meta = this.#metas.get(frame.timestamp)
    this.#metas.delete(frame.timestamp)
    const isLast = frame.timestamp === this.#lastTimestamp
    const isBehind = (this.#decoder?.decodeQueueSize ?? 0) > DRAWN_WHILE_QUEUED_MAX
    const isDrawn = meta && (isLast || (!meta.isCatchUp && !isBehind))
    try {
      if (isDrawn) this.events.onPicture(frame, meta)
      this.#fails = 0
    } finally {
      frame.close()
    }
  }

  #failed(says: string): void {
    this.close()
    this.#sps = null
    this.#fails += 1
    if (this.#fails >= FAILS_MAX) this.events.onCannot(says)
  }
}
