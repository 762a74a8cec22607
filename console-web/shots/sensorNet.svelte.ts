/**
 * The gunshot sensors as a screen knows them: places, health, and where a shot would be heard.
 *
 * Asked for only when something is to be drawn with it, since each look is a ledger entry.
 * Where sensors stand is shown to few: a refusal is an answer here, and is said in words.
 */

import { ApiError, get } from '../wire/api'
import type { Coverage, Sensor, SensorsAnswer } from '../wire/model.shots'

const AGAIN_AFTER_MS = 60_000

export type Standing = 'unasked' | 'asking' | 'known' | 'refused' | 'absent' | 'away'

export class SensorNet {
  sensors = $state.raw<readonly Sensor[]>([])
  standing = $state<Standing>('unasked')
  shown = $state(false) // the coverage layer
  coverage = $state.raw<Coverage | null>(null)
  coverageStanding = $state<Standing>('unasked')
  picked = $state<string | null>(null) // the sensor that was clicked
  byId = $derived(new Map(this.sensors.map((s) => [s.sensor, s])))

  #timer: ReturnType<typeof setInterval> | undefined

  constructor(private readonly permitted: (permit: number) => void) {}

  name(sensor: string): string {
    return this.byId.get(sensor)?.name || sensor
  }

  /** Asks once; a refusal is not asked again. */
  async want(): Promise<void> {
    if (this.standing === 'unasked' || this.standing === 'away') await this.#ask()
  }

  async #ask(): Promise<void> {
    if (this.standing === 'unasked') this.standing = 'asking'
    try {
      const answer = await get<SensorsAnswer>('/api/sensors')
      if (answer.permit != null) this.permitted(answer.permit)
      this.sensors = answer.sensors
      this.standing = 'known'
    } catch (error) {
      this.standing = standingOf(error)
    }
  }

  toggle(): void {
    this.shown = !this.shown
    clearInterval(this.#timer)
    if (!this.shown) {
      this.picked = null
      return
    }
    const ask = () => {
      if (!document.hidden) void Promise.all([this.#ask(), this.#askCoverage()])
    }
    ask()
    this.#timer = setInterval(ask, AGAIN_AFTER_MS)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #askCoverage(): Promise<void> {
    if (this.coverageStanding === 'unasked') this.coverageStanding = 'asking'
    try {
      const answer = await get<Coverage>('/api/sensors/coverage')
      if (answer.permit != null) this.permitted(answer.permit)
      const has = answer.rows > 0 && answer.columns > 0
      this.coverage = has ? answer : null
      this.coverageStanding = has ? 'known' : 'absent'
    } catch (error) {
      this.coverageStanding = standingOf(error)
    }
  }
}

function standingOf(error: unknown): Standing {
  if (!(error instanceof ApiError)) throw error
  if (error.status === 403) return 'refused'
  return error.status === 404 ? 'absent' : 'away'
}
