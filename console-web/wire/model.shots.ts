/**
 * Shots as the node sends them: `farolito.model.shot` and `farolito.model.impulse` as JSON.
 *
 * Times are RFC 3339 with Z, distances metres, levels dB. Nothing here is computed.
 */

import type { AlertState, HistoryLine, Level, Point } from './model'

export const SOUND_KINDS = ['gunshot', 'firework', 'vehicle', 'construction', 'other'] as const
export type SoundKind = (typeof SOUND_KINDS)[number]

export const SHOT_OUTCOMES = [
  'casings',
  'victim',
  'video',
  'witness',
  'fireworks',
  'nothing_found',
  'unknown',
] as const
export type ShotOutcome = (typeof SHOT_OUTCOMES)[number]
/** What proves gunfire: only these make a shooting known that had no alert. */
export const CONFIRMING = ['casings', 'victim', 'video', 'witness'] as const satisfies readonly ShotOutcome[]

/** Holds the true place with `probability`; the bearing is the long axis', from north. */
export interface Ellipse {
  semi_major_m: number
  semi_minor_m: number
  bearing_deg: number
  probability?: number
}

export interface Mode {
  place: Point
  ellipse: Ellipse
  share: number
}

export interface Round {
  at: string
  sensors: number
  place?: Point | null
}

export interface Movement {
  metres: number
  metres_sd: number
  bearing_deg: number
}

export interface Heard {
  sensor: string
  metres: number
  onset_at: string
  rounds: number
  residual_ms: number
  level_db?: number | null
}

export interface Weather {
  at: string
  temperature_c?: number
  wind_mps?: number
  wind_from_deg?: number
  temperature_sd_c?: number
  wind_sd_mps?: number
  source?: string
}

export interface Shot {
  shot_id: string
  agency: string
  revision: number
  source: string
  discharged_at: string
  located_at: string
  place: Point
  rounds: Round[]
  probability: number
  kinds: Partial<Record<SoundKind, number>>
  ellipse?: Ellipse | null
  modes?: Mode[]
  rounds_low?: number | null
  rounds_high?: number | null
  movement?: Movement | null
  heard?: Heard[]
  silent?: string[]
  down?: string[]
  outside_net?: boolean
  weather?: Weather | null
  because?: string[]
  storm?: string // thunder or fireworks that it was heard in, as the machine says it
}

export interface Clip {
  sensor: string
  sha256: string
  starts_at: string
  seconds: number
  rate_hz: number
}

export interface ShotReview {
  at: string
  by: string
  kind: SoundKind
  listened?: string[]
  note?: string
}

export interface OutcomeSaid {
  outcome: ShotOutcome
  at: string
  by: string
  note?: string
}

export interface ShotAlert {
  alert_id: string
  agency: string
  version: number
  level: Level
  state: AlertState
  shots: Shot[]
  machine: Shot
  raised_at: string
  changed_at: string
  zone?: string
  where?: string // as people say it
  clips?: Clip[]
  taken_by?: string | null
  review?: ShotReview | null
  outcome?: OutcomeSaid | null
  escalated_at?: string | null
  is_queued?: boolean
  decision_reason?: string | null
}

export interface ShotsSnapshot {
  seq: number
  at: string
  permit?: number | null
  shots: ShotAlert[]
  quiet: ShotAlert[] // heard and kept, not worth a person's time by itself
}

export interface ShotVersion {
  version: number
  at: string
  alert: ShotAlert
}

export interface ShotDetail {
  alert: ShotAlert
  versions: ShotVersion[] // the oldest first
  history: HistoryLine[]
  incident_id: string | null
  permit?: number | null
}

export interface ShotActed {
  shot?: ShotAlert
  permit?: number | null
}

/** A clip drawn without decoding it: least and greatest of each step, −128…127. */
export interface Wave {
  sensor: string
  rate_hz: number
  starts_at: string
  seconds: number
  peaks: [number, number][]
  onsets: number[] // seconds from the clip's start
}

export type SensorState = 'up' | 'late' | 'aside' | 'down'

export interface Sensor {
  sensor: string
  name: string
  place?: Point | null
  state: SensorState
  says?: string
  do?: string
  heard_at?: string | null
  clock_error_s?: number | null
  noise_db?: number | null
  temperature_c?: number | null
  strays_per_s?: number | null
}

export interface SensorsAnswer {
  at: string
  permit?: number | null
  weather?: Weather | null
  sensors: Sensor[]
}

/** Chance in percent to hear and place one gunshot, row by row from the north; −1 lies outside. */
export interface Coverage {
  at: string
  permit?: number | null
  west: number
  south: number
  east: number
  north: number
  columns: number
  rows: number
  p: number[]
  median?: number | null // 0…1
  area_km2_over_90?: number | null
  dead?: string[]
  weather?: Weather | null
}

export interface ShotMiss {
  miss_id: string
  at: string
  place: Point
  known_by: ShotOutcome
  said_at: string
  by: string
  rounds?: number | null
  zone?: string
  note?: string
  in_coverage?: number | null
}

/** `yes` of `of`, with its 95 % interval; null where there is no case. */
export interface Share {
  yes: number
  of: number
  share?: number | null
  low?: number | null
  high?: number | null
}

export interface ShotFigures {
  name: string // the zone, hour or kind; "" is all
  alerts: number
  confirmed: number
  unfounded: number
  unknown: number
  open: number
  misses: number
  precision: Share
  confirmed_of_all: Share
  found: Share
}

export interface ShotRecord {
  since: string
  until: string
  all: ShotFigures
  by_zone: ShotFigures[]
  by_hour: ShotFigures[]
  by_kind: ShotFigures[]
}

export interface ShotRecordAnswer {
  record: ShotRecord
  misses: ShotMiss[]
  permit?: number | null
}
