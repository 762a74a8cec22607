/**
 * Whether anybody can see the page: where nobody can, no line stays open.
 *
 * In: the page's own word, and a timer. Out: calls to open and to close. Never: a picture cut by a
 * glance at another tab.
 */

export const HIDDEN_FOR_MS = 2_000

export interface SightOptions {
  isHidden: () => boolean
  later: (run: () => void, ms: number) => () => void
  onSeen: () => void
  onUnseen: () => void // hidden for longer than a glance
}

export class Sight {
  #cancel: () => void = () => undefined

  constructor(private readonly options: SightOptions) {}

  /** The page says that it was hidden, or shown again. */
  changed(): void {
    this.#cancel()
    if (!this.options.isHidden()) {
      this.options.onSeen()
      return
    }
    this.#cancel = this.options.later(() => this.options.onUnseen(), HIDDEN_FOR_MS)
  }

  end(): void {
    this.#cancel()
  }
}
