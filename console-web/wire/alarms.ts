/**
 * The alarms of the whole desk: dispatch systems gone silent, lists past their limit, storms of sound.
 *
 * In: the live line's messages. Out: the alarms that stand now.
 * Never: an alarm that stands because its end was told while the line was down.
 */

import type { LiveMessage, OldList, Storm } from './model'

export type SilentSource = { name: string; seconds: number }

export interface Alarms {
  silent: readonly SilentSource[]
  oldLists: readonly OldList[]
  storms: readonly Storm[]
}

export const NO_ALARMS: Alarms = { silent: [], oldLists: [], storms: [] }

// A socket is told its alarms only where there are any, right after its first tick: what it was
// not told by its second is over.
const TICKS_UNTIL_TOLD = 2

export class AlarmKeeper {
  #alarms: Alarms = NO_ALARMS
  #told = new Set<keyof Alarms>()
  #ticks = TICKS_UNTIL_TOLD

  /** The alarms after one more message; the same object where nothing changed. */
  hear(message: LiveMessage): Alarms {
    switch (message.k) {
      case 'hello':
        this.#told.clear()
        this.#ticks = 0
        break
      case 'tick':
        this.#ticks += 1
        if (this.#ticks === TICKS_UNTIL_TOLD) this.#forget()
        break
      case 'sources':
        this.#keep('silent', { silent: message.silent })
        break
      case 'lists':
        this.#keep('oldLists', { oldLists: message.old })
        break
      case 'storms':
        this.#keep('storms', { storms: message.storms })
        break
    }
    return this.#alarms
  }

  #keep(kind: keyof Alarms, now: Partial<Alarms>): void {
    this.#told.add(kind)
    this.#alarms = { ...this.#alarms, ...now }
  }

  #forget(): void {
    for (const kind of Object.keys(NO_ALARMS) as (keyof Alarms)[]) {
      const isOver = !this.#told.has(kind) && this.#alarms[kind].length > 0
      if (isOver) this.#alarms = { ...this.#alarms, [kind]: [] }
    }
  }
}
