/**
 * Where this car is and whether it moves.
 *
 * In: the phone's own measure, where the person allows it, and the node's word. Out: reactive
 * values. Never: a position told without the switch, or after signing out.
 */

import { clock } from '../wire/clock.svelte'
import { Motion } from './motion'
import { Whereabouts, type PositionMessage } from './whereabouts'

const STORE_KEY = 'farolito.position' // of this tab alone; holds who allowed it
const LOOKED_AT_EVERY_MS = 500

export type PositionState = 'off' | 'asking' | 'on' | 'denied' | 'failed'

export class Drive {
  isMoving = $state(false)
  position = $state<PositionState>('off')
  #motion = new Motion()
  #whereabouts: Whereabouts

  constructor(
    private readonly person: string,
    send: (message: PositionMessage) => boolean,
  ) {
    this.#whereabouts = new Whereabouts({
      geolocation: 'geolocation' in navigator ? navigator.geolocation : null,
      send,
      now: () => performance.now(),
      later: (run, ms) => {
        const timer = setTimeout(run, ms)
        return () => clearTimeout(timer)
      },
      clockOff: () => clock.at() - Date.now(),
      onSpeed: (mps) => (this.isMoving = this.#motion.hear('phone', mps, performance.now())),
      onState: (state) => (this.position = state),
    })
  }

  open(): () => void {
    if (sessionStorage.getItem(STORE_KEY) === this.person) this.#whereabouts.start()
    const timer = setInterval(
      () => (this.isMoving = this.#motion.at(performance.now())),
      LOOKED_AT_EVERY_MS,
    )
    return () => {
      clearInterval(timer)
      this.allow(false)
    }
  }

  allow(yes: boolean): void {
    if (yes) {
      sessionStorage.setItem(STORE_KEY, this.person)
      this.#whereabouts.start()
    } else {
      sessionStorage.removeItem(STORE_KEY)
      this.#whereabouts.stop()
    }
  }

  /** The node's word on how fast the own unit goes. */
  told(mps: number | null): void {
    this.isMoving = this.#motion.hear('node', mps, performance.now())
  }
}
