/**
 * When a picture ended: is it asked for again, and after which pause?
 *
 * A camera that is restarted at once by every viewer never comes up, so pauses grow, with chance in
 * them. Where somebody took the right away, nobody knocks again but the person.
 */

import type { EndReason } from '../../wire/video'

export const AGAIN_FIRST_MS = 1_000
export const AGAIN_MAX_MS = 30_000
export const TOKENS_IN_A_ROW_MAX = 3 // a token refused so often is no accident
export const GOOD_AFTER_MS = 10_000 // pictures for so long: the next loss begins anew

export type Lost = EndReason | 'line' | 'away' // the line broke; the node did not answer the question
export type Next = { again: true; afterMs: number } | { again: false }

const ABOUT_TOKEN: readonly Lost[] = ['forged', 'replayed', 'other_camera', 'late']
const STOP: Next = { again: false }

export class Retry {
  #attempt = 0
  #tokens = 0

  constructor(private readonly random: () => number) {}

  good(): void {
    this.#attempt = 0
    this.#tokens = 0
  }

  next(why: Lost): Next {
    if (why === 'cut' || why === 'left') return STOP
    if (ABOUT_TOKEN.includes(why)) {
      this.#tokens += 1
      if (this.#tokens >= TOKENS_IN_A_ROW_MAX) return STOP
    }
    // A viewing that ran out is opened anew at once, once.
    const ceiling =
      why === 'expired' && this.#attempt === 0
        ? 0
        : Math.min(AGAIN_MAX_MS, AGAIN_FIRST_MS * 2 ** this.#attempt)
    this.#attempt += 1
    return { again: true, afterMs: ceiling / 2 + (ceiling / 2) * this.random() }
  }
}
