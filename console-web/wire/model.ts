/**
 * The nouns as the node sends them: `farolito.model` encoded as JSON.
 *
 * Times are RFC 3339 with Z, durations ISO 8601, ids text. Nothing here is computed.
 */

import type { Jurisdiction, NationLand, SharedItem } from './federation'
import type { ShotAlert } from './model.shots'
import type { Counts, PictureState } from './video'

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
  | 'oversight'
  | 'sysadmin'
  | 'system'
  | 'camera_owner'
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

/** A sentence of the catalogues: an argument that begins with "@" is itself a key. */
export interface Phrase {
  key: string
  args?: Record<string, string | number>
}

export interface BriefLine {
  kind: LineKind
  says: string // in the agency's own language; `phrases` say the same in any
  source: string
  as_of: string | null
  confidence: 'confirmed' | 'told' | 'machine'
  known?: boolean
  phrases?: Phrase[]
  source_phrase?: Phrase | null
}

export interface Brief {
  brief_id: string
  alert_id?: string | null
  incident_id?: string | null
  call?: string | null // the event number
  level?: Level | null
  agency: string
  unit: string
  version: number
  composed_at: string
  lines: BriefLine[]
  change: string
  change_phrases?: Phrase[]
  place?: Point | null
  within_m?: number | null
  eta_s?: number | null
  ended_at?: string | null
  confirmed_by?: string
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
  source?: string | null
  heading_deg?: number | null
  speed_mps?: number | null
  accuracy_m?: number | null
  doubt?: Doubt | null
  muted?: boolean
}

export type Doubt =
  | 'impossible_speed'
  | 'two_places'
  | 'clock_skew'
  | 'out_of_order'
  | 'no_place'
  | 'places_differ'
  | 'about'

export type UnitStatus = 'assigned' | 'en_route' | 'on_scene' | 'cleared'

export interface CalledUnit {
  unit: string
  status: UnitStatus
  at: string
}

export interface CallNote {
  note_id: string
  at: string
  says: string
}

export interface Hazard {
  kind: 'weapon' | 'violence' | 'dog' | 'officer_safety' | 'premise' | 'other'
  says: string
  source: string
  as_of: string
  expires_at?: string | null
}

export interface CallVehicle {
  says?: string
  plate?: string | null
  state?: string | null
  colour?: string | null
  make?: string | null
  model?: string | null
  kind?: string | null
}

/** A call for service as the dispatch system tells it. `kind` is from a closed list. */
export interface Call {
  call_id: string
  agency: string
  source: string
  number: string
  here_at: string
  changed_at: string
  sent_at: string
  version?: number
  ori?: string | null
  taken_at?: string | null
  kind?: string
  kind_says?: string
  priority?: Level
  state?: 'open' | 'closed' | 'transferred'
  address?: string | null
  place?: Point | null
  place_from?: 'cad' | 'map' | null
  within_m?: number | null
  units?: CalledUnit[]
  notes?: CallNote[]
  vehicles?: CallVehicle[]
  hazards?: Hazard[]
  people?: string | null
  going?: { says: string; at: string; heading_deg?: number | null; place?: Point | null } | null
  duplicate_of?: string | null
  transferred_to?: string | null
  transferred_from?: string | null
  doubts?: Doubt[]
  incident?: string | null
}

/** Why a part belongs to its incident. `metres` by road, `seconds` between the two. */
export interface Link {
  by: 'first' | 'told' | 'near' | 'plate' | 'person'
  says: string
  metres?: number | null
  seconds?: number | null
}

export interface Part {
  kind: 'call' | 'alert' | 'report' | 'shot'
  part_id: string
  label: string
  at: string
  joined_at: string
  link: Link
  joined_by?: string | null
  alert?: AlertState | null // how far an alert has come: not told to officers before confirmed
}

export interface Fact {
  fact_id: string
  line: LineKind
  says: string
  at: string
  by: string
  by_name: string
}

export interface Report {
  report_id: string
  at: string
  says: string
  by: string
  by_name: string
  kind?: string
  place?: Point | null
}

export interface Incident {
  incident_id: string
  agency: string
  version: number
  state: 'open' | 'closed' | 'joined'
  kind: string
  kind_says?: string
  level: Level
  where: string
  place: Point | null
  within_m?: number | null
  opened_at: string
  changed_at: string
  parts: Part[]
  units?: CalledUnit[]
  facts?: Fact[]
  reports?: Report[]
  apart?: string[]
  joined_to?: string | null
  doubtful?: boolean
  jurisdiction?: Jurisdiction | null // on a partner nation's land
}

/** A line of the log that writes itself; `what` is a stable word to mark it by. */
export interface LogLine {
  at: string
  version: number
  what: string
  says: string
  who?: string | null
  name?: string | null
  unit?: string | null
  permit?: number | null
}

export type AnswerKind = 'en_route' | 'on_scene' | 'ask_rtcc' | 'clear'

export interface OfficerAnswer {
  answer_id: string
  brief_id: string
  incident_id: string
  unit: string
  person: string
  kind: AnswerKind
  at: string
  tapped_at?: string | null
  says?: string
}

export interface IncidentsSnapshot {
  seq: number
  at: string
  permit?: number | null
  incidents: Incident[]
  asks?: OfficerAnswer[] // questions of officers on open incidents
}

/** How long a unit needs by road; `eta_s` is null where no road leads there. */
export interface Eta {
  unit: string
  eta_s: number | null
  metres: number | null
  age_s: number | null // of the position it was reckoned from
}

export interface IncidentDetail {
  at: string
  permit?: number | null
  incident: Incident
  calls: Call[]
  alerts: Alert[]
  shots?: ShotAlert[]
  briefs: { brief: Brief; versions: Brief[]; receipts: Receipt[] }[]
  answers: OfficerAnswer[]
  log: LogLine[]
  assigned: Eta[] // those on the way
  nearest: Eta[] // the soonest others, by road
  versions: Incident[] // every version, the oldest first
}

/** One unit on one incident: seconds between the steps, null where a step is not known. */
export interface UnitTiming {
  incident_id: string
  label: string // the call's number or the alert's plate
  kind: string
  level: Level
  unit: string
  by_alert: boolean // the machine's alert sent it, not a call
  call_at: string | null // taken in the dispatch system
  here_at: string | null
  assigned_at: string | null
  composed_at: string | null
  delivered_at: string | null
  opened_at: string | null
  heard_at: string | null
  on_scene_at: string | null
  on_scene_by: string | null // "cad", "officer" or "position"
  freed_at?: string | null // clear again, or its brief ended
}

export interface Spread {
  n: number
  p50_s: number | null
  p95_s: number | null
}

export interface Timings {
  at: string
  permit?: number | null
  since: string
  until: string
  steps: Record<string, Spread> // call_to_here, here_to_composed, composed_to_delivered, …
  p1_delay: {
    calls: number // priority-1 calls looked at
    waited: number // of them, waited for a unit while one was bound by an alert
    waited_s: number // at most so long altogether: an upper bound, not a cause
    busy: Spread // received → assigned while an alert bound a unit
    free: Spread // the same while none did
  }
  rows: UnitTiming[]
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
  proved_at?: string | null // a passkey was shown last; none in this sign-in: null
  provider?: string | null // the identity provider that vouches; a passkey did: null
  has_passkey?: boolean // told where a provider vouches
}

/** An agency's own identity provider to sign in by. */
export interface ProviderOffer {
  id: string
  name: string
}

export interface DemoPersona {
  persona: string
  name: string
  role: Role
}

export interface SignedOut {
  error: 'signed_out'
  demo?: DemoPersona[]
  tour?: boolean // a practice metro with its guided page stands beside this node
  passkeys?: boolean
  providers?: ProviderOffer[]
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
  lands?: NationLand[] // of partner nations, and our own
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
  briefs: { brief: Brief; versions?: Brief[]; receipts: Receipt[] }[]
}

/** A hot list past its limit; `hours` is null where it was never imported. */
export interface OldList {
  name: string
  hours: number | null
  dead: boolean
}

/** Thunder, or fireworks: one card for all that it makes the sensors hear. */
export interface Storm {
  number: number
  kind: 'thunder' | 'show' | 'holiday'
  says: string
  since: string
  sources: number
}

/** Unit, latitude, longitude, heading, speed in m/s, heard at (ms), doubt, muted, source. */
export type PositionRow = [
  string,
  number | null,
  number | null,
  number | null,
  number | null,
  number | null,
  Doubt | null,
  boolean,
  string | null,
]

/** What the live socket says, told apart by `k`. Only those with `seq` are kept for a resume. */
export type LiveMessage =
  | { k: 'hello'; seq: number; at: string; permit?: number | null }
  | { k: 'alert'; seq: number; at: string; alert: Alert }
  | { k: 'brief'; seq: number; at: string; brief: Brief }
  | { k: 'receipt'; seq: number; at: string; receipt: Receipt; unit?: string | null }
  | { k: 'incident'; seq: number; at: string; incident: Incident }
  | { k: 'answer'; seq: number; at: string; answer: OfficerAnswer }
  | { k: 'shot'; seq: number; at: string; shot: ShotAlert }
  | { k: 'shared'; seq: number; at: string; shared: SharedItem }
  /** Who moved since the last; `full` replaces everything. Times are milliseconds since 1970. */
  | { k: 'positions'; at: string; full: boolean; p: PositionRow[] }
  /** To an officer: the own unit's way to the brief's place, and whether it is in motion. */
  | {
      k: 'way'
      at: string
      brief_id: string | null
      eta_s: number | null
      metres: number | null
      speed_mps: number | null
      status?: UnitStatus | null // of the own unit, whoever told it: the officer or the dispatcher
    }
  | { k: 'sources'; at: string; silent: { name: string; seconds: number }[] }
  | { k: 'lists'; at: string; old: OldList[] }
  | { k: 'storms'; at: string; storms: Storm[] }
  /** Only what changed, at most every two seconds. */
  | { k: 'cameras'; counts: Counts; states: Record<string, PictureState> }
  | { k: 'tick'; at: string }
  | { k: 'reset' }
  | { k: 'closed'; reason: string }
