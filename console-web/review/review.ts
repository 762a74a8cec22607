/** Reviews of searches as the node tells them to whoever is to look. */

import type { Role } from '../wire/model'

export const DECISIONS = ['explained', 'training', 'misuse', 'referred'] as const
export type Decision = (typeof DECISIONS)[number]
export const DECISION_KEYS: Record<string, Decision> = { e: 'explained', t: 'training', m: 'misuse', f: 'referred' }
/** What is opened of a search, in the order in which one asks. */
export const FIELDS = ['case', 'query', 'user', 'on_behalf_of'] as const
export type Field = (typeof FIELDS)[number]

export interface LookedAt {
  entry: number
  at: string
  role: Role
  purpose: string | null
  permitted: boolean
  openable: string[]
}

export interface Review {
  review_id: string
  rule: string
  says: string
  about_role: Role
  agency: string
  raised_at: string
  due: string
  assigned: Role
  told_by: string | null
  told_at: string | null
  their_says: string
  escalated_at: string | null
  decision: Decision | null
  decided_by_name: string
  decided_at: string | null
  permit: number | null
  own: boolean
  overdue: boolean
  count: number
  searches: LookedAt[]
}

export interface Queue {
  at: string
  permit: number
  reviews: Review[]
}

export interface RuleCount {
  rule: string
  raised: number
  open: number
  overdue: number
  decided: Partial<Record<Decision, number>>
}

export interface Digest {
  at: string
  permit: number
  days: number
  rules: RuleCount[]
}

export const GROUPS = ['late', 'soon', 'later'] as const
export type Group = (typeof GROUPS)[number]
const SOON_MS = 24 * 3_600_000

/** Past its deadline, due within a day, or later. */
export function groupOf(review: Pick<Review, 'due'>, now: number): Group {
  const left = Date.parse(review.due) - now
  if (left <= 0) return 'late'
  return left <= SOON_MS ? 'soon' : 'later'
}

/** Seconds until the deadline; negative: past it. */
export const leftS = (review: Pick<Review, 'due'>, now: number): number => (Date.parse(review.due) - now) / 1000

/** The fields of a search that can be opened, in the order in which one asks. */
export const fieldsOf = (search: Pick<LookedAt, 'openable'>): Field[] => FIELDS.filter((field) => search.openable.includes(field))

/** One line of all rules: what came in, what is open, what was decided how. */
export function totalOf(rules: readonly RuleCount[]): Omit<RuleCount, 'rule'> {
  const decided: Partial<Record<Decision, number>> = {}
  for (const { decided: one } of rules) {
    for (const decision of DECISIONS) {
      const n = one[decision]
      if (n) decided[decision] = (decided[decision] ?? 0) + n
    }
  }
  const sum = (pick: (one: RuleCount) => number) => rules.reduce((n, one) => n + pick(one), 0)
  return { raised: sum((r) => r.raised), open: sum((r) => r.open), overdue: sum((r) => r.overdue), decided }
}
