/**
 * How far the node's clock is from this one, told by pings (as NTP does, RFC 5905 §8).
 *
 * In: when a ping left, what the node's clock said, when the answer came. Out: ms to add to our
 * clock, and how wrong that may be. Never: a slow answer over a quick one.
 */

const KEPT = 8

export class Offset {
  #samples: { offset: number; trip: number }[] = []

  /** All in ms; `nodeAt` by the node's clock. */
  add(sentAt: number, nodeAt: number, backAt: number): void {
    const trip = Math.max(0, backAt - sentAt)
    this.#samples.push({ offset: nodeAt - (sentAt + backAt) / 2, trip })
    if (this.#samples.length > KEPT) this.#samples.shift()
  }

  /** The node named its time in passing: good until the first ping is back. */
  hint(nodeAt: number, backAt: number): void {
    if (!this.#samples.length) this.#samples.push({ offset: nodeAt - backAt, trip: Infinity })
  }

  get #best() {
    return this.#samples.reduce<{ offset: number; trip: number } | null>(
      (best, s) => (best === null || s.trip <= best.trip ? s : best),
      null,
    )
  }

  /** Node's clock less ours, ms; 0 as long as nothing is known. */
  get ms(): number {
    return this.#best?.offset ?? 0
  }

  /** Half of the quickest way there and back, ms; Infinity where only a hint is known. */
  get doubtMs(): number {
    return (this.#best?.trip ?? Infinity) / 2
  }
}
