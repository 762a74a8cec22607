/** The ledger as the node tells it: sealed entries, newest page first. */

import type { Role } from '../wire/model'

export const PAGE_ENTRIES = 50
export const OPEN_REASONS = [
  'routine_review',
  'random_sample',
  'misuse_report',
  'complaint',
  'court_order',
  'public_records_request',
  'system_test',
] as const
export type OpenReason = (typeof OPEN_REASONS)[number]

export interface LedgerEntry {
  at: string
  act: string
  thing: string
  decision: 'permit' | 'refusal'
  reason: string
  actor_role: Role
  agency: string
  ori: string
  session?: string | null
  device?: string | null
  purpose?: string | null
  count?: number
  policy?: string
  rules?: string[]
  counterpart?: string | null
}

export interface Recorded {
  index: number
  leaf: string
  entry: LedgerEntry
  openable: string[]
}

export interface LedgerPage {
  entries: Recorded[]
  checkpoint: string | null
  size: number
  status?: { healthy: boolean; says: string; verifier_key?: string }
  permit?: number | null
}

/** The `after` that ends a page at `last` (an index), so that it holds PAGE_ENTRIES entries. */
export function afterForPageEndingAt(last: number): number {
  return Math.max(-1, last - PAGE_ENTRIES)
}
