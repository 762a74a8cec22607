/**
 * The nouns as the node sends them: `farolito.model` encoded as JSON.
 *
 * Times are RFC 3339 with Z, durations ISO 8601, ids text. Nothing here is computed.
 */

export type Level = 1 | 2 | 3 | 4
export type CheckName = 'text' | 'state' | 'vehicle' | 'fresh' | 'person'
export type CheckOutcome = 'passed' | 'stopped' | 'unknown' | 'waiting'
export type Standing = 'lead' | 'possible' | 'stopped'
export type AlertState = 'waiting' | 'taken' | 'confirmed' | 'rejected' | 'recalled' | 'closed'
export type Role =
  | 'operator'
  | 'officer'
  | 'detective'
  | 'supervisor'
  | 'agency_admin'
  | 'auditor'
  | 'sysadmin'
  | 'system'
export type LineKind =
  'what' | 'where' | 'hazards' | 'vehicle' | 'last_seen' | 'with_you' | 'picture'
export type ReceiptKind = 'delivered' | 'opened' | 'heard'
export type Outcome = 'right_car' | 'wrong_car' | 'gone'
export type RejectReason =
  'misread' | 'wrong_state' | 'wrong_vehicle' | 'stale_row' | 'unreadable' | 'other'
export type PictureKind = 'plate' | 'vehicle' | 'scene'

export interface Point {
  lat: number
  lon: number
}

export interface Seen {
  value: string
  confidence?: number | null
}

export interface SeenVehicle {
  make?: Seen | null
  model?: Seen | null
  colour?: Seen | null
  kind?: Seen | null
  year?: Seen | null
}

export interface Picture {
  sha256: string
  shows: PictureKind
  media_type?: string
}

export interface PlateRead {
  read_id: string
  agency: string
  reader: string
  captured_at: string
  received_at: string
  text: string
  plate: string
  source: string
  event: string
  confidence?: number | null
  characters?: number[] | null
  candidates?: { plate: string; confidence?: number | null }[]
  state?: string | null
  state_confidence?: number | null
  place?: Point | null
  heading_deg?: number | null
  movement?: 'approaching' | 'receding' | null
  lane?: number | null
  speed_mps?: number | null
  vehicle?: SeenVehicle | null
  pictures?: Picture[]
  folded?: 'O0' | null
}

export interface ListedVehicle {
  make?: string | null
  model?: string | null
  colour?: string | null
  kind?: string | null
  year?: number | null
}

export interface HotListEntry {
  entry_id: string
  list_id: string
  agency: string
  plate: string
  state: string | null
  reason: string
  category: string
  source_agency: string
  entered_at: string
  expires_at: string | null
  confirm_with: string
  case?: string | null
  vehicle?: ListedVehicle | null
  recalled_at?: string | null
  recall_reason?: string | null
  restricted?: boolean
}

export interface Check {
  name: CheckName
  outcome: CheckOutcome
  says: string
}

export interface Match {
  read: PlateRead
  entry: HotListEntry
  standing: Standing
  posterior: number
  checks: Check[]
  differing?: number[]
  doubtful?: number[]
  alternatives?: string[]
}

export interface Alert {
  alert_id: string
  agency: string
  level: Level
  state: AlertState
  match: Match
  raised_at: string
  changed_at: string
  version: number
  taken_by?: string | null
  decided_by?: string | null
  decided_at?: string | null
  decision_reason?: string | null
  assigned?: string | null
  repeats?: number
  last_seen?: PlateRead | null
  escalated_at?: string | null
  state_confirmed?: boolean
}

export interface BriefLine {
  kind: LineKind
  says: string
  source: string
  as_of: string | null
  confidence: 'confirmed' | 'machine'
  known?: boolean
}

export interface Brief {
  brief_id: string
  alert_id: string
  agency: string
  unit: string
  version: number
  composed_at: string
  lines: BriefLine[]
  change: string
  place?: Point | null
  plate?: string | null
  state?: string | null
  recalled?: boolean
  recall_reason?: string | null
  sent_by?: string | null
  outcome?: string | null
}

export interface Receipt {
  brief_id: string
  version: number
  kind: ReceiptKind
  at: string
  person: string
}

export interface Unit {
  unit_id: string
  agency: string
  officer?: string | null
  place?: Point | null
  heard_at?: string | null
}

export interface Device {
  device_id: string
  agency: string
  kind: 'plate_reader' | 'camera' | 'gunshot_sensor'
  name: string
  format: string
  place?: Point | null
  heading_deg?: number | null
}

export interface Agency {
  agency_id: string
  name: string
  ori: string
  law?: string
}

export interface Person {
  person_id: string
  agency: string
  name: string
  role: Role
  unit?: string | null
}

export interface NodeFacts {
  agency: Agency
  name: string
  demo: boolean
  version: string
}

/** `lock_after_s`: without a touch for so long, the screen signs out; 0 where a site is exempt. */
export interface SignedIn {
  person: Person
  csrf: string
  node: NodeFacts
  permit?: number | null
  lock_after_s?: number
}

export interface DemoPersona {
  persona: string
  name: string
  role: Role
}

export interface SignedOut {
  error: 'signed_out'
  demo?: DemoPersona[]
  passkeys?: boolean
  banner?: string
  node?: Partial<NodeFacts>
}

/** `who` is a person's id; none where the machine did it. */
export interface HistoryLine {
  at: string
  says: string
  who?: string | null
  name?: string | null
  version?: number
  permit?: number | null
}

export interface AlertsSnapshot {
  seq: number
  at: string
  permit?: number | null
  alerts: Alert[]
  counts?: Record<string, number>
  actions?: Partial<Record<Level, string>> // what an operator does, by level
}

export interface AlertDetail {
  alert: Alert
  brief: Brief | null
  briefs?: Brief[]
  receipts: Receipt[]
  history: HistoryLine[]
  permit?: number | null
}

export interface Acted {
  alert?: Alert
  brief?: Brief | null
  permit?: number | null
}

export interface StoppedMatch {
  at: string
  match: Match
}

export interface MapFacts {
  tiles: string | null
  readers: Device[]
}

export interface Found {
  permit?: number | null
  alerts: Alert[]
  entries: HotListEntry[]
}

export interface MineBriefs {
  seq: number
  at?: string
  permit?: number | null
  briefs: { brief: Brief; receipts: Receipt[] }[]
}

/** A hot list past its limit; `hours` is null where it was never imported. */
export interface OldList {
  name: string
  hours: number | null
  dead: boolean
}

/** What the live socket says, told apart by `k`. Only those with `seq` are kept for a resume. */
export type LiveMessage =
  | { k: 'hello'; seq: number; at: string; permit?: number | null }
  | { k: 'alert'; seq: number; at: string; alert: Alert }
  | { k: 'brief'; seq: number; at: string; brief: Brief }
  | { k: 'receipt'; seq: number; at: string; receipt: Receipt; unit?: string | null }
  | { k: 'units'; at: string; units: Unit[] }
  | { k: 'lists'; at: string; old: OldList[] }
  | { k: 'tick'; at: string }
  | { k: 'reset' }
  | { k: 'closed'; reason: string }
