/**
 * How old a picture is, and from when on it must not look alive.
 *
 * In: when pictures were received and drawn. Out: the age, the usual delay, "old" or not.
 * Key frames and stills come seldom by nature, so theirs are old later.
 */

import type { Quality } from '../../wire/video'

export const OLD_AFTER_MS = 2_000
const KEY_OLD_AFTER_MS_MAX = 6_000
const STILL_OLD_AFTER_MS_MAX = 15_000
const DELAYS_KEPT = 25 // a second of pictures
const GAPS_KEPT = 5

export type Freshness = 'none' | 'fresh' | 'old'

export class Ages {
  receivedMs: number | null = null // of the picture on the screen, by the node's clock
  drawn = 0
  #delays: number[] = []
  #gaps: number[] = []
  #lastReceivedMs: number | null = null
  #isFirst = true

  /** A picture is on the screen; `nodeNow` is the node's clock at this moment. */
  shown(receivedMs: number, nodeNow: number, isLive: boolean): void {
    this.drawn += 1
    this.receivedMs = receivedMs
    // What waited in the node before we came tells of age, not of delay; the first one too.
    const isDelay = isLive && !this.#isFirst
    this.#isFirst &&= !isLive
    if (!isDelay) return
    this.#keep(this.#delays, Math.max(0, nodeNow - receivedMs), DELAYS_KEPT)
    if (this.#lastReceivedMs !== null && receivedMs > this.#lastReceivedMs) {
      this.#keep(this.#gaps, receivedMs - this.#lastReceivedMs, GAPS_KEPT)
    }
    this.#lastReceivedMs = receivedMs
  }

  /** Another line or rhythm begins: what was usual is no measure for it. */
  newRhythm(): void {
    this.#gaps = []
    this.#lastReceivedMs = null
    this.#isFirst = true
  }

  /** Received to drawn, the middle of the last second, ms; null where nothing was measured. */
  get delayMs(): number | null {
    return median(this.#delays)
  }

  ageMs(nodeNow: number): number | null {
    return this.receivedMs === null ? null : Math.max(0, nodeNow - this.receivedMs)
  }

  /** Age from which the picture is shown as old. */
  oldAfterMs(quality: Quality, isStill: boolean): number {
    if (quality !== 'key' && !isStill) return OLD_AFTER_MS
    const usual = median(this.#gaps) ?? 2 * OLD_AFTER_MS
    const most = isStill ? STILL_OLD_AFTER_MS_MAX : KEY_OLD_AFTER_MS_MAX
    return Math.min(most, Math.max(OLD_AFTER_MS, 1.5 * usual + 500))
  }

  freshness(nodeNow: number, quality: Quality, isStill: boolean): Freshness {
    const age = this.ageMs(nodeNow)
    if (age === null) return 'none'
    return age > this.oldAfterMs(quality, isStill) ? 'old' : 'fresh'
  }

  #keep(list: number[], value: number, max: number): void {
    list.push(value)
    if (list.length > max) list.shift()
  }
}

function median(values: readonly number[]): number | null {
  if (!values.length) return null
  return [...values].sort((a, b) => a - b)[values.length >> 1]!
}
