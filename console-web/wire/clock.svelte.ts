/**
 * The node's time on this screen, once a second. Ages are counted by the node's clock, since a
 * desk whose own clock is off must not make old news look young.
 */

class Clock {
  now = $state(Date.now()) // ms since 1970, by the node's clock
  monotonic = $state(performance.now()) // for silences: never jumps
  #offset = 0
  #timer: ReturnType<typeof setInterval> | undefined

  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#turn(), 1000)
    document.addEventListener('visibilitychange', () => this.#turn())
  }

  /** The node's time this instant, in ms, for those who measure. Not reactive. */
  at(): number {
    return Date.now() + this.#offset
  }

  /** The node said it is `at`. Small differences are the journey, not the clock. */
  heard(at: string): void {
    const offset = Date.parse(at) - Date.now()
    if (Number.isNaN(offset)) return
    if (Math.abs(offset - this.#offset) > 1500) {
      this.#offset = Math.abs(offset) > 1500 ? offset : 0
      this.#turn()
    }
  }

  #turn(): void {
    this.now = Date.now() + this.#offset
    this.monotonic = performance.now()
  }
}

export const clock = new Clock()

/** Seconds since a time, never below zero. */
export function ageSeconds(at: string | null | undefined, now: number): number | null {
  if (!at) return null
  const then = Date.parse(at)
  return Number.isNaN(then) ? null : Math.max(0, Math.floor((now - then) / 1000))
}
