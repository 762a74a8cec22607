/** The node's own report, as it tells it. */

export type FindingLevel = 'wrong' | 'look' | 'fine'

export interface Finding {
  level: FindingLevel
  what: string
  do: string
}

export interface SourceHealth {
  device: string
  name: string
  format: string
  last_heard_s: number | null
  reads: number
  rejected: Record<string, number> | number
  state: string
}

export interface HealthReport {
  ok: boolean
  at: string
  permit?: number | null
  findings: Finding[]
  sources: SourceHealth[]
  queues: { name: string; waiting?: number; judged_p99_ms?: number | null }[]
  children: { name: string; ready?: boolean; restarts?: number; up_s?: number }[]
  lists: { list_id: string; name: string; rows: number; age_s: number | null; stale: boolean }[]
  ledger: { size?: number; healthy?: boolean; says?: string }
  sound?: { sensors: number; not_up: unknown[]; tick_p99_ms: number | null }
  disk: { free_gb?: number; total_gb?: number }
}

export interface DeadLetter {
  at: string
  device: string | null
  format: string
  reason: string
  says: string
  size: number
}

export function rejectedCount(rejected: SourceHealth['rejected']): number {
  if (typeof rejected === 'number') return rejected
  return Object.values(rejected).reduce((sum, n) => sum + n, 0)
}
