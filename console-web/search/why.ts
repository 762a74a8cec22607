/**
 * Whether a repeated search is asked about, and what a person may say to it.
 *
 * In: what the node tells of a search and of its case. Out: the answers there are.
 * Never: a free text; a person who confirms their own word.
 */

export interface Looked {
  times: number // the search of now with it
  since: string
}

export interface Explanation {
  explanation_id: string
  case: string
  by: string
  by_name: string
}

/** `waiting`: what was put on record and wants another person's word. */
export interface Explains {
  case: string
  about: boolean
  waiting: Explanation[]
}

/** The case is about what was searched; another case is; or somebody else says so, and this person too. */
export type Reason = 'about' | 'other' | 'confirm'

export const isMine = (one: Explanation, me: string): boolean => one.by === me

/** What this person may confirm. */
export const toConfirm = (explains: Explains, me: string): Explanation | null =>
  explains.waiting.find((one) => !isMine(one, me)) ?? null

/** In the order in which they are offered; none where the case explains the search already. */
export function reasonsOf(explains: Explains, me: string): Reason[] {
  if (explains.about) return []
  if (toConfirm(explains, me)) return ['confirm', 'other']
  return explains.waiting.length ? ['other'] : ['about', 'other']
}

/** Which case is put on record; '' where it is still to be typed. The same one is no other. */
export function caseFor(reason: Reason, asked: string, typed: string): string {
  if (reason !== 'other') return asked
  const other = typed.trim()
  return other.toUpperCase() === asked.trim().toUpperCase() ? '' : other
}
