/**
 * What the officer said to each brief, so that a reload does not forget it.
 *
 * In: taps. Out: the same, by brief. Never: a word of the brief; only its id is kept.
 */

import type { Outcome } from '../wire/model'
import type { Shelf } from '../wire/outbox'
import type { StatusKind } from './answers'

const STORE_KEY = 'farolito.said'
const BRIEFS_MAX = 50 // the oldest goes

export interface SaidOfBrief {
  status: StatusKind | null
  outcome: Outcome | null
  key: string | null // of the last letter in the outbox
  last: StatusKind | Outcome | 'ask_rtcc' | null
}

const NOTHING: SaidOfBrief = { status: null, outcome: null, key: null, last: null }

export class Said {
  constructor(private readonly briefs: Readonly<Record<string, SaidOfBrief>> = {}) {}

  static load(shelf: Shelf | null): Said {
    try {
      const kept = JSON.parse(shelf?.getItem(STORE_KEY) ?? '{}') as unknown
      const isRecord = typeof kept === 'object' && kept !== null && !Array.isArray(kept)
      return new Said(isRecord ? (kept as Record<string, SaidOfBrief>) : {})
    } catch {
      return new Said()
    }
  }

  keep(shelf: Shelf | null): void {
    try {
      shelf?.setItem(STORE_KEY, JSON.stringify(this.briefs))
    } catch {
      // A full or forbidden store costs only that a reload forgets which button was pressed.
    }
  }

  of(brief_id: string): SaidOfBrief {
    return { ...NOTHING, ...this.briefs[brief_id] }
  }

  with(
    brief_id: string,
    said: { status?: StatusKind; outcome?: Outcome },
    key: string,
  ): Said {
    const last: SaidOfBrief['last'] = said.status ?? said.outcome ?? 'ask_rtcc'
    const { [brief_id]: before, ...others } = this.briefs
    const all = Object.entries({ ...others, [brief_id]: { ...NOTHING, ...before, ...said, key, last } })
    return new Said(Object.fromEntries(all.slice(-BRIEFS_MAX)))
  }

  without(brief_id: string): Said {
    if (!(brief_id in this.briefs)) return this
    const { [brief_id]: _, ...others } = this.briefs
    return new Said(others)
  }

  /** The node refused that letter: the button does not stay pressed. */
  withoutKey(key: string): Said {
    const found = Object.entries(this.briefs).find(([, said]) => said.key === key)
    return found ? this.without(found[0]) : this
  }
}
