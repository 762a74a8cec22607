/**
 * The phone's own position, told while the page is open and the person wants it.
 *
 * In: what the browser measures. Out: at most one message a second to the node, and the speed to
 * whoever asks. Never: a place kept on the phone, sent late, or sent without consent.
 */

export const TOLD_EVERY_MS_MIN = 1_000
export const ASKED_AGAIN_MS = 10_000 // a phone at rest falls silent, but its place is not old
const MEASURE: PositionOptions = { enableHighAccuracy: true, maximumAge: 1_000, timeout: 20_000 }

export interface PositionMessage {
  k: 'position'
  lat: number
  lon: number
  accuracy_m: number | null
  heading_deg: number | null
  speed_mps: number | null
  at: string
}

export interface WhereaboutsOptions {
  geolocation: Pick<Geolocation, 'watchPosition' | 'clearWatch' | 'getCurrentPosition'> | null
  /** False while the line is down: an old place is of no use, so it is not kept. */
  send: (message: PositionMessage) => boolean
  now: () => number // monotonic
  later: (run: () => void, ms: number) => () => void
  /** What the node's clock is ahead of the phone's, in ms. */
  clockOff: () => number
  onSpeed: (mps: number | null) => void
  onState: (state: 'off' | 'asking' | 'on' | 'denied' | 'failed') => void
}

export class Whereabouts {
  #watch: number | null = null
  #toldAt = -Infinity
  #cancelAsking: (() => void) | null = null

  constructor(private readonly options: WhereaboutsOptions) {}

  start(): void {
    const { geolocation, onState } = this.options
    if (this.#watch !== null) return
    if (!geolocation) {
      onState('failed')
      return
    }
    onState('asking')
    this.#watch = geolocation.watchPosition(
      (position) => this.#measured(position),
      (error) => this.#failed(error),
      MEASURE,
    )
    this.#askLater(geolocation)
  }

  stop(state: 'off' | 'denied' = 'off'): void {
    if (this.#watch !== null) this.options.geolocation?.clearWatch(this.#watch)
    this.#watch = null
    this.#cancelAsking?.()
    this.options.onState(state)
  }

  #askLater(geolocation: Pick<Geolocation, 'getCurrentPosition'>): void {
    this.#cancelAsking?.()
    this.#cancelAsking = this.options.later(() => {
      geolocation.getCurrentPosition((position) => this.#measured(position), undefined, MEASURE)
      this.#askLater(geolocation)
    }, ASKED_AGAIN_MS)
  }

  /** A lost signal comes back by itself; a refusal does not. */
  #failed(error: GeolocationPositionError): void {
    if (this.#watch === null) return
    if (error.code === error.PERMISSION_DENIED) this.stop('denied')
    else this.options.onState('failed')
  }

  #measured({ coords, timestamp }: GeolocationPosition): void {
    if (this.#watch === null) return
    this.options.onState('on')
    const speed = numberOrNull(coords.speed)
    this.options.onSpeed(speed)
    const now = this.options.now()
    if (now - this.#toldAt < TOLD_EVERY_MS_MIN) return
    const told = this.options.send({
      k: 'position',
      lat: coords.latitude,
      lon: coords.longitude,
      accuracy_m: numberOrNull(coords.accuracy),
      heading_deg: numberOrNull(coords.heading),
      speed_mps: speed,
      at: new Date(timestamp + this.options.clockOff()).toISOString(),
    })
    if (told) this.#toldAt = now
  }
}

/** A phone at rest tells its heading as NaN. */
function numberOrNull(value: number | null): number | null {
  return value !== null && Number.isFinite(value) ? value : null
}
