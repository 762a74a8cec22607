/**
 * Agreements, partners, searches and what partners share, as the node sends them.
 *
 * Times are RFC 3339 with Z. Nothing here is computed.
 */

import type { Point, Role } from './model'
import type { Hours } from './video'

export const SHARE_CLASSES = ['plate_read', 'alert', 'shot', 'incident', 'unit', 'hot_list'] as const
export type ShareClass = (typeof SHARE_CLASSES)[number]
export const MODES = ['full', 'pointer', 'silent'] as const
export type Mode = (typeof MODES)[number]
export const PURPOSES = [
  'criminal_investigation',
  'in_progress_call',
  'officer_safety',
  'missing_person',
  'hot_list_alert',
] as const
export type Purpose = (typeof PURPOSES)[number]
export const AGREED_ROLES = ['operator', 'officer', 'detective', 'supervisor'] as const
export const BECAUSE = [
  'not_needed',
  'misuse',
  'terms_broken',
  'law',
  'security',
  'mistake',
] as const
/** `leaving` and `aid_over` come from other deeds; nobody chooses them in the list. */
export type Because = (typeof BECAUSE)[number] | 'leaving' | 'aid_over'
export type AgreementState = 'draft' | 'proposed' | 'in_force' | 'revoked' | 'replaced' | 'expired'

export interface Zone {
  name: string
  ring: Point[]
}

export interface PersonSignature {
  name: string
  at: string
  demo?: boolean
}

/** What became of what the grantee had received, after the end. */
export interface Purge {
  asked_at: string | null
  answered_at: string | null
  count: number | null
  receipt: string | null
}

export interface Agreement {
  agreement_id: string
  grantor: string
  grantee: string
  grantor_name?: string
  grantee_name?: string
  title: string
  state: AgreementState
  starts: string
  expires: string
  classes: Partial<Record<ShareClass, Mode>>
  sharing: ('ask' | 'follow')[]
  purposes: string[]
  roles: Role[]
  zones: string[]
  hours: Hours[]
  keep_days: number
  record_days?: number
  on_behalf_of?: string[]
  incident?: string | null // mutual aid: this one alone
  document: string
  signatures: PersonSignature[]
  revoked_by: string | null
  revoked_because: Because | '' | null
  changed_at?: string
  can_sign: boolean
  told?: string // '' nothing to tell, 'waiting', 'told', or why they refused it
  purge?: Purge | null
}

export interface AgreementsAnswer {
  given: Agreement[]
  received: Agreement[]
  permit: number | null
}

/** Who would be answered more, or less, than now. */
export interface Change {
  agency: string
  role: string
  act: string
  thing: string
  purpose: string
  people: number
  count: number
}

export interface Simulation {
  asked: number
  gains: Change[]
  losses: Change[]
  permit?: number | null
}

/** What a person fills in: the body of a draft. */
export interface Terms {
  grantee: string
  title: string
  text: string
  classes: Partial<Record<ShareClass, Mode>>
  sharing: ('ask' | 'follow')[]
  purposes: string[]
  roles: string[]
  starts: string
  expires: string
  keep_days: number
  record_days: number
  zones: Zone[]
  hours: Hours[]
  on_behalf_of: string[]
  declaration: { declaration_id: string; signed_by: string; expires: string } | null
  supersedes: string | null
}

export interface Partner {
  agency_id: string
  name: string
  ori: string
  government: string
  law: string
  state: 'joined' | 'confirmed' | 'left'
  fingerprint: string
  connected: boolean
  since: string
  confirmed_at: string | null
  land: boolean
  contact?: string
  ended_by?: string | null
  purged?: Readonly<Record<string, unknown>> | null // what we deleted of theirs; null: not yet
  proof?: { purged: Readonly<Record<string, unknown>>; receipt: string } | null // theirs; null: no answer yet
}

export interface PartnersAnswer {
  own: { agency_id: string; name: string; ori: string; government: string; fingerprint: string }
  partners: Partner[]
  permit: number | null
}

/** By what an owner may be asked about a plate. */
export interface AskingRight {
  agreement_id: string
  title: string
  expires: string
  answering?: Mode
  purposes: string[]
  roles: string[]
  zones?: string[]
  record_days?: number
}

export interface Owner {
  agency_id: string
  name: string
  own?: boolean
  contact?: string
  connected?: boolean
  agreements: AskingRight[]
}

/** Our own records are always looked at; `owners_max` counts the others. */
export interface OwnersAnswer {
  own: { agency_id: string; name: string }
  owners: Owner[]
  owners_max: number
  permit: number | null
}

/** `look_alike`: another text that readers confuse with the plate: another car's until seen. */
export interface FoundRead {
  read_id: string
  captured_at: string
  plate: string
  state: string | null
  reader: string
  confidence?: number | null
  lat?: number | null
  lon?: number | null
  heading_deg?: number | null
  make?: string | null
  colour?: string | null
  kind?: string | null
  own?: boolean
  look_alike?: boolean
  provenance?: { owner: string; agreement_id: string; keep_until: string; hop_limit: number } | null
}

export type OwnerState = 'answered' | 'nothing' | 'pointer' | 'refused' | 'away'

/** `since`, `zones`: where it looked at less than was asked for; `more`: these are the newest. */
export interface OwnerAnswered {
  agency_id: string
  name: string
  state: OwnerState
  own?: boolean
  reason?: string
  says?: string
  do?: string
  contact?: string
  reads: FoundRead[]
  more?: boolean
  since?: string | null
  zones?: string[]
  permit?: number | null // the entry in the owner's ledger
  receipt?: string | null
  agreement_id?: string | null
  ms?: number
}

interface AnswersOf {
  at: string
  permit: number | null
  since: string
  owners: OwnerAnswered[]
  looked: { times: number; since: string } | null // what this person is reminded of
}

export interface PlateAnswer extends AnswersOf {
  plate: string
  state: string | null
}

/** `within_m`: what an address may mean; `words`: the place as people call it; `readers`: our own. */
export interface PlaceAnswer extends AnswersOf {
  place: Point
  within_m: number
  words: string
  radius_m: number
  until: string
  readers: { inside: number; nearest_m: number | null }
}

export type SearchAnswer = PlateAnswer | PlaceAnswer

export type SharedKind = Exclude<ShareClass, 'plate_read'>

/** One thing of a partner as this node keeps it. `purged`: it is deleted here. */
export interface SharedItem {
  kind: SharedKind
  item_id: string
  grantor: string
  grantor_name: string
  agreement_id: string | null
  version: number
  at: string
  received_at: string
  purge_at: string
  recalled_at?: string | null
  recall_says?: string
  lat?: number | null
  lon?: number | null
  title?: string
  detail?: Readonly<Record<string, unknown>>
  incident?: string | null
  purged?: boolean
}

export interface SharedAnswer {
  seq: number
  at: string
  items: SharedItem[]
  permit: number | null
}

/** Whose law holds where an incident is, and which of its units hold that nation's commission. */
export interface Jurisdiction {
  nation: string
  name: string
  says: string
  commissioned?: string[]
  without?: string[]
}

export interface NationLand {
  agency_id: string
  name: string
  rings: Point[][]
}

