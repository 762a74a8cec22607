/**
 * fMP4 to pictures by Media Source Extensions, where there is no WebCodecs.
 *
 * In: the codec, the beginning, fragments. Out: a video element that plays near its end.
 * Never: more than half a minute kept; a picture that falls further and further behind.
 */

import type { Picture } from './picture'

export const JUMP_OVER_S = 0.5
export const HURRY_OVER_S = 0.12
export const EASE_UNDER_S = 0.05
const JUMP_TO_S = 0.06
const KEPT_S = 30
const KEPT_AFTER_TRIM_S = 10
const MARKS_MAX = 500
const MEDIA_S_DOUBT = 0.005 // a browser tells times in its own ticks
const WAITING_BYTES_MAX = 4 * 2 ** 20

/** What to do about being `lagS` behind the end. */
export function paceOf(lagS: number): { jump: boolean; rate: number } {
  if (lagS > JUMP_OVER_S) return { jump: true, rate: 1 }
  if (lagS > HURRY_OVER_S) return { jump: false, rate: 1.08 }
  return { jump: false, rate: lagS < EASE_UNDER_S ? 0.97 : 1 }
}

export interface Mark {
  mediaS: number
  receivedMs: number
}

/** When the picture at this time of the film was received; null where none was appended before it. */
export function receivedOf(marks: readonly Mark[], mediaS: number): number | null {
  return marks.findLast((mark) => mark.mediaS <= mediaS + MEDIA_S_DOUBT)?.receivedMs ?? null
}

export interface MseEvents {
  /** A picture is on the screen that was received at this time, by the node's clock, ms. */
  onPicture: (receivedMs: number) => void
  onCannot: (says: string) => void
}

export class MsePlayer {
  #buffer: SourceBuffer | null = null
  #url: string | null = null
  #waiting: Uint8Array<ArrayBuffer>[] = []
  #waitingBytes = 0
  #marks: Mark[] = [] // of what was appended, the oldest first
  #run = 0

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly events: MseEvents,
  ) {}

  /** A stream begins, or begins anew with another size. */
  begin(codec: string): void {
    this.close()
    const run = this.#run
    const source = new MediaSource()
    this.#url = URL.createObjectURL(source)
    source.addEventListener('sourceopen', () => {
      if (run !== this.#run) return
      try {
        this.#buffer = source.addSourceBuffer(`video/mp4; codecs="${codec}"`)
        this.#buffer.mode = 'segments'
        this.#buffer.addEventListener('updateend', () => this.#turn())
        this.#buffer.addEventListener('error', () => this.events.onCannot('buffer'))
        this.#feed()
      } catch (error) {
        this.events.onCannot(String(error))
      }
    })
    this.video.src = this.#url
    this.video.onerror = () => this.events.onCannot(this.video.error?.message ?? 'video')
    this.#watch(run)
  }

  append({ data, mediaUs, receivedMs, isInit }: Picture): void {
    if (!isInit) this.#marks.push({ mediaS: mediaUs / 1e6, receivedMs })
    if (this.#marks.length > MARKS_MAX) this.#marks.shift()
    this.#waitingBytes += data.byteLength
    this.#waiting.push(data)
    if (this.#waitingBytes > WAITING_BYTES_MAX) this.events.onCannot('too far behind')
    else this.#feed()
  }

  close(): void {
    this.#run += 1
    this.#waiting = []
    this.#marks = []
    this.#waitingBytes = 0
    this.#buffer = null
    this.video.onerror = null
    if (this.#url) URL.revokeObjectURL(this.#url)
    this.#url = null
    this.video.removeAttribute('src')
    this.video.load()
  }

  #feed(): void {
    const buffer = this.#buffer
    if (!buffer || buffer.updating || !this.#waiting.length) return
    const joined = new Uint8Array(this.#waitingBytes)
    let at = 0
    for (const piece of this.#waiting) {
      joined.set(piece, at)
      at += piece.byteLength
    }
    this.#waiting = []
    this.#waitingBytes = 0
    try {
      buffer.appendBuffer(joined)
    } catch (error) {
      this.events.onCannot(String(error))
    }
  }

  #turn(): void {
    const { video } = this
    const buffer = this.#buffer
    if (!buffer || buffer.updating) return
    const ranges = buffer.buffered
    if (ranges.length) {
      const end = ranges.end(ranges.length - 1)
      const pace = paceOf(end - video.currentTime)
      if (pace.jump || video.currentTime < ranges.start(ranges.length - 1)) {
        video.currentTime = Math.max(ranges.start(ranges.length - 1), end - JUMP_TO_S)
      }
      video.playbackRate = pace.rate
      if (video.paused) void video.play().catch(() => undefined)
      if (end - ranges.start(0) > KEPT_S) {
        buffer.remove(0, end - KEPT_AFTER_TRIM_S)
        return // it tells when it is done
      }
    }
    this.#feed()
  }

  #watch(run: number): void {
    if (!('requestVideoFrameCallback' in this.video)) return
    this.video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (run !== this.#run) return
      const receivedMs = receivedOf(this.#marks, mediaTime)
      if (receivedMs !== null) this.events.onPicture(receivedMs)
      this.#watch(run)
    })
  }
}
