/**
 * The case that a person works on at this screen: typed once, offered wherever one is needed.
 *
 * In: what was typed. Out: the number, and headers with it. Never: kept when the window closes.
 */

import { caseHeaders, setCase } from '../wire/api'

const KEPT_KEY = 'farolito.case'

class UnderCase {
  number = $state(sessionStorage.getItem(KEPT_KEY) ?? '')

  /** From now on it is offered. */
  use(words: string): void {
    this.number = words.trim()
    if (this.number) sessionStorage.setItem(KEPT_KEY, this.number)
    else sessionStorage.removeItem(KEPT_KEY)
  }
}

export const underCase = new UnderCase()

/** Of a role that may do nothing without a case: every question of this screen names it. */
export function workUnder(words: string): boolean {
  underCase.use(words)
  setCase(underCase.number)
  return underCase.number !== ''
}

export const caseOf = (words: string | null | undefined): Record<string, string> =>
  words ? caseHeaders(words) : {}
