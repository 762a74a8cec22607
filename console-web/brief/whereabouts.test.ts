import { expect, test } from 'vitest'

import { Whereabouts, type PositionMessage } from './whereabouts'

class Phone {
  now = 0
  line = true
  told: PositionMessage[] = []
  states: string[] = []
  watched = false
  #moved: PositionCallback = () => undefined
  #failed: PositionErrorCallback = () => undefined
  #later: (() => void) | null = null
  whereabouts = new Whereabouts({
    geolocation: {
      watchPosition: (moved, failed) => {
        this.#moved = moved
        this.#failed = failed ?? (() => undefined)
        this.watched = true
        return 1
      },
      clearWatch: () => (this.watched = false),
      getCurrentPosition: (moved) => (this.#moved = moved),
    },
    send: (message) => {
      if (this.line) this.told.push(message)
      return this.line
    },
    now: () => this.now,
    later: (run) => {
      this.#later = run
      return () => (this.#later = null)
    },
    clockOff: () => 60_000,
    onSpeed: () => undefined,
    onState: (state) => this.states.push(state),
  })

  moves(ms: number): void {
    this.now += ms
    const coords = { latitude: 35.1, longitude: -106.6, accuracy: 8, heading: NaN, speed: 12 }
    this.#moved({ coords, timestamp: this.now } as unknown as GeolocationPosition)
  }
  rests(): boolean {
    const run = this.#later
    this.#later = null
    run?.()
    return run !== null
  }
  fails(code: number): void {
    this.#failed({ code, PERMISSION_DENIED: 1 } as GeolocationPositionError)
  }
}

test('a position is told at most once a second, by the node’s clock', () => {
  const phone = new Phone()
  phone.whereabouts.start()
  for (let n = 0; n < 10; n += 1) phone.moves(250)
  expect(phone.told).toHaveLength(3)
  expect(phone.told[0]).toEqual({
    k: 'position', lat: 35.1, lon: -106.6, accuracy_m: 8, heading_deg: null, speed_mps: 12,
    at: '1970-01-01T00:01:00.250Z',
  }) // prettier-ignore
})

test('nothing is told without consent, and nothing after it is withdrawn', () => {
  const phone = new Phone()
  expect(phone.watched).toBe(false)
  phone.whereabouts.start()
  phone.whereabouts.stop()
  expect(phone.watched).toBe(false)
  phone.moves(5_000)
  expect(phone.told).toEqual([])
})

test('a place measured while the line was down is not sent later', () => {
  const phone = new Phone()
  phone.whereabouts.start()
  phone.line = false
  phone.moves(1_000)
  phone.line = true
  expect(phone.told).toEqual([])
  phone.moves(100)
  expect(phone.told).toHaveLength(1)
})

test('a refusal ends the watch, a lost signal does not', () => {
  const phone = new Phone()
  phone.whereabouts.start()
  phone.fails(2)
  expect(phone.watched).toBe(true)
  phone.fails(1)
  expect(phone.watched).toBe(false)
  expect(phone.states.at(-1)).toBe('denied')
})

test('a phone at rest is asked again, so that its place does not grow old', () => {
  const phone = new Phone()
  phone.whereabouts.start()
  phone.moves(1_000)
  expect(phone.rests()).toBe(true)
  phone.moves(10_000)
  expect(phone.told).toHaveLength(2)
  expect(phone.rests()).toBe(true)
  phone.whereabouts.stop()
  expect(phone.rests()).toBe(false)
})
