/**
 * Is this car in motion? Then the screen shows three lines and the rest is spoken.
 *
 * In: speeds with their time, by the phone itself or by the node's word. Out: a yes or no that
 * does not flicker at a red light. Never: a clock of its own.
 */

export const MOVING_ABOVE_MPS = 8 / 3.6
export const RESTING_BELOW_MPS = 5 / 3.6
export const REST_AFTER_MS = 5_000
export const OWN_SPEED_KEPT_MS = 5_000 // the phone's own word stands before the node's so long
export const SPEED_FORGOTTEN_MS = 30_000 // nobody tells a speed any more: an officer may be on foot

export type SpeedSource = 'phone' | 'node'

export class Motion {
  isMoving = false
  #slowSince: number | null = null
  #ownAt = -Infinity
  #heardAt = -Infinity

  /** A speed told at `at` (ms, monotonic); null where the source does not know. */
  hear(source: SpeedSource, mps: number | null | undefined, at: number): boolean {
    if (mps === null || mps === undefined || !Number.isFinite(mps)) return this.at(at)
    const speed = Math.abs(mps) // a simulated or reversing car may count backwards
    if (source === 'phone') this.#ownAt = at
    else if (at - this.#ownAt < OWN_SPEED_KEPT_MS) return this.at(at)
    this.#heardAt = at
    if (speed > MOVING_ABOVE_MPS) this.isMoving = true
    if (speed >= RESTING_BELOW_MPS) this.#slowSince = null
    else this.#slowSince ??= at
    return this.at(at)
  }

  /** The answer at a later time, with nothing new heard. */
  at(now: number): boolean {
    const rested = this.#slowSince !== null && now - this.#slowSince >= REST_AFTER_MS
    if (rested || now - this.#heardAt >= SPEED_FORGOTTEN_MS) this.isMoving = false
    return this.isMoving
  }
}
