/** Who and what is near a shot, and when somebody who left it by car could pass. */

export interface UnitInReach {
  unit: string
  eta_s: number | null // by road; null where no road is known
  metres: number // in a straight line
}

export interface Watched {
  device: string
  name: string
  metres?: number // in a straight line
  road_m?: number | null
  earliest_at?: string | null // the window: at twice the posted speed,
  latest_at?: string | null // and for one who lingers and drives slowly
}

export interface Reach {
  units: UnitInReach[]
  cameras: Watched[]
  readers: Watched[]
}

export type Passing = 'not_yet' | 'could_have' | 'over'

/** Whether a car that left could have passed by now; null where no road is known. */
export function passingAt(one: Watched, nowMs: number): Passing | null {
  if (!one.earliest_at || !one.latest_at) return null
  if (nowMs < Date.parse(one.earliest_at)) return 'not_yet'
  return nowMs <= Date.parse(one.latest_at) ? 'could_have' : 'over'
}

export const isEmpty = (reach: Reach): boolean =>
  reach.units.length + reach.cameras.length + reach.readers.length === 0
