/**
 * Cameras and pictures as the node sends them: `farolito.model.camera` and the picture routes.
 *
 * Times are RFC 3339 with Z, distances metres, angles degrees from north. Nothing here is computed.
 */

import type { Point, Role } from './model'

export const PICTURE_STATES = [
  'unknown',
  'connecting',
  'live',
  'stalled',
  'unreachable',
  'refused',
  'not_found',
  'unsupported',
  'malformed',
  'not_a_picture',
  'too_much',
  'blocked',
  'no_consent',
] as const
export type PictureState = (typeof PICTURE_STATES)[number]

export const IMAGE_FAULTS = ['black', 'blur', 'obstructed', 'moved', 'frozen', 'wrong_clock'] as const
export type ImageFault = (typeof IMAGE_FAULTS)[number]

export const CONSENTS = ['registry_only', 'on_alarm', 'time_window', 'always'] as const
export type Consent = (typeof CONSENTS)[number]

export type Quality = 'full' | 'sub' | 'key' // every picture; of the substream; key frames alone
export type Mode = 'units' | 'mse' | 'still'

export const END_REASONS = [
  'cut',
  'expired',
  'left',
  'silent',
  'broken',
  'stopped',
  'forged',
  'replayed',
  'other_camera',
  'late',
] as const
export type EndReason = (typeof END_REASONS)[number]

export interface Counts {
  registered: number
  reachable: number
  live: number
}

export interface OwnerCounts extends Counts {
  owner_id: string
  name: string
  kind: string
}

/** A camera of the list. */
export interface CameraRow {
  id: string
  name: string
  lat: number | null
  lon: number | null
  bearing: number | null
  hfov: number
  range_m: number
  ptz: boolean
  state: PictureState
  owner: string
  consent: Consent
  open: boolean // this person may look at it now
  faults?: ImageFault[]
}

export interface CamerasAnswer {
  at: string
  permit?: number | null
  counts: Counts
  owners: OwnerCounts[]
  cameras: CameraRow[]
}

export interface Hours {
  days: number[] // 0 Monday … 6 Sunday
  since: string
  until: string
}

export interface Terms {
  may_record?: boolean
  attribution?: string
  says?: string
}

export interface CameraHealth {
  camera_id: string
  state: PictureState
  since: string
  looked_at?: string | null
  faults?: ImageFault[]
  says?: string
  do?: string
  clock_error_s?: number | null
  missed?: number
  width?: number | null
  height?: number | null
}

export interface PtzHeld {
  held_by: string | null
  yours?: boolean
  until?: string | null
  waiting?: string[]
  says?: string
  turn_s?: number | null // until it looks at the place that it was told of, at the most
}

export interface CameraDetail {
  at: string
  permit?: number | null
  camera: {
    id: string
    name: string
    owner: { owner_id: string; name: string; kind: string }
    place?: Point | null
    height_m?: number
    bearing_deg?: number | null
    optics?: { hfov_deg?: number; vfov_deg?: number; range_m?: number; lens?: string }
    ptz?: { zoom_max?: number } | null
    consent: Consent
    hours?: Hours[]
    terms?: Terms
    approval?: string
    site?: string
    switch?: string
    changed_at?: string | null
  }
  health?: CameraHealth | null
  open: boolean
  open_says?: string
  live?: {
    viewers: number
    fps?: number
    bitrate?: number
    loss?: number
    age_ms?: number | null
    quality?: Quality
  } | null
  ptz_held?: { by: string; until: string; waiting?: string[] } | null
}

/** The right to look at one camera for some minutes, to be shown to whoever holds the pictures. */
export interface WatchGrant {
  permit: number
  token: string
  until: string
  url: string
  watermark: string
  terms?: Terms
  name: string
  state: PictureState
}

/** Why, as a word with its values; `says` in English. */
export interface Reason {
  word: string
  says: string
  values?: Record<string, string | number>
}

export interface Ranked {
  id: string
  name: string
  state: PictureState
  place?: Point | null
  metres: number
  bearing_deg?: number | null
  how?: 'now' | 'after_turn' | 'part' | null
  score?: number
  turn_s?: number | null
  share_visible?: number | null
  says: string[]
  reasons?: Reason[]
  open: boolean
}

export interface BestAnswer {
  at: string
  permit?: number | null
  place?: Point | null
  cameras: Ranked[]
  not: Ranked[]
}

export interface NextCamera {
  id: string
  name: string
  place?: Point | null
  road_m: number
  earliest_at: string
  latest_at: string
  passing?: string
  says?: string[] | string
  open: boolean
  state: PictureState
}

export interface NextAnswer {
  at: string
  permit?: number | null
  cameras: NextCamera[]
}

export type PtzOp = 'take' | 'release' | 'ask' | 'give' | 'move' | 'stop' | 'look_at' | 'home'

export interface WallTile {
  camera_id: string
}

export interface SavedWall {
  name: string
  columns: number
  tiles: (WallTile | null)[]
}

export interface ViewingRow {
  camera_id?: string
  camera?: string // its name
  who: string
  role: Role
  purpose: string
  case?: string | null
  incident?: string | null
  since: string
  until?: string | null
  why_ended?: string
  kept_recording?: boolean
  permit: number
}

export interface ViewingsAnswer {
  at: string
  permit?: number | null
  viewings: ViewingRow[]
}

export interface OwnedCamera {
  id: string
  name: string
  consent: Consent
  hours?: Hours[]
  state: PictureState
  open: boolean
  watched_now: number
  watched_30_days_minutes: number
}

export interface OwnerAnswer {
  at: string
  permit?: number | null
  owner: { owner_id: string; name: string; kind: string }
  cameras: OwnedCamera[]
  viewings: ViewingRow[]
}

export interface HealthGroup {
  by: 'switch' | 'site' | 'owner' | 'camera'
  name: string
  cameras: number
  of: number
  state?: PictureState | ImageFault
  fault?: ImageFault
  since: string
  says: string
  do: string
  ids: string[]
}

export interface CamerasHealth {
  at: string
  permit?: number | null
  sweep: { round_s: number; done: number; due: number; core_percent: number | null }
  groups: HealthGroup[]
}

export interface VideoClip {
  clip_id: string
  camera_id: string
  kind: 'original' | 'redacted'
  since: string
  until: string
  made_at: string
  case?: string | null
  incident?: string | null
  sha256: string
  size: number
  frames: number
  permit: number
  source?: string | null
  clock_error_s?: number | null
  clock_says?: string
  camera?: string // its name
  redacting?: { done: number; of: number } | null
}

/** Where a box is at a moment, in fractions of the picture; between two keys it moves evenly. */
export interface BoxKey {
  at_ms: number
  x: number
  y: number
  w: number
  h: number
}

/** What the picture process says in text. */
export type PictureWord =
  | {
      k: 'open'
      camera_id: string
      codec: 'h264' | 'jpeg'
      quality: Quality
      until_us: number
      now_us: number
    }
  | { k: 'state'; state: PictureState; says?: string; do?: string }
  | { k: 'quality'; quality: Quality; why?: 'slow' | 'asked' | 'unslow' | 'no_sub' }
  | { k: 'pong'; t: number; now_us: number }
  | { k: 'init'; codec: string; width: number; height: number }
  | { k: 'end'; why: EndReason; says?: string; do?: string }
