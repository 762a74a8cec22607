/**
 * Where every unit was last heard of, in plain arrays: the hot path of the screen.
 *
 * In: `positions` messages, twice a second at most. Out: a packed buffer for the graphics card,
 * and single units for those who ask. Never: an object or a framework signal a unit.
 *
 * 10,000 units × 5,000 changes a message: a map look-up, one logarithm and eight stores each,
 * about 1 ms; packing is one pass over typed arrays. Places are kept in double precision, and
 * what goes to the card is the offset from an origin nearby (a 32-bit float of the world steps
 * by a metre here).
 */

import type { Doubt, Point, PositionRow } from '../wire/model'
import { toWorld, type World } from './mercator'

export const FLOATS_A_UNIT = 5 // x, y, faded 0…1, heading in turns or -1, looks as bits
export const LOOK_CHOSEN = 1
export const LOOK_MUTED = 2
export const LOOK_DOUBT = 4
const FADED_AFTER_S = 30
const FADED_WHOLLY_S = 300
const FIRST_ROOM = 256
const NO_PLACE = Number.NaN

export interface UnitFacts {
  unit: string
  place: Point | null
  headingDeg: number | null
  speedMps: number | null
  heardAt: number | null // ms since 1970, by the source as the node believes it
  doubt: Doubt | null
  muted: boolean
  source: string | null
}

export interface Bounds {
  west: number
  east: number
  north: number
  south: number
}

export class Positions {
  #slots = new Map<string, number>()
  #names: string[] = []
  #doubts: (Doubt | null)[] = []
  #sources: (string | null)[] = []
  #lat = new Float64Array(FIRST_ROOM)
  #lon = new Float64Array(FIRST_ROOM)
  #x = new Float64Array(FIRST_ROOM) // Web Mercator, the world is 0…1; NaN without a place
  #y = new Float64Array(FIRST_ROOM)
  #heading = new Float32Array(FIRST_ROOM)
  #speed = new Float32Array(FIRST_ROOM)
  #heard = new Float64Array(FIRST_ROOM)
  #muted = new Uint8Array(FIRST_ROOM)
  #fresh: number[] = [] // slots that changed since the last paint
  #isFresh = new Uint8Array(FIRST_ROOM)
  origin: World = { x: 0.2, y: 0.4 }
  version = 0

  get size(): number {
    return this.#names.length
  }

  hear(rows: readonly PositionRow[], full: boolean): void {
    if (full) this.#forget()
    for (const row of rows) this.#take(row)
    this.version += 1
  }

  #forget(): void {
    this.#slots.clear()
    this.#names = []
    this.#doubts = []
    this.#sources = []
    this.#fresh = []
    this.#isFresh.fill(0)
  }

  #take(row: PositionRow): void {
    const [unit, lat, lon, heading, speed, heard, doubt, muted, source] = row
    let slot = this.#slots.get(unit)
    if (slot === undefined) {
      slot = this.#names.length
      if (slot >= this.#x.length) this.#grow()
      this.#slots.set(unit, slot)
      this.#names.push(unit)
    }
    this.#heading[slot] = heading ?? NO_PLACE
    this.#speed[slot] = speed ?? NO_PLACE
    this.#heard[slot] = heard ?? NO_PLACE
    this.#muted[slot] = muted ? 1 : 0
    this.#doubts[slot] = doubt
    this.#sources[slot] = source
    if (lat === null || lon === null) {
      this.#x[slot] = this.#y[slot] = this.#lat[slot] = this.#lon[slot] = NO_PLACE
      return
    }
    const world = toWorld({ lat, lon })
    this.#lat[slot] = lat
    this.#lon[slot] = lon
    this.#x[slot] = world.x
    this.#y[slot] = world.y
    if (!this.#isFresh[slot]) {
      this.#isFresh[slot] = 1
      this.#fresh.push(slot)
    }
  }

  #grow(): void {
    const room = this.#x.length * 2
    this.#lat = grown64(this.#lat, room)
    this.#lon = grown64(this.#lon, room)
    this.#x = grown64(this.#x, room)
    this.#y = grown64(this.#y, room)
    this.#heard = grown64(this.#heard, room)
    this.#heading = grown32(this.#heading, room)
    this.#speed = grown32(this.#speed, room)
    this.#muted = grown8(this.#muted, room)
    this.#isFresh = grown8(this.#isFresh, room)
  }

  /**
   * Writes every unit with a place into `out` (made anew where too small) as offsets from
   * `origin`, which is the first of them. Returns the buffer and how many are in it.
   */
  pack(
    out: Float32Array<ArrayBuffer>,
    now: number,
    chosen: ReadonlySet<string>,
  ): { points: Float32Array<ArrayBuffer>; count: number } {
    const size = this.#names.length
    const points =
      out.length >= size * FLOATS_A_UNIT ? out : new Float32Array(this.#x.length * FLOATS_A_UNIT)
    let count = 0
    for (let slot = 0; slot < size; slot += 1) {
      const x = this.#x[slot]!
      if (Number.isNaN(x)) continue
      if (count === 0) this.origin = { x, y: this.#y[slot]! }
      const age = (now - this.#heard[slot]!) / 1000 // NaN where the time was not told
      const faded = (age - FADED_AFTER_S) / (FADED_WHOLLY_S - FADED_AFTER_S)
      const heading = this.#heading[slot]!
      const at = count * FLOATS_A_UNIT
      points[at] = x - this.origin.x
      points[at + 1] = this.#y[slot]! - this.origin.y
      points[at + 2] = Number.isNaN(faded) ? 1 : Math.min(1, Math.max(0, faded))
      points[at + 3] = Number.isNaN(heading) ? -1 : heading / 360
      points[at + 4] =
        (this.#muted[slot] ? LOOK_MUTED : 0) + (this.#doubts[slot] ? LOOK_DOUBT : 0)
      count += 1
    }
    if (chosen.size) this.#mark(points, chosen)
    return { points, count }
  }

  /** The few chosen ones are marked after the pass, so that the pass asks no set 10,000 times. */
  #mark(points: Float32Array, chosen: ReadonlySet<string>): void {
    const wanted = new Set([...chosen].map((unit) => this.#slots.get(unit)))
    let count = 0
    for (let slot = 0; slot < this.#names.length; slot += 1) {
      if (Number.isNaN(this.#x[slot]!)) continue
      if (wanted.has(slot)) points[count * FLOATS_A_UNIT + 4]! += LOOK_CHOSEN
      count += 1
    }
  }

  /** How old, in ms at `now`, is what was painted for the first time just now. Empties the list. */
  takeFreshAges(now: number): number[] {
    const ages: number[] = []
    for (const slot of this.#fresh) {
      this.#isFresh[slot] = 0
      const age = now - this.#heard[slot]!
      if (!Number.isNaN(age)) ages.push(age)
    }
    this.#fresh = []
    return ages
  }

  get(unit: string): UnitFacts | null {
    const slot = this.#slots.get(unit)
    return slot === undefined ? null : this.#facts(slot)
  }

  #facts(slot: number): UnitFacts {
    const known = (value: number) => (Number.isNaN(value) ? null : value)
    const seen = !Number.isNaN(this.#x[slot]!)
    return {
      unit: this.#names[slot]!,
      place: seen ? { lat: this.#lat[slot]!, lon: this.#lon[slot]! } : null,
      headingDeg: known(this.#heading[slot]!),
      speedMps: known(this.#speed[slot]!),
      heardAt: known(this.#heard[slot]!),
      doubt: this.#doubts[slot] ?? null,
      muted: this.#muted[slot] === 1,
      source: this.#sources[slot] ?? null,
    }
  }

  /** Everybody at once, as objects: for a choice a person makes, never for a frame. */
  all(): UnitFacts[] {
    return this.#names.map((_, slot) => this.#facts(slot))
  }

  /** The first `limit` by call sign, of those whose call sign holds `words`. */
  list(limit: number, words = ''): { units: UnitFacts[]; found: number } {
    const wanted = words.trim().toUpperCase()
    const names = wanted
      ? this.#names.filter((name) => name.toUpperCase().includes(wanted))
      : [...this.#names]
    names.sort()
    const units = names.slice(0, limit).map((name) => this.#facts(this.#slots.get(name)!))
    return { units, found: names.length }
  }

  /** Units inside a part of the world, at most `limit`: for call signs on the map. */
  within(bounds: Bounds, limit: number): UnitFacts[] {
    const found: UnitFacts[] = []
    for (let slot = 0; slot < this.#names.length && found.length < limit; slot += 1) {
      const x = this.#x[slot]!
      const y = this.#y[slot]!
      // Without a place both are NaN, and no comparison holds.
      if (x >= bounds.west && x <= bounds.east && y >= bounds.north && y <= bounds.south) {
        found.push(this.#facts(slot))
      }
    }
    return found
  }

  /** The unit nearest to a place on the map, no farther than `reach` (in worlds). */
  pick(at: World, reach: number): string | null {
    let best = reach * reach
    let found = -1
    for (let slot = 0; slot < this.#names.length; slot += 1) {
      const dx = this.#x[slot]! - at.x
      const dy = this.#y[slot]! - at.y
      const far = dx * dx + dy * dy
      if (far <= best) {
        best = far
        found = slot
      }
    }
    return found === -1 ? null : this.#names[found]!
  }

  /** Every place, for showing all of them at once: west, south, east, north in degrees. */
  extent(): [number, number, number, number] | null {
    let west = Infinity
    let south = Infinity
    let east = -Infinity
    let north = -Infinity
    for (let slot = 0; slot < this.#names.length; slot += 1) {
      const lon = this.#lon[slot]!
      const lat = this.#lat[slot]!
      if (Number.isNaN(this.#x[slot]!)) continue
      west = Math.min(west, lon)
      east = Math.max(east, lon)
      south = Math.min(south, lat)
      north = Math.max(north, lat)
    }
    return west === Infinity ? null : [west, south, east, north]
  }
}

function grown64(old: Float64Array<ArrayBuffer>, room: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(room)
  grown.set(old)
  return grown
}

function grown32(old: Float32Array<ArrayBuffer>, room: number): Float32Array<ArrayBuffer> {
  const grown = new Float32Array(room)
  grown.set(old)
  return grown
}

function grown8(old: Uint8Array<ArrayBuffer>, room: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(room)
  grown.set(old)
  return grown
}
